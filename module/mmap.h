/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmap() of the rings.
 */
#ifndef PTAP_MMAP_H
#define PTAP_MMAP_H

#include <linux/fs.h>
#include <linux/types.h>

struct ptap_session;

u64 ptap_mmap_stride(const struct ptap_session *s);
int ptap_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* PTAP_MMAP_H */
