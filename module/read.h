/* SPDX-License-Identifier: GPL-2.0 */
/*
 * read() and poll(): the session as a stream of file bytes.
 */
#ifndef PTAP_READ_H
#define PTAP_READ_H

#include <linux/poll.h>
#include <linux/uio.h>

struct ptap_reader;

ssize_t ptap_read_iter(struct kiocb *iocb, struct iov_iter *to);
__poll_t ptap_poll(struct file *file, poll_table *wait);
void ptap_reader_free(struct ptap_reader *rd);

#endif /* PTAP_READ_H */
