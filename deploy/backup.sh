#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# One backup a day into the directory named, while the node runs; the last
# fourteen stay. A backup that did not end well replaces none.
set -eu
dir=$1
data=${ESSAIM_DATA:-/var/lib/essaim}
file=$dir/essaim-$(date +%F).backup
rm -f "$file.part"
essaim backup --data "$data" "$file.part"
mv "$file.part" "$file"
# Beside it, as of today: what was erased, which keeps an older backup from bringing
# it back, and the settings, which no backup holds.
for f in erasures.jsonl essaim.toml; do
  [ -e "$data/$f" ] || continue
  cp "$data/$f" "$dir/$f.part"
  mv "$dir/$f.part" "$dir/$f"
done
# The names sort by date.
ls -1 "$dir" | grep '^essaim-....-..-..\.backup$' | sort -r | tail -n +15 | while read -r old; do
  rm -- "$dir/$old"
done
