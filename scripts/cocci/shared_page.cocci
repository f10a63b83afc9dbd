// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The reader's page can change between any two loads: its members are loaded
// and stored by the macros that do it once, and never used in place.

@once@
struct ptap_ring_consumer *con;
identifier member;
position p;
@@
(
  READ_ONCE(con->member@p)
|
  WRITE_ONCE(con->member@p, ...)
|
  smp_load_acquire(&con->member@p)
|
  smp_store_release(&con->member@p, ...)
)

@bare@
struct ptap_ring_consumer *con;
identifier member;
position p != once.p;
@@
  con->member@p

@script:python@
p << bare.p;
member << bare.member;
@@
print("%s:%s: %s of the reader's page is used without READ_ONCE() or the like" % (p[0].file, p[0].line, member))
