#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# How a capture ends: signals, -c, and that nothing is left behind in a ring.

. "$(dirname "$0")/lib.sh"
make_pair

for mode in "" --read --copybreak=0; do
	for sig in INT TERM; do
		start_tap s pt-a -i va $mode icmp
		in_ns pt-a ping -q -c 20 -i 0.01 10.9.0.2 >/dev/null
		kill -$sig "${tap_pid[s]}"
		wait "${tap_pid[s]}"
		is "SIG$sig ${mode:-mmap}: exit status" $? 0
		is "SIG$sig ${mode:-mmap}: everything is in the file" \
			"$(packets "$work/s.tap")" 40
		check "SIG$sig ${mode:-mmap}: the counts add up" counts_hold s
		unset "tap_pid[s]"
	done
	rm -f "$work/s.tap.err"
	run_in pt-a tapdump -i va -c 7 $mode -w "$work/s.tap" icmp \
		2>"$work/s.tap.err" </dev/null &
	pid=$!
	wait_for 20 grep -q listening "$work/s.tap.err"
	in_ns pt-a ping -q -c 20 -i 0.01 10.9.0.2 >/dev/null
	wait $pid
	is "-c 7 ${mode:-mmap}: exit status" $? 0
	is "-c 7 ${mode:-mmap}: exactly as many packets" "$(packets "$work/s.tap")" 7
done

start_tap s pt-a -i va icmp
in_ns pt-a ping -q -c 3 -i 0.01 10.9.0.2 >/dev/null
kill -USR1 "${tap_pid[s]}"
check "SIGUSR1 prints the counts" wait_for 10 \
	grep -q 'packets\? captured' "$work/s.tap.err"
check "SIGUSR1: the capture goes on" kill -0 "${tap_pid[s]}"
kill -USR2 "${tap_pid[s]}"
check "SIGUSR2: what was captured is in the file" wait_for 20 \
	bash -c "[[ \$(tcpdump -r '$work/s.tap' --count 2>/dev/null) == 6\ * ]]"
check "SIGUSR2: the capture goes on" kill -0 "${tap_pid[s]}"
in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
kill -HUP "${tap_pid[s]}"
wait "${tap_pid[s]}"
is "SIGHUP without -C and -G: exit status" $? 0
is "SIGHUP: everything is in the file" "$(packets "$work/s.tap")" 8
unset "tap_pid[s]"

# To a pipe, packet by packet.
run_in pt-a tapdump -i va -U -w - icmp 2>"$work/p.err" </dev/null |
	tcpdump -lnr - >"$work/p.out" 2>/dev/null &
wait_for 20 grep -q listening "$work/p.err"
in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null
check "-U -w -: packets come at once" wait_for 10 \
	bash -c "[[ \$(grep -c ICMP '$work/p.out') == 4 ]]"
pkill -INT -x tapdump
wait

drop_pair
finish
