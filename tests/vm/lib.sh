# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# lib.sh - what the tests in the VM share: TAP, networks, captures.
#
# A test file sources it, calls ok/check/skip for each thing that it tests and
# "finish" at its end.  Networks are made of namespaces with names that start
# with "pt-" and are removed by run.sh.  A capture is a tapdump and a tcpdump on
# the same interface at the same time; compare() says whether their files are
# the same.  Nothing here asserts a time: the VM is emulated.

set -u
nr=0 failed=0
work=$(mktemp -d /tmp/ptap-test.XXXXXX)
export LC_ALL=C

result() { # "ok" or "not ok", name
	nr=$((nr + 1))
	echo "$1 $nr - $2"
	[[ $1 == ok ]] || failed=$((failed + 1))
}

diag() { sed 's/^/# /' <<<"$*"; }

# check NAME COMMAND...: passes if the command does; shows its output if not.
check() {
	local name=$1 out

	shift
	if out=$("$@" 2>&1 </dev/null); then
		result ok "$name"
	else
		result "not ok" "$name"
		diag "failed ($?): $*"
		diag "$out"
		return 1
	fi
}

# is NAME GOT WANTED
is() {
	if [[ $2 == "$3" ]]; then
		result ok "$1"
	else
		result "not ok" "$1"
		diag "got    : $2"
		diag "wanted : $3"
		return 1
	fi
}

# matches NAME GOT REGEX
matches() {
	if [[ $2 =~ $3 ]]; then
		result ok "$1"
	else
		result "not ok" "$1"
		diag "got           : $2"
		diag "does not match: $3"
		return 1
	fi
}

skip() { # NAME REASON
	nr=$((nr + 1))
	echo "ok $nr - $1 # SKIP $2"
}

finish() {
	echo "1..$nr"
	rm -rf "$work"
	exit $((failed != 0))
}

# older kernel|libpcap|tshark VERSION: is the one that is here?
older() {
	local has

	case $1 in
	kernel) has=$(uname -r) ;;
	libpcap) has=$(tcpdump --version 2>&1 | awk '$1 == "libpcap" { print $3 }') ;;
	tshark) has=$(tshark --version 2>/dev/null | awk 'NR == 1 { print $3 }') ;;
	esac
	[[ $has != "$2" && $(printf '%s\n' "$has" "$2" | sort -V | head -n 1) == "$has" ]]
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# in_ns NAMESPACE COMMAND...: "-" is the initial one.  In the background a
# function would be a shell of its own, which no signal gets through: use
# "run_in NAMESPACE COMMAND... &" there, whose process becomes the command.
in_ns() {
	if [[ $1 == - ]]; then
		"${@:2}"
	else
		ip netns exec "$@"
	fi
}

run_in() {
	if [[ $1 == - ]]; then
		exec "${@:2}"
	else
		exec ip netns exec "$@"
	fi
}

# make_pair: pt-a and pt-b, joined by va and vb, 10.9.0.1/2 and fd09::1/2
make_pair() {
	ip netns add pt-a
	ip netns add pt-b
	ip -n pt-a link add va type veth peer name vb netns pt-b
	ip -n pt-a addr add 10.9.0.1/24 dev va
	ip -n pt-b addr add 10.9.0.2/24 dev vb
	ip -n pt-a addr add fd09::1/64 dev va nodad
	ip -n pt-b addr add fd09::2/64 dev vb nodad
	ip -n pt-a link set lo up
	ip -n pt-b link set lo up
	ip -n pt-a link set va up
	ip -n pt-b link set vb up
	wait_for 10 in_ns pt-a ping -c 1 -W 1 10.9.0.2
}

# make_vlan: VLAN 7 over the pair, va.7 and vb.7 with 10.8.0.1/2
make_vlan() {
	local ns

	for ns in a b; do
		ip -n pt-$ns link add link v$ns name v$ns.7 type vlan id 7
		ip -n pt-$ns link set v$ns.7 up
	done
	ip -n pt-a addr add 10.8.0.1/24 dev va.7
	ip -n pt-b addr add 10.8.0.2/24 dev vb.7
	wait_for 10 in_ns pt-a ping -c 1 -W 1 10.8.0.2
}

drop_pair() {
	ip netns del pt-a 2>/dev/null
	ip netns del pt-b 2>/dev/null
}

# Background capture: start_tap NAME NAMESPACE ARGS...; its file is
# $work/NAME.tap, its messages $work/NAME.tap.err, its process ${tap_pid[NAME]}.
# What an earlier one said goes first: it must not be taken for this one's.
declare -A tap_pid tcp_pid

start_tap() {
	local name=$1 ns=$2

	rm -f "$work/$name.tap.err"
	run_in "$ns" tapdump -w "$work/$name.tap" "${@:3}" \
		2>"$work/$name.tap.err" </dev/null &
	tap_pid[$name]=$!
	wait_for 30 grep -q 'listening on' "$work/$name.tap.err" || {
		diag "tapdump ${*:3} did not start: $(cat "$work/$name.tap.err")"
		return 1
	}
}

start_tcpdump() {
	local name=$1 ns=$2

	rm -f "$work/$name.tcp.err"
	run_in "$ns" tcpdump -Z root -B 32768 -w "$work/$name.tcp" "${@:3}" \
		2>"$work/$name.tcp.err" </dev/null &
	tcp_pid[$name]=$!
	wait_for 30 grep -q 'listening on' "$work/$name.tcp.err" || {
		diag "tcpdump ${*:3} did not start: $(cat "$work/$name.tcp.err")"
		return 1
	}
}

# stop NAME: end its captures as Ctrl-C does; tap_status is tapdump's status
tap_status=0
stop() {
	local name=$1

	# tcpdump sees a packet when its block is retired
	sleep 1
	[[ ! ${tcp_pid[$name]:-} ]] || {
		kill -INT "${tcp_pid[$name]}"
		wait "${tcp_pid[$name]}"
	}
	[[ ! ${tap_pid[$name]:-} ]] || {
		kill -INT "${tap_pid[$name]}" 2>/dev/null
		wait "${tap_pid[$name]}"
		tap_status=$?
	}
	unset "tap_pid[$name]" "tcp_pid[$name]"
}

# packets FILE: how many records, by libpcap's count
packets() { tcpdump -r "$1" --count 2>/dev/null | awk '{ print $1 }'; }

# tshark_each FILE...: is tshark's exit status 0 for each?  One start is for all.
tshark_each() {
	printf '%s\n' "$@" | LD_PRELOAD=/ptap/build/tests/faults/tshark_each.so \
		tshark -Q -w /dev/null -r each
}

# counts NAME: tapdump's three closing counts, as "captured received dropped"
counts() {
	awk '/ packets? captured$/ { c = $1 }
	     / packets? received by filter$/ { r = $1 }
	     / packets? dropped by kernel$/ { d = $1 }
	     END { print c, r, d }' "$work/$1.tap.err"
}

# The closing lines add up, and the file holds what they say.
counts_hold() {
	local c r d

	read -r c r d < <(counts "$1")
	if [[ $c && $r == $((c + d)) && $(packets "$work/$1.tap") == "$c" ]]; then
		return 0
	fi
	echo "captured $c, received $r, dropped $d, in the file $(packets "$work/$1.tap")"
	return 1
}

# same NAME [PCAPDIFF-OPTIONS]: tapdump's file has tcpdump's packets
same() {
	local name=$1

	pcapdiff --sorted A --skew 2 --order-slack 50ms "${@:2}" "$work/$name.tap" "$work/$name.tcp"
}

# map_disks: losetup and dmsetup work where there is no udev, which loads drivers
# and makes nodes
map_disks() {
	modprobe -a loop dm_mod 2>/dev/null
	export DM_DISABLE_UDEV=1
}

# make_dummy: pt-d in this namespace, which blast fills; fails without pktgen
make_dummy() {
	modprobe pktgen 2>/dev/null || return
	ip link add pt-d type dummy
	ip link set pt-d up arp off
	sysctl -qw net.ipv6.conf.pt-d.disable_ipv6=1
}

pg() { echo "$2" >"/proc/net/pktgen/$1"; }

# Both wait, and a signal would end that: a process without children does it.
pg_control() { sh -c "echo $1 >/proc/net/pktgen/pgctrl"; }

# blast COUNT SIZE: COUNT packets from each CPU, through the transmit taps
blast() {
	local cpu

	pg_control reset
	for cpu in 0 1; do
		pg kpktgend_$cpu "add_device pt-d@$cpu"
		pg pt-d@$cpu "count $1"
		pg pt-d@$cpu "pkt_size $2"
		pg pt-d@$cpu "delay 0"
		pg pt-d@$cpu "xmit_mode queue_xmit"
		pg pt-d@$cpu "dst 10.7.0.2"
		pg pt-d@$cpu "dst_mac 02:00:00:00:00:02"
	done
	pg_control start
	for cpu in 0 1; do
		grep -q "^Result: OK" /proc/net/pktgen/pt-d@$cpu ||
			diag "pktgen: $(tail -n 1 /proc/net/pktgen/pt-d@$cpu)"
	done
	pg_control reset
}

# traffic: everyday packets from pt-a to pt-b and back
traffic() {
	run_in pt-b python3 -m http.server --bind :: 8000 \
		-d /ptap/module >/dev/null 2>&1 &
	local server=$!

	in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2
	in_ns pt-a ping -q -c 3 -i 0.1 fd09::2
	in_ns pt-a ping -q -c 2 -i 0.1 -s 5000 10.9.0.2
	wait_for 20 in_ns pt-a curl -s -o /dev/null http://10.9.0.2:8000/
	in_ns pt-a curl -s -o /dev/null http://10.9.0.2:8000/uapi/linux/ptap.h
	in_ns pt-a curl -s -o /dev/null 'http://[fd09::2]:8000/hook.c'
	in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 10.9.0.2 200
	kill $server
	wait $server 2>/dev/null
}
