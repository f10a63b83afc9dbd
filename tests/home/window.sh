#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# window.sh - Wireshark's real window on a screen of the VM: ptap's interfaces
# in the list, their options, a capture started from there, the toolbar, a file,
# another machine's packets by ssh (window-guest.sh).
#
# The VM's system has no Wireshark with a window: its packages are fetched by
# this machine's apt, as the guest lacks them, and unpacked there.  Pictures
# arrive in build/vm/out-window; the project keeps three in userspace/doc.  Prints
# TAP; the last line is "N passed, N failed, N skipped".

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
log=build/test window=build/window
PACKAGES=(wireshark xvfb xdotool openbox imagemagick fonts-dejavu-core)
image=$(scripts/vm-image.sh 6.1)
mkdir -p "$log"

echo "# fetching the packages"
tests/home/unpack.sh "$window" "$image/rootfs/var/lib/dpkg/status" \
	"${PACKAGES[@]}" >"$log/window.log" 2>&1 ||
	{ tail -n 20 "$log/window.log"; exit 1; }
status=0
scripts/vm.sh --timeout 3000 --mem 3G --in "$window/tree" --out build/vm/out-window \
	-- tests/home/window-guest.sh | tee "$log/window.tap" || status=1
awk '/^ok .*# SKIP/ { s++; next } /^ok / { p++ } /^not ok / { f++ }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || !p }' \
	"$log/window.tap" || status=1
exit $status
