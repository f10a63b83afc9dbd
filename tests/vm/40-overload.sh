#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# More packets than the reader can take: every one of them is in the file, or
# files, or counted as dropped, none twice, and the file is whole.  The numbers of
# packets run on from file to file.

. "$(dirname "$0")/lib.sh"
make_dummy || {
	skip overload "this kernel has no pktgen"
	finish
}

overload() { # NAME FREEZE TAPDUMP-OPTIONS
	local c r d sent=40000

	start_tap o - -i pt-d -B 1024 "${@:3}"
	[[ $2 == run ]] || kill -STOP "${tap_pid[o]}"
	blast $((sent / 2)) 200
	[[ $2 == run ]] || kill -CONT "${tap_pid[o]}"
	stop o
	read -r c r d < <(counts o)
	check "$1: the counts add up" counts_hold o
	is "$1: sent = captured + dropped" "$((c + d))" $sent
	[[ $2 == run ]] ||
		check "$1: there were drops" test "$d" -gt 0
	check "$1: tshark reads the file" tshark -r "$work/o.tap" -c 1
}

for mode in "" --read; do
	overload "frozen reader${mode:+, $mode}" freeze -s 256 $mode
	overload "frozen reader, copybreak 0${mode:+, $mode}" freeze -s 256 --copybreak=0 $mode
	overload "running reader${mode:+, $mode}" run --pcapng $mode
done

# turning NAME FREEZE TAPDUMP-OPTIONS: into many files
turning() {
	local c d out count sent=30002 set

	rm -rf "$work/d"
	mkdir "$work/d"
	tapdump -w "$work/d/f" -i pt-d -s 256 --meta drops,id "${@:3}" \
		2>"$work/o.tap.err" </dev/null &
	tap_pid[o]=$!
	wait_for 30 grep -q 'listening on' "$work/o.tap.err"
	[[ $2 == run ]] || kill -STOP "${tap_pid[o]}"
	blast 5000 200
	kill -CONT "${tap_pid[o]}"
	blast 10000 200
	sleep 2
	blast 1 200
	stop o
	read -r c _ d < <(counts o)
	mapfile -t set < <(printf '%s\n' "$work/d"/* | sort -V)
	count=${#set[@]}
	is "$1: sent = captured + dropped" "$((c + d))" $sent
	check "$1: a file for each 1000 packets" test "$count" -ge $((c / 1000))
	out=$(tapdump --verify -v "${set[@]}" 2>&1 </dev/null)
	if [[ $2 == all ]]; then
		is "$1: verify" "$out" "complete: $sent packets in $count files"
		return
	fi
	[[ $2 == run ]] || check "$1: there were drops" test "$d" -gt 0
	# Where and how many, and that it is as many as the kernel counts.
	is "$1: verify: the missing before packets, and all of them" \
		"$(awk '/ missing before packet / { sub(/^[^:]*: /, ""); n += $1 }
			END { print n + 0 }' <<<"$out") ${out##*$'\n'}" \
		"$d $( ((d)) && echo "incomplete: $c packets in $count files, $d missing: $d dropped by the kernel, 0 captured, and not in the files" ||
			echo "complete: $c packets in $count files")"
}

turning "into files, rings that hold everything" all -B 16384 -C 200k
turning "into files, frozen reader" freeze -B 256 -C 200k
turning "into files, running reader" run -B 64 \
	--ring-buffer packets:500 --copybreak=0
turning "into files, --read" run -B 64 --ring-buffer filesize:150 --read

ip link del pt-d
finish
