#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest-init.sh - the first process of the sanitizer kernel.
#
# It comes up on the host's root file system and goes on in that of the test
# VM's image, where the tests' tools are, both by hostfs.  What a test writes
# goes to memory, but for /out.  The kernel's command line sets PTAP_ROOTFS (the
# image's folder), PTAP_PROJECT (the project, built for it), PTAP_WORK (/out:
# ptap.ko and the results) and PTAP_JOB (what guest.sh is to do).  The machine
# ends with the script.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
root=/run/root

mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir $root
mount -t hostfs none $root -o "$PTAP_ROOTFS"
mount -o remount,bind,ro $root
mount -t hostfs none $root/ptap -o "$PTAP_PROJECT"
mount -t hostfs none $root/out -o "$PTAP_WORK"
mount --bind "$root/out/ptap.ko" $root/ptap/module/ptap.ko
mount --bind "$root/out/recordtest.ko" $root/ptap/tests/recordtest/recordtest.ko
mount -t proc proc $root/proc
mount -t sysfs sys $root/sys
mount -t debugfs debug $root/sys/kernel/debug
mount -t devtmpfs dev $root/dev
mkdir -p $root/dev/shm $root/dev/pts
mount -t devpts pts $root/dev/pts
for dir in dev/shm tmp run root mnt var/tmp; do
	mount -t tmpfs tmpfs "$root/$dir"
done
mkdir $root/run/netns
ln -s /proc/self/fd $root/dev/fd
hostname ptap
# Who is in a chroot may not make user namespaces: the new root is moved to /.
cd $root || exit
mount --move $root /
chroot . /usr/bin/env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 \
	/bin/bash /ptap/tests/sanitize/guest.sh "$PTAP_JOB" \
	>out/guest.tap 2>&1 </dev/null
sync
# Ends the machine; there is no init to ask.
chroot . python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'
