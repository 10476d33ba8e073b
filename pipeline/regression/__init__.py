"""What goes with the change: regressions across authorities, and how far they can be trusted (methods.md D).

Read in this order: `terms` (the words of every term), `observations` (one row a unit of a window), `design` (a matrix
with names, or the reason why there is none), `fits` (one estimate), `diagnostics` and `resampling` (how far to trust it),
`models`, `panel_models` and `univariate` (which estimates are made), `specification_curve` (whether the choices matter),
`findings` (what it says in words). `staggered` is an appendix and feeds nothing else.
"""
