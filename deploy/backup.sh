#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# One backup a day into the directory named, while the node runs; the last
# fourteen stay. A backup that did not end well replaces none.
set -eu
dir=$1
file=$dir/essaim-$(date +%F).backup
rm -f "$file.part"
essaim backup --data "${ESSAIM_DATA:-/var/lib/essaim}" "$file.part"
mv "$file.part" "$file"
# What was erased, up to today: it keeps an older backup from bringing it back.
erased=${ESSAIM_DATA:-/var/lib/essaim}/erasures.jsonl
if [ -e "$erased" ]; then
  cp "$erased" "$dir/erasures.part"
  mv "$dir/erasures.part" "$dir/erasures.jsonl"
fi
# The names sort by date.
ls -1 "$dir" | grep '^essaim-....-..-..\.backup$' | sort -r | tail -n +15 | while read -r old; do
  rm -- "$dir/$old"
done
