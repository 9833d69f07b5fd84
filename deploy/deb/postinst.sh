#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
set -e
if [ "$1" = configure ]; then
  if ! getent passwd essaim >/dev/null; then
    useradd --system --user-group --home-dir /var/lib/essaim --no-create-home --shell /usr/sbin/nologin essaim
  fi
  for dir in /var/lib/essaim /var/backups/essaim; do
    [ -d "$dir" ] || install -d -o essaim -g essaim -m 0750 "$dir"
  done
  # The environment may hold passwords.
  chown root:essaim /etc/essaim/essaim.env
  chmod 0640 /etc/essaim/essaim.env
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # A first installation waits for `essaim init`; an upgrade goes on.
    [ -z "$2" ] || systemctl try-restart essaim.service
  fi
fi
