// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/tap: who may open it, and what an open file is.
 *
 * Each open makes a session in the opener's network namespace; the last close
 * destroys it.  The right to capture is checked at open, as for a packet
 * socket; a file that is passed on is that right passed on.  An open file holds
 * the module.
 *
 * The minor number is fixed if it is free, so that the node can exist before
 * the module does (depmod, kmod static-nodes), and who opens it loads the
 * module.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <net/net_namespace.h>
#include <linux/ptap.h>
#include "chardev.h"
#include "ioctl.h"
#include "mmap.h"
#include "read.h"
#include "session.h"

#define PTAP_MINOR	250	/* of those for local use */

static bool userns;
module_param(userns, bool, 0644);
MODULE_PARM_DESC(userns,
	"Allow CAP_NET_RAW of any user namespace that owns the network namespace (default no: of the initial one)");

static bool ptap_open_allowed(const struct net *net)
{
	return READ_ONCE(userns) ? ns_capable(net->user_ns, CAP_NET_RAW) :
				   capable(CAP_NET_RAW);
}

static int ptap_open(struct inode *inode, struct file *file)
{
	struct net *net = current->nsproxy->net_ns;
	struct ptap_session *s;

	if (!ptap_open_allowed(net))
		return -EPERM;
	s = ptap_session_create(net);
	if (IS_ERR(s))
		return PTR_ERR(s);
	file->private_data = s;
	return nonseekable_open(inode, file);
}

static int ptap_release(struct inode *inode, struct file *file)
{
	ptap_session_destroy(file->private_data);
	return 0;
}

static const struct file_operations ptap_fops = {
	.owner = THIS_MODULE,
	.open = ptap_open,
	.release = ptap_release,
	.read_iter = ptap_read_iter,
	.poll = ptap_poll,
	.mmap = ptap_mmap,
	.unlocked_ioctl = ptap_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice ptap_miscdev = {
	.minor = PTAP_MINOR,
	.name = "tap",
	.nodename = "tap",
	.fops = &ptap_fops,
	.mode = 0600,
};

int ptap_chardev_init(void)
{
	int err = misc_register(&ptap_miscdev);

	if (err == -EBUSY) {
		ptap_miscdev.minor = MISC_DYNAMIC_MINOR;
		err = misc_register(&ptap_miscdev);
	}
	return err;
}

void ptap_chardev_exit(void)
{
	misc_deregister(&ptap_miscdev);
}

MODULE_ALIAS_MISCDEV(PTAP_MINOR);
MODULE_ALIAS("devname:tap");
