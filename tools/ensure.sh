#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Installs what a suite needs and this machine lacks, Debian packages and the
# npm packages of e2e/fedify, e2e/second and e2e/browser at the versions of their lock files:
#   tools/ensure.sh test|package
# Looks first and installs only what is absent; needs root for Debian's alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# A line is: a file whose presence proves the package, then the package.
common=(
  "/usr/lib/postgresql/*/bin/initdb postgresql-15"
  "/usr/bin/chromium chromium"
  "/usr/bin/java default-jre-headless"
  "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core"
  "/usr/bin/pdftotext poppler-utils"
)
packaging=(
  "/usr/bin/buildah buildah"
  "/usr/sbin/debootstrap debootstrap"
  "/usr/bin/caddy caddy"
  "/usr/sbin/nginx nginx-light"
  "/usr/bin/systemd-analyze systemd"
  "/etc/ssl/certs/ca-certificates.crt ca-certificates"
  "/usr/sbin/ip iproute2"
  "/usr/bin/curl curl"
  "/usr/bin/qemu-aarch64-static qemu-user-static"
)
case "${1:-test}" in
  test) want=("${common[@]}" "${packaging[@]}") ;;
  package) want=("${packaging[@]}") ;;
  *) echo "ensure.sh: unknown suite $1" >&2; exit 2 ;;
esac

missing=()
for line in "${want[@]}"; do
  read -r proof package <<<"$line"
  compgen -G "$proof" >/dev/null || missing+=("$package")
done

# What the suites conformance, second and browser run: for the first Node itself is
# one of them, for Debian's is too old; no package's own script runs.
modules() {
  [ "${1:-test}" = test ] || return 0
  local dir
  for dir in e2e/fedify e2e/second e2e/browser; do
    ! cmp -s "$dir/package-lock.json" "$dir/node_modules/.installed" || continue
    echo "ensure.sh: installing the npm packages of $dir"
    (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$dir/package-lock.json" "$dir/node_modules/.installed"
  done
}
[ "${1:-test}" != test ] || command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -eq 0 ]; then
  modules "$@"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "ensure.sh: this is not Debian; install what stands for: ${missing[*]}" >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "ensure.sh: missing Debian packages; run as root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "ensure.sh: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# No service is started by its installation: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$log" "$policy"' EXIT
fi
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "ensure.sh: installing ${missing[*]} did not work" >&2
  exit 1
fi
modules "$@"
