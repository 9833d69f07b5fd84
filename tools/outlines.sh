#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Rebuilds web/static/outlines.svg from an npm package at an exact version. The
# same input gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo '{"private":true}' >"$dir/package.json"
npm install --prefix "$dir" --ignore-scripts --no-audit --no-fund --silent world-atlas@2.0.2
NODE_PATH="$dir/node_modules" node tools/outlines/build.cjs >web/static/outlines.svg
ls -l web/static/outlines.svg
