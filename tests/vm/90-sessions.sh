#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What the kernel shows of captures: /proc/net/ptap, tapdump --list-sessions, the
# tracepoints, and the two bpftrace scripts.

. "$(dirname "$0")/lib.sh"
scripts=$(cd "$(dirname "$0")/../../userspace/bpftrace" && pwd)
make_pair

# field NAME PID [NAMESPACE]: a column of a process's line
field() {
	in_ns "${3:-pt-a}" cat /proc/net/ptap | awk -v name="$1" -v pid="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
		$1 == pid { print at ? $at : "no such column" }'
}

is "no session: only the names" "$(in_ns pt-a cat /proc/net/ptap | wc -l)" 1
start_tap s pt-a -i va -s 96 --pcapng \
	'icmp and icmp[icmptype] != icmp-unreach'
pid=${tap_pid[s]}
in_ns pt-a ping -q -c 5 -i 0.1 10.9.0.2 >/dev/null
in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 20 >/dev/null
is "comm" "$(field comm "$pid")" tapdump
is "uid" "$(field uid "$pid")" 0
is "state" "$(field state "$pid")" running
is "ifaces" "$(field ifaces "$pid")" va
is "format" "$(field format "$pid")" pcapng
is "reader" "$(field reader "$pid")" mmap
is "snaplen" "$(field snaplen "$pid")" 96
is "captured" "$(field captured "$pid")" 10
is "dropped" "$(field dropped "$pid")" 0
check "filter" test "$(field filter "$pid")" -gt 3
check "filtered" test "$(field filtered "$pid")" -ge 20
# In one look: neighbours are discovered meanwhile.
adds_up() {
	in_ns pt-a cat /proc/net/ptap | awk -v pid="$pid" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$1 == pid { sum = $at["captured"] + $at["filtered"]
			    exit $at["seen"] != sum + $at["dropped"] }'
}
check "seen is the sum" wait_for 20 adds_up
is "other namespaces do not show it" "$(in_ns pt-b cat /proc/net/ptap | wc -l)" 1
matches "--list-sessions" "$(in_ns pt-a tapdump --list-sessions)" \
	"$pid +running +va +[0-9]+ insns +0% +10 +0  tapdump .*icmp-unreach"
is "the columns fit" \
	"$(in_ns pt-a cat /proc/net/ptap | awk '{ print NF }' | sort -u | wc -l)" 1
stop s

# Another session that is only opened, with a name that needs an escape.
run_in pt-a bash -c 'exec 9<>/dev/tap; printf "a b,c" >/proc/$$/comm; exec 8<>/dev/tap; read' \
	< <(sleep 60) &
opener=$!
named() { in_ns pt-a grep -qF 'a\040b\054c' /proc/net/ptap; }
check "a name with blanks is one word" wait_for 20 named
is "every line has as many words" \
	"$(in_ns pt-a cat /proc/net/ptap | awk '{ print NF }' | sort -u | wc -l)" 1
matches "it is new" "$(in_ns pt-a cat /proc/net/ptap)" ' new - - '
kill $opener
wait $opener 2>/dev/null
gone() { [[ $(in_ns pt-a cat /proc/net/ptap | wc -l) == 1 ]]; }
check "it goes with its file" wait_for 20 gone

# Tracepoints: a clone, its drain, a wake-up, and a full ring.  The reader is
# stopped, so that a small ring fills.
trace=/sys/kernel/tracing
event() { grep -E "ptap_$1: owner=${tap_pid[t]} .*$2" $trace/trace; }
tracepoints() {
	local dropped

	echo >$trace/trace
	echo 1 >$trace/events/ptap/enable
	start_tap t pt-a -i va -B 64 -s 2000 --copybreak=100 --immediate-mode
	in_ns pt-a ping -q -c 5 -i 0.1 -s 800 10.9.0.2 >/dev/null
	check "ptap_wake" wait_for 20 event wake 'bytes=[1-9]'
	check "ptap_defer" wait_for 20 event defer 'len=[89][0-9]+ waiting=[1-9]'
	check "ptap_drain" wait_for 20 event drain 'filled=[1-9]'
	kill -STOP "${tap_pid[t]}"
	in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 600 1400 >/dev/null
	check "ptap_drop" event drop 'ring=[0-9]+ dev=va len=14[0-9]+ reason=ring_full'
	dropped=$(field dropped "${tap_pid[t]}")
	echo 0 >$trace/events/ptap/enable
	check "dropped" test "$dropped" -gt 0
	check "fill" test "$(field fill "${tap_pid[t]}")" -gt 50
	kill -CONT "${tap_pid[t]}"
	stop t
}

if [[ -e $trace/events/ptap/enable ]]; then
	tracepoints
else
	skip "tracepoints" "this kernel traces nothing"
fi

# bpftrace compiles for a while here; both scripts at once.
if command -v bpftrace >/dev/null && [[ -e $trace/events/ptap/enable ]]; then
	for s in drops wakes; do
		timeout -s INT 300 bpftrace "$scripts/ptap$s.bt" >"$work/$s" 2>&1 &
	done
	head() { grep -q '; Ctrl-C' "$work/$1"; }
	check "ptapdrops.bt starts" wait_for 200 head drops
	check "ptapwakes.bt starts" wait_for 200 head wakes
	start_tap b pt-a -i va -B 64 -s 2000 --copybreak=100 --immediate-mode
	in_ns pt-a ping -q -c 5 -i 0.1 -s 800 10.9.0.2 >/dev/null
	kill -STOP "${tap_pid[b]}"
	in_ns pt-a python3 "$(dirname "$0")/udp_burst.py" 10.9.0.2 600 1400 >/dev/null
	check "ptapdrops.bt counts" wait_for 60 \
		grep -qE "@drops\[${tap_pid[b]}, va, [0-9]+, 0\]: [1-9]" "$work/drops"
	pid=${tap_pid[b]}
	kill -CONT "$pid"
	stop b
	pkill -INT -x bpftrace
	wait
	check "ptapwakes.bt: wake-ups" grep -q "@woken_by_watermark_bytes\[$pid\]" "$work/wakes"
	check "ptapwakes.bt: clones" grep -q "@clone_bytes\[$pid\]" "$work/wakes"
	check "ptapwakes.bt: drains" grep -q "@clones_copied_at_once\[$pid\]" "$work/wakes"
	[[ $failed == 0 ]] || diag "$(tail -n 30 "$work/drops" "$work/wakes")"
else
	skip "bpftrace scripts" "no bpftrace here, or nothing that it could trace"
fi

drop_pair
finish
