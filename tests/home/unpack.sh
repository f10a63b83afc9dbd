#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# unpack.sh DIR STATUS PACKAGE... - fetch Debian packages, with everything they
# need that a system whose dpkg status file is STATUS has not, by this machine's
# apt, and unpack them into DIR/tree.  Nothing is installed.

set -euo pipefail
dir=$(realpath -m -- "$1") status=$2
mkdir -p "$dir/debs/partial"
apt-get -o Dir::State::status="$status" -o Dir::Cache::archives="$dir/debs" \
	-o Debug::NoLocking=1 -y -q --no-install-recommends --download-only \
	install "${@:3}"
rm -rf "$dir/tree"
mkdir "$dir/tree"
for deb in "$dir"/debs/*.deb; do
	dpkg-deb -x "$deb" "$dir/tree"
done
rm -rf "$dir"/tree/usr/share/{doc,man,locale,lintian}
