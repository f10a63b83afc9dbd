// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() of the rings: which pages, and what a user may do with them.
 *
 * A user writes the consumer page and nothing else; control and data can never
 * become writable or executable, not by mprotect() nor by ptrace.  All pages
 * are inserted when the mapping is made: there is no fault handler, no state
 * per mapping, and no lock beside the caller's mmap lock.  Each page carries a
 * reference for each mapping, and each mapping keeps the file open.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include "compat.h"
#include "mmap.h"
#include "ring.h"
#include "session.h"

/* Pages of a ring's part of the file: consumer, control, data twice. */
#define PTAP_PAGE_CONSUMER	0
#define PTAP_PAGE_CONTROL	1
#define PTAP_PAGE_DATA		2

u64 ptap_mmap_stride(const struct ptap_session *s)
{
	return roundup_pow_of_two(2 * s->cfg.ring_size + 2 * PAGE_SIZE);
}

static bool ptap_mmap_range_ok(const struct ptap_ring *r, unsigned long first,
			       unsigned long nr)
{
	switch (first) {
	case PTAP_PAGE_CONSUMER:
		return nr == 1;
	case PTAP_PAGE_CONTROL:
		return nr == 1 || nr == 1 + 2UL * r->nr_pages;
	case PTAP_PAGE_DATA:
		return nr == r->nr_pages || nr == 2UL * r->nr_pages;
	default:
		return false;
	}
}

static int ptap_mmap_insert(struct vm_area_struct *vma, struct ptap_ring *r,
			    unsigned long first, unsigned long nr)
{
	unsigned long addr = vma->vm_start;
	unsigned long left = nr;
	int err;

	if (first == PTAP_PAGE_CONSUMER)
		return vm_insert_page(vma, addr, virt_to_page(r->con));
	if (first == PTAP_PAGE_CONTROL) {
		err = vm_insert_page(vma, addr, virt_to_page(r->ctl));
		if (err || !--left)
			return err;
		addr += PAGE_SIZE;
	}
	return vm_insert_pages(vma, addr, r->pages, &left);
}

/**
 * ptap_mmap - map a part of a ring
 * @file: the session's file
 * @vma: the mapping
 *
 * Context: process, mmap lock held for writing.
 * Return: 0, or as struct ptap_ring_control says.
 */
int ptap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct ptap_session *s = file->private_data;
	unsigned long nr = vma_pages(vma);
	unsigned long first, stride;
	struct ptap_ring *r;
	int err;

	if (!ptap_session_is_setup(s))
		return -EBUSY;
	stride = ptap_mmap_stride(s) >> PAGE_SHIFT;
	if (vma->vm_pgoff / stride >= s->nr_rings ||
	    !(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	r = s->rings[vma->vm_pgoff / stride];
	first = vma->vm_pgoff % stride;
	if (!ptap_mmap_range_ok(r, first, nr))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC ||
	    (vma->vm_flags & VM_WRITE && first != PTAP_PAGE_CONSUMER))
		return -EPERM;
	err = ptap_session_map_begin(s);
	if (err)
		return err;
	vm_flags_mod(vma,
		     VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP,
		     first == PTAP_PAGE_CONSUMER ? VM_MAYEXEC :
						   VM_MAYEXEC | VM_MAYWRITE);
	err = ptap_mmap_insert(vma, r, first, nr);
	ptap_session_map_end(s, !err);
	return err;
}
