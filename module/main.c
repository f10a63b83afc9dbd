// SPDX-License-Identifier: GPL-2.0
/*
 * ptap: a packet tap with a ring for each CPU.  Loading and unloading.
 *
 * Where to look: chardev.c the device, ioctl.c its commands, session.c the life
 * of a capture, hook.c the way of a packet, record.c what it becomes in the
 * file, ring_proto.h how it reaches the reader, read.c and mmap.c the reader's
 * two ways to get it.
 */
#include <linux/module.h>
#include "chardev.h"
#include "hook.h"
#include "proc.h"

static int __init ptap_init(void)
{
	int err;

	err = ptap_hook_init();
	if (err)
		return err;
	err = ptap_proc_init();
	if (err)
		goto exit_hook;
	err = ptap_chardev_init();
	if (err)
		goto exit_proc;
	return 0;

exit_proc:
	ptap_proc_exit();
exit_hook:
	ptap_hook_exit();
	return err;
}

static void __exit ptap_exit(void)
{
	ptap_chardev_exit();
	ptap_proc_exit();
	ptap_hook_exit();
}

module_init(ptap_init);
module_exit(ptap_exit);

MODULE_DESCRIPTION("Packet tap with per-CPU rings at /dev/tap");
MODULE_AUTHOR("The ptap authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
