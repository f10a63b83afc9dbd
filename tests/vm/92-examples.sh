#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The examples for libptap do what they say: in C, and from Python.

. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
PATH=$top/build/examples:$top/userspace/examples:$PATH
export LD_LIBRARY_PATH=$top/build
make_pair

# start NAME READY COMMAND...: in pt-a, until it says that it is ready; what it
# prints is in $work/NAME, its process in $pid
start() {
	run_in pt-a "${@:3}" >"$work/$1" 2>"$work/$1.err" <"${input:-/dev/null}" &
	pid=$!
	wait_for 60 grep -q "$2" "$work/$1.err" || diag "$(cat "$work/$1.err")"
}

pings() { in_ns pt-a ping -q -c "$1" -i 0.1 10.9.0.2 >/dev/null; }
udp() { in_ns pt-a python3 "$top/tests/vm/udp_burst.py" 10.9.0.2 "$1" >/dev/null; }

start count counting count va 14 'icmp[icmptype] != icmp-unreach or udp'
pings 2
udp 10
wait $pid
is "count ends by itself" $? 0
is "count" "$(xargs <"$work/count")" "TCP 0 UDP 10 ICMP 4 ARP 0 other 0"

start record recording record va "$work/record.pcapng" icmp
pings 3
kill -INT $pid
wait $pid
is "record" "$(cat "$work/record")" "6 packets, 0 lost"
is "its file" "$(packets "$work/record.pcapng")" 6

mkfifo "$work/filters"
input=$work/filters start refilter . refilter va &
exec 6>"$work/filters"
says() { wait_for 30 grep -qx "$1" "$work/refilter"; }
echo 'icmp' >&6
check "refilter takes a filter" says 'filter: icmp'
in_ns pt-a ping -q -c 1 -s 100 10.9.0.2 >/dev/null
check "... and follows it" says '142 bytes'
echo 'icmp and greater 500' >&6
check "refilter takes another" says 'filter: icmp and greater 500'
in_ns pt-a ping -q -c 1 -s 200 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 1 -s 600 10.9.0.2 >/dev/null
check "... and follows that" says '642 bytes'
check "... and no more the first" bash -c "! grep -qx '242 bytes' $work/refilter"
exec 6>&-
ended() { ! in_ns pt-a grep -q ' refilter ' /proc/net/ptap; }
check "refilter ends with its input" wait_for 30 ended
wait

start rings reading rings va 3 icmp
pings 5
wait $pid
is "rings reads what was captured" $? 0
is "rings: all of it" "$(awk '{ n += $3 } END { print n }' "$work/rings")" 10

start python capturing capture.py va 4 icmp
pings 2
wait $pid
is "capture.py ends by itself" $? 0
matches "capture.py" "$(head -n 1 "$work/python")" '^[0-9]+\.[0-9]{6} 98 [0-9a-f]{32}$'
is "capture.py: all of it" "$(wc -l <"$work/python")" 4
out=$(in_ns pt-a capture.py va 1 'icmp and and' 2>&1)
matches "capture.py: an error in words" "$out" 'OSError:.*syntax error'

drop_pair
finish
