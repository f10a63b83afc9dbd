/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints ptap:*, for perf, ftrace and bpftrace.
 *
 * None stands where every packet passes: a packet that is lost, that is kept as
 * a clone, a reader that is woken, clones that are copied.  Switched off, each
 * is a jump that is patched out.  "owner" is the process that opened the device,
 * in the initial PID namespace, and "ring" the number of the ring and its CPU.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ptap

#if !defined(PTAP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PTAP_TRACE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include <linux/ptap.h>
#include "ring.h"

TRACE_DEFINE_ENUM(PTAP_DROP_RING_FULL);
TRACE_DEFINE_ENUM(PTAP_DROP_TOO_BIG);
TRACE_DEFINE_ENUM(PTAP_DROP_MALFORMED);
TRACE_DEFINE_ENUM(PTAP_DROP_COPY_FAULT);
TRACE_DEFINE_ENUM(PTAP_DROP_NESTED);
TRACE_DEFINE_ENUM(PTAP_DROP_BAD_CONSUMER);
TRACE_DEFINE_ENUM(PTAP_DROP_NO_MEMORY);
TRACE_DEFINE_ENUM(PTAP_DROP_LINKTYPE);

#define ptap_trace_reason(reason)					\
	__print_symbolic(reason,					\
			 { PTAP_DROP_RING_FULL, "ring_full" },		\
			 { PTAP_DROP_TOO_BIG, "too_big" },		\
			 { PTAP_DROP_MALFORMED, "malformed" },		\
			 { PTAP_DROP_COPY_FAULT, "copy_fault" },	\
			 { PTAP_DROP_NESTED, "nested" },		\
			 { PTAP_DROP_BAD_CONSUMER, "bad_consumer" },	\
			 { PTAP_DROP_NO_MEMORY, "no_memory" },		\
			 { PTAP_DROP_LINKTYPE, "linktype" })

/* A packet that was wanted is not in the ring. */
TRACE_EVENT(ptap_drop,
	TP_PROTO(const struct ptap_ring *r, const struct sk_buff *skb,
		 u32 reason),
	TP_ARGS(r, skb, reason),
	TP_STRUCT__entry(
		__field(u32, owner)
		__field(u32, ring)
		__field(u32, reason)
		__field(u32, len)
		__array(char, dev, IFNAMSIZ)
	),
	TP_fast_assign(
		__entry->owner = r->owner;
		__entry->ring = r->ctl->ring;
		__entry->reason = reason;
		__entry->len = skb->len;
		memset(__entry->dev, 0, IFNAMSIZ);
		if (skb->dev)
			memcpy(__entry->dev, skb->dev->name, IFNAMSIZ - 1);
	),
	TP_printk("owner=%u ring=%u dev=%s len=%u reason=%s",
		  __entry->owner, __entry->ring, __entry->dev, __entry->len,
		  ptap_trace_reason(__entry->reason))
);

/* A sleeping reader is woken: by a packet, or by the flush timer. */
TRACE_EVENT(ptap_wake,
	TP_PROTO(const struct ptap_ring *r, u64 bytes, bool flush),
	TP_ARGS(r, bytes, flush),
	TP_STRUCT__entry(
		__field(u64, bytes)
		__field(u32, owner)
		__field(u32, ring)
		__field(u8, flush)
	),
	TP_fast_assign(
		__entry->bytes = bytes;
		__entry->owner = r->owner;
		__entry->ring = r->ctl->ring;
		__entry->flush = flush;
	),
	TP_printk("owner=%u ring=%u bytes=%llu by=%s", __entry->owner,
		  __entry->ring, __entry->bytes,
		  __entry->flush ? "timer" : "watermark")
);

/* A packet is kept as a clone; "waiting" are not filled in, this one too. */
TRACE_EVENT(ptap_defer,
	TP_PROTO(const struct ptap_ring *r, u32 len),
	TP_ARGS(r, len),
	TP_STRUCT__entry(
		__field(u32, owner)
		__field(u32, ring)
		__field(u32, len)
		__field(u32, waiting)
	),
	TP_fast_assign(
		__entry->owner = r->owner;
		__entry->ring = r->ctl->ring;
		__entry->len = len;
		__entry->waiting = r->prod.queued - READ_ONCE(r->deferq.done);
	),
	TP_printk("owner=%u ring=%u len=%u waiting=%u", __entry->owner,
		  __entry->ring, __entry->len, __entry->waiting)
);

/* Clones have been copied into their records. */
TRACE_EVENT(ptap_drain,
	TP_PROTO(const struct ptap_ring *r, u64 filled),
	TP_ARGS(r, filled),
	TP_STRUCT__entry(
		__field(u64, filled)
		__field(u32, owner)
		__field(u32, ring)
	),
	TP_fast_assign(
		__entry->filled = filled;
		__entry->owner = r->owner;
		__entry->ring = r->ctl->ring;
	),
	TP_printk("owner=%u ring=%u filled=%llu", __entry->owner,
		  __entry->ring, __entry->filled)
);

#endif /* PTAP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
