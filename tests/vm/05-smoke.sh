#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The shortest answer to "does it live on this kernel": both ways to read, and
# both ways to take a packet, beside tcpdump. What make test runs on kernels that
# it does not run whole.

. "$(dirname "$0")/lib.sh"
make_pair

both() { # NAME TAPDUMP-OPTIONS
	local name=$1

	start_tap x pt-a -i va "${@:2}"
	start_tcpdump x pt-a -i va
	in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
	in_ns pt-a ping -q -c 2 -i 0.1 -s 5000 10.9.0.2 >/dev/null
	in_ns pt-a python3 /ptap/tests/vm/udp_burst.py 10.9.0.2 200
	stop x
	is "$name: exit status" "$tap_status" 0
	check "$name: the counts add up" counts_hold x
	check "$name: the same packets as tcpdump" same x
}

both "mmap, copies"
both "mmap, clones, pcapng" --copybreak=0 --pcapng
both "read()" --read

drop_pair
finish
