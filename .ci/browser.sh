#!/usr/bin/env bash
# A browser for the tests that look at the report: Debian's Chromium. Quick when it is there already.
# Does nothing where it may not install anything: the tests are then skipped visibly.
set -euo pipefail

for program in chromium chromium-browser google-chrome; do
  if command -v "$program" > /dev/null; then
    echo "a browser is there: $program"
    exit 0
  fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "no browser: this needs root on a Debian system; the tests that need one are skipped"
  exit 0
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null
echo "Chromium is installed"
