#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# The data stays, whatever is asked: it holds the keys of a territory.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
if [ "$1" = purge ] && [ -d /var/lib/essaim ]; then
  echo "essaim: /var/lib/essaim and /var/backups/essaim are kept; remove them by hand." >&2
fi
