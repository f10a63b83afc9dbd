#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# What a pcapng file tells beside the packets: --meta, as tshark reads it.  The
# numbers are those of the closing lines, and losses stand where they were.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
if older tshark 4.0; then
	skip "what a pcapng file tells" "this tshark shows no options of blocks"
	finish
fi
make_pair

# look FILE: have tshark read it twice, as packets and as blocks, once for all
# that is asked below.  $work/packets has the columns flags, id, queue, drop
# count, ICMP type, UDP port, length; option gives what the blocks say.
declare -A column
names=(os hardware user_application mac ipv4 ipv4_mask ipv6 start_time end_time
	packet.hash.algorithm packet.hash.data interface.speed interface.description
	interface.name interface.os interface.timestamp_resolution.value
	interface.filter.string interface.received interface.dropped
	interface.accepted_by_filter interface.dropped_by_os
	interface.delivered_to_user)
look() {
	local list i

	file=$1
	tshark -r "$file" -T fields -e frame.packet_flags -e frame.packet_id \
		-e frame.interface_queue -e frame.drop_count -e icmp.type \
		-e udp.dstport -e frame.len >"$work/packets" 2>"$work/tshark.err"
	mapfile -t -d $'\t' list < <(tshark -r "$file" \
		-X 'read_format:MIME Files Format' -T fields -E aggregator='|' \
		$(printf -- '-e pcapng.options.option.data.%s ' "${names[@]}") \
		2>>"$work/tshark.err" | tr -d '\n')
	for i in "${!names[@]}"; do
		column[${names[i]}]=${list[i]:-}
	done
}

option() { [[ ! ${column[$1]} ]] || tr '|' '\n' <<<"${column[$1]}"; }

# On one CPU, so that its next number shows where one is left out.
burst() {
	in_ns pt-a taskset -c 1 python3 "$here/udp_burst.py" 10.9.0.2 "$1" \
		"${2:-200}"
}

# The default is light: no option in a packet, an account at the end.
start_tap l pt-a -i va --pcapng udp dst port 9999
burst 20
in_ns pt-a ping -q -c 3 -i 0.01 10.9.0.2 >/dev/null
stop l
look "$work/l.tap"
is "light: packets have no options" "$(cut -f 1-4 "$work/packets" | tr -d '\t\n')" ""
is "light: packets in the account" "$(option interface.delivered_to_user)" 20
is "light: accepted by the filter" "$(option interface.accepted_by_filter)" 20
check "light: the interface had more" test "$(option interface.received)" -ge 26
is "light: dropped" "$(option interface.dropped_by_os) $(option interface.dropped)" "0 0"
is "light: nothing about the machine" "$(option os)$(option mac)" ""
is "light: tcpdump reads it" "$(packets "$file")" 20
start_tap n pt-a -i va --meta none udp dst port 9999
burst 5
stop n
look "$work/n.tap"
is "none: no account" "$(option interface.received)" ""

# Everything.
ip -n pt-a link set va alias 'the first one'
for mode in "" "--read --copybreak=0"; do
	start_tap a pt-a -i va --meta all $mode \
		'udp dst port 9999 or tcp or icmp[0] != 3'
	burst 20
	in_ns pt-a ping -q -c 3 -i 0.01 10.9.0.2 >/dev/null
	in_ns pt-b timeout 90 python3 -m http.server --bind 10.9.0.2 8000 \
		-d /ptap/module >/dev/null 2>&1 &
	wait_for 90 in_ns pt-a curl -s -o /dev/null http://10.9.0.2:8000/hook.c
	kill $!
	wait $! 2>/dev/null
	stop a
	look "$work/a.tap"
	n=$(packets "$file") m=${mode:-mmap}
	check "$m: the counts add up" counts_hold a
	is "$m: flags of pings and answers" \
		"$(awk -F '\t' '$5 == "8" || $5 == "0" { print substr($1, 10) }' \
			"$work/packets" | xargs)" "2 5 2 5 2 5"
	is "$m: sent packets without a checksum say so" \
		"$(awk -F '\t' '$6 == 9999 && $5 == "" && $1 ~ /2..$/' "$work/packets" | wc -l)" 20
	# Longer than the link's packets may be: the device has to cut them.
	is "$m: the device's segmentation, where there is some" \
		"$(awk -F '\t' '{ print (substr($1, 8, 1) ~ /[89a-f]/) ($7 > 1514) }' \
			"$work/packets" | sort -u | xargs)" "00 11"
	is "$m: ids leave none out" "$(cut -f 2 "$work/packets" | python3 -c '
import sys
last, bad, n = {}, 0, 0
for line in sys.stdin:
    ring, seq = divmod(int(line, 0), 1 << 48)
    bad += seq != last.get(ring, 0) + 1
    last[ring], n = seq, n + 1
print(n, bad)')" "$n 0"
	is "$m: queues of sent packets" \
		"$(awk -F '\t' '$6 == 9999 && $5 == "" { print $3 }' "$work/packets" | sort -u)" 0
	check "$m: the hashes of connections" \
		grep -q 5 <(option packet.hash.algorithm)
	is "$m: account" "$(option interface.delivered_to_user | tail -n 1)" "$n"
done
is "system" "$(option os | sort -u)" "Linux $(uname -r)"
matches "machine" "$(option hardware)" .
matches "application" "$(option user_application)" '^tapdump [0-9]'
is "interface" "$(option interface.name)" va
is "precision" "$(option interface.timestamp_resolution.value)" 9
is "interface's system" "$(option interface.os)" "Linux $(uname -r)"
is "MAC" "$(option mac)" "$(in_ns pt-a cat /sys/class/net/va/address)"
is "IPv4" "$(option ipv4) $(option ipv4_mask)" "10.9.0.1 255.255.255.0"
check "IPv6" grep -qx fd09::1 <(option ipv6)
is "speed" "$(option interface.speed)" 10000000000
is "description" "$(option interface.description)" 'the first one'
is "filter" "$(option interface.filter.string)" 'udp dst port 9999 or tcp or icmp[0] != 3'

# The hash is that of the connection.
start_tap h pt-a -i va --meta hash udp dst port 9999
in_ns pt-a python3 - <<-'END'
	import socket
	two = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "ab"]
	for s in two:
	    s.connect(("10.9.0.2", 9999))
	for i in range(10):
	    try:
	        two[i % 2].send(b"x")
	    except ConnectionRefusedError:
	        two[i % 2].send(b"x")
END
stop h
look "$work/h.tap"
is "hash: one for each of two connections" \
	"$(option packet.hash.data | sort | uniq -c | awk '{ print $1 }' | xargs)" "5 5"

# Who packets were for: this host, a group, all, another host.
start_tap t pt-a -i va --meta flags ether proto 0x88b5
in_ns pt-b python3 - "$(in_ns pt-a cat /sys/class/net/va/address)" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
	s.bind(("vb", 0))
	for to in sys.argv[1], "33:33:00:00:00:01", "ff:ff:ff:ff:ff:ff", "02:00:00:00:00:99":
	    s.send(bytes.fromhex(to.replace(":", "")) + bytes(6) + b"\x88\xb5" + bytes(46))
END
stop t
is "flags: for this host, a group, all, another host" \
	"$(tshark -r "$work/t.tap" -T fields -e frame.packet_flags 2>/dev/null |
		xargs)" "0x00000005 0x00000009 0x0000000d 0x00000011"

# Each file of a set begins and ends with an account, only the last one for good.
mkdir "$work/d"
rm -f "$work/s.tap.err"
run_in pt-a tapdump -i va --meta id,drops -C 50k -w "$work/d/f" udp dst port 9999 \
	2>"$work/s.tap.err" </dev/null &
pid=$!
wait_for 30 grep -q 'listening on' "$work/s.tap.err"
burst 600 1000
kill -INT $pid
wait $pid
mapfile -t set < <(printf '%s\n' "$work/d"/* | sort -V)
check "set: several files" test ${#set[@]} -gt 10
look "${set[0]}"
n=$(packets "$file")
is "set: the first one's account" "$(option interface.delivered_to_user)" "$n"
is "set: it has no end" "$(option end_time)" ""
look "${set[1]}"
is "set: the next one begins with it" \
	"$(option interface.delivered_to_user | xargs)" "$n $((n + $(packets "$file")))"
look "${set[-1]}"
is "set: the last one ends with all" \
	"$(option interface.delivered_to_user | tail -n 1)" 600
is "set: and has an end" "$(option start_time | wc -l) $(option end_time | wc -l)" "2 1"

# An interface that appears while capturing is described as others are.
start_tap g pt-a -i any --meta all udp dst port 9999
burst 3
ip -n pt-a link add pt-n address 02:00:00:00:06:01 type dummy
ip -n pt-a link set pt-n alias 'a late one'
ip -n pt-a addr add 10.6.0.1/24 dev pt-n
ip -n pt-a link set pt-n up
ip -n pt-a neigh add 10.6.0.2 lladdr 02:00:00:00:06:02 dev pt-n
in_ns pt-a python3 "$here/udp_burst.py" 10.6.0.2 4
stop g
look "$work/g.tap"
is "a late interface: the last one" "$(option interface.name | tail -n 1)" pt-n
is "a late interface: MAC" "$(option mac | tail -n 1)" 02:00:00:00:06:01
is "a late interface: description" \
	"$(option interface.description | tail -n 1)" 'a late one'
check "a late interface: IPv4" grep -qx 10.6.0.1 <(option ipv4)
is "a late interface: each has its precision" \
	"$(option interface.timestamp_resolution.value | sort -u)" 9
is "a late interface: its packets" \
	"$(tshark -r "$file" -T fields -e frame.interface_name 2>/dev/null |
		grep -c pt-n)" 4
is "a late interface: nothing is missing" "$(tapdump --verify "$file" 2>&1)" \
	"complete: $(packets "$file") packets in 1 file"
ip -n pt-a link del pt-n

# Interfaces of their own accounts, and at intervals.
ip -n pt-a link add pt-d type dummy
ip -n pt-a link set pt-d up arp off
start_tap i pt-a -i any --meta drops,stats=1 'udp dst port 9999 or icmp[0] != 3'
burst 30
in_ns pt-a ping -q -c 2 -i 1.2 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 3 -i 0.01 127.0.0.1 >/dev/null
stop i
look "$work/i.tap"
is "any: delivered of each interface" \
	"$(option interface.delivered_to_user |
		tail -n "$(option end_time | wc -l)" | sort -n | grep -vx 0 | xargs)" \
	"6 34"
check "any: at intervals" \
	test "$(option interface.received | wc -l)" -gt 3
is "any: tcpdump reads it" "$(packets "$file")" 40
is "any: nothing to warn of" "$(grep -c 'link type' "$work/i.tap.err")" 0
modprobe tun 2>/dev/null
if in_ns pt-a ip tuntap add pt-t mode tun 2>/dev/null; then
	in_ns pt-a ip link set pt-t up
	start_tap w pt-a -i va -i pt-t --pcapng udp dst port 9999
	burst 3
	stop w
	matches "tun and Ethernet: tapdump says who opens it" \
		"$(cat "$work/w.tap.err")" \
		'va has link type 1 and pt-t has 101: .*tcpdump -r does not'
	is "tun and Ethernet: tshark opens it" \
		"$(tshark -r "$work/w.tap" 2>/dev/null | wc -l)" 3
	check "tun and Ethernet: tcpdump does not" \
		bash -c "! tcpdump -nr '$work/w.tap' 2>/dev/null >&2"
else
	skip "tun and Ethernet" "this kernel has no tun"
fi

says() { # NAME REGEX ARGS...
	matches "$1" "$(tapdump "${@:3}" -i lo -w /dev/null 2>&1)" "$2"
}
says "--meta: a word that there is not" "--meta has no 'nonesuch'" --meta id,nonesuch
says "--meta: no seconds" "a number of seconds is wanted" --meta stats=x

# --verify: what the closing lines say, and where.
verify() { out=$(tapdump --verify "$@" 2>&1 </dev/null); }

verify "${set[@]}"
is "verify: the set: exit status" $? 0
is "verify: the set" "$out" "complete: 600 packets in ${#set[@]} files"
verify "${set[@]:0:4}" "${set[@]:5}"
is "verify: a file is missing: exit status" $? 1
n=$(packets "${set[4]}")
matches "verify: a file is missing: how much of it" "$out" \
	": $n packets missing before packet 1 .*, $n missing: 0 dropped by the kernel, $n captured"
verify "$work/l.tap" "$work/i.tap" "$work/a.tap"
is "verify: captures without numbers, of several interfaces" "$out" \
	"complete: $((20 + 40 + $(packets "$work/a.tap"))) packets in 3 files"
verify "$work/n.tap"
is "verify: no account: exit status" $? 1
# Without its third packet.
python3 -c '
import struct, sys
data, at, nr, out = open(sys.argv[1], "rb").read(), 0, 0, b""
while at < len(data):
    kind, size = struct.unpack_from("=II", data, at)
    nr += kind == 6
    if kind != 6 or nr != 3:
        out += data[at:at + size]
    at += size
open(sys.argv[2], "wb").write(out)' "${set[0]}" "$work/cut"
verify "$work/cut" "${set[@]:1}"
is "verify: a packet was taken out: exit status" $? 1
matches "verify: a packet was taken out: which one" "$out" \
	"cut: 1 packet missing before packet 3 .*captured, and not in the files"
start_tap k pt-a -i va --meta id udp dst port 9999
burst 10
wait_for 20 test -s "$work/k.tap"
sleep 1
kill -KILL "${tap_pid[k]}"
wait "${tap_pid[k]}" 2>/dev/null
verify "$work/k.tap"
is "verify: killed: exit status" $? 1
matches "verify: killed: says so" "$out" 'the capture was cut off'

# --stats: what programs are told agrees with the closing lines.
start_tap j pt-a -i va --stats "json=1,$work/j.json" \
	--stats "prometheus=$work/p.prom" udp dst port 9999
burst 30
check "--stats json: a line each second" \
	wait_for 20 eval '(($(wc -l <"$work/j.json") >= 2))'
check "--stats prometheus: a file" wait_for 20 test -s "$work/p.prom"
stop j
json_counts() { # the last line's, if all makes sense
	python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
last = lines[-1]
assert [line["end"] for line in lines] == [False] * (len(lines) - 1) + [True]
for name in "seen", "filtered", "captured":
    assert last[name] == sum(c[name] for c in last["cpus"]), (name, last)
for c in [last, *last["cpus"]]:
    assert c["seen"] == c["captured"] + c["filtered"] + sum(c["dropped"].values())
    assert not c["lag_packets"] and not c["lag_bytes"]
assert 0 < last["high_water"] <= last["ring_size"]
print(last["packets_captured"], last["packets_received_by_filter"],
      last["packets_dropped_by_kernel"])' "$1" 2>&1
}
read -r c r d < <(counts j)
is "--stats json: valid, and the last line has the counts" \
	"$(json_counts "$work/j.json")" "$c $r $d"
is "--stats prometheus: the same, and that it is over" \
	"$(awk '/^ptap_(packets_written_total|capture_running){interface="va"}/ { print $2 }' "$work/p.prom" | xargs)" \
	"0 $c"
is "--stats prometheus: nothing else is left" "$(echo "$work"/p.prom*)" "$work/p.prom"
# What tapdump sifts is no CPU's capture either.
for mode in "" "--read --meta id"; do
	# shellcheck disable=SC2086 # options are words
	start_tap j pt-a -i va --stats "json=60,$work/j.json" $mode 'ip protochain 1'
	burst 30
	in_ns pt-a ping -q -c 3 -i 0.01 10.9.0.2 >/dev/null
	stop j
	read -r c r d < <(counts j)
	is "--stats json, a filter that tapdump runs${mode:+, $mode}: adds up" \
		"$(json_counts "$work/j.json")" "$c $r $d"
done
in_ns pt-a tapdump -i va --stats json -w /dev/null -c 5 udp dst port 9999 \
	2>"$work/j.err" </dev/null &
wait_for 30 grep -q 'listening on' "$work/j.err"
burst 5
wait $!
is "--stats json: on standard error, before the counts" \
	"$(grep -c '^{.*"end":true.*}$' "$work/j.err")" 1
# On a terminal, and only there.
in_ns pt-a python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' sh -c "
	stty cols 200
	exec tapdump -i va -w $work/tty.pcap udp dst port 9999" \
	>"$work/tty" 2>&1 </dev/null &
pid=$!
wait_for 30 grep -q 'listening on' "$work/tty"
burst 12
check "a line on the terminal" wait_for 20 \
	grep -q '12 packets, .*/s, .* MB/s, 0 dropped, ring [0-9]* %, [^ ]*/tty.pcap, [0-9.]* .B left' "$work/tty"
pkill -INT -f "^tapdump -i va -w $work/tty.pcap"
wait $pid
is "no line where there is no terminal" "$(grep -c 'MB/s' "$work/j.tap.err")" 0
says "--stats: a word that there is not" "--stats has no 'xml'" --stats xml
drop_pair

# More packets than there is room for, while the reader stands still.
make_dummy || {
	skip "drops" "this kernel has no pktgen"
	finish
}

# The second of two queues, which the CPUs are told to take.
ip link add pt-q numtxqueues 2 type dummy
ip link set pt-q up arp off
echo 0 >/sys/class/net/pt-q/queues/tx-0/xps_cpus
echo 3 >/sys/class/net/pt-q/queues/tx-1/xps_cpus
start_tap q - -i pt-q --meta queue ether proto 0x88b5
python3 -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("pt-q", 0))
for _ in range(3):
    s.send(bytes(12) + b"\x88\xb5" + bytes(46))'
stop q
is "queue: the second one" "$(tshark -r "$work/q.tap" -T fields \
	-e frame.interface_queue 2>/dev/null | xargs)" "1 1 1"
ip link del pt-q

# --stats json tells of losses as the closing lines do.
start_tap j - -i pt-d -B 64 -s 512 --stats "json=60,$work/j.json"
kill -STOP "${tap_pid[j]}"
blast 1000 200
kill -CONT "${tap_pid[j]}"
stop j
read -r c r d < <(counts j)
is "--stats json: valid, and the last line has the counts, with drops" \
	"$(json_counts "$work/j.json")" "$c $r $d"
is "--stats json: the cause, the bytes and the high-water mark" \
	"$(tail -n 1 "$work/j.json" | python3 -c '
import json, sys
last = json.load(sys.stdin)
print({k: v for k, v in last["dropped"].items() if v}, last["captured_bytes"],
      sum(c["captured_bytes"] for c in last["cpus"]),
      last["high_water"] > 0.9 * last["ring_size"])')" \
	"{'ring_full': $d} $(($(stat -c %s "$work/j.tap") - 24)) $(($(stat -c %s "$work/j.tap") - 24)) True"
matches "closing lines: the cause" "$(cat "$work/j.tap.err")" "dropped: $d ring full"

for mode in "" "--read --copybreak=0"; do
	start_tap o - -i pt-d -B 64 -s 512 --meta drops,id $mode
	kill -STOP "${tap_pid[o]}"
	blast 1000 200
	kill -CONT "${tap_pid[o]}"
	sleep 2
	blast 1 200
	stop o
	read -r c r d < <(counts o)
	m=${mode:-mmap}
	check "$m: the counts add up" counts_hold o
	check "$m: there were drops" test "$d" -gt 0
	tshark -r "$work/o.tap" -T fields -e frame.drop_count 2>/dev/null |
		grep . >"$work/drops"
	is "$m: the packets name each of them" \
		"$(awk '{ s += $1 } END { print s + 0 }' "$work/drops")" "$d"
	check "$m: in the first packet behind them" \
		test "$(wc -l <"$work/drops")" -le 4
	verify "$work/o.tap"
	is "$m: verify: exit status" $? 1
	is "$m: verify: the same number" "${out##*$'\n'}" \
		"incomplete: $c packets in 1 file, $d missing: $d dropped by the kernel, 0 captured, and not in the files"
done
# Behind the last packet, and without numbers, only the account knows.
start_tap o - -i pt-d -B 64 -s 512 --pcapng
kill -STOP "${tap_pid[o]}"
blast 1000 200
kill -CONT "${tap_pid[o]}"
stop o
read -r c r d < <(counts o)
verify "$work/o.tap"
is "light: verify: the same number" "${out##*$'\n'}" \
	"incomplete: $c packets in 1 file, $d missing: $d dropped by the kernel, 0 captured, and not in the files"
ip link del pt-d
finish
