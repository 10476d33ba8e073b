"""Ask whether a pinned version has a known vulnerability: `make audit`.

What belongs here: pip-audit over the lock files, and one plain sentence for each way in which that can end. What does not:
deciding what to do about a finding, which is a new version in pyproject.toml and `make lock`.

The advisories are those of OSV, asked for every package by name and version over the network. The index of packages, which
pip-audit asks if nothing else is said, would not do: a mirror without advisories says "not found", and pip-audit calls a
package that it could not look up clean.

Exit codes: 0 nothing is known against any version, 1 something is, 2 not audited (then nothing at all is known).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "bench/requirements.lock")  # deploy/requirements.lock is a part of the first, says a test
SERVICE_VARIABLE = "CARE_NUMBERS_AUDIT_URL"  # another service that answers as OSV's does, such as a company's own copy
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 2
_UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "Could not connect")


def main(locks: tuple[str, ...] = LOCKS) -> int:
    """Audit every lock file; what the worst of them came to is the exit code."""
    codes = [_audited(lock) for lock in locks]
    if NOT_AUDITED in codes:
        _say("Not audited: nothing is known about these versions, neither good nor bad. See above why.")
        return NOT_AUDITED
    return max(codes)


def _audited(lock: str) -> int:
    done = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--requirement", str(PROJECT / lock), "--require-hashes", "--disable-pip",
            "--progress-spinner", "off", "--format", "json", "--vulnerability-service", "osv", "--timeout", "20", *_url(),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        _say(f"{lock}: {_why(done.stderr)}")
        return NOT_AUDITED
    return _told(lock, packages)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _url() -> list[str]:
    chosen = os.environ.get(SERVICE_VARIABLE)
    return ["--osv-url", chosen] if chosen else []


def _why(said: str) -> str:
    """Why pip-audit gave no answer, in a sentence."""
    lines = said.strip().splitlines() or ["pip-audit said nothing"]
    if any(sign in said for sign in _UNREACHABLE):
        return (
            "the service with the advisories cannot be reached. It needs a way to the internet; another service of the "
            f"same kind is named by {SERVICE_VARIABLE}. ({lines[-1][:200]})"
        )
    return f"pip-audit ended without an answer. ({lines[-1][:200]})"


def _told(lock: str, packages: list[dict[str, Any]]) -> int:
    skipped = [package for package in packages if "skip_reason" in package]
    found = [(package, one) for package in packages for one in package.get("vulns", [])]
    for package, one in found:
        mended = ", ".join(one.get("fix_versions") or []) or "no version yet"
        _say(
            f"{lock}: {package['name']} {package['version']}: {one['id']}, mended in {mended}. {one['description'][:200]}"
        )
    for package in skipped:
        _say(f"{lock}: {package['name']}: not looked up ({package['skip_reason']})")
    if not packages or skipped:
        return NOT_AUDITED
    if found:
        return VULNERABLE
    _say(f"{lock}: {len(packages)} packages, no known vulnerability.")
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())
