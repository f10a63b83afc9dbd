#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Captures of another machine: through ssh into tshark, through Wireshark's
# sshdump, and of many machines in one place by examples/ship.sh.  The machine is
# a namespace with an sshd.  And that tapdump ends when nobody reads it.

. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
make_pair
# sshd's PATH is its own.
ln -sf "$(command -v tapdump)" /usr/local/bin/tapdump

quiet_end() { # NAME COMMAND...: a reader leaves, no packet comes, tapdump ends
	run_in pt-a tapdump -i lo "${@:2}" ip proto 200 2>"$work/idle.err" </dev/null |
		timeout 60 head -c 24 >/dev/null &
	check "$1: tapdump ends with its reader" wait_for 60 \
		grep -q 'packets captured' "$work/idle.err"
	wait
}
quiet_end "a pipe" -w -
quiet_end "a pipe, --read" --read -w -
mkfifo "$work/fifo"
head -c 24 "$work/fifo" >/dev/null &
quiet_end "a FIFO" -w "$work/fifo"
run_in pt-a tapdump -i lo ip proto 200 2>"$work/idle.err" </dev/null |
	read -rt 3 &
check "printing: tapdump ends with its reader" wait_for 60 \
	grep -q 'packets captured' "$work/idle.err"
wait

# A machine with an sshd, which knows one key.
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/me"
cat >"$work/sshd" <<-END
	Port 2222
	HostKey $work/host
	AuthorizedKeysFile $work/me.pub
	StrictModes no
	UsePAM no
	PidFile none
END
cat >"$work/ssh" <<-END
	Host HOST
		HostName 10.9.0.2
	Host *
		Port 2222
		User root
		IdentityFile $work/me
		UserKnownHostsFile $work/known
		StrictHostKeyChecking accept-new
		BatchMode yes
END
declare -A sshd_pid
start_sshd() { # NAMESPACE ADDRESS
	run_in "$1" /usr/sbin/sshd -D -e -f "$work/sshd" -o ListenAddress="$2" \
		2>"$work/sshd.$1" &
	sshd_pid[$1]=$!
	check "sshd in $1" wait_for 60 grep -q 'Server listening' "$work/sshd.$1"
}
start_sshd pt-b 10.9.0.2
start_sshd - 127.0.0.1
remote() { in_ns pt-a timeout 120 ssh -F "$work/ssh" HOST "$@"; }
check "ssh HOST" remote true

# pings NAMESPACE ADDRESS: until they are killed
pings() { run_in "$1" ping -q -i 0.2 "$2" >/dev/null; }
show() { tcpdump -nr "$1" 2>/dev/null | awk '{ print $6 }' | sort | uniq -c | xargs; }

pings pt-a 10.9.0.2 &
pinger=$!
remote tapdump -i vb --pcapng --immediate-mode -c 10 -w - icmp 2>"$work/ssh.err" |
	timeout 120 tshark -q -i - -w "$work/ssh.pcapng" 2>"$work/tshark.err"
is "ssh HOST tapdump -w - | tshark -i -" "$(show "$work/ssh.pcapng")" "10 ICMP"
is "... says the counts here" "$(grep -c '10 packets captured' "$work/ssh.err")" 1
remote tapdump -i vb --immediate-mode -w - icmp 2>"$work/ssh.err" |
	timeout 120 tshark -q -c 10 -r - -w "$work/end.pcapng" 2>"$work/tshark.err"
is "... | tshark -c 10 -r -: both end" "$(show "$work/end.pcapng")" "10 ICMP"
kill $pinger

# The same on one machine, over loopback; the session captured is not in it, nor
# tshark's androiddump, which looks for a server at port 5037.
pings - 127.0.0.1 &
pinger=$!
timeout 120 ssh -F "$work/ssh" 127.0.0.1 \
	tapdump -i lo --pcapng --immediate-mode -c 10 -w - not port 2222 and not port 5037 \
	2>"$work/ssh.err" |
	timeout 120 tshark -q -i - -w "$work/lo.pcapng" 2>"$work/tshark.err"
kill $pinger
is "over loopback, without itself" "$(show "$work/lo.pcapng")" "10 ICMP"

# A connection that is lost while nothing is to be sent.
session() { in_ns pt-b grep -q " tapdump running " /proc/net/ptap; }
run_in pt-a ssh -F "$work/ssh" HOST tapdump -i vb -w - ip proto 200 \
	>"$work/lost" 2>"$work/ssh.err" &
client=$!
check "a capture without packets" wait_for 60 session
kill $client
no_session() { ! session; }
check "... ends with its connection" wait_for 60 no_session
wait $client

# Wireshark's own: Capture > Options > SSH remote capture.
sshdump_ours() {
	local pinger sshdump

	pings pt-a 10.9.0.2 &
	pinger=$!
	sshdump=(-i sshdump -o extcap.sshdump.remotehost:10.9.0.2
		-o extcap.sshdump.remoteport:2222 -o extcap.sshdump.remoteusername:root
		-o "extcap.sshdump.sshkey:$work/me"
		-o extcap.sshdump.remotecapturecommandselect:other
		-o 'extcap.sshdump.remotecapturecommand:tapdump -i vb --pcapng --immediate-mode -w - icmp 2>/dev/null')
	in_ns pt-a timeout 200 tshark -q "${sshdump[@]}" -c 10 -w "$work/dump.pcapng" \
		>"$work/dump.err" 2>&1
	kill $pinger
	is "sshdump" "$(show "$work/dump.pcapng")" "10 ICMP" || diag "$(cat "$work/dump.err")"
	is "... names the remote interface" \
		"$(tshark -r "$work/dump.pcapng" -T fields -e frame.interface_name 2>/dev/null | sort -u)" vb
	check "... and leaves no capture behind" wait_for 60 no_session
}
if older tshark 4.0; then
	skip "sshdump" "this one has no command of one's own"
else
	sshdump_ours
fi
kill "${sshd_pid[@]}"
wait

# Many machines: two that rotate, each file handed over, all merged.
export PTAP_DEST=$work/lake
for host in a b; do
	PTAP_HOST=web-$host start_tap ship-$host pt-$host -i v$host --pcapng -C 1k \
		-z "$top/userspace/examples/ship.sh" icmp
done
in_ns pt-a ping -q -c 8 -i 0.1 -s 200 10.9.0.2 >/dev/null
for host in a b; do
	stop ship-$host
done
shipped() { # HOST: all files but the last, which is the hook's no more
	local left
	left=$(find "$work" -maxdepth 1 -name "ship-$1.tap*" ! -name '*.err' | wc -l)
	[[ $left == 1 && $(find "$work/lake" -name "web-$1-*.json" | wc -l) -ge 2 ]]
}
check "each file of a is handed over" wait_for 120 shipped a
check "each file of b is handed over" wait_for 120 shipped b
cd "$work/lake" || exit 1
day=$(date -u +%Y-%m-%d)
matches "names" "$(find . -name '*.gz' | sort | head -n 1)" \
	"^./date=20[0-9-]{8}/host=web-a/web-a-va-[0-9]+\.[0-9]+\.pcapng\.gz$"
check "... of today (or of a moment before midnight)" \
	test "$(find . -path "*/date=$day/*.gz" | wc -l)" -gt 0
is "nothing is half there" "$(find . -name '*.part')" ""
cat >"$work/lake.py" <<-'END'
	import hashlib, json, pathlib, sys
	total = 0
	for meta in sorted(pathlib.Path(".").rglob("*.json")):
	    m = json.loads(meta.read_text())
	    data = pathlib.Path(m["file"]).read_bytes()
	    assert hashlib.sha256(data).hexdigest() == m["sha256"], meta
	    assert m["host"] in m["file"] and m["first"] <= m["last"], m
	    total += m["packets"]
	print(total)
END
total=$(python3 "$work/lake.py" 2>&1)
check "metadata: as the files are" test "$total" -gt 10
find . -name '*.gz' -exec mergecap -w "$work/all.pcapng" {} +
is "mergecap: all packets of all machines" "$(packets "$work/all.pcapng")" "$total"
tshark -r "$work/all.pcapng" -T fields -e frame.time_delta -e frame.interface_name \
	2>/dev/null >"$work/all"
is "... in the order of time" "$(grep -c ^- "$work/all")" 0
is "... and their interfaces" "$(cut -f 2 "$work/all" | sort -u | xargs)" "va vb"
cd /

# What the hook does by itself: a file without packets, one that is to stay.
in_ns pt-a timeout -s INT 5 tapdump -i va --pcapng -w "$work/empty" ip proto 200 2>/dev/null
PTAP_KEEP=1 PTAP_HOST=web-c check "a file without packets" \
	"$top/userspace/examples/ship.sh" "$work/empty"
is "... is counted as such" "$(cat "$work"/lake/date=*/host=web-c/*.json | grep -o '"packets": 0')" \
	'"packets": 0'
check "PTAP_KEEP=1 leaves it" test -s "$work/empty"
out=$(env -u PTAP_DEST "$top/userspace/examples/ship.sh" "$work/empty" 2>&1)
is "without a destination: status" $? 2
matches "... says what is missing" "$out" 'PTAP_DEST'

rm -f /usr/local/bin/tapdump
drop_pair
finish
