#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# guest-init.sh - the first process of the benchmark's kernel.
#
# The root file system is the host's, by hostfs: this script gives the kernel
# its own /proc, /sys, /dev and temporary folders on top of it, loads ptap and
# hands over to guest.py, which works the host's plan off. The kernel's command
# line sets PTAP_WORK, the folder with the plan, the programs and the results,
# and PTAP_PYTHON. The machine ends with the script; nothing of the host is
# changed outside of PTAP_WORK.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
grep -q ' /dev ' /proc/mounts || mount -t devtmpfs dev /dev
mkdir -p /dev/shm
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o size=80% tmpfs "$PTAP_WORK/tmpfs"
ip link set lo up
{
	insmod "$PTAP_WORK/ptap.ko" &&
		"$PTAP_PYTHON" -B "$PTAP_GUEST" "$PTAP_WORK"
	echo "guest.py: status $?"
} >>"$PTAP_WORK/guest.log" 2>&1
sync
# Ends the machine; there is no init to ask.
"$PTAP_PYTHON" -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'
