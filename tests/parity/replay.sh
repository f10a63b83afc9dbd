#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# replay.sh FOLDER - every capture file of a folder, again, captured twice.
#
# In the VM: sends each file through a veth pair with tcpreplay while tapdump
# (in three ways) and tcpdump capture the far end, and compares their files.
# Files of other link types than Ethernet cannot go through a veth and are
# skipped; frames that the device refuses (too short, too long) are counted by
# tcpreplay and left out.  Whatever a file does, the next one follows.  Prints
# TAP, and a summary that is also left in /out/replay.txt.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
PATH=$top/build:$PATH
# shellcheck source=../vm/lib.sh
. "$top/tests/vm/lib.sh"
folder=${1:?a folder of capture files}
summary=${PARITY_OUT:-/out}/replay.txt
equal=0 different=0 skipped=0
pps=${REPLAY_PPS:-10000}

ways='
mmap      -B 32768
read      -B 32768 --read --copybreak=0
pcapng    -B 32768 --pcapng --copybreak=0
'

# A quiet pair: nothing is on it but what is replayed.
make_wire() {
	ip netns add pt-a && ip netns add pt-b || return
	in_ns pt-a sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	in_ns pt-b sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	ip -n pt-a link add va mtu 65535 type veth peer name vb mtu 65535 netns pt-b
	ip -n pt-b link set vb arp off
	ip -n pt-a link set va arp off
	ip -n pt-b link set vb up
	ip -n pt-a link set va up
}

note() { # VERDICT FILE TEXT
	printf '%-9s %s: %s\n' "$1" "$2" "$3" | tee -a "$summary.files" | sed 's/^/# /'
}

leave_out() { # FILE REASON
	skipped=$((skipped + 1))
	skip "$1" "$2"
	note skipped "$1" "$2"
}

lost() { # any of the captures
	grep -hE '^[1-9][0-9]* packets? dropped by kernel' "$work"/*.err
}

# replay PATH NAME PPS: captures in $work; tcpreplay's words in $work/replay.log
replay() {
	local way options

	start_tcpdump r pt-b -i vb || return
	while read -r way options; do
		# shellcheck disable=SC2086 # options are words
		[[ ! $way ]] || start_tap "$way" pt-b -i vb $options || return
	done <<<"$ways"
	in_ns pt-a tcpreplay -q --pps="$3" -i va "$1" >"$work/replay.log" 2>&1
	sleep 0.5
	for way in "${!tap_pid[@]}"; do
		stop "$way"
	done
	stop r
}

count_of() { # WORDS: a number that tcpreplay prints
	awk -v what="$1" 'index($0, what) { n = $NF } END { print n + 0 }' \
		"$work/replay.log"
}

judge() { # NAME
	local name=$1 way rest bad='' sent failed_frames text

	sent=$(count_of 'Successful packets:')
	failed_frames=$(count_of 'Failed packets:')
	while read -r way rest; do
		[[ $way ]] || continue
		rest=$(pcapdiff --sorted A --ignore-order --skew 5 --limit 3 \
			"$work/$way.tap" "$work/r.tcp" 2>&1) || bad+="$way: $rest"$'\n'
	done <<<"$ways"
	text="$(packets "$work/r.tcp") packets captured, $sent sent"
	((failed_frames == 0)) || text+=", $failed_frames refused by the device"
	if [[ $bad ]]; then
		different=$((different + 1))
		result 'not ok' "$name: DIFFERENT"
		diag "$bad"
		note DIFFERENT "$name" "$text"
	else
		equal=$((equal + 1))
		result ok "$name: equal ($text)"
		note equal "$name" "$text"
	fi
}

one_file() { # PATH
	local path=$1 name=${1#"$folder"/} kind losses

	rm -rf "${work:?}"/*
	case $path in
	*.gz)
		zcat "$path" >"$work/file" 2>/dev/null
		path=$work/file
		;;
	esac
	kind=$(tcpdump -nr "$path" -c 1 2>&1 >/dev/null |
		sed -n 's/.*link-type \([^ ,]*\).*/\1/p')
	if [[ ! $kind ]]; then
		leave_out "$name" "no capture file that libpcap reads"
		return
	elif [[ $kind != EN10MB ]]; then
		leave_out "$name" "link type $kind, and a veth is Ethernet"
		return
	elif (($(packets "$path") == 0)); then
		leave_out "$name" "it has no packets"
		return
	fi
	if ! replay "$path" "$name" "$pps"; then
		result 'not ok' "$name: the captures did not start"
		different=$((different + 1))
		return
	fi
	if [[ $(lost) ]] && ((pps > 500)); then
		diag "$name: packets were lost at $pps a second, trying 500"
		rm -f "$work"/*.tap "$work"/*.tcp "$work"/*.err
		replay "$path" "$name" 500
	fi
	losses=$(lost)
	if [[ $losses ]]; then
		leave_out "$name" "too fast for the VM: $(xargs <<<"$losses")"
	elif (($(count_of 'Successful packets:') == 0)); then
		leave_out "$name" "tcpreplay sent nothing: $(tail -n 1 "$work/replay.log")"
	else
		judge "$name"
	fi
}

[[ -e /sys/module/ptap ]] || insmod "$top/module/ptap.ko" || exit 1
: >"$summary.files"
make_wire || exit 1
while IFS= read -r -d '' file; do
	one_file "$file"
done < <(find "$folder" -type f ! -path '*/lost+found/*' -print0 | sort -z)
drop_pair
{
	echo "Replayed and captured by both: $equal equal, $different DIFFERENT," \
		"$skipped skipped"
	sort "$summary.files"
} >"$summary"
rm -f "$summary.files"
head -n 1 "$summary" | sed 's/^/# /'
finish
