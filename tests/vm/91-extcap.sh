#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# ptap's interfaces in Wireshark, through tshark itself: the list, a capture, the
# options of the dialog, filters; and the toolbar that changes the filter while
# capturing.

. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
dir=$(tshark -G folders 2>/dev/null | awk -F '\t+' '/^(Global )?Extcap path/ { print $2; exit }')
mkdir "$work/extcap"
ln -s "$(command -v ptap-extcap)" "$work/extcap/"
mount --bind "$work/extcap" "$dir"
make_pair

matches "tshark -D has the interface" "$(in_ns pt-a tshark -D 2>/dev/null)" \
	'ptap-va \(ptap: va\)'
matches "tshark -L has its link type" "$(in_ns pt-a tshark -i ptap-va -L 2>&1)" \
	'EN10MB \(Ethernet\)'

# shark NAME ARGS...: tshark captures from pt-a into $work/NAME while we ping
shark() {
	local name=$1 pid

	run_in pt-a env --default-signal=INT timeout --foreground 300 tshark -q -w "$work/$name" "${@:2}" \
		2>"$work/$name.err" &
	pid=$!
	capturing() { in_ns pt-a grep -q ' ptap-extcap running ' /proc/net/ptap; }
	wait_for 60 capturing || diag "$(cat "$work/$name.err")"
	in_ns pt-a cat /proc/net/ptap >"$work/$name.proc"
	ip -n pt-a -d link show va >"$work/$name.link"
	in_ns pt-a ping -q -c 5 -i 0.1 -s 500 10.9.0.2 >/dev/null
	in_ns pt-a ping -q -c 2 -i 0.1 fd09::2 >/dev/null
	arrived() { [[ $(tshark -r "$work/$name" 2>/dev/null | wc -l) -ge ${want:-10} ]]; }
	wait_for 60 arrived
	kill -INT $pid
	wait $pid
	tshark -r "$work/$name" -T fields \
		-e frame.cap_len -e frame.interface_name -e _ws.col.Protocol \
		-e frame.packet_flags_direction \
		2>/dev/null >"$work/$name.txt"
}

shark plain -i ptap-va -f icmp
is "tshark -i ptap-va -f icmp" "$(sort "$work/plain.txt" | uniq -c | xargs)" \
	"10 542 va ICMP"
want=5 shark short -i ptap-va -f icmp -o extcap.ptap_va.snaplen:96 \
	-o extcap.ptap_va.direction:in -o extcap.ptap_va.meta:true \
	-o extcap.ptap_va.buffer:256 -o extcap.ptap_va.promisc:false
is "the dialog's options: length, direction, meta" \
	"$(sort "$work/short.txt" | uniq -c | xargs)" "5 96 va ICMP 0x00000001"
ring_size() { awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "ring_size") at = i }
	$3 == "ptap-extcap" { print $at }' "$work/$1.proc"; }
is "... buffer" "$(ring_size plain) $(ring_size short)" "4194304 262144"
promiscuous() { grep -o 'promiscuity [0-9]*' "$work/$1.link"; }
is "... promiscuous mode" "$(promiscuous plain), $(promiscuous short)" \
	"promiscuity 1, promiscuity 0"
shark any -i ptap-any -f 'icmp or icmp6[0] = 128'
check "all interfaces" grep -q ICMPv6 "$work/any.txt"

# dumpcap waits for ever for a pipe that it has opened and nobody else does.
refused() { # NAME TSHARK-OPTION...: tshark ends, with what ptap-extcap said in $out
	out=$(in_ns pt-a timeout 120 tshark "${@:2}" -w "$work/bad" 2>&1)
	is "$1: tshark ends with an error" $? 1
}
refused "a filter that is none" -i ptap-va -f 'icmp and and'
matches "... and says why" "$out" 'syntax error'
slow=$work/slow
printf '%s\n' '#!/bin/sh' 'case "$*" in *--capture\ *) sleep 5 ;; esac' \
	"exec '$(command -v ptap-extcap)' \"\$@\"" >"$slow"
chmod +x "$slow"
ln -sf "$slow" "$work/extcap/ptap-extcap"
refused "... refused late" -i ptap-va -f 'icmp and and'
matches "... and says why" "$out" 'syntax error'
ln -sf "$(command -v ptap-extcap)" "$work/extcap/"
refused "rings larger than the memory" -i ptap-any -o extcap.ptap_any.buffer:1048576
matches "... and says why" "$out" 'ptap-extcap: '
rmmod ptap
refused "no module" -i ptap-va
matches "... and says which command loads it" "$out" 'modprobe ptap'
insmod "$here/../../module/ptap.ko"
is "no extcap is left behind" "$(pgrep -x ptap-extcap)" ""

is "validation: good" "$(ptap-extcap --extcap-interface=ptap-lo \
	--extcap-capture-filter='tcp port 80')" ""
matches "validation: bad" "$(ptap-extcap --extcap-interface=ptap-lo \
	--extcap-capture-filter='tcp prt 80')" 'syntax error'
# What a device's link type is, the module says when it is captured.
modprobe tun 2>/dev/null
ip -n pt-a tuntap add tun0 mode tun
ip -n pt-a link add gre1 type gre local 10.9.0.1 remote 10.9.0.2
ip -n pt-a link add nlmon0 type nlmon
for dev in va lo tun0 gre1 nlmon0; do
	ip -n pt-a link show $dev >/dev/null 2>&1 || {
		skip "link type of $dev" "there is none here"
		continue
	}
	is "link type of $dev" "$(in_ns pt-a ptap-extcap --extcap-interface=ptap-$dev \
		--extcap-dlts | sed 's/.*{name=\([^}]*\).*/\1/')" \
		"$(in_ns pt-a tapdump -i $dev -L 2>&1 | awk '/^  / { print $1; exit }')"
done
check "an option of a newer Wireshark" ptap-extcap --extcap-interfaces \
	--extcap-version=9.9 --extcap-whatever

# The toolbar.
mkfifo "$work/typed"
run_in pt-a timeout --foreground 300 "$here/extcap_toolbar.py" "$work" ptap-va icmp \
	<"$work/typed" >"$work/said" 2>&1 &
toolbar=$!
exec 7>"$work/typed"
says() { wait_for 30 grep -qE "$1" "$work/said"; }
records() { packets "$work/packets"; }
check "the toolbar shows the filter" says '^0 set icmp$'
capturing() { in_ns pt-a grep -q ' ptap-extcap running ' /proc/net/ptap; }
wait_for 30 capturing
in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
got() { [[ $(records) == "$1" ]]; }
check "packets arrive" wait_for 30 got 6
echo 'icmp6 and not icmp6[0] > 129' >&7
check "a new filter is confirmed" says 'status Capture filter: icmp6'
in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 2 -i 0.1 fd09::2 >/dev/null
check "the new filter holds" wait_for 30 got 10
echo 'icmp6 or or' >&7
check "a wrong one is refused" says '0 warning .*syntax error'
in_ns pt-a ping -q -c 1 fd09::2 >/dev/null
check "and the old one stays" wait_for 30 got 12
# Neighbours ask for each other whenever they like.
echo 'ip6 protochain 58 and icmp6[0] < 130' >&7
check "one that the kernel cannot run: says so" \
	says '1 status Filtering in user space, since "protochain" needs a loop.*: ip6 protochain 58'
check "... in the log, too" says '1 add Filtering in user space, since "protochain"'
in_ns pt-a ping -q -c 3 -i 0.1 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 1 fd09::2 >/dev/null
check "... and it holds" wait_for 30 got 14
echo >&7
check "an empty one" says 'status No capture filter'
in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
more() { (($(records) >= 16)); }
check "captures everything" wait_for 30 more
echo end >&7
exec 7>&-
wait $toolbar
matches "it ends with the counts" "$(cat "$work/said")" 'status [0-9]+ packets captured, 0 dropped'
matches "and status 0" "$(tail -n 1 "$work/said")" '^exit 0$'

# The filter that the dialog has given.
mkdir "$work/again"
run_in pt-a timeout --foreground 300 "$here/extcap_toolbar.py" "$work/again" ptap-va \
	'ip6 protochain 17' <"$work/typed" >"$work/said.again" 2>&1 &
toolbar=$!
exec 7>"$work/typed"
check "the dialog's filter, filtered in user space: says so" wait_for 30 \
	grep -q '^1 add Filtering in user space, since "protochain"' "$work/said.again"
echo end >&7
exec 7>&-
wait $toolbar

umount "$dir"
drop_pair
finish
