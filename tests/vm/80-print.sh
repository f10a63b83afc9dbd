#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Without -w: packets are printed as tcpdump prints them.

. "$(dirname "$0")/lib.sh"
make_pair

printed() { # NAME OPTIONS
	run_in pt-a tapdump -i va -l "${@:2}" icmp >"$work/tap" 2>"$work/tap.err" </dev/null &
	local tap=$!
	wait_for 20 grep -q listening "$work/tap.err"
	run_in pt-a tcpdump -i va -l "${@:2}" icmp >"$work/tcp" 2>"$work/tcp.err" </dev/null &
	local tcp=$!
	wait_for 20 grep -q listening "$work/tcp.err"
	in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null
	check "$1: lines come while it runs" wait_for 10 \
		bash -c "[[ \$(grep -c 'ICMP echo' '$work/tap') == 4 ]]"
	sleep 1
	kill -INT $tap $tcp
	wait $tap
	is "$1: exit status" $? 0
	wait $tcp
	check "$1: tcpdump's output" diff "$work/tap" "$work/tcp"
	is "$1: nothing but tapdump's own messages" \
		"$(grep -c 'reading from' "$work/tap.err")" 0
	matches "$1: closing lines" "$(cat "$work/tap.err")" '4 packets captured'
}

printed plain -n -t
printed "link level, verbose, hex" -n -t -e -v -X

drop_pair
finish
