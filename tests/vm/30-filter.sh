#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Filter expressions: what libpcap compiles is what the kernel does, or tapdump
# where the kernel cannot, with the verdicts of tcpdump's own live capture.

. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
make_pair
make_vlan
modprobe tun 2>/dev/null

# table KIND [read]: filter_table.py's lines as TAP
table() {
	local verdict name note

	while IFS=$'\t' read -r verdict name note; do
		result "$verdict" "$name${2:+, $2}"
		[[ $verdict == ok ]] || diag "$note"
	done < <(LD_LIBRARY_PATH=/ptap/build in_ns pt-a python3 \
		"$here/filter_table.py" "$@" 2>"$work/table.err" ||
		printf 'not ok\t%s: the table ran\t%s\n' "$1" \
			"$(tail -n 5 "$work/table.err" | tr '\t\n' '  ')")
}

# From 1.11 on libpcap asks for the number of a tag in two bytes, which what it
# runs in user space only knows in one: the kernel is not concerned.
vlan_7='vlan 7'
older libpcap 1.11 || vlan_7=vlan

# Tags between the bytes of the cooked header: libpcap's issue 1105.
cooked=right why_not="this libpcap puts tags between the bytes of the cooked header"
! older libpcap 1.10.2 || cooked=wrong

table ether
if [[ $cooked == right ]]; then
	table cooked
else
	skip cooked "$why_not"
fi
table loopback
if ip -n pt-a tuntap add pt0 mode tun 2>/dev/null; then
	ip -n pt-a addr add 10.9.9.1/24 dev pt0
	ip -n pt-a link set pt0 up
	table raw read
else
	skip raw "this kernel has no tun"
fi

# With tapdump's options: the same packets, and numbers that add up.
traffic6() {
	{
		in_ns pt-a ping -c 2 -i 0.1 10.9.0.2
		in_ns pt-a ping -c 2 -i 0.1 fd09::2
		in_ns pt-a ping -c 2 -i 0.1 10.8.0.2
		in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 40
		in_ns pt-a python3 - <<-'END'
			import sys
			sys.path.insert(0, "/ptap/tests/parity")
			from ends import End
			import frames
			frames.raw_ipv6(End("pt-a/va/-/-"), End("pt-b/vb/-/-"), "")
		END
	} >/dev/null 2>&1
}

filtered() { # TAPDUMP-OPTIONS SHARED-OPTIONS...
	local own=$1

	shift
	# shellcheck disable=SC2086 # options are words
	start_tap f pt-a $own "$@" && start_tcpdump f pt-a "$@"
	traffic6
	stop f
	check "$own $*: the counts add up" counts_hold f
	check "$own $*: the same packets as tcpdump" same f
	check "$own $*: there are packets" test "$(packets "$work/f.tap")" -gt 0
}

why='tapdump: filter: "protochain" needs a loop, which the kernel does not run; filtering in user space'
filtered '' -i va 'ip6 and icmp6'
filtered '' -i any 'greater 120'
filtered '' -i va "$vlan_7"
filtered '' -i va.7 'icmp[icmptype] = icmp-echo'
filtered '' -i va 'ip6 protochain 17'
is "it is said, once" "$(grep -c "^$why\$" "$work/f.tap.err")" 1
filtered '--read --copybreak=0' -i va -s 60 'ip6 protochain 17'
filtered '--pcapng --copybreak=64' -i va -s 60 'icmp or ip6 protochain 17'
filtered '' -i any -y LINUX_SLL 'ip6 protochain 17 or udp'
if [[ $cooked == right ]]; then
	filtered '' -i any 'link[12:2] != 0 and not tcp'
	matches "any: what the file alone has" "$(cat "$work/f.tap.err")" \
		'filter: it looks at byte 12 of the cooked header, which only the file has; filtering in user space'
else
	skip "any: what the file alone has" "$why_not"
fi

start_tap f pt-a -i va --meta all 'ip6 protochain 17'
traffic6
stop f
check "--meta all: the counts add up" counts_hold f
check "--meta all: complete, by its own account" tapdump --verify "$work/f.tap"
start_tap f pt-a -i any --meta drops,id 'ip6 protochain 17'
traffic6
stop f
check "--meta, any: complete" tapdump --verify "$work/f.tap"

start_tap f pt-a -i va -C 1k -W 100 'ip6 protochain 17' && start_tcpdump f pt-a -i va 'ip6 protochain 17'
traffic6
stop f
mergecap -F pcap -w "$work/all" "$work"/f.tap[0-9]* 2>/dev/null
is "-C: together as many as tcpdump's" "$(packets "$work/all")" "$(packets "$work/f.tcp")"
check "-C: more than one file" test -e "$work/f.tap01"
check "-C: files are small" test "$(stat -c %s "$work/f.tap00")" -lt 2000
start_tap f pt-a -i va -c 5 'ip6 protochain 17'
traffic6
wait_for 30 grep -q 'packets captured' "$work/f.tap.err"
is "-c 5" "$(packets "$work/f.tap")" 5
stop f

# Its programs are tcpdump's.  (Of "any" newer ones say more, or less.)
for args in "-i va -d" "-i va -ddd -O" "-i any -p -y LINUX_SLL2 -dd" "-y RAW -d" "-d"; do
	# shellcheck disable=SC2086 # options are words
	is "$args: tcpdump's program" \
		"$(in_ns pt-a tapdump $args 'ip6 protochain 17 and port 53' 2>&1 | sed 's/tapdump/tcpdump/')" \
		"$(in_ns pt-a tcpdump $args 'ip6 protochain 17 and port 53' 2>&1)"
done
start_tap r pt-a -i va -c 1
in_ns pt-a ping -c 1 10.9.0.2 >/dev/null
stop r
for args in "-d" "-dd" "-ddd -O"; do
	# shellcheck disable=SC2086 # options are words
	is "-r FILE $args: tcpdump's program" \
		"$(tapdump -r "$work/r.tap" $args 'vlan and ip' 2>&1)" \
		"$(tcpdump -r "$work/r.tap" $args 'vlan and ip' 2>&1)"
done

echo 'icmp[0] = 8 or icmp[0] = 0' >"$work/expression"
start_tap f pt-a -i va -F "$work/expression"
in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null
stop f
is "-F FILE" "$(packets "$work/f.tap")" 4

drop_pair
finish
