#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# packages.sh - the Debian packages of /in in the life of a machine: installed,
# used by root, by a member of group ptap and by somebody else, in tshark, by
# perf, as a service; upgraded, a kernel installed, removed.  Then make install
# and make dkms.  Runs in the VM as root; the module is built by DKMS, not taken
# from the tree.  /in/perf has the files of perf, which the VM's system has not.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../vm/lib.sh"
cd "$here/../.." || exit 1
# What is tested is what the packages install.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive
release=$(uname -r)
debs=(/in/ptap-dkms_*.deb /in/ptap-tools_*.deb /in/libptap1_*.deb /in/libptap-dev_*.deb)
printf '%s\n' 'mok_signing_key=/in/mok.key' 'mok_certificate=/in/mok.pub' \
	>>/etc/dkms/framework.conf
/lib/systemd/systemd-udevd --daemon 2>/dev/null

# Installed ------------------------------------------------------------------
check "apt-get installs the packages" apt-get install -y "${debs[@]}"
matches "DKMS has built the module" "$(dkms status ptap)" 'ptap.*: installed'
is "it is signed with the machine's key" "$(modinfo -F signer ptap)" "ptap test key"
matches "it is where DKMS puts them" "$(modinfo -F filename ptap)" 'updates/dkms'
check "there is a group ptap" getent group ptap
check "the boot loads it" /lib/systemd/systemd-modules-load
check "... it is loaded" grep -q ^ptap /proc/modules
in_group() { [[ $(stat -c '%G %a' /dev/tap) == 'ptap 660' ]]; }
check "udev gives the device to the group" wait_for 30 in_group
check "tapdump --list-sessions" tapdump --list-sessions

useradd -m -G ptap member
useradd -m stranger
as() { setpriv --reuid "$1" --regid "$1" --init-groups "${@:2}"; }
as member tapdump -i lo -p -c 2 -w /home/member/x.pcap 2>"$work/member" &
wait_for 20 grep -q listening "$work/member"
ping -q -c 2 127.0.0.1 >/dev/null
wait $!
is "a member of the group captures" $? 0
is "... and has the packets" "$(packets /home/member/x.pcap)" 2
matches "somebody else is told of the group" \
	"$(as stranger tapdump -i lo -w /dev/null 2>&1)" 'the group ptap'
# Wireshark's, which the packages put where it looks.
matches "tshark -D has the interfaces" "$(as member tshark -D 2>/dev/null | xargs)" \
	'ptap-any .ptap: all interfaces..*ptap-lo .ptap: lo.'
as member timeout 300 tshark -q -i ptap-lo -f icmp -c 4 -w /home/member/y.pcapng \
	>"$work/shark" 2>&1 &
capturing() { grep -q ' ptap-extcap running lo ' /proc/net/ptap; }
wait_for 120 capturing
ping -q -c 2 127.0.0.1 >/dev/null
wait $!
is "a member captures in tshark" "$(packets /home/member/y.pcapng)" 4 ||
	diag "$(cat "$work/shark")"

is "zsh has the completion" "$(zsh -fc \
	'autoload -U compinit; compinit -u -D; print $_comps[tapdump]')" _tapdump

# Tracepoints, by perf.
tar -C /in/perf -cf - . | tar -C / -xf - --keep-directory-symlink --no-same-owner
ldconfig
is "perf list has the tracepoints" "$(perf list 'ptap:*' 2>/dev/null |
	grep -o 'ptap:ptap_[a-z]*' | sort | xargs)" \
	"ptap:ptap_defer ptap:ptap_drain ptap:ptap_drop ptap:ptap_wake"
timeout -s INT 300 perf trace -e 'ptap:*' -o "$work/perf" 2>"$work/perf.err" &
tracer=$!
ping -q -i 0.2 127.0.0.1 >/dev/null &
pinger=$!
tapdump -i lo --immediate-mode -w /dev/null icmp 2>/dev/null &
capture=$!
traced() { grep -qE 'ptap:ptap_wake\(.*owner[:=] *[1-9]' "$work/perf"; }
check "perf trace -e 'ptap:*'" wait_for 120 traced ||
	diag "$(head -n 5 "$work/perf" "$work/perf.err")"
kill -INT $tracer $capture
kill $pinger
wait $tracer $capture

modprobe -r ptap
wait_for 20 test ! -e /dev/tap
eval "$(kmod static-nodes --format=tmpfiles |
	awk '$2 ~ /\/tap$/ { split($NF, n, ":"); print "mknod /dev/tap c", n[1], n[2] }')"
check "the node stands without the module" test -c /dev/tap
check "opening it loads the module" bash -c 'exec 9</dev/tap; grep -q ^ptap /proc/modules'
cat >"$work/x.c" <<-'END'
	#include <ptap.h>
	#include <stdio.h>
	int main(void) { return puts(ptap_version()) < 0; }
END
check "a program builds with pkg-config" \
	bash -c "cc -Wall -Werror -o $work/x $work/x.c \$(pkg-config --cflags --libs ptap)"
is "... and runs" "$("$work/x")" "$(tapdump --version | awk 'NR == 1 { print $3 }')"

# The service ----------------------------------------------------------------
unit=ptap-recorder@lo.service
check "systemd-analyze verify" systemd-analyze verify --man=no "$unit"
exposure=$(systemd-analyze security --offline=yes "$unit" 2>/dev/null |
	awk '/Overall exposure/ { print int($(NF - 2)) }')
check "the exposure is low (${exposure:-?} of 10)" test "${exposure:-9}" -le 2
mkdir -p /etc/ptap
printf '%s\n' FILE_MB=1 FILES=3 'FILTER=icmp' >/etc/ptap/recorder-lo.conf
store=/var/lib/ptap/lo
# A systemd as the first process of a container, as it were: process numbers,
# mounts and control groups are its own, network and files are ours.
mkdir /sys/fs/cgroup/machine
setsid sh -c 'echo $$ >/sys/fs/cgroup/machine/cgroup.procs
	exec unshare --pid --fork --mount --mount-proc --cgroup env -i container=ptap \
		PATH="$PATH" sh -c "mount -t tmpfs tmp /tmp
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		exec /lib/systemd/systemd --unit=basic.target --log-target=console"' \
	>"$work/systemd" 2>&1 &
manager=$!
# systemd answers those that it can see.
inside() { nsenter -t "$(pgrep -n -f '^/lib/systemd/systemd --unit')" -m -p -C -- "$@"; }
systemctl() { inside systemctl "$@"; }
main() { systemctl show -P MainPID "$unit"; }
main_status() {
	inside awk '/^(CapPrm|NoNewPrivs|Seccomp):/ { printf "%s%s %s", s, $1, $2; s = " " }' \
		"/proc/$(main)/status"
}
running() { systemctl is-active -q basic.target; }
recording() { systemctl is-active -q "$unit" && tapdump --list-sessions | grep -q running; }
if wait_for 120 running; then
	check "the service starts" systemctl enable --now "$unit"
	check "it records" wait_for 60 recording
	ping -q -c 3 127.0.0.1 >/dev/null
	is "as the user ptap" "$(ps -o user= -C tapdump | sort -u)" ptap
	is "with all that tapdump gives up" "$(main_status)" \
		"CapPrm: 0000000000000000 NoNewPrivs: 1 Seccomp: 2"
	check "it stops" systemctl disable --now "$unit"
	is "the packets are in its file" "$(packets $store/capture.pcapng0)" 6
	is "the file is for the group alone" "$(stat -c '%U %G %a' $store/capture.pcapng0)" \
		"ptap ptap 640"
	systemctl start "$unit"
	wait_for 60 recording
	# More than three files hold: 7 MB.
	ping -q -f -c 60 -s 60000 127.0.0.1 >/dev/null
	rotated() { [[ $(find $store -maxdepth 1 -name 'capture.pcapng?*' | wc -l) == 3 ]]; }
	check "it rotates through three files" wait_for 60 rotated
	reloads=$(stat -c '%n %s' $store/capture.pcapng?* | md5sum)
	check "systemctl reload" systemctl reload "$unit"
	check "... begins the next file" wait_for 30 eval \
		"[[ \$(stat -c '%n %s' $store/capture.pcapng?* | md5sum) != '$reloads' ]]"
	check "no file is larger than it may be" \
		bash -c "! find $store -maxdepth 1 -size +1100k | grep ."
	killed=$(main)
	inside kill -KILL "$killed"
	another() { recording && [[ $(main) != "$killed" ]]; }
	check "killed, it comes back" wait_for 60 another
	systemctl stop "$unit"
	matches "the journal has the counts" \
		"$(inside journalctl -u "$unit" --no-pager)" \
		'packets captured'
	systemctl start "$unit"
	check "it starts again" wait_for 60 recording
	systemctl stop "$unit"
	check "the files of the run before are kept" \
		test -s $store/previous/capture.pcapng0
	[[ $failed == 0 ]] || diag "$(inside journalctl -n 40 --no-pager)"
else
	check "systemd starts" false
	diag "$(tail -n 20 "$work/systemd")"
fi
pkill -KILL -P $manager

# Upgraded -------------------------------------------------------------------
mkdir "$work/new"
for deb in "${debs[@]}"; do
	dpkg-deb -R "$deb" "$work/deb"
	sed -i -E 's/^(Version: .*)/\1+new/; s/(libptap1 \(= [^)]*)/\1+new/' \
		"$work/deb/DEBIAN/control"
	dpkg-deb -b "$work/deb" "$work/new" >/dev/null
	rm -rf "$work/deb"
done
chmod 755 "$work"
check "apt-get upgrades the packages" apt-get install -y "$work"/new/*.deb
matches "the new version is installed" \
	"$(dpkg-query -W -f '${Version} ${Status}' ptap-tools)" '\+new install ok installed'
matches "the module is there again" "$(dkms status ptap)" ': installed'

# What a kernel's installation runs.
dkms uninstall ptap/"$(dpkg-query -W -f '${Version}' ptap-dkms | cut -d+ -f1)" \
	-k "$release" >/dev/null 2>&1
check "DKMS installs it with a kernel" dkms autoinstall -k "$release"
check "... and modprobe finds it" modprobe -n ptap

# Removed --------------------------------------------------------------------
modprobe -r ptap
check "apt-get removes them" apt-get purge -y ptap-dkms ptap-tools libptap-dev libptap1
is "nothing is left of the module" "$(find /lib/modules /usr/src -name '*ptap*')" ""
is "nothing is left of the rest" \
	"$(find /usr /etc -name '*ptap*' -not -path '/etc/ptap*' -o -name tapdump | sort)" ""

# By make --------------------------------------------------------------------
check "make install" make install DESTDIR="$work/root" PREFIX=/opt/ptap
for file in bin/tapdump lib/libptap.so.1 lib/pkgconfig/ptap.pc include/ptap.h \
	include/linux/ptap.h lib/udev/rules.d/60-ptap.rules lib/sysusers.d/ptap.conf \
	share/man/man8/tapdump.8 share/man/man3/ptap_open.3 \
	lib/systemd/system/ptap-recorder@.service; do
	check "... installs $file" test -e "$work/root/opt/ptap/$file"
done
is "... that know where they are" \
	"$(PKG_CONFIG_LIBDIR=$work/root/opt/ptap/lib/pkgconfig pkg-config --variable=prefix ptap)" \
	/opt/ptap
check "... the unit too" grep -q '^ExecStart=/opt/ptap/bin/tapdump ' \
	"$work/root/opt/ptap/lib/systemd/system/ptap-recorder@.service"
check "... installs the module" \
	bash -c "find $work/root/lib/modules -name 'ptap.ko*' | grep -q ."
check "make dkms" make dkms
matches "... builds the module" "$(dkms status ptap)" ': installed'
is "... signed" "$(modinfo -F signer ptap)" "ptap test key"
check "... that loads" modprobe ptap
check "make install-userspace install-device" make install-userspace install-device
hash -r
is "... is what is run" "$(type -p tapdump)" /usr/local/bin/tapdump
check "... and captures" tapdump -i lo -c 1 -w "$work/z.pcap" --autostop=duration:1

udevadm control --exit 2>/dev/null
finish
