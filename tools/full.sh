#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs every suite and adds what they say to docs/RELIABILITY.md: date, commit,
# seeds, counts. SEEDS and FORGERIES may be less than what is asked of a release;
# the report shows what they were.
set -uo pipefail
cd "$(dirname "$0")/.."
report=docs/RELIABILITY.md
rows=()
failed=0
logs=bin/full
mkdir -p "$logs"

suite() { # name, command…
  local name=$1 start=$SECONDS
  shift
  echo "== $name: $*"
  if "$@" 2>&1 | tee "$logs/$name.log"; then outcome=passed; else
    outcome=FAILED
    failed=$((failed + 1))
  fi
  local seed count
  seed=$(grep -m1 -oE 'seed [0-9]+' "$logs/$name.log" | cut -d' ' -f2)
  count=$(grep -oE '^[0-9]+ passed, [0-9]+ failed' "$logs/$name.log" | tail -n 1)
  [ -n "$count" ] || count="$(grep -cE '^ok ' "$logs/$name.log") packages"
  rows+=("| \`$*\` | $outcome | $count | ${seed:-} | $((SECONDS - start)) s |")
}

suite test make test TESTFLAGS=-skip=TestSuitesInShortForm # they are run whole below
suite stories make stories
suite crash-sqlite make crash DB=sqlite KILLS=20 N=10000
suite crash-postgres make crash DB=postgres KILLS=20 N=10000
suite convergence make convergence SEEDS="${SEEDS:-1000}"
suite conformance make conformance
suite spoiled make spoiled
suite second make second
suite browser make browser
suite spoiled-browser make spoiled-browser
suite hostile make hostile
suite forger make forger FORGERIES="${FORGERIES:-100000}"
suite mutants make mutants
suite package make package
suite bench make bench
suite flap make flap
suite fuzz make fuzz FUZZ=10s

[ -e "$report" ] || printf '# Reliability\n\nWhat `make test-full` said, newest last.\n' >"$report"
{
  printf '\n## %s, commit %s\n\n' "$(date -u +%F)" "$(git rev-parse --short HEAD)"
  printf '| suite | outcome | counts | seed | duration |\n|---|---|---|---|---|\n'
  printf '%s\n' "${rows[@]}"
} >>"$report"
echo "$((${#rows[@]} - failed)) passed, $failed failed"
[ "$failed" = 0 ]
