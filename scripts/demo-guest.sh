#!/bin/bash
# demo-guest.sh - the part of the demo that runs in the VM, see demo.sh.
#
# Leaves NAME.tapdump.pcap, NAME.tcpdump.pcap and tapdump's messages for veth
# and lo in /out.  Fails if a program of the demo fails, if a tool dropped
# packets, or if an expected kind of traffic is not in the capture.

set -euo pipefail
say() { echo "   [vm] $*" >&2; }
in_ns() { ip netns exec "$@"; }
# For the background: its process becomes the command, which gets the signals.
run_in() { exec ip netns exec "$@"; }

wait_for() {
	local i

	for ((i = 0; i < 400; i++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	say "waited in vain for: $*"
	return 1
}

set_up() {
	insmod module/ptap.ko
	say "module loaded: $(ls -l /dev/tap)"
	ip netns add client
	ip netns add server
	ip -n client link add veth0 type veth peer name veth1 netns server
	ip -n client addr add 192.0.2.1/24 dev veth0
	ip -n server addr add 192.0.2.2/24 dev veth1
	ip -n client addr add 2001:db8::1/64 dev veth0 nodad
	ip -n server addr add 2001:db8::2/64 dev veth1 nodad
	ip -n client link set lo up
	ip -n server link set lo up
	ip -n client link set veth0 up
	ip -n server link set veth1 up
	wait_for in_ns client ping -c 1 -W 1 192.0.2.2
	run_in server python3 -m http.server --bind :: -d /ptap/module 8080 >/dev/null 2>&1 &
	run_in client python3 -m http.server --bind :: -d /ptap/module 8080 >/dev/null 2>&1 &
	run_in server python3 scripts/demo-dns.py >/dev/null 2>&1 &
	run_in server iperf3 -s >/dev/null 2>&1 &
	wait_for in_ns client curl -s -o /dev/null http://192.0.2.2:8080/
	wait_for in_ns client curl -s -o /dev/null http://127.0.0.1:8080/
	wait_for in_ns client dig +time=1 +tries=1 @192.0.2.2 example.org
	# iperf3 counts as up when it listens; a test connection would be one.
	wait_for bash -c 'ip netns exec server ss -ltn | grep -q :5201'
}

declare -A pids
capture() { # NAME INTERFACE
	run_in client tapdump -i "$2" -B 16384 -w "/out/$1.tapdump.pcap" \
		2>"/out/$1.tapdump.log" </dev/null &
	pids[$1.tapdump]=$!
	run_in client tcpdump -Z root -i "$2" -B 65536 \
		-w "/out/$1.tcpdump.pcap" 2>"/out/$1.tcpdump.log" </dev/null &
	pids[$1.tcpdump]=$!
	wait_for grep -q 'listening on' "/out/$1.tapdump.log"
	wait_for grep -q 'listening on' "/out/$1.tcpdump.log"
}

end_capture() {
	local name

	for name in "${!pids[@]}"; do
		kill -INT "${pids[$name]}"
	done
	for name in "${!pids[@]}"; do
		wait "${pids[$name]}"
	done
	for name in "${!pids[@]}"; do
		grep -q '^0 packets dropped by kernel' "/out/$name.log" || {
			say "$name dropped packets: $(grep dropped "/out/$name.log")"
			return 1
		}
	done
}

traffic() {
	say "HTTP over IPv4 and IPv6"
	in_ns client curl -sf -o /dev/null http://192.0.2.2:8080/hook.c
	in_ns client curl -sf -o /dev/null 'http://[2001:db8::2]:8080/uapi/linux/ptap.h'
	say "DNS"
	in_ns client dig +short @192.0.2.2 example.org >/dev/null
	in_ns client dig +short @192.0.2.2 example.org AAAA >/dev/null
	say "ping, ping with fragments, ping over IPv6"
	in_ns client ping -q -c 5 -i 0.05 192.0.2.2 >/dev/null
	in_ns client ping -q -c 3 -i 0.05 -s 6000 192.0.2.2 >/dev/null
	in_ns client ping -q -c 5 -i 0.05 2001:db8::2 >/dev/null
	say "a burst of iperf3, TCP and UDP"
	in_ns client iperf3 -c 192.0.2.2 -n 16M >/dev/null
	in_ns client iperf3 -c 192.0.2.2 -u -b 20M -t 1 >/dev/null
	say "HTTP and ping over lo"
	in_ns client curl -sf -o /dev/null http://127.0.0.1:8080/record.c
	in_ns client ping -q -c 5 -i 0.05 127.0.0.1 >/dev/null
	in_ns client ping -q -c 5 -i 0.05 ::1 >/dev/null
}

# The comparison would also be content with nothing.
expect() { # FILE FILTER
	[[ $(tcpdump -r "/out/$1" --count "$2" 2>/dev/null) != 0\ * ]] || {
		say "there is no '$2' in $1"
		return 1
	}
}

set_up
capture veth veth0
capture lo lo
traffic
# What is still on its way is not to fall between the two ends.
sleep 2
end_capture
for kind in 'tcp port 8080 and ip6' 'udp port 53' icmp icmp6 'tcp port 5201' \
	'udp port 5201' 'ip[6:2] & 0x1fff != 0'; do
	expect veth.tapdump.pcap "$kind"
done
expect lo.tapdump.pcap 'tcp port 8080'
ip netns del client
ip netns del server
for ((i = 0; i < 100; i++)); do
	rmmod ptap 2>/dev/null && break
	sleep 0.1
done
say "module unloaded"
