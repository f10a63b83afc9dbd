// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/ptap: the sessions of the reader's network namespace, a line each.
 *
 * The first line names the columns; a reader goes by the names, so that others
 * can be added.  Columns are separated by blanks; in names, blanks and commas
 * are escaped in octal.  RTNL is held for one buffer of lines: it keeps
 * sessions and what they point to from going away.  Counters are read while the
 * hooks count on.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include "filter.h"
#include "hook.h"
#include "iface.h"
#include "proc.h"
#include "ring.h"
#include "session.h"
#include "stats.h"

#define PTAP_PROC_IFACES	16U	/* more are counted, not named */
#define PTAP_PROC_ESCAPE	" \t\n\\,"

static const char *const ptap_proc_states[] = {
	[PTAP_STATE_NEW] = "new",
	[PTAP_STATE_SETUP] = "setup",
	[PTAP_STATE_RUNNING] = "running",
	[PTAP_STATE_STOPPED] = "stopped",
};

static const char *const ptap_proc_formats[] = {
	[PTAP_FORMAT_PCAPNG] = "pcapng",
	[PTAP_FORMAT_PCAP_NSEC] = "pcap-ns",
	[PTAP_FORMAT_PCAP_USEC] = "pcap-us",
};

static const char *const ptap_proc_consumers[] = {
	[PTAP_CONSUMER_NONE] = "-",
	[PTAP_CONSUMER_READ] = "read",
	[PTAP_CONSUMER_MMAP] = "mmap",
};

/* Names as they were at SETUP; an interface that is gone stays named. */
static void ptap_proc_ifaces(struct seq_file *m, struct ptap_session *s)
{
	u32 i, nr = min(s->nr_setup_ifaces, PTAP_PROC_IFACES);
	struct ptap_iface *iface;

	if (s->cfg.all) {
		seq_puts(m, " any");
		return;
	}
	for (i = 0; i < nr; i++) {
		iface = ptap_iface_by_id(s, i);
		seq_putc(m, i ? ',' : ' ');
		seq_escape(m, iface ? iface->name : "?", PTAP_PROC_ESCAPE);
	}
	if (nr < s->nr_setup_ifaces)
		seq_printf(m, ",+%u", s->nr_setup_ifaces - nr);
}

/* Instructions of the filter as it was given; 0 if there is none. */
static u32 ptap_proc_filter(struct ptap_session *s)
{
	const struct ptap_filter_set *set;
	u32 insns;

	rcu_read_lock();
	set = rcu_dereference(s->filter);
	insns = set ? set->insns : 0;
	rcu_read_unlock();
	return insns;
}

/* Bytes in all rings; in @percent, how full the fullest is. */
static u64 ptap_proc_used(const struct ptap_session *s, u32 *percent)
{
	u64 used, sum = 0, most = 0, size = s->cfg.ring_size;
	const struct ptap_ring *r;
	u32 i;

	for (i = 0; i < s->nr_rings; i++) {
		r = s->rings[i];
		used = ptap_cons_end(r->ctl) - READ_ONCE(r->con->tail);
		used = min(used, size);		/* the tail is the user's */
		most = max(most, used);
		sum += used;
	}
	*percent = div64_u64(most * 100, size);
	return sum;
}

static void ptap_proc_session(struct seq_file *m, struct ptap_session *s)
{
	struct ptap_stats st = { .ring = PTAP_RING_ALL };
	u64 used, dropped = 0;
	u32 i, percent;

	used = ptap_proc_used(s, &percent);
	ptap_stats_get(s, &st);
	for (i = 0; i < PTAP_DROP_NR; i++)
		dropped += st.dropped[i];
	ptap_proc_ifaces(m, s);
	seq_printf(m, " %s %s %u %u %u %llu %llu %u %llu %llu %llu %llu %llu %u\n",
		   ptap_proc_formats[s->cfg.format],
		   ptap_proc_consumers[READ_ONCE(s->consumer) &
				       PTAP_CONSUMER_DECIDED],
		   s->cfg.snaplen, ptap_proc_filter(s), s->nr_rings,
		   s->cfg.ring_size, used, percent, st.seen, st.captured,
		   st.filtered, dropped, st.captured_bytes,
		   READ_ONCE(s->locked));
}

static int ptap_proc_show(struct seq_file *m, void *v)
{
	struct ptap_session *s;

	if (v == &ptap_sessions) {
		seq_puts(m, "pid uid comm state ifaces format reader snaplen filter rings ring_size used fill seen captured filtered dropped bytes locked\n");
		return 0;
	}
	s = list_entry(v, struct ptap_session, entry);
	if (!net_eq(s->net, seq_file_net(m)))
		return 0;
	seq_printf(m, "%d %u ", pid_vnr(s->owner),
		   from_kuid_munged(seq_user_ns(m), s->uid));
	seq_escape(m, s->comm[0] ? s->comm : "?", PTAP_PROC_ESCAPE);
	seq_printf(m, " %s", ptap_proc_states[smp_load_acquire(&s->state)]);
	if (ptap_session_is_setup(s))
		ptap_proc_session(m, s);
	else
		seq_puts(m, " - - - 0 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

static void *ptap_proc_start(struct seq_file *m, loff_t *pos)
{
	rtnl_lock();
	return seq_list_start_head(&ptap_sessions, *pos);
}

static void *ptap_proc_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next(v, &ptap_sessions, pos);
}

static void ptap_proc_stop(struct seq_file *m, void *v)
{
	rtnl_unlock();
}

static const struct seq_operations ptap_proc_ops = {
	.start = ptap_proc_start,
	.next = ptap_proc_next,
	.stop = ptap_proc_stop,
	.show = ptap_proc_show,
};

static int __net_init ptap_proc_net_init(struct net *net)
{
	if (IS_ENABLED(CONFIG_PROC_FS) &&
	    !proc_create_net("ptap", 0444, net->proc_net, &ptap_proc_ops,
			     sizeof(struct seq_net_private)))
		return -ENOMEM;
	return 0;
}

static void __net_exit ptap_proc_net_exit(struct net *net)
{
	remove_proc_entry("ptap", net->proc_net);
}

static struct pernet_operations ptap_proc_net_ops = {
	.init = ptap_proc_net_init,
	.exit = ptap_proc_net_exit,
};

int ptap_proc_init(void)
{
	return register_pernet_subsys(&ptap_proc_net_ops);
}

void ptap_proc_exit(void)
{
	unregister_pernet_subsys(&ptap_proc_net_ops);
}
