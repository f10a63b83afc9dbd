#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Who reads what tapdump writes, and who looks after its files: pipes that are
# closed or slow, a guardian that is killed, another capture, another user's
# folder, too little memory. Files stay whole, counts exact, and status and
# message say what happened.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
make_pair
mkdir "$work/d" "$work/small"

burst() { in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 "$1" 1400; }
listening() {
	wait_for 30 eval \
		"grep -q 'listening on' '$work/o.tap.err' || ! kill -0 $pid"
}
# capture ARGS...: of the bursts; its process is $pid
capture() {
	rm -f "$work/o.tap.err"
	run_in pt-a tapdump -i va "$@" udp dst port 9999 \
		2>"$work/o.tap.err" </dev/null &
	pid=$!
	listening
}
finished() { # its exit status is $status
	kill -INT $pid 2>/dev/null
	wait $pid
	status=$?
}
captured() { awk '/ packets? captured$/ { print $1 }' "$work/o.tap.err"; }
guardian() { pgrep -P $pid -x tapdump-guard; }
numbers() { "$here/udp_numbers.py" "$@"; }

# Nobody reads the output any more.
piped() { # PROGRAM ARGS...: writes to a pipe of which 1000 bytes are read
	(
		in_ns pt-a "$1" -i va "${@:2}" -w - udp dst port 9999 \
			2>"$work/o.tap.err" </dev/null
		echo $? >"$work/status"
	) | head -c 1000 >"$work/head" &
	wait_for 30 grep -q 'listening on' "$work/o.tap.err"
	for i in {1..100}; do
		[[ ! -s $work/status ]] || break
		burst 20
		sleep 0.1
	done
	status=$(cat "$work/status")
	rm "$work/status" "$work/o.tap.err"
}
piped tcpdump -U -Z root
wanted=$status
for args in "" "--read" "--compress gzip" "--pcapng --meta stats=1"; do
	piped tapdump $args
	is "a closed pipe, ${args:-mmap}: tcpdump's exit status" "$status" "$wanted"
done

# Nobody reads the messages any more: no reason to lose packets.
exec 3> >(head -n 1 >/dev/null)
run_in pt-a tapdump -i va --stats json -w "$work/d/f" udp dst port 9999 \
	2>&3 </dev/null &
pid=$!
exec 3>&-
wait_for 30 grep -q 'Seccomp:.2' "/proc/$pid/status"
sleep 3 # some lines for nobody
burst 30
finished
is "messages for nobody: exit status" $status 0
is "messages for nobody: everything is in the file" "$(packets "$work/d/f")" 30

# A slow reader: the rings fill, what they cannot hold is counted.
mkfifo "$work/pipe"
cat "$work/pipe" >"$work/o.tap" &
reader=$!
capture -B 256 -w - >"$work/pipe"
kill -STOP $reader
burst 2000
kill -CONT $reader
burst 10
finished
wait $reader
is "a slow reader: exit status" $status 0
check "a slow reader: losses are counted" grep -q 'ring full' "$work/o.tap.err"
check "a slow reader: the counts hold" counts_hold o
check "a slow reader: what comes after is there" test \
	"$(numbers "$work/o.tap" | tail -n 1)" = 9

# A slow disk: the same, in a file, each of whose writes waits for the disk.
map_disks
truncate -s 16M "$work/image"
mkfs.ext4 -q "$work/image"
loop=$(losetup -f --show "$work/image")
slow() { # MILLISECONDS of each write
	echo "0 $(blockdev --getsz "$loop") delay $loop 0 0 $loop 0 $1"
}
slower() {
	dmsetup suspend pt-slow
	dmsetup load pt-slow --table "$(slow "$1")"
	dmsetup resume pt-slow
}
if dmsetup create pt-slow --table "$(slow 0)" 2>/dev/null; then
	mount -o sync /dev/mapper/pt-slow "$work/small"
	slower 1000
	capture -B 256 -w "$work/small/f"
	burst 3000
	finished
	is "a slow disk: exit status" $status 0
	cp "$work/small/f" "$work/o.tap"
	check "a slow disk: losses are counted" grep -q 'ring full' "$work/o.tap.err"
	check "a slow disk: the counts hold" counts_hold o
	# The guardian puts one file onto the disk while others are written.
	slower 20
	capture -B 16384 -C 50k -w "$work/small/g"
	burst 300
	finished
	is "a slow disk, -C: exit status" $status 0
	is "a slow disk, -C: the counts" "$(numbers $(printf '%s\n' \
		"$work/small"/g* | sort -V) | wc -l)" "$(captured)"
	umount "$work/small"
	dmsetup remove pt-slow
else
	skip "a slow disk" "no device mapper here"
fi
losetup -d "$loop"

# A pipe that somebody made non-blocking.
capture --compress lz4 -w - > >(python3 -c '
import os, sys, time
os.set_blocking(0, False)
time.sleep(2)
os.set_blocking(0, True)
open(sys.argv[1], "wb").write(sys.stdin.buffer.read())' "$work/o.lz4")
burst 2000
finished
wait_for 20 lz4 -qdf "$work/o.lz4" "$work/o"
is "a pipe that does not block: everything" "$(packets "$work/o")" "$(captured)"

# What is in a file before standard output is appended to it.
mount -t tmpfs -o size=200k small "$work/small"
head -c 100000 /dev/zero >"$work/small/f"
rm -f "$work/o.tap.err"
run_in pt-a tapdump -i va --compress gzip:1 -w - udp dst port 9999 \
	2>"$work/o.tap.err" </dev/null >>"$work/small/f" &
pid=$!
listening
python3 - >"$work/random.py" <<'END'
print("""
import os, socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(400):
    sock.sendto(os.urandom(1400), ("10.9.0.2", 9999))
""")
END
in_ns pt-a python3 "$work/random.py"
wait $pid
is "appending, a full disk: exit status" $? 1
check "appending, a full disk: what was there stays" \
	cmp -n 100000 "$work/small/f" /dev/zero
# Where not even a frame had room, nothing is behind it, and gzip complains.
held=$(tail -c +100001 "$work/small/f" | gzip -dc 2>/dev/null | packets -)
is "appending, a full disk: and whole frames" "${held:-0}" "$(captured)"
rm "$work/small"/*

# The next file does not even get its header.
head -c 120000 /dev/zero >"$work/small/zeros"
capture --ring-buffer filesize:30 -w "$work/small/f.pcap"
burst 200
wait $pid
is "no room for a header: exit status" $? 1
is "no room for a header: no file without one" \
	"$(find "$work/small" -name 'f*' -size -1)" ""
check "no room for a header: tshark reads each" tshark_each "$work/small"/f*
is "no room for a header: the count" "$(captured)" \
	"$(numbers $(printf '%s\n' "$work/small"/f* | sort) | wc -l)"
rm "$work/small"/f*

# It was told to end; then it does not wait for room.
capture --on-full=wait -B 16384 -w "$work/small/f"
kill -STOP $pid
burst 200
kill -INT $pid
kill -CONT $pid
wait $pid
is "ended, and then the disk is full: exit status" $? 1
is "ended, and then the disk is full: the count" "$(captured)" \
	"$(packets "$work/small/f")"
umount "$work/small"

# The guardian is killed.
capture -w "$work/d/f"
burst 10
kill -KILL "$(guardian)"
burst 10
finished
is "the guardian killed: exit status" $status 1
matches "the guardian killed: says so" "$(cat "$work/o.tap.err")" \
	'guardian of the files (is gone|was killed)'
is "the guardian killed: everything is in the file" "$(packets "$work/d/f")" 20
rm "$work/d"/*
capture -C 20k -w "$work/d/f"
burst 10
kill -KILL "$(guardian)"
burst 40
finished
is "the guardian killed, -C: everything, under its name" \
	"$(numbers "$work/d/f" "$work/d"/f[1-3] | wc -l)" 50
rm "$work/d"/*

# Another capture of the same name.
capture -w "$work/d/f"
burst 10
in_ns pt-a tapdump -i va -w "$work/d/f" 2>"$work/other.err" </dev/null
is "another capture's file: exit status" $? 1
matches "another capture's file: says so" "$(cat "$work/other.err")" \
	'cannot write to .*/d/f: another capture is writing to it'
finished
is "another capture's file: is left alone" "$(packets "$work/d/f")" 10

# What is watched is somebody else's folder, which root may write to.
mkdir "$work/theirs"
chown nobody "$work/theirs"
capture --stats "prometheus=$work/theirs/x.prom" -w "$work/d/f"
check "prometheus, another user's folder" wait_for 30 \
	grep -q '^ptap_capture_running.* 1$' "$work/theirs/x.prom"
finished
check "prometheus, another user's folder: the end" \
	grep -q '^ptap_capture_running.* 0$' "$work/theirs/x.prom"
tapdump -i lo --stats "prometheus=$work/nonesuch/x.prom" -w "$work/d/f" \
	2>"$work/o.tap.err" </dev/null
is "prometheus, no such folder: exit status" $? 1
matches "prometheus, no such folder: says so" "$(cat "$work/o.tap.err")" \
	'^tapdump: cannot write to .*x.prom: No such file or directory$'

# Too little memory: one sentence.
starved() { # NAME COMMAND...
	timeout 60 "${@:2}" 2>"$work/o.tap.err" </dev/null
	is "$1: exit status" $? 1
	is "$1: one sentence" "$(wc -l <"$work/o.tap.err")" 1
	matches "$1: which" "$(cat "$work/o.tap.err")" '^tapdump: .*memory'
}
starved "rings larger than the machine" tapdump -i lo -B 1048576 -w "$work/d/f"
starved "no address space" \
	sh -c "ulimit -v 60000; exec tapdump -i lo -B 16384 -w $work/d/f"
group=/sys/fs/cgroup/pt-small
if { mount -t cgroup2 none /sys/fs/cgroup || mountpoint -q /sys/fs/cgroup; } \
	2>/dev/null && echo +memory >/sys/fs/cgroup/cgroup.subtree_control &&
	mkdir $group && echo 8M >$group/memory.max; then
	starved "a control group's limit" sh -c \
		"echo \$\$ >$group/cgroup.procs; exec tapdump -i lo -B 65536 -w $work/d/f"
	rmdir $group
else
	skip "a control group's limit" "no control groups here"
fi 2>/dev/null

drop_pair
finish
