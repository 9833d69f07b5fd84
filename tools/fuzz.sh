#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Runs each fuzz target of the module for a while: tools/fuzz.sh [TIME]
# What a target finds stays in its testdata directory, to be committed with the
# correction.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
start=$SECONDS passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "seed 0" # the fuzzing engine draws its own
while IFS=: read -r file target; do
  [ -n "$file" ] || continue
  # The engine may end its time on this error; a finding names a file instead. To
  # make each input smaller would take the whole of it.
  if go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x "./$(dirname "$file")" >"$log" 2>&1 ||
    { grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; }; then
    passed=$((passed + 1))
    result=passed
  else
    failed=$((failed + 1))
    result=failed
    cat "$log"
  fi
  printf '{"fuzz":"%s.%s","result":"%s"}\n' "$(dirname "$file")" "$target" "$result"
done < <(git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' ':!tools' | sed 's/func //')
echo "duration $((SECONDS - start))s"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
