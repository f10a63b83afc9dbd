#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Time stamps of the adapter (-j adapter_unsynced, -J), and what it lost itself, on
# a device that knows nothing but that: tests/stampdev.  tcpdump captures beside.

. "$(dirname "$0")/lib.sh"
module=$(dirname "$0")/../stampdev/stampdev.ko

both() { # NAME ARGS...: tapdump and tcpdump say the same and end alike
	local name=$1 tap tcp

	shift
	tap=$(tapdump "$@" 2>&1 </dev/null)
	tap="$? ${tap//tapdump/tcpdump}"
	tcp=$(tcpdump "$@" 2>&1 </dev/null)
	is "$name" "$tap" "$? $tcp"
}

# From packet 0 on, with nothing but the packets of a test.
fresh_device() {
	rmmod stampdev 2>/dev/null
	insmod "$module" "$@" || return
	sysctl -qw net.ipv6.conf.stamp0.disable_ipv6=1
	ip link set stamp0 up
}

send() { # NUMBER of frames
	python3 - "$1" <<-'END'
		import socket, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("stamp0", 0))
		for i in range(int(sys.argv[1])):
		    s.send(b"\2" * 12 + b"\x88\xb5" + i.to_bytes(4, "big") + bytes(3000 if i == 6 else 60)[:1000])
	END
}

times() { # FILE OPTIONS: of its packets
	tcpdump -tt -nr "$@" 2>/dev/null | awk '!/^\t/ { print $1 }'
}

if [[ ! -e $module ]] || ! fresh_device; then
	skip "stamps of an adapter" "no tests/stampdev for this kernel"
	finish
fi

both "-J: a device with stamps" -i stamp0 -J
matches "-J: they are there" "$(tapdump -i stamp0 -J)" 'adapter_unsynced'
both "-J: a device without" -i lo -J

nanos='1000000000.000000000 1000000000.000001001 1000000000.000002002 host 1000000000.000004004 1000000000.000005005 1000000000.000006006 host'
host() { sed -E 's/^1[^0][0-9.]*$/host/' | xargs; }

for mode in "" --read --copybreak=0 "--copybreak=0 --read" --pcapng; do
	fresh_device
	nano=--nano
	[[ $mode != --pcapng ]] || nano=''
	start_tap s - -i stamp0 -Q in -j adapter_unsynced $nano $mode
	start_tcpdump s - -i stamp0 -Q in -j adapter_unsynced --nano
	send 8
	stop s
	is "${mode:-mmap}: the adapter's times, or the host's where there are none" \
		"$(times "$work/s.tap" --nano | host)" "$nanos"
	is "${mode:-mmap}: as tcpdump's" "$(times "$work/s.tap" --nano | host)" \
		"$(times "$work/s.tcp" --nano | host)"
	check "${mode:-mmap}: the counts add up" counts_hold s
	check "${mode:-mmap}: the same packets as tcpdump" pcapdiff --ignore-order \
		--skew 60000 "$work/s.tap" "$work/s.tcp"
done

# What is sent has not been stamped yet when it passes.
fresh_device
start_tap s - -i stamp0 -j adapter_unsynced
start_tcpdump s - -i stamp0 -j adapter_unsynced
send 8
stop s
is "sent and received: how many have the adapter's" \
	"$(times "$work/s.tap" | host | grep -o '1000[0-9.]*' | xargs)" \
	"$(times "$work/s.tcp" | host | grep -o '1000[0-9.]*' | xargs)"
is "sent and received: packets" "$(packets "$work/s.tap")" 16
is "sent and received: microseconds" "$(times "$work/s.tap" | grep ^1000 | tail -n 1)" \
	1000000000.000006
check "sent and received: the counts add up" counts_hold s

# Several interfaces: one of them has stamps, of the other it is said.
fresh_device
start_tap s - -i stamp0 -i lo -j adapter_unsynced --pcapng
matches "two interfaces: what one lacks is said" "$(cat "$work/s.tap.err")" \
	"WARNING.*'adapter_unsynced' on lo"
send 3
ping -q -c 1 127.0.0.1 >/dev/null
stop s
is "two interfaces: packets" "$(packets "$work/s.tap")" 8
is "two interfaces: stamped" "$(times "$work/s.tap" | grep -c ^1000000000)" 3

# The host's clock under another name, as the kernel has it.
fresh_device
start_tap s - -i stamp0 -Q in -j adapter
start_tcpdump s - -i stamp0 -Q in -j adapter
send 4
stop s
is "-j adapter" "$(times "$work/s.tap" | host)" "host host host host"
is "-j adapter: as tcpdump" "$(times "$work/s.tcp" | host)" "host host host host"
check "-j adapter: the same packets as tcpdump" same s

# What the device missed while it was captured is in the file's account, and no
# loss of the tap.
fresh_device missed=5
start_tap s - -i stamp0 -Q in --pcapng
send 4
echo 42 >/sys/module/stampdev/parameters/missed
stop s
is "missed by the device: the file's account" "$(tshark -r "$work/s.tap" \
	-X 'read_format:MIME Files Format' -T fields \
	-e pcapng.options.option.data.interface.dropped \
	-e pcapng.options.option.data.interface.dropped_by_os 2>/dev/null |
	tr -s '\n\t' ' ' | xargs)" "37 0"
check "missed by the device: the counts add up" counts_hold s

# A device that refuses, one that has no such thing.
fresh_device refuse=1
for iface in stamp0 lo; do
	start_tap s - -i $iface -j adapter_unsynced
	start_tcpdump s - -i $iface -j adapter_unsynced
	[[ $iface == lo ]] || send 4
	[[ $iface != lo ]] || ping -q -c 2 127.0.0.1 >/dev/null
	stop s
	is "$iface, not available: the same warning" \
		"$(grep WARNING "$work/s.tap.err" | sed s/^tapdump/tcpdump/)" \
		"$(grep WARNING "$work/s.tcp.err")"
	check "$iface, not available: there is one" grep -q WARNING "$work/s.tap.err"
	check "$iface, not available: the host's times" same s
	is "$iface, not available: packets" "$(packets "$work/s.tap")" \
		"$([[ $iface == lo ]] && echo 4 || echo 8)"
done
for tool in tapdump tcpdump; do
	if [[ $tool == tcpdump ]] && older libpcap 1.10.2; then
		skip "$tool without CAP_NET_ADMIN" "this libpcap frees its memory twice, and it crashes"
		continue
	fi
	out=$(setpriv --bounding-set -net_admin --inh-caps -net_admin \
		$tool -p -i stamp0 -j adapter_unsynced -w "$work/e" 2>&1 </dev/null)
	is "$tool without CAP_NET_ADMIN: exit status" $? 1
	matches "$tool without CAP_NET_ADMIN: says why" "$out" 'CAP_NET_ADMIN'
done
matches "two clocks" "$(tapdump -i stamp0 -j adapter --clock=tsc 2>&1)" 'two clocks'

rmmod stampdev
finish
