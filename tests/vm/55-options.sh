#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The rest of tcpdump's command line: what asks a question gets tcpdump's
# answer, what prints prints the same, and what there is not is said.

. "$(dirname "$0")/lib.sh"
make_pair

# both NAME ARGS...: tapdump and tcpdump say the same and end alike
both() {
	local name=$1 tap tcp

	shift
	tap=$(in_ns pt-a tapdump "$@" 2>&1 </dev/null)
	tap="$? ${tap//tapdump/tcpdump}"
	tcp=$(in_ns pt-a tcpdump "$@" 2>&1 </dev/null)
	is "$name" "$tap" "$? $tcp"
}

says() { # NAME REGEX ARGS...: fails with that
	local name=$1 regex=$2 out status

	out=$(in_ns pt-a tapdump "${@:3}" 2>&1 </dev/null)
	status=$?
	is "$name: exit status" $status 1
	matches "$name: says why" "$out" "$regex"
}

# Programs.
for expr in "" ip 'tcp port 80 and host 10.9.0.1' 'vlan and ip' inbound \
	'ip6 proto 17' 'greater 100' 'ether[0] & 1 != 0' 'ip broadcast'; do
	for flags in -d -dd -ddd "-d -O"; do
		both "$flags '$expr'" -i va $flags "$expr"
	done
done
both "-d: snapshot length" -i va -s 96 -d ip
# Newer ones warn that this one is not promiscuous, and do not tell its type.
both "-d: any" -i any -p -y LINUX_SLL2 -d tcp port 80
both "-d: any, first version" -i any -p -y LINUX_SLL -d tcp port 80
is "-d: any, its own type" "$(in_ns pt-a tapdump -i any -d tcp port 80 2>/dev/null)" \
	"$(in_ns pt-a tcpdump -i any -d tcp port 80 2>/dev/null)"
both "-d: no interface" -d ip
both "-d: no interface, another link type" -y RAW -ddd ip
both "-d: a link type that it does not have" -i va -y LINUX_SLL2 -d ip
tapdump -i lo -d 'tcp and and' >"$work/out" 2>"$work/err"
is "-d: syntax error: exit status" $? 1

# A program that was not optimized does the same.
for iface in va any; do
	for flags in "" -O; do
		start_tap o pt-a -i $iface $flags icmp and host 10.9.0.2 and not host 10.9.0.3
		in_ns pt-a ping -q -c 5 -i 0.01 10.9.0.2 >/dev/null
		stop o
		is "$iface ${flags:-optimized}: packets" "$(packets "$work/o.tap")" 10
	done
done

# Lists.
both "-J" -i va -J
both "-J: any" -i any -J
both "-L: any" -i any -p -L
out=$(in_ns pt-a tapdump -i va -L)
is "-L" "$(awk 'NR > 1 { print $1 }' <<<"$out" | xargs)" "EN10MB LINUX_SLL LINUX_SLL2"
for type in EN10MB LINUX_SLL LINUX_SLL2; do
	start_tap y pt-a -i va -y $type icmp
	in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
	stop y
	matches "-y $type" "$(tcpdump -r "$work/y.tap" --count 2>&1 | xargs)" \
		"link-type $type .* 2 packets"
done
says "-y RAW on Ethernet" 'link type is EN10MB, not RAW' -i va -y RAW -w "$work/e"
says "-y EN10MB on any" 'EN10MB is no link type of any' -i any -y EN10MB -w "$work/e"
# The device has the host's stamps only: tcpdump warns of any other.
for type in host host_lowprec host_hiprec adapter adapter_unsynced; do
	start_tap j pt-a -i va -j $type icmp
	start_tcpdump j pt-a -i va -j $type icmp
	in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
	stop j
	check "-j $type" same j
	is "-j $type: the same warning" \
		"$(grep WARNING "$work/j.tap.err" | sed s/^tapdump/tcpdump/)" \
		"$(grep WARNING "$work/j.tcp.err")"
done
for precision in micro nano; do
	start_tap p pt-a -i va --time-stamp-precision=$precision icmp
	start_tcpdump p pt-a -i va --time-stamp-precision=$precision icmp
	in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
	stop p
	check "precision $precision" same p
	check "precision $precision: the file's header is tcpdump's" \
		cmp -n 24 "$work/p.tap" "$work/p.tcp"
done
says "-j nonesuch" 'invalid time stamp type nonesuch' -i va -j nonesuch -w "$work/e"

# Written and printed.
for args in "-n" "-n -e -v -XX -#" "-q -tttt -A -S --nano" "-C 1 -n"; do
	rm -f "$work/p.err"
	run_in pt-a tapdump -i va --print $args -w "$work/p" icmp \
		>"$work/p.out" 2>"$work/p.err" </dev/null &
	pid=$!
	wait_for 20 grep -q listening "$work/p.err"
	in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
	check "--print $args: lines come while it runs" wait_for 20 \
		grep -q 'ICMP' "$work/p.out"
	kill -INT $pid
	wait $pid
	is "--print $args: exit status" $? 0
	check "--print $args: prints what is in the file" diff "$work/p.out" \
		<(tcpdump -r "$work/p" ${args/-C 1/} 2>/dev/null)
	is "--print $args: everything is in the file" "$(packets "$work/p")" 6
	matches "--print $args: counts it once" "$(cat "$work/p.err")" '6 packets captured'
done
rm -f "$work/p.err"
run_in pt-a tapdump -i va --count icmp >"$work/p.out" 2>"$work/p.err" </dev/null &
pid=$!
wait_for 20 grep -q listening "$work/p.err"
in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
kill -INT $pid
wait $pid
is "--count: exit status" $? 0
is "--count: prints no packets" "$(cat "$work/p.out")" ""
matches "--count: but how many" "$(cat "$work/p.err")" '6 packets captured'

# A capture that ends by itself, to a pipe.
rm -f "$work/p.err"
run_in pt-a tapdump -i va -G 3 -W 1 -w - icmp 2>"$work/p.err" </dev/null >"$work/p" &
pid=$!
wait_for 20 grep -q listening "$work/p.err"
wait $pid
is "-G -W 1 -w -: exit status" $? 0
check "-G -W 1 -w -: a capture file" tcpdump -r "$work/p"
says "-C -w -" 'standard output' -i va -C 1 -w -
says "--print -w -" 'standard output' -i va --print -w -

# Files are tcpdump's.
for args in "-n" "-n -c 2 -X" "-n --count" "-n -t icmp and src 10.9.0.1" "-w $work/copy"; do
	both "-r $args" -r "$work/y.tap" $args
done
echo "$work/y.tap" >"$work/list"
both "-V" -n -V "$work/list"
both "-r: no such file" -r /nonesuch
both "-r: syntax error" -r "$work/y.tap" tcp and and
is "-r -" "$(tapdump -n -t -r - 2>/dev/null <"$work/y.tap")" \
	"$(tcpdump -n -t -r "$work/y.tap" 2>/dev/null)"
says "-r with an option of ours" 'tcpdump, which has no --pcapng' \
	-r "$work/y.tap" --pcapng

# What there is not, and what is wrong.
says "-I" 'monitor mode' -i va -I -w "$work/e"
says "-f" 'tcpdump.*-n' -i va -f
for bad in "-C 0" "-C 1x" "-C k" "-C 9999999999999" "-G x" "-W 0" "-Q up" "-s x"; do
	says "$bad" 'tapdump: (invalid|unknown)' -i va $bad -w "$work/e"
done
for bad in -Y --nonesuch "-i nonesuch" "-c 0" "-c -1" "-c x" "-s -1" "-s 300000" \
	"-B 0" "-B x" "-y NONESUCH" "-F /nonesuch" "-w /nonesuch/x" "tcp and and" \
	-M -z "--time-stamp-precision=x" "-Z nonesuch" -I "-Q up" "-C x" "-W 0"; do
	for tool in tapdump tcpdump; do
		out=$(in_ns pt-a timeout 60 $tool -w "$work/e" -i va $bad 2>&1 </dev/null)
		is "$tool $bad: exit status" $? 1
		matches "$tool $bad: its own words" "$out" "$tool: |^tcpdump version"
	done
done
both "-V -r" -r "$work/y.tap" -V "$work/list"
both "-r, what is ignored" -K -H -S -u -b -E nonsense -m /x -n -r "$work/y.tap"
both "-d -d" -i va -d -d ip
for ask in -h --help --version; do
	out=$(tapdump $ask 2>"$work/err")
	is "$ask: exit status" $? 0
	matches "$ask" "$out" '(^Usage: tapdump|^tapdump version [0-9.]+.*libpcap version)'
	is "$ask: no complaints" "$(cat "$work/err")" ""
done
# tcpdump lists other things than network interfaces behind them.
check "-D: the beginning of tcpdump's list" diff <(in_ns pt-a tapdump -D) \
	<(in_ns pt-a tcpdump -D | head -n "$(in_ns pt-a tapdump -D | wc -l)")

# The table in the manual has each option that tcpdump knows.
table=$(sed -n '/^\.Sh COMPATIBILITY/,/^\.El/{s/\\//g;/^\.It/p}' \
	"$(dirname "$0")/../../userspace/man/tapdump.8")
help=$(tcpdump --help 2>&1)
missing=''
for option in $(grep -oE -- '--[a-z][-a-z]+|\[ -[A-Za-z]' <<<"$help" | tr -d '[ ') \
	$(sed -n 's/.*tcpdump \[-\([A-Za-z#]*\)\].*/\1/p' <<<"$help" |
		grep -o . | sed 's/^/-/'); do
	grep -qE -- "^\.It ([^T]*[ ,])?${option}[ ,]" <<<"$table" || missing+=" $option"
done
is "tapdump(8): the table of tcpdump's options" "$missing" ""
check "... is not empty" test "$(wc -l <<<"$table")" -gt 45
check "every long name" tapdump -d --no-optimize --dont-verify-checksums \
	--absolute-tcp-sequence-numbers --relinquish-privileges=root --print \
	--time-stamp-type=host --number --count --packet-buffered \
	--no-promiscuous-mode --snapshot-length=0 --direction=INOUT --nano \
	--buffer-size=1024 --linktype=EN10MB --immediate-mode ip

drop_pair
finish
