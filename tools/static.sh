#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Fails unless each binary named is static: one that asks for a dynamic loader
# does not start in an empty image.
set -euo pipefail
for binary in "$@"; do
  # The program header PT_INTERP names a loader; a static binary has none.
  if LC_ALL=C grep -aqE '/ld-(linux|musl)[-a-z0-9_]*\.so' <(head -c 4096 "$binary"); then
    echo "$binary is not static" >&2
    exit 1
  fi
done
