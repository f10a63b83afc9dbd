#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# doc/tutorial.md as it stands: every command of its blocks, but of those under a
# comment that says who runs them.  A capture without an end is ended as a person
# does it, by Ctrl-C, when it has packets.  And doc/migration.md: what stands there
# in one line for dumpcap and tapdump, both take.
#
# What is installed goes with the test: the folders that it goes to are overlays
# in a mount namespace.

[[ ${in_mounts:-} ]] || in_mounts=1 exec unshare --mount "$0"
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=$work/home

modprobe overlay
mkdir "$work/tmp"
mount -t tmpfs tmp "$work/tmp"
covered=()
for dir in etc usr lib ptap; do
	[[ ! -L /$dir ]] || continue
	mkdir -p "$work/tmp/$dir/new" "$work/tmp/$dir/work"
	mount -t overlay -o "lowerdir=/$dir,upperdir=$work/tmp/$dir/new,workdir=$work/tmp/$dir/work" \
		overlay "/$dir"
	covered=("/$dir" "${covered[@]}")
done
cd "$top" || exit 1

# Both machines have an eth0; the other one is HOST, with a web and an ssh server.
make_pair
for end in a b; do
	ip -n pt-$end link set v$end down
	ip -n pt-$end link set v$end name eth0 up
done
echo 10.9.0.2 HOST >>/etc/hosts
mkdir -p /run/sshd "$HOME/.ssh"
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519"
run_in pt-b /usr/sbin/sshd -D -f /dev/null -h "$work/host" -o UsePAM=no -o StrictModes=no \
	-o PidFile=none -o AuthorizedKeysFile="$HOME/.ssh/id_ed25519.pub" 2>/dev/null &
servers=$!
run_in pt-b python3 -m http.server 443 -d userspace/doc >/dev/null 2>&1 &
servers+=" $!"
visit() { in_ns pt-a curl -s -o /dev/null http://10.9.0.2:443/; }
wait_for 60 visit
while :; do visit; sleep 0.2; done >/dev/null 2>&1 &
servers+=" $!"
run_in pt-a ping -q -i 0.1 10.9.0.2 >/dev/null &
servers+=" $!"
/lib/systemd/systemd-udevd --daemon 2>/dev/null
useradd -m alice
wait_for 20 rmmod ptap

# The commands, each in one line, those that go on put together.
awk '/^<!--/ { other = 1 }
     /^```$/ { if (inside) { inside = other = 0 } else inside = 1; next }
     inside && !other {
	line = line $0
	if (sub(/\\$/, " ", line)) next
	print line; line = "" }' userspace/doc/tutorial.md >"$work/commands"
check "the tutorial has commands" test "$(wc -l <"$work/commands")" -ge 18

has_packets() {
	{ in_ns pt-a cat /proc/net/ptap; in_ns pt-b cat /proc/net/ptap; } 2>/dev/null |
		awk '$4 == "running" && $15 > 10 { found = 1 } END { exit !found }'
}

# In a terminal's foreground, as it were: what it starts gets the Ctrl-C, too.
set -m
while IFS= read -r command <&8; do
	title=$(sed 's/  *#.*//' <<<"$command" | cut -c 1-60)
	if [[ $command == 'tshark -i sshdump'* ]] && older tshark 4.0; then
		skip "$title" "this sshdump has no command of one's own"
		continue
	fi
	run_in pt-a bash -c "$command" >"$work/out" 2>&1 </dev/null 8<&- &
	job=$!
	if [[ $command =~ ^(cat|build/tapdump|tshark)\ .*(/dev/tap|-i) && $command != *-c\ 1* ]]; then
		wait_for 120 has_packets || diag "no packets"
		kill -INT -$job
	fi
	wait $job 2>/dev/null
	status=$?
	# cat ends by the signal.
	[[ $command == cat\ * ]] && ((status == 130)) && status=0
	is "$title" $status 0 || diag "$(cat "$work/out")"
	case $command in
	'tshark -D') matches "... has ptap's" "$(cat "$work/out")" 'ptap-eth0' ;;
	*' -D'*) matches "... has eth0" "$(cat "$work/out")" 'eth0' ;;
	cat*) check "... is a capture" test "$(packets all.pcapng)" -gt 9 ;;
	*web.pcap*) check "... has port 443 alone" test "$(packets web.pcap)" -gt 0 -a \
		-z "$(tcpdump -nr web.pcap not tcp port 443 2>/dev/null)" ;;
	*'-c 10'*) is "... prints 10 packets" "$(grep -c '^[0-9:.]* [IA]' "$work/out")" 10 ;;
	*all.pcapng*) matches "... names interfaces" \
		"$(tshark -r all.pcapng -T fields -e frame.interface_name 2>/dev/null)" eth0 ;;
	*--verify*) matches "... is complete" "$(cat "$work/out")" 'complete' ;;
	'tshark -i ptap'*) matches "... shows packets" "$(cat "$work/out")" '443 ' ;;
	'tshark -i sshdump'*) matches "... shows packets" "$(cat "$work/out")" 'HTTP|ICMP' ;;
	esac
done 8<"$work/commands"
set +m

is "tapdump is the installed one" "$(command -v tapdump)" /usr/local/bin/tapdump
in_group() { [[ $(stat -c '%G %a' /dev/tap) == 'ptap 660' ]]; }
check "the device is the group's" wait_for 30 in_group
alice() { in_ns pt-a setpriv --reuid alice --regid alice --init-groups "$@"; }
check "alice captures" alice tapdump -i eth0 -c 3 -w /home/alice/x.pcap
check "... in tshark, too" alice timeout 120 tshark -i ptap-eth0 -c 3 -w /home/alice/y.pcapng
is "zsh has the completion" "$(zsh -fc \
	'autoload -U compinit; compinit -u -D; print $_comps[tapdump]')" _tapdump
check "Python has the library" python3 -c 'import ctypes; ctypes.CDLL("libptap.so.1")'

# Options in the table's cells; a file and an end are ours, if they name none.
mkdir "$work/m"
while IFS=$'\t' read -r theirs ours; do
	name=$theirs
	[[ $theirs == -[DL]* ]] || {
		theirs="-c 3 -w $work/m/theirs $theirs" ours="-c 3 -w $work/m/ours $ours"
	}
	[[ $name != -c* ]] || { theirs+=" -c 3" ours+=" -c 3"; }
	is "dumpcap $name: both take it" \
		"$(cd "$work/m" && for command in "dumpcap -q -i eth0 $theirs" "tapdump -i eth0 $ours"; do
			in_ns pt-a bash -c "timeout 60 $command" </dev/null >"$work/out" 2>&1
			echo $?
		done | xargs)" "0 0" || diag "$(cat "$work/out")"
done < <(sed -n '/^## From dumpcap/,/^## From PF/{s/^| `\([^`]*\)`[^|]*| `\([^`]*\)`.*/\1\t\2/p}' \
	userspace/doc/migration.md)

udevadm control --exit
kill $servers
wait 2>/dev/null
rm -rf /home/alice
drop_pair
cd / && umount -l "${covered[@]}" "$work/tmp"
finish
