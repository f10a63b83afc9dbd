#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Kinds of interfaces: loopback, headerless (tun, wireguard), VLAN with the tag
# put back, dummy, and all of them at once.

. "$(dirname "$0")/lib.sh"
make_pair

both() { # NAME INTERFACE TRAFFIC-COMMAND [PCAPDIFF-OPTIONS]
	local name=$1 iface=$2 command=$3

	start_tap y pt-a -i "$iface" && start_tcpdump y pt-a -i "$iface"
	eval "$command" >/dev/null 2>&1
	stop y
	check "$name: the counts add up" counts_hold y
	check "$name: the same packets as tcpdump" same y "${@:4}"
	check "$name: there are packets" test "$(packets "$work/y.tap")" -gt 0
}

both loopback lo '
	in_ns pt-a ping -c 3 -i 0.1 127.0.0.1
	in_ns pt-a ping -c 3 -i 0.1 ::1
	in_ns pt-a ping -c 2 -i 0.1 -s 60000 127.0.0.1
	in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 127.0.0.1 50'

in_ns pt-a ip link add dm type dummy
in_ns pt-a ip link set dm up
in_ns pt-a ip addr add 10.7.0.1/24 dev dm
both dummy dm 'in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 10.7.0.2 50'

make_vlan
both "vlan, on the lower device" va '
	in_ns pt-a ping -c 3 -i 0.1 10.8.0.2
	in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 10.8.0.2 50'
is "vlan: the tag is in the bytes" \
	"$(tcpdump -nr "$work/y.tap" 'vlan 7 and (icmp[0] = 0 or icmp[0] = 8)' 2>/dev/null | wc -l)" 6
both "vlan, on the vlan device" va.7 'in_ns pt-a ping -c 3 -i 0.1 10.8.0.2'

run_in pt-a python3 "$(dirname "$0")/tun_echo.py" tn 10.6.0.1 60 &
tun=$!
if wait_for 20 in_ns pt-a ping -c 1 -W 1 10.6.0.2; then
	both tun tn 'in_ns pt-a ping -c 4 -i 0.1 10.6.0.2
		in_ns pt-a ping -c 2 -i 0.1 -s 1000 10.6.0.2'
	is "tun: raw IP" "$(tshark -r "$work/y.tap" -T fields -e frame.encap_type -c 1 2>/dev/null)" 7
else
	skip tun "this kernel has no tun"
fi
kill $tun 2>/dev/null
wait $tun 2>/dev/null

if in_ns pt-a ip link add wg type wireguard 2>/dev/null; then
	in_ns pt-a ip addr add 10.5.0.1/24 dev wg
	in_ns pt-a ip link set wg up
	# Without a peer it drops what it sends, behind the tap.
	both wireguard wg 'in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 10.5.0.2 20'
else
	skip wireguard "this kernel has no wireguard"
fi

if older libpcap 1.10.2; then
	# its issue 1105
	skip "any: a tag" "this libpcap puts it between the bytes of the cooked header"
	ip -n pt-a link del va.7
	ip -n pt-b link del vb.7
fi
both "any (cooked)" any 'in_ns pt-a ping -c 3 -i 0.1 10.9.0.2
	in_ns pt-a ping -c 3 -i 0.1 127.0.0.1
	in_ns pt-a ping -c 2 -i 0.1 -W 1 10.8.0.2'

start_tap z pt-a -i va -i lo --pcapng
in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 3 -i 0.1 127.0.0.1 >/dev/null
stop z
is "two interfaces in one pcapng file" \
	"$(tshark -r "$work/z.tap" -Y icmp -T fields -e frame.interface_name 2>/dev/null | sort | uniq -c | xargs)" \
	"6 lo 6 va"

drop_pair
finish
