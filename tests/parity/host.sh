#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# host.sh matrix [KIND]... | replay FOLDER - boot test VMs for tests/parity.
#
# matrix: the whole matrix (run.sh) in a VM with two virtio-net cards, then what
# needs drivers that its kernel lacks (e1000, e1000e, CAN, PPP) in one with Debian's
# full kernel.  Leaves build/parity/parity.txt, the table of both, and prints it.
# replay: the capture files of a folder through replay.sh, with its summary in
# build/parity/replay.txt.  The exit status is 0 only if nothing differs and
# everything ran.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
out=build/parity
full_kinds=(e1000 e1000e vcan ppp)
status=0
mkdir -p "$out"

# vm NAME OPTION... -- KIND...: a VM for the matrix; TAP as it comes
vm() {
	local name=$1 options=()

	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	echo "# VM: $name"
	scripts/vm.sh --out "$out/$name" --mem 4G --timeout 5400 "${options[@]}" \
		-- tests/parity/run.sh "${@:2}" | tee "$out/$name.tap"
	[[ ${PIPESTATUS[0]} == 0 ]] || status=1
	grep -q '^1\.\.' "$out/$name.tap" || {
		echo "not ok 0 - $name: ended early"
		status=1
	}
}

matrix() {
	local kind rest=() full=() tables=()

	# shellcheck source=kinds.sh
	. tests/parity/kinds.sh
	# shellcheck disable=SC2086 # words
	(($#)) || set -- $kinds
	for kind; do
		if [[ " ${full_kinds[*]} " == *" ${kind%%:*} "* ]]; then
			full+=("$kind")
		else
			rest+=("$kind")
		fi
	done
	if ((${#rest[@]})); then
		vm matrix --nic virtio-net-pci --nic virtio-net-pci -- "${rest[@]}"
		tables+=("$out/matrix/parity.tsv")
	fi
	if ((${#full[@]})); then
		vm matrix-full --kernel 6.1-full --nic e1000 --nic e1000 \
			--nic e1000e --nic e1000e -- "${full[@]}"
		tables+=("$out/matrix-full/parity.tsv")
	fi
	python3 tests/parity/table.py "${tables[@]}" >"$out/parity.txt"
	echo
	cat "$out/parity.txt"
}

replay() {
	[[ -d ${1:-} ]] || {
		echo "replay needs a folder of capture files: make replay PCAPS=folder" >&2
		exit 2
	}
	scripts/vm.sh --in "$1" --out "$out/replay" --mem 4G --timeout 0 \
		-- tests/parity/replay.sh /in || status=1
	cp "$out/replay/replay.txt" "$out/replay.txt" || status=1
}

case ${1:-} in
matrix | replay) "$@" ;;
*)
	echo "usage: host.sh matrix [KIND]... | replay FOLDER" >&2
	exit 2
	;;
esac
exit $status
