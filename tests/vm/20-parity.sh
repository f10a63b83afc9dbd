#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# tapdump and tcpdump side by side on everyday traffic: the same packets, the
# same bytes, in every way to capture and to write.

. "$(dirname "$0")/lib.sh"
make_pair

variant() { # NAME TAPDUMP-OPTIONS -- TCPDUMP-OPTIONS -- PCAPDIFF-OPTIONS
	local name=$1 tap=() tcp=() diff=() part=0 word

	shift
	for word; do
		if [[ $word == -- ]]; then
			part=$((part + 1))
		else
			case $part in
			0) tap+=("$word") ;;
			1) tcp+=("$word") ;;
			2) diff+=("$word") ;;
			esac
		fi
	done
	start_tap x pt-a -i va "${tap[@]}" && start_tcpdump x pt-a -i va "${tcp[@]}"
	traffic >/dev/null 2>&1
	stop x
	is "$name: exit status" "$tap_status" 0
	check "$name: the counts add up" counts_hold x
	check "$name: the same packets as tcpdump" same x "${diff[@]}"
}

variant default
variant nanoseconds --nano -- --nano
variant pcapng --pcapng
variant read --read
variant "read, pcapng" --read --pcapng
variant "copybreak 0" --copybreak=0
variant "copybreak 0, read" --copybreak=0 --read
variant "copybreak 0, pcapng" --copybreak=0 --pcapng
variant "copybreak huge" --copybreak=1000000
variant "snaplen 60" -s 60 -- -s 60
variant "snaplen 60, copybreak 0" -s 60 --copybreak=0 -- -s 60
variant "immediate" --immediate-mode -U -- --immediate-mode
variant "in only" -Q in -- -Q in
variant "out only" -Q out -- -Q out
variant "not promiscuous" -p -- -p

drop_pair
finish
