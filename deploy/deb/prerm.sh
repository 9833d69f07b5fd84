#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now essaim.service essaim-backup.timer || true
fi
