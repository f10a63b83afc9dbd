// SPDX-License-Identifier: GPL-2.0
/*
 * Making and swapping the filter.
 *
 * The kernel's BPF checker decides what is a program.  A new set of programs is
 * made whole before it is published; the old one is freed after a grace period,
 * when no hook can be running it.  The hook runs it in hook.c.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/ptap.h>
#include "filter.h"
#include "session.h"

#define PTAP_FILTER_FLAGS \
	(PTAP_FILTER_COOKED | PTAP_FILTER_SIEVE | PTAP_FILTER_SIEVE_NR(7))

/* Nobody may be running it. */
void ptap_filter_free(struct ptap_filter_set *set)
{
	u32 i;

	if (!set)
		return;
	for (i = 0; i < set->nr; i++)
		bpf_prog_destroy(set->progs[i].prog);
	kfree(set);
}

static struct bpf_prog *ptap_filter_load(const struct ptap_filter_prog *arg)
{
	struct sock_fprog fprog = {
		.len = arg->len,
		.filter = (struct sock_filter __user *)(uintptr_t)arg->insns,
	};
	struct bpf_prog *prog;
	int err;

	if (!arg->len || arg->len > BPF_MAXINSNS || arg->reserved ||
	    arg->flags & ~PTAP_FILTER_FLAGS)
		return ERR_PTR(-EINVAL);
	err = bpf_prog_create_from_user(&prog, &fprog, NULL, false);
	return err ? ERR_PTR(err) : prog;
}

static struct ptap_filter_set *ptap_filter_make(const struct ptap_filter *arg)
{
	struct ptap_filter_prog __user *from =
		(struct ptap_filter_prog __user *)(uintptr_t)arg->progs;
	struct ptap_filter_prog desc;
	struct ptap_filter_set *set;
	struct bpf_prog *prog;
	int err;
	u32 i;

	if (!arg->nr_progs)
		return NULL;
	set = kzalloc(struct_size(set, progs, arg->nr_progs),
		      GFP_KERNEL_ACCOUNT);
	if (!set)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < arg->nr_progs; i++) {
		err = -EFAULT;
		if (copy_from_user(&desc, from + i, sizeof(desc)))
			goto free;
		prog = ptap_filter_load(&desc);
		err = PTR_ERR_OR_ZERO(prog);
		if (err)
			goto free;
		set->progs[i].linktype = desc.linktype;
		set->progs[i].flags = desc.flags;
		if (desc.flags & PTAP_FILTER_SIEVE)
			set->progs[i].mark = PTAP_MARK_SIEVE |
				(desc.flags & PTAP_FILTER_SIEVE_NR(7));
		set->progs[i].prog = prog;
		set->insns += desc.len;
		set->nr++;
	}
	return set;

free:
	ptap_filter_free(set);
	return ERR_PTR(err);
}

/**
 * ptap_filter_replace - replace a session's filter
 * @s: session
 * @arg: checked for size only
 *
 * Context: process; takes s->lock.
 * Return: 0, or as PTAP_IOC_FILTER says.
 */
int ptap_filter_replace(struct ptap_session *s, const struct ptap_filter *arg)
{
	struct ptap_filter_set *set, *old;
	int err = 0;

	if (arg->flags || arg->reserved ||
	    arg->nr_progs > PTAP_FILTER_PROGS_MAX)
		return -EINVAL;
	set = ptap_filter_make(arg);
	if (IS_ERR(set))
		return PTR_ERR(set);

	mutex_lock(&s->lock);
	if (s->locked) {
		old = set;
		err = -EPERM;
	} else if (s->state == PTAP_STATE_SETUP ||
		   s->state == PTAP_STATE_RUNNING) {
		old = rcu_replace_pointer(s->filter, set,
					  lockdep_is_held(&s->lock));
		/* Hooks that still run the old one end within this. */
		if (s->state == PTAP_STATE_RUNNING)
			synchronize_net();
	} else {
		old = set;
		err = -EBUSY;
	}
	mutex_unlock(&s->lock);
	ptap_filter_free(old);
	return err;
}
