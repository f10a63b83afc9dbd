// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a session: created, set up, started, stopped, destroyed.
 *
 * Locks are described in session.h.  Geometry and configuration are written
 * once, by SETUP, before the state says so, and read without a lock afterwards.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include "filter.h"
#include "hook.h"
#include "iface.h"
#include "limits.h"
#include "read.h"
#include "ring.h"
#include "session.h"
#include "setup.h"
#include "wake.h"

/**
 * ptap_session_create - a session in state NEW
 * @net: the opener's network namespace; a reference is taken
 *
 * Context: process.
 * Return: the session, or ERR_PTR(-ENOMEM).
 */
struct ptap_session *ptap_session_create(struct net *net)
{
	struct ptap_session *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);
	mutex_init(&s->lock);
	mutex_init(&s->read_lock);
	spin_lock_init(&s->iface_lock);
	hash_init(s->iface_table);
	xa_init(&s->iface_ids);
	INIT_LIST_HEAD(&s->hooks);
	ptap_wake_init(s);
	s->net = get_net(net);
	s->owner = get_pid(task_tgid(current));
	s->uid = current_uid();
	get_task_comm(s->comm, current->group_leader);
	ptap_hook_register(s);
	return s;
}

/**
 * ptap_session_destroy - free a session, in whatever state
 * @s: session
 *
 * Called by the last close: no system call, mapping or poll of it is left.
 * Hooks may be: they go first.  Then nobody wakes or starts the timer.
 *
 * Context: process.
 */
void ptap_session_destroy(struct ptap_session *s)
{
	ptap_hook_detach_all(s);
	ptap_hook_unregister(s);
	ptap_wake_exit(s);
	ptap_setup_free_rings(s);
	ptap_filter_free(rcu_dereference_protected(s->filter, true));
	ptap_reader_free(s->reader);
	ptap_iface_free_all(s);
	kvfree(s->setup_ifaces);
	put_pid(s->owner);
	put_net(s->net);
	kfree(s);
}

/**
 * ptap_session_setup - NEW -> SETUP
 * @s: session
 * @setup: checked for size only
 *
 * Context: process; takes s->lock and RTNL.
 * Return: 0, or as PTAP_IOC_SETUP says.
 */
int ptap_session_setup(struct ptap_session *s, const struct ptap_setup *setup)
{
	u32 *list = NULL;
	int err = -EBUSY;

	if (setup->nr_ifaces > PTAP_SETUP_IFACES_MAX)
		return -EINVAL;
	if (setup->nr_ifaces) {
		/* Before the lock: a user copy may sleep on anything. */
		list = vmemdup_user((void __user *)(uintptr_t)setup->ifaces,
				    setup->nr_ifaces * sizeof(u32));
		if (IS_ERR(list))
			return PTR_ERR(list);
	}
	mutex_lock(&s->lock);
	if (s->locked)
		err = -EPERM;
	else if (s->state == PTAP_STATE_NEW)
		err = ptap_setup_session(s, setup, list);
	mutex_unlock(&s->lock);
	if (err)
		kvfree(list);
	return err;
}

static int ptap_start_locked(struct ptap_session *s)
{
	int err;

	lockdep_assert_held(&s->lock);
	if (s->state != PTAP_STATE_SETUP)
		return -EBUSY;
	err = ptap_hook_attach_all(s);
	if (err)
		return err;
	smp_store_release(&s->state, PTAP_STATE_RUNNING);
	ptap_wake_start(s);
	return 0;
}

/**
 * ptap_session_setup_stream - set up and start with the defaults of read()
 * @s: session
 *
 * Where it could not start, say without memory, the next read() tries again.
 *
 * Context: process; takes s->lock and RTNL.
 * Return: 0, also if the session is not NEW any more; or an error.
 */
int ptap_session_setup_stream(struct ptap_session *s)
{
	static const struct ptap_setup defaults = {
		.size = sizeof(defaults),
		.snaplen = PTAP_SNAPLEN_STREAM,
	};
	int err = 0;

	mutex_lock(&s->lock);
	if (s->state == PTAP_STATE_NEW) {
		err = ptap_setup_session(s, &defaults, NULL);
		s->stream = !err;
	}
	if (s->state == PTAP_STATE_SETUP && s->stream)
		err = ptap_start_locked(s);
	mutex_unlock(&s->lock);
	return err;
}

/**
 * ptap_session_start - SETUP -> RUNNING
 * @s: session
 *
 * Context: process; takes s->lock and RTNL.
 * Return: 0, or as PTAP_IOC_START says.
 */
int ptap_session_start(struct ptap_session *s)
{
	int err;

	mutex_lock(&s->lock);
	err = ptap_start_locked(s);
	mutex_unlock(&s->lock);
	return err;
}

/**
 * ptap_session_stop - RUNNING -> STOPPED
 * @s: session
 *
 * Context: process; takes s->lock, RTNL and the rings' drain locks.
 * Return: 0, or -EBUSY in another state.
 */
int ptap_session_stop(struct ptap_session *s)
{
	int err = -EBUSY;

	mutex_lock(&s->lock);
	if (s->state == PTAP_STATE_RUNNING) {
		ptap_hook_detach_all(s);
		ptap_session_drain(s);
		smp_store_release(&s->state, PTAP_STATE_STOPPED);
		ptap_wake_all(s);
		err = 0;
	}
	mutex_unlock(&s->lock);
	return err;
}

/**
 * ptap_session_lock - what SETUP and FILTER said is final
 * @s: session
 *
 * There is no way back, so that who gets hold of the file later, or of its
 * reader, can read what was decided on and nothing else.
 *
 * Context: process; takes s->lock.
 * Return: 0, or -EBUSY before SETUP.
 */
int ptap_session_lock(struct ptap_session *s)
{
	int err = -EBUSY;

	mutex_lock(&s->lock);
	if (s->state != PTAP_STATE_NEW) {
		WRITE_ONCE(s->locked, true);
		err = 0;
	}
	mutex_unlock(&s->lock);
	return err;
}

/**
 * ptap_session_claim_read - the session is consumed by read()
 * @s: session
 *
 * Return: 0, or -EBUSY: not set up, or consumed by mmap().
 */
int ptap_session_claim_read(struct ptap_session *s)
{
	u32 was;

	if (!ptap_session_is_setup(s))
		return -EBUSY;
	was = cmpxchg(&s->consumer, PTAP_CONSUMER_NONE, PTAP_CONSUMER_READ);
	return was == PTAP_CONSUMER_NONE || was == PTAP_CONSUMER_READ ? 0 :
									-EBUSY;
}

/* Replace bits of s->consumer and add to it, unless read() has it. */
static int ptap_session_map_change(struct ptap_session *s, u32 set, u32 add)
{
	u32 now, was = READ_ONCE(s->consumer);

	for (;;) {
		if (was & PTAP_CONSUMER_READ)
			return -EBUSY;
		now = cmpxchg(&s->consumer, was, (was + add) | set);
		if (now == was)
			return 0;
		was = now;
	}
}

/**
 * ptap_session_map_begin - a mapping is going to be made
 * @s: session, set up
 *
 * Until ptap_session_map_end() read() has to wait for how it ends: what read()
 * reads from the rings is trusted, and must not be a moment within reach of
 * who maps them.
 *
 * Context: process, with the mmap lock held, so no lock may be taken that is
 * held over a user copy or outside of RTNL.
 * Return: 0, or -EBUSY: consumed by read().
 */
int ptap_session_map_begin(struct ptap_session *s)
{
	return ptap_session_map_change(s, 0, PTAP_CONSUMER_MAPPING);
}

/**
 * ptap_session_map_end - a mapping has been made, or could not be
 * @s: session
 * @mapped: the session is consumed by mmap() from now on; otherwise nothing is
 *	decided
 *
 * Context: as ptap_session_map_begin().
 */
void ptap_session_map_end(struct ptap_session *s, bool mapped)
{
	ptap_session_map_change(s, mapped ? PTAP_CONSUMER_MMAP : 0,
				-PTAP_CONSUMER_MAPPING);
}

/**
 * ptap_session_drain - fill in the deferred packets of all rings
 * @s: session, set up
 *
 * Context: process; takes the rings' drain locks.
 * Return: number of records filled in.
 */
u64 ptap_session_drain(struct ptap_session *s)
{
	u64 filled = 0;
	u32 i;

	for (i = 0; i < s->nr_rings; i++)
		filled += ptap_ring_drain(s->rings[i]);
	return filled;
}

/* Nothing more will come, but for hooks that are running now. */
bool ptap_session_ended(const struct ptap_session *s)
{
	u32 state = smp_load_acquire(&s->state);

	return state == PTAP_STATE_STOPPED ||
	       (state == PTAP_STATE_RUNNING && !READ_ONCE(s->nr_hooks));
}
