#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The clock is set back or forward while capturing, or the machine sleeps:
# packets come out at once all the same, and none is lost.  Time stamps from the
# TSC are those of the kernel's clock.

. "$(dirname "$0")/lib.sh"
make_pair
trust=/sys/module/ptap/parameters/tsc

is "the TSC is not trusted without a word" "$(cat $trust)" N
tapdump -i lo --clock=tsc -w /dev/null 2>"$work/err" &
pid=$!
wait_for 20 grep -q 'listening\|steadily' "$work/err"
kill -INT $pid 2>/dev/null
wait $pid
if grep -q '^flags.* constant_tsc .*nonstop_tsc' /proc/cpuinfo; then
	check "an invariant TSC is taken" grep -q listening "$work/err"
else
	check "another TSC is refused, with advice" \
		grep -q 'not said to tick steadily.*parameter tsc=1' "$work/err"
fi
matches "--clock=what" "$(tapdump --clock=sun 2>&1)" '--clock is host or tsc'
echo 1 >$trust

# Both capture the same packets: pcapdiff says how far their times are apart.
for mode in "" --read --pcapng "--copybreak=0 --nano"; do
	start_tap t pt-a -i va --clock=tsc $mode udp
	start_tcpdump t pt-a -i va udp
	for i in 1 2 3; do
		in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 300
		sleep 0.2
	done
	stop t
	check "TSC ${mode:-mmap}: tcpdump's packets, at its times" same t
	check "TSC ${mode:-mmap}: the counts add up" counts_hold t
done

for mode in "" --read --clock=tsc; do
	start_tap k pt-a -i va -U $mode icmp
	in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
	wait_for 10 bash -c "[[ \$(tcpdump -r '$work/k.tap' --count 2>/dev/null) == 10* ]]"
	date -s '-1 hour' >/dev/null
	in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
	check "set back ${mode:-mmap}: packets come out while it runs" wait_for 20 \
		bash -c "[[ \$(tcpdump -r '$work/k.tap' --count 2>/dev/null) == 20* ]]"
	date -s '+1 hour' >/dev/null
	in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
	stop k
	is "set back ${mode:-mmap}: all packets" "$(packets "$work/k.tap")" 30
	check "set back ${mode:-mmap}: the counts add up" counts_hold k
done

start_tap f pt-a -i va -U icmp
in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
date -s '+1 hour' >/dev/null
in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
date -s '-1 hour' >/dev/null
stop f
is "set forward and back: all packets" "$(packets "$work/f.tap")" 20
check "set forward and back: the counts add up" counts_hold f

# To memory, and back by the clock of the machine.  Packets that wait in the rings
# are there afterwards; CPU 1 was taken away in between.
modes=("" "--read --copybreak=0" "--clock=tsc --pcapng")
sleeps() { rtcwake -m mem -s 3; }
if ! older kernel 7.3; then
	skip "the machine sleeps and wakes" \
		"virtio's ports stay shut after it, and they are all that the VM says"
	modes=()
elif [[ ! -e /sys/class/rtc/rtc0 ]] || ! grep -qw mem /sys/power/state; then
	skip "the machine sleeps and wakes" "it cannot"
	modes=()
fi
for i in "${!modes[@]}"; do
	# shellcheck disable=SC2086 # options are words
	start_tap s$i pt-a -i va ${modes[i]} icmp
done
if ((${#modes[@]})); then
	start_tcpdump s0 pt-a -i va icmp
	in_ns pt-a ping -q -c 10 -i 0.01 10.9.0.2 >/dev/null
	check "the machine sleeps and wakes" sleeps
	in_ns pt-a ping -q -c 10 -i 0.01 10.9.0.2 >/dev/null
fi
for i in "${!modes[@]}"; do
	stop s$i
	cp -n "$work/s0.tcp" "$work/s$i.tcp"
	check "slept ${modes[i]:-mmap}: tcpdump's packets, at its times" same s$i
	is "slept ${modes[i]:-mmap}: all packets" "$(packets "$work/s$i.tap")" 40
	check "slept ${modes[i]:-mmap}: the counts add up" counts_hold s$i
done

echo 0 >$trust
drop_pair
finish
