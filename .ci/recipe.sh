#!/usr/bin/env bash
# Follow docs/recipes/new-covariate.md in a fresh clone of what is committed, run the demonstration country with it, and find the
# coefficient in the database and in the report. The clone uses the environment of this checkout, which has to be ready.
set -euo pipefail
cd "$(dirname "$0")/.."
python="$PWD/.venv/bin/python"
command="$PWD/.venv/bin/care-numbers"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

git clone --quiet --no-hardlinks . "$scratch/clone"
cd "$scratch/clone"
export PYTHONPATH="$PWD" PYTHONDONTWRITEBYTECODE=1 # the code of the clone comes before the installed one
"$python" -m tests.recipes docs/recipes/new-covariate.md .
"$command" run --data demo --out "$scratch/out" > "$scratch/said" || { tail -20 "$scratch/said"; exit 1; }
"$python" - "$scratch/out/demo" << 'END'
import sys
from html import unescape
from pathlib import Path

import duckdb

from pipeline.regression import terms
from pipeline.report import numbers

out = Path(sys.argv[1])
with duckdb.connect(str(out / "care_numbers.duckdb"), read_only=True) as database:
    found = database.execute(
        "SELECT percent_effect, n FROM main.regression_coefficients WHERE window_id = 'main_h5' AND model = 'M2'"
        " AND variant = 'workless_households' AND term = 'workless_households_change' AND NOT region_effects"
        " AND outcome = 'log_rate_ratio' AND estimate IS NOT NULL"
    ).fetchall()
assert len(found) == 1, f"{len(found)} coefficients of the new covariate are in the database"
told = numbers.signed_pct(found[0][0])
words = terms.TERMS[terms.WORKLESS_CHANGE].words
page = unescape((out / "report" / "regressions.html").read_text(encoding="utf-8"))
rows = [row for row in page.split("<tr>") if words in row and "workless households)" in row]
assert len(rows) == 1 and told in rows[0], f"the report does not tell {words} with {told}"
print(f"The recipe holds: {words} goes with {told} per point in {found[0][1]} units, in the database and in the report.")
END
