"""The Dagster graph: which table is made from which, what is checked, when it runs, and the command that starts it.

A node is a few lines: call a function of `pipeline`, describe what came out, return it. Figures, files and SQL are the
business of `pipeline`. No module here is called like a package, and none uses postponed annotations, which Dagster's
decorators cannot resolve.
"""
