// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A user's memory may be away, and bringing it back sleeps, or waits for a hook
// that waits for the lock: it is touched under no lock that the hook takes, nor
// where nothing may sleep.  The functions of the module that do it for others
// are told by their names.

@locked exists@
identifier take =~ "^(_?raw_spin_lock(_.*)?|spin_(try)?lock(_.*)?|(read|write)_lock(_.*)?|rcu_read_lock(_bh|_sched)?|ptap_bh_lock|local_bh_disable|preempt_disable|local_irq_(disable|save))$";
identifier drop =~ "^(_?raw_spin_unlock(_.*)?|spin_unlock(_.*)?|(read|write)_unlock(_.*)?|rcu_read_unlock(_bh|_sched)?|ptap_bh_unlock|local_bh_enable|preempt_enable|local_irq_(enable|restore))$";
identifier bad =~ "^(_*copy_(to|from)_(user|iter)(_.*)?|_*(get|put)_user|clear_user|copy_struct_from_user|memdup_user.*|bpf_prog_create_from_user|ptap_arg_(in|out)|ptap_filter_(load|make)|ptap_reader_put.*)$";
position p;
@@
take(...);
... when != drop(...)
    when any
bad@p(...)

@script:python@
p << locked.p;
take << locked.take;
bad << locked.bad;
@@
print("%s:%s: %s() after %s(): a user's memory is touched under a lock" % (p[0].file, p[0].line, bad, take))
