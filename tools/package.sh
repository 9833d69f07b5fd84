#!/usr/bin/env bash
# SPDX-License-Identifier: AGPL-3.0-or-later
# Builds what is distributed, into PACKAGE_DIR/ARCH (bin/package):
#   tools/package.sh [amd64] [arm64]
# essaim (static), essaim_VERSION_ARCH.deb, and what the container file copies.
# Nothing of it is run here: see e2e/packaging for what is verified of each.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- amd64 arm64
commit=${COMMIT:-$(git rev-parse HEAD)}
version=${VERSION:-$(git describe --tags --always)}
# Debian compares versions: one without a tag comes before the first release.
case ${version#v} in
  [0-9]*.*) PACKAGE_VERSION=${version#v} ;;
  *) PACKAGE_VERSION=0.0.0~git$(git log -1 --format=%cd --date=format:%Y%m%d%H%M%S 2>/dev/null || echo 0) ;;
esac
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export PACKAGE_VERSION SOURCE_DATE_EPOCH

for ARCH in "$@"; do
  export ARCH OUT=${PACKAGE_DIR:-bin/package}/$ARCH
  rm -rf "$OUT"
  mkdir -p "$OUT/rootfs/usr/bin" "$OUT/rootfs/etc/ssl/certs" "$OUT/data"
  CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH go build -trimpath \
    -ldflags "-s -w -X main.version=$version -X main.commit=$commit" -o "$OUT/essaim" ./cmd/essaim
  tools/static.sh "$OUT/essaim"
  go tool -modfile=tools/go.mod nfpm package --config deploy/nfpm.yaml --packager deb --target "$OUT/"
  cp "$OUT/essaim" "$OUT/rootfs/usr/bin/essaim"
  cp /etc/ssl/certs/ca-certificates.crt "$OUT/rootfs/etc/ssl/certs/"
  printf 'essaim:x:65532:65532::/data:/nonexistent\n' >"$OUT/rootfs/etc/passwd"
  ls -l "$OUT"/essaim "$OUT"/*.deb
done
