#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# --ring-buffer and --autostop: dumpcap's criteria, on files that have their
# name when they are complete, within a limit for all; and no packet is missing,
# twice or in pieces where one ends and the next begins, also under full load.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
make_pair
mkdir "$work/d"

burst() { in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 "$1" 1400; }

# ring ARGS...: a capture of the bursts into $work/d/f.pcap; its process is $pid
ring() {
	rm -rf "$work/d"/*
	again "$@"
}
again() {
	rm -f "$work/r.tap.err"
	run_in pt-a tapdump -i va -w "$work/d/f.pcap" "$@" udp dst port 9999 \
		2>"$work/r.tap.err" </dev/null &
	pid=$!
	wait_for 30 eval \
		"grep -q 'listening on' '$work/r.tap.err' || ! kill -0 $pid"
}
finished() { # how it ended: $status
	kill -INT $pid 2>/dev/null
	wait $pid
	status=$?
}
list() { printf '%s\n' "$work/d"/* | sort; }
nr_files() { find "$work/d" -type f | wc -l; }
bytes() { stat -c %s "$@" | awk '{ n += $1 } END { print n }'; }
at_least() { (($(nr_files) >= $1)); }
complete() { # COUNT: the files have the numbers 0 to COUNT - 1, in order
	"$here/udp_numbers.py" $(list) >"$work/numbers" &&
		seq 0 $(($1 - 1)) | cmp - "$work/numbers"
}
last_is() { [[ $("$here/udp_numbers.py" $(list) | tail -n 1) == "$1" ]]; }

ring --ring-buffer filesize:50
burst 20
matches "the file that is being written" "$(list)" \
	'^.*/d/f_00001_[0-9]{14}\.pcap\.part$'
burst 1000
finished
is "filesize: exit status" $status 0
is "filesize: names when complete" "$(list | sed 's/.*\///' |
	grep -vcE '^f_[0-9]{5}_[0-9]{14}\.pcap$')" 0
is "filesize: dumpcap's kB, and the packet that is too many" \
	"$(stat -c %s $(list) | sort -n | sed '1d' | uniq -c | sort -n | tail -n 1 |
		awk '{ print $2 }')" $((24 + 35 * 1458))

# Nothing is lost at a boundary while packets come as fast as they can.
for args in "filesize:200" "packets:100" "packets:77 --read" \
	"filesize:300 --meta id" "packets:50 --copybreak=0"; do
	ring -B 16384 --ring-buffer $args
	burst 6000
	finished
	is "$args, under load: the counts" "$(counts r)" "6000 6000 0"
	check "$args, under load: everything, in order" complete 6000
	check "$args, under load: several files" at_least 20
	[[ $args != *--meta* ]] || is "$args, under load: the ring's numbers run on" \
		"$(tapdump --verify $(list) 2>&1)" \
		"complete: 6000 packets in $(nr_files) files"
done

# By the clock, without a packet; and by hand.
ring --ring-buffer duration:1
check "duration: an idle link rotates too" wait_for 60 at_least 4
finished
is "duration: exit status" $status 0
check "duration: empty files are captures" capinfos -c $(list)
rm -rf "$work/d"/*
again --ring-buffer interval:5 -w "$work/d/%N-%s.pcap"
check "interval: an idle link rotates too" wait_for 90 at_least 3
finished
# A loaded machine may be late.
is "interval: at its multiples by the clock" "$(list | sed '1d;s/.*-//' |
	awk '{ n += $1 % 5 > 2 } END { print n + 0 }')" 0
ring --ring-buffer duration:3600
burst 10
kill -HUP $pid
check "SIGHUP: the next file" wait_for 20 at_least 2
burst 5
finished
is "SIGHUP: nothing is lost" "$("$here/udp_numbers.py" $(list) | xargs)" \
	"$(echo {0..9} {0..4})"

# A limit for all.
ring --ring-buffer filesize:50 --ring-buffer files:3
burst 1000
finished
is "files: so many are kept" "$(nr_files)" 3
check "files: the youngest" last_is 999
again --ring-buffer filesize:50 --ring-buffer files:3
burst 10
finished
is "files: those of an earlier run count" "$(nr_files)" 3
ring --ring-buffer filesize:50 --ring-buffer total:500
burst 1000
finished
check "total: bytes of all" test "$(bytes $(list))" -le 502000
check "total: not many fewer" test "$(bytes $(list))" -gt 400000
check "total: the youngest" last_is 999
mkdir "$work/small"
mount -t tmpfs -o size=1m small "$work/small"
again --ring-buffer filesize:50 --ring-buffer disk:50 -w "$work/small/f"
burst 1000
finished
is "disk: exit status" $status 0
check "disk: half of it" test \
	"$(df --output=pcent "$work/small" | tail -n 1 | tr -dc 0-9)" -le 56
check "disk: not much less" test "$(bytes "$work/small"/f*)" -gt 400000
umount "$work/small"

# The end.
rm -rf "$work/d"/*
again --autostop packets:25
burst 40
wait $pid
is "--autostop packets: exit status" $? 0
is "--autostop packets: so many" "$(packets "$work/d/f.pcap")" 25
ring --autostop filesize:10
burst 40
wait $pid
is "--autostop filesize: exit status" $? 0
is "--autostop filesize: with the packet that is too many" \
	"$(stat -c %s "$work/d/f.pcap")" $((24 + 7 * 1458))
is "--autostop filesize: the count" "$(awk '/captured$/ { print $1 }' \
	"$work/r.tap.err")" 7
ring --autostop duration:1
wait $pid
is "--autostop duration: exit status" $? 0
is "--autostop duration: a capture of nothing" "$(packets "$work/d/f.pcap")" 0
ring --ring-buffer packets:10 --autostop files:3
burst 100
wait $pid
is "--autostop files: exit status" $? 0
is "--autostop files: so many" "$(nr_files)" 3
check "--autostop files: the first" complete 30

# -z with the name of the complete file.
printf '#!/bin/sh\necho "${1##*/}" >>%s/z.log\n' "$work" >"$work/z"
chmod +x "$work/z"
ring --ring-buffer packets:10 -z "$work/z"
burst 35
finished
check "-z: on each that another follows" \
	wait_for 20 eval '(($(wc -l <"$work/z.log") == 3))'
is "-z: with its final name" "$(sort "$work/z.log" | xargs)" \
	"$(list | sed 's/.*\///;$d' | xargs)"

fails() { # NAME REGEX ARGS...
	local out

	out=$(tapdump -i lo -w "$work/d/x" "${@:3}" 2>&1 </dev/null)
	is "$1: exit status" $? 1
	matches "$1: says why" "$out" "$2"
}
fails "no criterion" 'unknown criterion nonesuch:1' --ring-buffer nonesuch:1
fails "no value" 'invalid value x of filesize' --ring-buffer filesize:x
fails "no end of a file" 'does not say when a file ends' --ring-buffer files:3
fails "two kinds of rotation" 'names of its own' -C 1 --ring-buffer packets:3
fails "files of one" 'is for captures into several' --autostop files:3

drop_pair
finish
