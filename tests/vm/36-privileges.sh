#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# At work tapdump has no capability, cannot gain one, and may make only the
# system calls and files of its business; with each way of capturing, and with
# rotation, printing, -z and -Z all of that still works. What it cannot do any
# more is tried by confine_test.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
make_pair
mkdir "$work/d"

# what the kernel says that a process has left
left() {
	awk '/^(Cap[^B]|NoNewPrivs|Seccomp:)/ { printf "%s%s ", $1, $2 }' \
		"/proc/$1/status" | sed 's/0\{16\}/0/g'
}

# confined NAME ARGS...: a capture that rotates, as /proc tells of it
confined() {
	local name=$1 pid guard nothing

	rm -rf "$work/d"/*
	run_in pt-a tapdump -i va "${@:2}" -w "$work/d/f" udp dst port 9999 \
		2>"$work/c.tap.err" >"$work/c.out" </dev/null &
	pid=$!
	wait_for 30 grep -q 'Seccomp:.2' "/proc/$pid/status"
	guard=$(pgrep -P $pid -x tapdump-guard)
	wait_for 30 grep -q 'Seccomp:.2' "/proc/$guard/status"
	nothing="CapInh:0 CapPrm:0 CapEff:0 CapAmb:0 NoNewPrivs:1 Seccomp:2 "
	is "$name: nothing is left" "$(left $pid)" "$nothing"
	is "$name: nothing is left to the guardian" "$(left "$guard")" "$nothing"
	is "$name: the session is locked" \
		"$(awk '$1 == '$pid' { print $NF }' "/proc/$pid/net/ptap")" 1
	in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 100 1400
	# It says what is in the files, which the last may be about to get to.
	check "$name: the counts" wait_for 30 eval "kill -USR1 $pid &&
		grep -q '^tapdump: 100 packets captured' '$work/c.tap.err'"
	kill -INT $pid
	wait $pid
	is "$name: exit status" $? 0
	is "$name: everything is in the files" "$("$here/udp_numbers.py" \
		$(printf '%s\n' "$work/d"/f* | sort -V) | wc -l)" 100
}

printf '#!/bin/sh\necho "$(id -u) $1" >>%s/z.log\n' "$work" >"$work/z"
chmod +x "$work/z"
confined "one file"
confined "rotation" -C 20k
confined "read()" --read -C 20k
confined "clones" --copybreak=0 --pcapng -C 20k
confined "by the clock" -G 3600
confined "-z" -C 20k -z "$work/z"
check "-z: its commands run, and as the user who captures" \
	wait_for 20 eval '(($(grep -c ^0 "$work/z.log") == 6))'
confined "printing too" --print
is "printing too: everything is printed" "$(wc -l <"$work/c.out")" 100
chown nobody "$work/d"
rm "$work/z.log"
chmod 755 "$work"
install -m 666 /dev/null "$work/z.log"
confined "-Z" -Z nobody -C 20k -z "$work/z"
check "-Z: the commands of -z are that user's" \
	wait_for 20 eval '(($(grep -c "^$(id -u nobody) " "$work/z.log") == 6))'

# -z one at a time: each begins when the one before has ended.
cat >"$work/z" <<EOF
#!/bin/sh
echo + >>"$work/z.log"
sleep 0.2
echo - >>"$work/z.log"
EOF
chown root "$work/d"
: >"$work/z.log"
confined "--jobs" --jobs=1 -C 20k -z "$work/z"
check "--jobs=1: all are run, also after the end" \
	wait_for 60 eval '(($(grep -c - "$work/z.log") == 6))'
is "--jobs=1: one after the other" "$(tr -d '\n' <"$work/z.log")" \
	"+-+-+-+-+-+-"

# -z in parallel, which is the default: two have to meet.
cat >"$work/z" <<EOF
#!/bin/sh
touch "$work/met/\$\$"
for i in \$(seq 200); do
	[ "\$(ls "$work/met" | wc -l)" -lt 2 ] || { echo met >>"$work/z.log"; exit; }
	sleep 0.1
done
EOF
mkdir "$work/met"
for jobs in "" --jobs=2; do
	rm -f "$work/met"/* "$work/z.log"
	# shellcheck disable=SC2086 # an option or none
	confined "-z ${jobs:-in parallel}" $jobs -C 20k -z "$work/z"
	check "-z ${jobs:-in parallel}: they run at the same time" wait_for 60 \
		eval '(($(wc -l <"$work/z.log") == 6))'
done

# Who captures is not root: the program has the capabilities.
cp "$(command -v tapdump)" "$work/tapdump"
if setcap cap_net_raw,cap_net_admin=ep "$work/tapdump" 2>/dev/null; then
	chmod 755 "$work/tapdump"
	chmod 666 /dev/tap
	in_ns pt-a setpriv --reuid=nobody --clear-groups "$work/tapdump" \
		-i va -c 1 -w - >"$work/user.pcap" 2>"$work/user.err" &
	pid=$!
	wait_for 30 grep -q listening "$work/user.err"
	in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
	wait $pid
	is "a user's capture by file capabilities" "$(packets "$work/user.pcap")" 1
	chmod 600 /dev/tap
else
	skip "a user's capture by file capabilities" "no setcap here"
fi

drop_pair
finish
