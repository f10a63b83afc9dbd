#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Interfaces that change while they are captured: down, renamed, deleted; and
# tapdump as a user meets it then.

. "$(dirname "$0")/lib.sh"

for mode in "" --read --copybreak=0; do
	make_pair
	start_tap d pt-a -i va $mode icmp
	in_ns pt-a ping -q -c 100 -i 0.002 10.9.0.2 >/dev/null
	ip -n pt-a link del va
	wait "${tap_pid[d]}"
	is "deleted ${mode:-mmap}: exit status" $? 0
	unset "tap_pid[d]"
	is "deleted ${mode:-mmap}: its last packets are in the file" \
		"$(packets "$work/d.tap")" 200
	matches "deleted ${mode:-mmap}: says so" "$(cat "$work/d.tap.err")" 'va.*gone'
	drop_pair
done

make_pair
start_tap r pt-a -i va icmp
in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null
ip -n pt-a link set va down
check "renamed" ip -n pt-a link set va name newname
ip -n pt-a link set newname up
wait_for 10 in_ns pt-a ping -c 1 -W 1 10.9.0.2
in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null
stop r
is "renamed, down and up: exit status" "$tap_status" 0
check "renamed, down and up: the capture goes on" \
	test "$(packets "$work/r.tap")" -ge 8
drop_pair

# An interface that comes later is in a capture of all.
make_pair
start_tap n pt-a -i any --meta host icmp
ip -n pt-a link add late type veth peer name late2 netns pt-b
ip -n pt-a addr add 10.4.0.1/24 dev late
ip -n pt-b addr add 10.4.0.2/24 dev late2
ip -n pt-a link set late up
ip -n pt-b link set late2 up
wait_for 10 in_ns pt-a ping -c 1 -W 1 10.4.0.2
stop n
check "a new interface is described in the file" bash -c \
	"tshark -r '$work/n.tap' -T fields -e frame.interface_name | grep -qx late"
check "... with its address" grep -qx \
	"$(in_ns pt-a cat /sys/class/net/late/address)" <(tshark -r "$work/n.tap" \
	-X 'read_format:MIME Files Format' -T fields -E 'aggregator=|' \
	-e pcapng.options.option.data.mac 2>/dev/null | tr '|' '\n')
drop_pair

# All interfaces, while they come and go.  Pings are counted, not times.
for mode in "" --pcapng "--read --copybreak=0"; do
	make_pair
	ip netns add pt-c
	ip -n pt-a link add vm type veth peer name vm2 netns pt-b
	ip -n pt-a addr add 10.5.0.1/24 dev vm
	ip -n pt-b addr add 10.5.0.2/24 dev vm2
	ip -n pt-a link set vm up
	ip -n pt-b link set vm2 up
	wait_for 10 in_ns pt-a ping -c 1 -W 1 10.5.0.2
	# shellcheck disable=SC2086 # options are words
	start_tap g pt-a -i any $mode 'icmp[0] = 8 or icmp[0] = 0'
	in_ns pt-a ping -q -c 10 -i 0.01 10.9.0.2 >/dev/null
	ip -n pt-a link set va down
	ip -n pt-a link set va name other
	ip -n pt-a link set other up
	wait_for 20 in_ns pt-a ping -c 1 -W 1 10.9.0.2
	in_ns pt-a ping -q -c 10 -i 0.01 10.5.0.2 >/dev/null
	# moved away: what it carries there is another namespace's
	ip -n pt-a link set vm netns pt-c
	ip -n pt-c addr add 10.5.0.1/24 dev vm
	ip -n pt-c link set vm up
	in_ns pt-c ping -q -c 10 -i 0.01 10.5.0.2 >/dev/null
	in_ns pt-a ping -q -c 100 -i 0.002 10.9.0.2 >/dev/null
	ip -n pt-a link del other
	ip -n pt-a link add late type veth peer name late2 netns pt-b
	ip -n pt-a addr add 10.4.0.1/24 dev late
	ip -n pt-b addr add 10.4.0.2/24 dev late2
	ip -n pt-a link set late up
	ip -n pt-b link set late2 up
	wait_for 20 in_ns pt-a ping -c 1 -W 1 10.4.0.2
	check "any ${mode:-mmap}: goes on without its interfaces" \
		kill -0 "${tap_pid[g]}"
	stop g
	is "any ${mode:-mmap}: exit status" "$tap_status" 0
	check "any ${mode:-mmap}: the counts add up" counts_hold g
	for net in 10.9.0.2:220 10.5.0.2:20 10.4.0.2:2; do
		nr_net=$(tcpdump -nr "$work/g.tap" "host ${net%:*}" 2>/dev/null | wc -l)
		if [[ $net == 10.5.* ]]; then
			is "any ${mode:-mmap}: moved: only what was here" "$nr_net" "${net#*:}"
		else
			check "any ${mode:-mmap}: all of ${net%:*}" test "$nr_net" -ge "${net#*:}"
		fi
	done
	drop_pair
	ip netns del pt-c
done

# Two captures with different wishes do not meet.
make_pair
start_tap one pt-a -i va 'icmp[0] = 0 or icmp[0] = 8'
start_tap two pt-a -i va -s 40 --pcapng --read udp
in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 10 100
check "the module cannot be unloaded while it is used" bash -c '! rmmod ptap'
stop one
stop two
is "two sessions: the first" "$(packets "$work/one.tap")" 10
is "two sessions: the second" "$(packets "$work/two.tap")" 10
drop_pair
finish
