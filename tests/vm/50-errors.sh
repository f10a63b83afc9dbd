#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What tapdump says, and with which status, when something is wrong; and that
# what was captured until then is in a valid file.

. "$(dirname "$0")/lib.sh"
make_pair

fails() { # NAME REGEX COMMAND...
	local name=$1 regex=$2 out status

	out=$("${@:3}" 2>&1 >/dev/null </dev/null)
	status=$?
	is "$name: exit status" $status 1
	matches "$name: says why" "$out" "$regex"
	is "$name: in one line" "$(grep -c '^tapdump: ' <<<"$out")" 1
}

fails "unknown interface" 'nonesuch' tapdump -i nonesuch -w "$work/e"
fails "syntax error in the filter" 'syntax error' tapdump -i lo -w "$work/e" 'tcp and and'
fails "unwritable file" '/nonesuch/file.*No such file' tapdump -i lo -w /nonesuch/file
fails "bad snapshot length" 'snap' tapdump -i lo -w "$work/e" -s 300000
fails "bad count" 'count' tapdump -i lo -w "$work/e" -c 0
fails "missing filter file" 'nonesuch' tapdump -i lo -w "$work/e" -F /nonesuch
fails "no right to capture" '(ermission|CAP_NET_RAW|root)' \
	setpriv --reuid=1 --regid=1 --clear-groups --inh-caps=-all \
	"$(command -v tapdump)" -i lo -w /dev/null

tapdump --nonesuch >"$work/out" 2>"$work/err"
is "unknown option: exit status" $? 1
matches "unknown option: usage" "$(cat "$work/err")" '[Uu]sage'
tapdump --help >"$work/out" 2>"$work/err"
is "--help: exit status" $? 0
matches "--version" "$(tapdump --version 2>&1)" 'tapdump version [0-9]'
matches "-D lists interfaces" "$(tapdump -D 2>&1)" 'lo'

# A disk that fills up.
mkdir "$work/small"
mount -t tmpfs -o size=256k small "$work/small"
run_in pt-a tapdump -i va -w "$work/small/f" 2>"$work/full.err" </dev/null &
pid=$!
wait_for 20 grep -q listening "$work/full.err"
in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 600 1400
wait_for 60 grep -q 'No space left' "$work/full.err" || kill -INT $pid
wait $pid
is "disk full: exit status" $? 1
matches "disk full: says so" "$(cat "$work/full.err")" 'No space left'
check "disk full: the file is valid" tshark -r "$work/small/f" -T fields -e frame.number
captured=$(awk '/ packets? captured$/ { print $1 }' "$work/full.err")
is "disk full: what it counts is in the file" "$captured" "$(packets "$work/small/f")"
check "disk full: something is in the file" test "${captured:-0}" -gt 0
umount "$work/small"

# A reader that goes away.
run_in pt-a tapdump -i va -U -w - 2>"$work/pipe.err" </dev/null | head -c 24 >/dev/null &
wait_for 20 grep -q listening "$work/pipe.err"
in_ns pt-a ping -q -c 5 -i 0.2 10.9.0.2 >/dev/null
check "a closed pipe ends the capture" wait_for 20 \
	bash -c '! pgrep -x tapdump'

# No module.
drop_pair
wait_for 20 rmmod ptap
fails "no module" '(modprobe|insmod)' tapdump -i lo -w "$work/e"
insmod module/ptap.ko

finish
