#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Whatever goes wrong, the file is valid up to its last whole record, the counts
# are what is in it, and status and message say what happened.
#
# tshark reads each file.  As its start takes its time, a start is for all files of
# a round (tests/faults/tshark_each.c).
#
# PTAP_FAULTS=N makes sweeps N times as fine and kills N times as often; "make
# soak" does it with 50.  PTAP_ROUNDS says of which there are any.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
many=$here/../faults/many.py
factor=${PTAP_FAULTS:-1}
make_pair
mkdir "$work/d"

# in rounds of as many captures as fit into the VM
rounds() { # NAME COUNT WHAT OPTIONS...
	local name=$1 all=$(($2 * factor)) i n

	[[ " ${PTAP_ROUNDS:-limit torn kill term} " == *" $3 "* ]] || return
	for ((i = 0; i < all; i += n)); do
		n=$((all - i > 64 ? 64 : all - i))
		check "$name: status, message, counts, content ($((i + n)) of $all)" \
			in_ns pt-a "$many" "$3" $i $n $all "$work/d/$i" "${@:4}"
		check "$name: tshark reads each" \
			tshark_each $(find "$work/d/$i" -type f -size +0)
		is "$name: none is left in the making" \
			"$(find "$work/d/$i" -name '*.part')" ""
		rm -rf "$work/d/$i"
	done
}

# What a record cut short would be told by.
in_ns pt-a "$many" term 0 1 1 "$work/d/whole" >/dev/null
head -c 2000 "$work/d/whole/0000" >"$work/d/whole/torn"
matches "a torn file: tshark's exit status" \
	"$(tshark_each "$work/d/whole"/* 2>&1)" 'torn: .* [1-9][0-9]*.2 files, 1 wrong'
rm -r "$work/d/whole"

rounds "a limit at 64 places of a record" 64 limit
rounds "killed with 32 different parts of a record" 32 torn
rounds "killed under load" 14 kill
rounds "killed under load, in pcapng and several files" 6 kill --pcapng \
	--ring-buffer filesize:300
rounds "ended under load" 4 term

# capture ARGS...: of the bursts below; its process is $pid
capture() {
	rm -f "$work/f.tap.err"
	run_in pt-a tapdump -i va "$@" udp dst port 9999 \
		2>"$work/f.tap.err" </dev/null &
	pid=$!
	wait_for 30 eval \
		"grep -q 'listening on' '$work/f.tap.err' || ! kill -0 $pid"
}
burst() { in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 "$1" 1400; }
said() { wait_for 60 grep -q "$1" "$work/f.tap.err"; }
captured() { awk '/ packets? captured$/ { print $1 }' "$work/f.tap.err"; }
# What the filter accepted is in the file, or said to be dropped or not written.
adds_up() {
	awk '/ packets? (captured|dropped by kernel)$/ || / not written: / { n += $1 }
	     / packets? received by filter$/ { r = $1 }
	     END { print n, r; exit n != r }' "$work/f.tap.err"
}
# keep NAME FILE...: for tshark, at the end
keep() {
	local f

	for f in "${@:2}"; do
		cp "$f" "$work/kept/$1, ${f##*/}"
	done
}
mkdir "$work/kept"

# A full disk, and what is to be done then.
mkdir "$work/small"
mount -t tmpfs -o size=300k small "$work/small"
for full in "" --on-full=stop; do
	# shellcheck disable=SC2086 # an option or none
	capture $full -w "$work/small/f"
	burst 300
	wait $pid
	is "full disk${full:+, $full}: exit status" $? 1
	matches "full disk${full:+, $full}: says so" "$(cat "$work/f.tap.err")" \
		"small/f: No space left on device; it is valid and holds $(captured) packets"
	is "full disk${full:+, $full}: the count" \
		"$(captured)" "$(packets "$work/small/f")"
	check "full disk${full:+, $full}: the rest is said to be lost" adds_up
	keep "full disk $full" "$work/small/f"
	rm "$work/small/f"
done
head -c 150000 /dev/zero >"$work/small/filler"
capture --on-full=wait --stats "json=1,$work/w.json" -w "$work/small/f"
burst 200
check "--on-full=wait: says so" said 'waiting for room'
check "--on-full=wait: --stats json tells how far it is behind" wait_for 60 \
	grep -qE '"lag_packets":[1-9][0-9]*,"lag_bytes":[1-9]' "$work/w.json"
kill -USR1 $pid
check "--on-full=wait: SIGUSR1 is answered meanwhile" said \
	"^tapdump: $(packets "$work/small/f") packets captured, "
keep "waiting for room" "$work/small/f"
rm "$work/small/filler"
check "--on-full=wait: goes on when there is room" said 'there is room again'
kill -INT $pid
wait $pid
is "--on-full=wait: exit status" $? 0
mv "$work/small/f" "$work/f.tap"
check "--on-full=wait: the counts hold" counts_hold f
check "--on-full=wait: nothing is lost" "$here/udp_numbers.py" "$work/f.tap"
is "--on-full=wait: all of it" "$(captured)" 200
capture --on-full=wait -w "$work/small/f"
burst 300
check "--on-full=wait: waits" said 'waiting for room'
kill -TERM $pid
wait $pid
is "--on-full=wait: a signal ends it" $? 1
is "--on-full=wait: with what is in the file" \
	"$(captured)" "$(packets "$work/small/f")"
check "--on-full=wait: the rest is said to be lost" adds_up
keep "ended while waiting" "$work/small/f"
rm "$work/small"/*

capture --on-full=ring --ring-buffer filesize:50 -w "$work/small/f.pcap"
burst 600
kill -INT $pid
wait $pid
is "--on-full=ring: exit status" $? 0
is "--on-full=ring: everything was captured" "$(captured)" 600
check "--on-full=ring: the youngest files are there" test \
	"$("$here/udp_numbers.py" $(printf '%s\n' "$work/small"/f* | sort) |
		tail -n 1)" = 599
keep "ring" "$work/small"/f*
umount "$work/small"

# A quota, and a disk that fails.
map_disks
truncate -s 16M "$work/image"
mkfs.ext4 -q -O quota -E quotatype=usrquota "$work/image"
if mount -o loop,usrquota "$work/image" "$work/small" 2>/dev/null &&
	setquota -u nobody 0 100 0 0 "$work/small" 2>/dev/null; then
	chmod 777 "$work/small"
	capture -Z nobody -w "$work/small/f"
	burst 200
	wait $pid
	is "quota: exit status" $? 1
	matches "quota: says so" "$(cat "$work/f.tap.err")" 'Disk quota exceeded; it is valid and holds'
	is "quota: the count" "$(captured)" "$(packets "$work/small/f")"
	check "quota: the rest is said to be lost" adds_up
	keep "quota" "$work/small/f"
else
	skip "quota" "this kernel or system has none"
fi
umount "$work/small" 2>/dev/null
loop=$(losetup -f --show "$work/image")
table="0 $(blockdev --getsz "$loop")"
become() { # TABLE: another one under the file system
	dmsetup suspend --nolockfs pt-disk
	dmsetup load pt-disk --table "$table $1"
	dmsetup resume pt-disk
}
begin() { # MOUNT-OPTION: a capture on a disk
	dmsetup create pt-disk --table "$table linear $loop 0" 2>/dev/null ||
		return
	mkfs.ext4 -q -F /dev/mapper/pt-disk
	mount -o "$1" /dev/mapper/pt-disk "$work/small"
	capture -w "$work/small/f"
}
# failing NAME MESSAGE COMMAND...: that comes between the failure and the end
failing() {
	begin defaults || return
	burst 50
	become error
	"${@:3}" 2>/dev/null
	kill -INT $pid
	wait $pid
	is "$1: exit status" $? 1
	matches "$1: says so" "$(cat "$work/f.tap.err")" "small/f: $2"
	umount "$work/small"
	dmsetup remove pt-disk
}
if failing "a disk that fails" \
	"(Input/output error|Read-only file system)" true; then
	# The kernel has met it first, and has stopped the file system.
	failing "a disk that has failed" "Read-only file system" \
		sync "$work/small"
	# A write fails: what is counted is there when the disk works again.
	begin sync
	burst 10
	wait_for 20 eval '(($(stat -c %s "$work/small/f") == 24 + 10 * 1458))'
	become error
	burst 100
	wait $pid
	is "a disk that fails a write: exit status" $? 1
	matches "a disk that fails a write: says so" "$(cat "$work/f.tap.err")" \
		"small/f: (Input/output error|Read-only file system)"
	check "a disk that fails a write: the rest is said to be lost" adds_up
	umount "$work/small"
	become "linear $loop 0"
	mount /dev/mapper/pt-disk "$work/small"
	is "a disk that fails a write: the count" \
		"$(captured)" "$(packets "$work/small/f")"
	keep "a disk that fails a write" "$work/small/f"
	umount "$work/small"
	dmsetup remove pt-disk
else
	skip "a disk that fails" "no device mapper here"
fi
losetup -d "$loop"

# What a power cut leaves is mended by the next start.
capture --part -w "$work/d/f"
burst 10
wait_for 20 eval '(($(stat -c %s "$work/d/f.part") > 14000))'
cp "$work/d/f.part" "$work/whole"
kill -INT $pid
wait $pid
check "--part: the name when it is complete" test -e "$work/d/f" -a ! -e "$work/d/f.part"
rm "$work/d/f"
left_off() { # NAME PACKETS COMMAND...: what is done to a file of 10 packets
	cp "$work/whole" "$work/d/g.part"
	"${@:3}"
	rm -f "$work/f.tap.err"
	tapdump --part -i lo -c 1 -w "$work/d/g" 2>"$work/f.tap.err" </dev/null &
	pid=$!
	wait_for 30 grep -q listening "$work/f.tap.err"
	is "$1: packets that are left" "$(packets "$work/d/g")" "$2"
	[[ ! -s $work/d/g ]] || keep "$1" "$work/d/g"
	matches "$1: says so" "$(cat "$work/f.tap.err")" 'g.part was left off'
	kill -INT $pid
	wait $pid
	rm -f "$work/d"/*
}
size=$(stat -c %s "$work/whole")
left_off "half a record" 9 truncate -s $((size - 700)) "$work/d/g.part"
left_off "zeros behind it" 10 truncate -s $((size + 5000)) "$work/d/g.part"
left_off "half a header" "" truncate -s 13 "$work/d/g.part"
capture --part -w "$work/d/f"
burst 10
wait_for 20 eval '(($(stat -c %s "$work/d/f.part") > 14000))'
tapdump --part -i lo -c 1 -w "$work/d/f" 2>"$work/other.err" </dev/null
is "a file that is being written: exit status of another capture" $? 1
matches "a file that is being written: says so" "$(cat "$work/other.err")" \
	'cannot write to .*f.part: another capture is writing to it'
is "a file that is being written is not mended" \
	"$(grep -c 'left off' "$work/other.err")" 0
kill -INT $pid
wait $pid
is "a file that is being written is left alone" "$(packets "$work/d/f")" 10

check "tshark reads each of these files" tshark_each "$work/kept"/*

drop_pair
finish
