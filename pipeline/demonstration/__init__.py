"""The demonstration country: fictional published files with a known truth behind them.

What belongs here: simulating a country and writing its files in the layouts of real ones, faults included. What does
not: reading files, and any rule of the statistics. Nothing outside this package knows that the country is invented,
except the command and the stamp on the output, which read the manifest.
"""

PLANTED_TRUTH = "planted_truth.csv"  # beside the country's files: what was planted in them
