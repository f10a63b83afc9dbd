#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# window-guest.sh - in the VM: Wireshark's window, used as a person does it, with
# keys and mouse.  /in has the files of window.sh; pictures go to /out.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../vm/lib.sh"

# The lists of /in are of packages whose files only have to be there.
tar -C /in -cf - . | tar -C / -xf - --keep-directory-symlink --no-same-owner
ldconfig
insmod "$here/../../module/ptap.ko" || exit 1
make_pair
ip -n pt-a link set va down
ip -n pt-a link set va name eth0 up
ip -n pt-a addr add fd09::1/64 dev eth0 nodad

export HOME=$work/home DISPLAY=:9 XDG_RUNTIME_DIR=$work/run LANG=C.UTF-8
export LC_ALL=C.UTF-8 TMPDIR=$work/files
mkdir "$TMPDIR"
dir=$(tshark -G folders 2>/dev/null | awk -F '\t+' '/^(Global )?Extcap path/ { print $2; exit }')
mkdir -p "$work/extcap" "$HOME/.config/wireshark"
mkdir -m 700 "$XDG_RUNTIME_DIR"
ln -s "$(command -v ptap-extcap)" "$work/extcap/"
mount --bind "$work/extcap" "$dir"
printf '%s\n' 'gui.update.enabled: FALSE' 'gui.ask_unsaved: FALSE' \
	'capture.no_extcap: FALSE' \
	'capture.devices_hide: any,bluetooth-monitor,nflog,nfqueue,dbus-system,dbus-session' \
	>"$HOME/.config/wireshark/preferences"
printf '%s\n' 'gui.interface_toolbar_show: ptap' 'gui.geometry_main_maximized: TRUE' |
	tee "$HOME/.config/wireshark/recent" >"$HOME/.config/wireshark/recent_common"

Xvfb :9 -screen 0 960x600x24 -nolisten tcp >/dev/null 2>&1 &
screen=$!
check "a screen" wait_for 120 xdotool getdisplaygeometry
openbox >/dev/null 2>&1 &
manager=$!

titled() { xdotool search --name "$1"; }

# picture FILE: of the screen, when it has stood still for a while
picture() {
	for _ in {1..6}; do
		sleep 4
		import-im6.q16 -window root "$work/now.png"
		cmp -s "$work/now.png" "$work/before.png" && break
		mv "$work/now.png" "$work/before.png"
	done
	convert-im6.q16 "$work/before.png" -strip -colors 128 "PNG8:/out/$1"
}

# What the window has captured; its file is one that dumpcap writes.
newest() { find "$TMPDIR" -name 'wireshark_*' -printf '%T@ %p\n' | sort -n | sed -n '$s/^[^ ]* //p'; }
shown() { tcpdump -nr "$(newest)" "$1" 2>/dev/null | wc -l; }
shows() { [[ $(shown "$1") == "$2" ]]; } # FILTER COUNT
echo6='(icmp6 and (ip6[40] = 128 or ip6[40] = 129))'

run_in pt-a timeout 1500 wireshark >"$work/window.log" 2>&1 &
window=$!
check "the window opens" wait_for 600 titled 'The Wireshark Network Analyzer' ||
	diag "$(cat "$work/window.log")"
picture interfaces.png
# The list goes to the line that is typed, and only if it is there.
xdotool mousemove 300 288 click 1
sleep 5
xdotool type --delay 300 'ptap: eth0'
sleep 5
xdotool mousemove 900 560
picture interfaces.png
# The gear: the dialog has ptap's options.
xdotool mousemove 137 342 click 1
check "the gear opens the options" wait_for 120 titled 'Interface Options'
sleep 5
xdotool mousemove 508 201 click 1
sleep 3
xdotool key ctrl+a
xdotool type --delay 300 96
picture options.png
xdotool mousemove 546 374 click 1
closed() { ! titled 'Interface Options'; }
check "... and Save closes them" wait_for 60 closed
xdotool key ctrl+e
check "a capture starts from the list" wait_for 300 \
	titled 'Capturing from ptap: eth0'
session() { in_ns pt-a grep " ptap-extcap $1 eth0 " /proc/net/ptap; }
check "... by ptap" wait_for 120 session running
column() { in_ns pt-a awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
	$3 == "ptap-extcap" { print $at }' /proc/net/ptap; }
is "... with the length that the dialog had" "$(column snaplen)" 96
in_ns pt-a ping -q -c 4 -i 0.3 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 2 -i 0.3 fd09::2 >/dev/null
check "... with its packets" wait_for 120 shows "icmp or $echo6" 12
# The toolbar's filter.
before=$(column filter)
xdotool mousemove 500 126 click 1
sleep 3
xdotool type --delay 300 'icmp'
xdotool key Return
changed() { [[ $(column filter) != "$before" ]]; }
check "the toolbar changes the filter" wait_for 120 changed
in_ns pt-a ping -q -c 3 -i 0.3 10.9.0.2 >/dev/null
in_ns pt-a ping -q -c 3 -i 0.3 fd09::2 >/dev/null
in_ns pt-a ping -q -c 1 10.9.0.2 >/dev/null
check "... packets of the new one arrive" wait_for 120 shows icmp 16
check "... and no others" shows "$echo6" 4
# In the toolbar's line, Ctrl-E is another key.
xdotool mousemove 300 190 click 1
sleep 3
xdotool mousemove 900 590
picture capture.png
xdotool key ctrl+e
no_session() { ! session running; }
check "the capture stops" wait_for 300 no_session
kill $window
wait $window

# A file of tapdump's.
start_tap file pt-a -i eth0 --pcapng
traffic >/dev/null 2>&1
stop file
mv "$work/file.tap" "$work/eth0.pcapng"
run_in pt-a timeout 600 wireshark "$work/eth0.pcapng" >"$work/window.log" 2>&1 &
window=$!
check "a file opens" wait_for 400 titled '^eth0.pcapng'
picture file.png
kill $window
wait $window

# Another machine's packets, as in doc/tutorial.md.
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/me"
run_in pt-b /usr/sbin/sshd -D -f /dev/null -h "$work/host" -o UsePAM=no -o StrictModes=no \
	-o PidFile=none -o AuthorizedKeysFile="$work/me.pub" 2>/dev/null &
server=$!
ln -sf "$(command -v tapdump)" /usr/local/bin/tapdump
printf '%s\n' 'Host HOST' 'HostName 10.9.0.2' "IdentityFile $work/me" 'BatchMode yes' \
	"UserKnownHostsFile $work/known" 'StrictHostKeyChecking accept-new' >"$work/ssh"
ip -n pt-b link set vb down
ip -n pt-b link set vb name eth0 up
wait_for 20 in_ns pt-a ping -c 1 10.9.0.2
remote=$(grep '^ssh .* | wireshark' "$here/../../userspace/doc/tutorial.md")
run_in pt-a timeout 900 bash -c "${remote/ssh /ssh -F $work/ssh }" >"$work/window.log" 2>&1 &
check "ssh HOST tapdump | wireshark captures" wait_for 400 titled '^Capturing from (-|Standard input)' ||
	diag "$(cat "$work/window.log")"
in_ns pt-a ping -q -c 3 -i 0.3 10.9.0.2 >/dev/null
check "... what HOST sees" wait_for 120 shows icmp 6
check "... and not itself" shows "port 22" 0
picture remote.png
pkill -x wireshark
remote_ends() {
	in_ns pt-a ping -q -c 1 10.9.0.2
	! in_ns pt-b grep -q ' tapdump ' /proc/net/ptap
}
check "... the far capture ends with the window" wait_for 60 remote_ends
kill $server $manager $screen
wait

rm /usr/local/bin/tapdump
umount "$dir"
drop_pair
rmmod ptap
finish
