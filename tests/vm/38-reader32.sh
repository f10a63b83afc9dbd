#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A program of 32 bits on this kernel of 64: the same structures, both ways to
# read, beside tcpdump.

. "$(dirname "$0")/lib.sh"
reader=$(dirname "$0")/../../build/tests/device/reader32
if [[ ! -x $reader ]]; then
	skip "a reader of 32 bits" "there was no compiler for it"
	finish
fi
if "$reader" 2>/dev/null; (($? == 126)); then
	skip "a reader of 32 bits" "this kernel runs no such program"
	finish
fi
make_pair

for way in mmap read; do
	run_in pt-a "$reader" "$way" 60 >"$work/c.tap" &
	pid=$!
	wait_for 30 eval \
		'[[ $(in_ns pt-a awk "\$3 == \"reader32\" { print \$4 }" /proc/net/ptap) == running ]]'
	start_tcpdump c pt-a -i va
	in_ns pt-a ping -q -c 5 -i 0.1 10.9.0.2 >/dev/null
	in_ns pt-a ping -q -c 5 -i 0.1 -s 5000 10.9.0.2 >/dev/null
	in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 50 300
	wait $pid
	is "$way: exit status" $? 0
	stop c
	tshark -r "$work/c.tap" -F pcap -w "$work/v.tap" \
		-Y 'frame.interface_name == "va"' 2>/dev/null
	n=$(packets "$work/v.tap")
	check "$way: it has $n packets" test "$n" -ge 60
	# It stops when it has enough; tcpdump goes on.
	check "$way: they are tcpdump's" pcapdiff --ignore-order --skew 2 \
		"$work/v.tap" "$work/c.tcp"
done

drop_pair
finish
