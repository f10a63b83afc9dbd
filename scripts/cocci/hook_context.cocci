// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What runs in the hook (softirq, or BH off) neither sleeps nor takes a lock of
// the sleeping sort nor touches a user's memory, nor prints.  The hook's
// functions are told by their names.

@atomic@
identifier f =~ "^ptap_(hook_(rcv|wants|seen_again|packet|store|fill|reserve|drop|may_defer|defer|filter|starts|cooked_start)|record_.*|copy.*|meta_(len|write|captured|dropped|filtered|lost|hash|queue|flags|put.*)|prod_.*|skb_.*|wake_kick|clock_ns|clock_ts|clock_adapter_ns|iface_(find|matches|add_locked)|ring_(at|iface))$";
identifier bad =~ "^(mutex_lock.*|down(_.*)?|msleep.*|usleep_range|schedule|cond_resched|synchronize_(net|rcu)|rtnl_lock|copy_(to|from)_user|get_user|put_user|wait_event.*|vmalloc|kvmalloc|might_sleep|printk|pr_.*)$";
position p;
@@
f(...) {
<+...
bad@p(...)
...+>
}

@script:python@
p << atomic.p;
f << atomic.f;
bad << atomic.bad;
@@
print("%s:%s: %s() is called by %s(), in the hook" % (p[0].file, p[0].line, bad, f))

@gfp@
identifier f =~ "^ptap_(hook_(rcv|packet|store|fill|defer)|iface_(find|add_locked)|meta_alloc)$";
position p;
@@
f(...) {
<+...
\(GFP_KERNEL@p\|GFP_KERNEL_ACCOUNT@p\)
...+>
}

@script:python@
p << gfp.p;
f << gfp.f;
@@
print("%s:%s: %s() allocates as if it could sleep, in the hook" % (p[0].file, p[0].line, f))
