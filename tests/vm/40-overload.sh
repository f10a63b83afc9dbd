#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# More packets than the reader can take: every one of them is in the file or
# counted as dropped, none twice, and the file is whole.

. "$(dirname "$0")/lib.sh"
modprobe pktgen 2>/dev/null || {
	skip overload "this kernel has no pktgen"
	finish
}
ip link add pt-d type dummy
ip link set pt-d up arp off
sysctl -qw net.ipv6.conf.pt-d.disable_ipv6=1

pg() { echo "$2" >"/proc/net/pktgen/$1"; }

# Both wait, and a signal would end that: a process without children does it.
control() { sh -c "echo $1 >/proc/net/pktgen/pgctrl"; }

# blast COUNT SIZE: COUNT packets from each CPU, through the transmit taps
blast() {
	local cpu

	control reset
	for cpu in 0 1; do
		pg kpktgend_$cpu "add_device pt-d@$cpu"
		pg pt-d@$cpu "count $1"
		pg pt-d@$cpu "pkt_size $2"
		pg pt-d@$cpu "delay 0"
		pg pt-d@$cpu "xmit_mode queue_xmit"
		pg pt-d@$cpu "dst 10.7.0.2"
		pg pt-d@$cpu "dst_mac 02:00:00:00:00:02"
	done
	control start
	for cpu in 0 1; do
		grep -q "^Result: OK" /proc/net/pktgen/pt-d@$cpu ||
			diag "pktgen: $(tail -n 1 /proc/net/pktgen/pt-d@$cpu)"
	done
	control reset
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

ip link del pt-d
finish
