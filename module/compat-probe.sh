#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints one "#define PTAP_HAVE_..." for each kernel interface that compiles
# against the kernel at hand.  Called by Kbuild with CC and KFLAGS (the kernel's
# own flags) in the environment; the output is compat-probes.h, which only
# compat.h includes.  A probe that does not compile is an interface that this
# kernel does not have; a compiler that cannot compile anything is an error.

set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

compiles()
{
	# KFLAGS holds many words, some with quotes: the shell has to parse it.
	eval "$CC $KFLAGS -Wno-unused -Werror=implicit-function-declaration" \
		'-DMODULE -c -o "$tmp/probe.o" "$tmp/probe.c"' 2>"$tmp/log"
}

probe()	# NAME: reads C from standard input
{
	{
		# Headers rely on what others include before them.
		echo '#include <linux/netdevice.h>'
		cat
	} >"$tmp/probe.c"
	if compiles; then
		echo "#define PTAP_HAVE_$1 1"
	else
		echo "/* no $1 */"
	fi
}

echo "/* Made by compat-probe.sh. */"

echo '#include <linux/netdevice.h>' >"$tmp/probe.c"
if ! compiles; then
	echo "compat-probe.sh: the kernel's headers do not compile:" >&2
	cat "$tmp/log" >&2
	exit 1
fi

probe LINUX_UNALIGNED_H <<-END
	#include <linux/unaligned.h>
END

probe LOCAL_LOCK_NESTED_BH <<-END
	#include <linux/local_lock.h>
	#include <linux/percpu.h>
	struct x { local_lock_t lock; };
	static DEFINE_PER_CPU(struct x, x) = { .lock = INIT_LOCAL_LOCK(lock) };
	void f(void);
	void f(void) { local_lock_nested_bh(&x.lock); }
END

probe VM_FLAGS_MOD <<-END
	#include <linux/mm.h>
	void f(struct vm_area_struct *v);
	void f(struct vm_area_struct *v) { vm_flags_mod(v, VM_DONTCOPY, 0); }
END

probe HRTIMER_SETUP <<-END
	#include <linux/hrtimer.h>
	void f(struct hrtimer *t, enum hrtimer_restart (*e)(struct hrtimer *));
	void f(struct hrtimer *t, enum hrtimer_restart (*e)(struct hrtimer *))
	{ hrtimer_setup(t, e, CLOCK_MONOTONIC, HRTIMER_MODE_REL); }
END

probe SKB_FRAGS_READABLE <<-END
	#include <linux/skbuff.h>
	int f(const struct sk_buff *skb);
	int f(const struct sk_buff *skb) { return skb_frags_readable(skb); }
END

probe NDO_GET_TSTAMP <<-END
	#include <linux/skbuff.h>
	ktime_t f(struct net_device *d, const struct skb_shared_hwtstamps *h);
	ktime_t f(struct net_device *d, const struct skb_shared_hwtstamps *h)
	{ return SKBTX_HW_TSTAMP_NETDEV ?
		 d->netdev_ops->ndo_get_tstamp(d, h, false) : 0; }
END
