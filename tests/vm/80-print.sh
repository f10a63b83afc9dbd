#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Without -w: packets are printed as tcpdump prints them, with every option that
# says how, and as people combine them.  All print the same packets, at the same
# time; what may differ is the last digits of a time.

. "$(dirname "$0")/lib.sh"
make_pair
cp /etc/hosts "$work/hosts"
printf '%s\n' '10.9.0.1 alice.test' '10.9.0.2 bob.test' 'fd09::1 alice.test' \
	'fd09::2 bob.test' >>/etc/hosts

sets=(
	"-n -t" "-n -t -e -v -X" "-n" "-nn -q" "-n -v" "-n -vv" "-n -vvv"
	"-n -tt" "-n -ttt" "-n -tttt" "-n -ttttt" "-n -ttt --nano" "-n -tt --nano"
	"-n -x" "-n -xx" "-n -XX" "-n -A" "-n -e -#" "--number -n -S" "-n -K -vvv"
	"-N" "-nn -u -b -H -S" "-nnvvXXSe#tttt" "-q -N -A --immediate-mode"
	"-n -s 60 -X" "-n -T radius -vv" "-n -U --absolute-tcp-sequence-numbers"
	"-n -E nonsense -m /nonesuch -M secret"
)
# From 4.99.6 on.
[[ $(tcpdump --help 2>&1) != *'[-'*g*'] [ -B'* ]] || sets+=("-n -g -v")
# What one end sends in one connection has an order, on any number of CPUs.
filter="icmp or (tcp and src host 10.9.0.1) or (icmp6 and ip6[40] >= 128 and ip6[40] <= 129)"
nr_sets=${#sets[@]}
declare -a tap_of tcp_of

for ((i = 0; i < nr_sets; i++)); do
	run_in pt-a tapdump -i va -l ${sets[i]} "$filter" \
		>"$work/$i.tap" 2>"$work/$i.tap.err" </dev/null &
	tap_of[i]=$!
	run_in pt-a tcpdump -i va -l ${sets[i]} "$filter" \
		>"$work/$i.tcp" 2>"$work/$i.tcp.err" </dev/null &
	tcp_of[i]=$!
done
for ((i = 0; i < nr_sets; i++)); do
	for file in "$work/$i.tap.err" "$work/$i.tcp.err"; do
		wait_for 120 grep -q listening "$file" ||
			diag "${file##*/}: $(cat "$file")"
	done
done

run_in pt-b timeout 120 python3 - <<'END' &
import socket
s = socket.create_server(("10.9.0.2", 8000))
c, _ = s.accept()
while c.recv(1000):
    pass
END
server=$!
# Until the server is there: standard input would be read by the first try alone.
wait_for 60 in_ns pt-a python3 -c '
import socket
c = socket.create_connection(("10.9.0.2", 8000))
c.sendall(b"GET / HTTP/1.0\r\nHost: bob.test\r\n\r\n")
c.close()'
wait $server
in_ns pt-a ping -q -c 1 fd09::2 >/dev/null
in_ns pt-a ping -q -c 2 -i 0.1 10.9.0.2 >/dev/null

complete() { [[ $(grep -a -c 'ICMP echo' "$1") == 4 ]]; }

# Digits of times, but how many there are; tcpdump's name.
plain() {
	sed -E -e 's/[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}( |$)/MICRO /' \
		-e 's/[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{9}( |$)/NANO /' \
		-e 's/[0-9]{10}\.[0-9]{6}( |$)/MICRO /' \
		-e 's/[0-9]{10}\.[0-9]{9}( |$)/NANO /' -e 's/^tapdump/tcpdump/' "$1" |
		grep -a -v 'received by filter'
}

for ((i = 0; i < nr_sets; i++)); do
	check "${sets[i]}: lines come while it runs" \
		wait_for 60 complete "$work/$i.tap"
	wait_for 60 complete "$work/$i.tcp"
done
for ((i = 0; i < nr_sets; i++)); do
	kill -INT "${tap_of[i]}" "${tcp_of[i]}"
	wait "${tap_of[i]}"
	is "${sets[i]}: exit status" $? 0
	wait "${tcp_of[i]}"
	check "${sets[i]}: tcpdump's output" \
		diff <(plain "$work/$i.tap") <(plain "$work/$i.tcp")
	check "${sets[i]}: tcpdump's messages" \
		diff <(plain "$work/$i.tap.err" | sort) <(plain "$work/$i.tcp.err" | sort)
done

# What tcpdump does not print with, tapdump ends with.
for bad in "-T nonesuch" -tttttt; do
	for tool in tapdump tcpdump; do
		out=$(in_ns pt-a timeout 60 $tool -i va $bad 2>&1 </dev/null)
		is "$tool $bad: exit status" $? 1
		matches "$tool $bad: tcpdump's words" "$out" \
			'unknown packet type|only -t, -tt, -ttt, -tttt and -ttttt'
	done
done

cp "$work/hosts" /etc/hosts
drop_pair
finish
