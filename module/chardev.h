/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The character device.
 */
#ifndef PTAP_CHARDEV_H
#define PTAP_CHARDEV_H

int ptap_chardev_init(void);
void ptap_chardev_exit(void);

#endif /* PTAP_CHARDEV_H */
