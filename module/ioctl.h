/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioctl() of /dev/tap.
 */
#ifndef PTAP_IOCTL_H
#define PTAP_IOCTL_H

#include <linux/fs.h>

long ptap_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* PTAP_IOCTL_H */
