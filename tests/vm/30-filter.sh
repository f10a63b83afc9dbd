#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Filter expressions: what libpcap compiles is what the kernel does, with the
# verdicts of tcpdump's own live capture.

. "$(dirname "$0")/lib.sh"
make_pair
make_vlan

filtered() { # INTERFACE EXPRESSION
	start_tap f pt-a -i "$1" "$2" && start_tcpdump f pt-a -i "$1" "$2"
	{
		in_ns pt-a ping -c 2 -i 0.1 10.9.0.2
		in_ns pt-a ping -c 2 -i 0.1 fd09::2
		in_ns pt-a ping -c 2 -i 0.1 10.8.0.2
		in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 10.9.0.2 40
	} >/dev/null 2>&1
	stop f
	check "$1, $2: the counts add up" counts_hold f
	check "$1, $2: the same packets as tcpdump" same f
	check "$1, $2: there are packets" test "$(packets "$work/f.tap")" -gt 0
}

filtered va 'icmp'
filtered va 'ip6 and icmp6'
filtered va 'udp and greater 1000'
filtered va 'vlan 7'
filtered va 'vlan and icmp'
filtered va 'icmp and not vlan'
filtered va 'ether src host '"$(in_ns pt-a cat /sys/class/net/va/address)"
filtered va 'udp[8:4] = 0 and ip[6:2] & 0x1fff = 0'
filtered va 'inbound and icmp'
filtered va.7 'icmp[icmptype] = icmp-echo'
filtered any 'icmp'
filtered any 'udp and host 10.9.0.2'

echo 'icmp or icmp6' >"$work/expression"
start_tap f pt-a -i va -F "$work/expression"
in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null
stop f
is "-F FILE" "$(packets "$work/f.tap")" 4

drop_pair
finish
