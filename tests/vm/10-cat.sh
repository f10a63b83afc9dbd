#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# /dev/tap without any tool: cat makes a capture file of it.

. "$(dirname "$0")/lib.sh"
make_pair

run_in pt-a cat /dev/tap >"$work/c.tap" &
cat=$!
start_tcpdump c pt-a -i va
in_ns pt-a ping -q -c 5 -i 0.1 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 2 -i 0.1 -s 3000 127.0.0.1 >/dev/null
stop c
kill $cat
wait $cat 2>/dev/null

check "tshark reads the file" tshark -r "$work/c.tap" -T fields -e frame.number
is "the header has been written" "$(head -c 4 "$work/c.tap" | od -An -tx1 | tr -d ' ')" 0a0d0d0a
tshark -r "$work/c.tap" -F pcap -w "$work/v.tap" -Y 'frame.interface_name == "va"' 2>/dev/null
check "the packets of va are tcpdump's" \
	pcapdiff --sorted A --skew 2 --order-slack 50ms "$work/v.tap" "$work/c.tcp"
is "the packets of lo are there once" \
	"$(tshark -r "$work/c.tap" -Y 'frame.interface_name == "lo" && icmp' 2>/dev/null | wc -l)" 4

# A small buffer: each record is whole, nothing is lost.
run_in pt-a timeout 4 dd if=/dev/tap of="$work/d.tap" bs=2048 status=none &
dd=$!
sleep 1
in_ns pt-a ping -q -c 5 -i 0.1 10.9.0.2 >/dev/null
wait $dd
is "dd with 2 KiB blocks" "$(tshark -r "$work/d.tap" -Y icmp 2>/dev/null | wc -l)" 10

drop_pair
finish
