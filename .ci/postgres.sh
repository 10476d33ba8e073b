#!/usr/bin/env bash
# A PostgreSQL server on this machine for the tests that need one: Debian's package, started, with two roles of the tests' own.
# Quick when all of that is so already. Does nothing where it may not install anything: the tests are then skipped visibly.
set -euo pipefail
role=care_numbers_test

if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "no PostgreSQL server: this needs root on a Debian system; the tests that need one are skipped"
  exit 0
fi
if ! command -v pg_ctlcluster > /dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql > /dev/null
fi

read -r version cluster port status _ < <(pg_lsclusters --no-header)
if [ "$status" != online ]; then
  pg_ctlcluster "$version" "$cluster" start
fi
for _ in $(seq 50); do
  pg_isready --quiet --port "$port" && break
  sleep 0.2
done

as_owner() { runuser -u postgres -- psql --quiet --no-align --tuples-only --port "$port" --command "$1" postgres; }
with_role() { # name, password
  if [ "$(as_owner "SELECT count(*) FROM pg_roles WHERE rolname = '$1'")" = 0 ]; then
    as_owner "CREATE ROLE $1 LOGIN CREATEDB PASSWORD '$2'"
  fi
}
with_role "$role" "$role"
with_role "${role}_secret" "canary-postgres-5e1f0c" # a password that stands nowhere else: a test looks where it turns up
echo "PostgreSQL $version answers on port $port"
