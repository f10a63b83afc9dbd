#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [--list] [--sample] [KIND[:SET,...]]... - the matrix, in the VM.
#
# Captures each kind of interface with tapdump and tcpdump at once, in many
# ways, and compares record by record.  Without a KIND: all of them.  KIND:SET
# runs some sets of options (options.sh) only; --sample takes a few sets for each
# kind.  Prints TAP and, at the end, a table of the
# results, which is also left in /out/parity.txt.  Kinds that this kernel or
# this VM cannot make are skipped, with the reason.
#
# From the host:  scripts/vm.sh --nic virtio-net-pci --nic virtio-net-pci \
#                         -- tests/parity/run.sh [KIND]...

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
PATH=$top/build:$PATH
sample=
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=kinds.sh
. "$here/kinds.sh"
# shellcheck source=tunnels.sh
. "$here/tunnels.sh"

main() {
	local kind wish=()

	while (($#)); do
		case $1 in
		--list)
			tr ' ' '\n' <<<"$kinds"
			exit 0
			;;
		--sample) sample=yes ;;
		-*)
			echo "unknown option '$1'" >&2
			exit 2
			;;
		*) wish+=("$1") ;;
		esac
		shift
	done
	# shellcheck disable=SC2206 # words
	((${#wish[@]})) || wish=($kinds)
	[[ -e /sys/module/ptap ]] || insmod "$top/module/ptap.ko" || exit 1
	mkdir -p "${results%/*}"
	: >"$results"
	# sudden ends of helpers are no news
	for kind in "${wish[@]}"; do
		kind_lists "${kind%%:*}"
		[[ $kind != *:* ]] || lists "$(tr , ' ' <<<"${kind#*:}")" "$list_point"
		[[ ! $sample ]] || lists "$list_sample" default
		run_kind "${kind%%:*}"
	done
	python3 "$here/table.py" "$results" >"${results%/*}/parity.txt"
	sed 's/^/# /' "${results%/*}/parity.txt"
}

main "$@"
finish
