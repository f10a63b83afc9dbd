// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ring.pml - the ring protocol of module/ring_proto.h, for spin.
 *
 * A producer of PACKETS packets, each small or deferred as spin chooses, a
 * drainer and a reader, over a ring of SLOTS records and a queue of QUEUE
 * deferred packets: publishing, deferred filling, draining, and the overwriting
 * of memory that the reader gave back.  A record is one position long.  The
 * letters are those of ring_proto.h.
 *
 * Memory: a store goes into a queue of its process and reaches the others when
 * spin likes, in the order of the stores; who stored sees its own at once.  That
 * is x86.  A release in the sense of C is weaker only in that plain stores
 * between two releases may pass each other, which nobody can see here: all
 * that is read is read behind an acquire of the later release.
 *
 * Asserted: the reader finds in each record what belongs there, filled in; head
 * never goes back; what was promised to the drainer is there when it looks; at
 * the end everything is published.  Spin adds: nobody waits for ever.
 *
 * BREAK=N breaks one rule.  Each must make spin find an error, or the model shows
 * nothing (run.sh):
 *   1  the record is written after the queue entry's release (F)
 *   2  a small record behind a deferred one is published by the producer (B)
 *   3  settling loads pending (J) after the look at the queue (G)
 *   4  head (K) is stored before the packet is filled in
 *   5  the producer does not look at the reader's position (A)
 *   6  the reader gives memory back (D) before it has read it
 *   7  the producer does not look at done (E) before it takes an entry
 *   8  settling publishes pending without looking at the queue again
 */
#ifndef PACKETS
#define PACKETS	4
#endif
#ifndef BREAK
#define BREAK	0
#endif
#define SLOTS	2
#if BREAK == 7
#define QUEUE	1		/* shorter than what the ring holds */
#else
#define QUEUE	2
#endif

/* Memory: positions, then what is in slots and queue entries. */
#define HEAD	0
#define PENDING	1
#define QUEUED	2
#define DONE	3
#define TAIL	4
#define HEADER	5		/* + slot: number of its record, from 1 */
#define BODY	(HEADER + SLOTS)	/* + slot: the same, when filled in */
#define ENTRY	(BODY + SLOTS)	/* + entry: position of its record, from 1 */
#define WORDS	(ENTRY + QUEUE)

#define PRODUCER 0
#define DRAINER	1
#define READER	2

byte mem[WORDS];
chan stores[3] = [4] of { byte, byte };
byte own[3 * WORDS];		/* newest value stored by a process */
byte late[3 * WORDS];		/* how many of its stores are on their way */
byte packets;			/* handled by the producer */
byte written;			/* records among them */
bool produced;
bool drained;

#define load(p, word)	(late[(p) * WORDS + (word)] -> \
			 own[(p) * WORDS + (word)] : mem[word])

inline store(p, word, value)
{
	atomic {
		nfull(stores[p]);
		stores[p]!word, value;
		own[(p) * WORDS + (word)] = value;
		late[(p) * WORDS + (word)]++;
	}
}

proctype memory(byte p)
{
	byte word, value;

end:	do
	:: atomic {
		stores[p]?word, value;
		assert(word != HEAD || value >= mem[HEAD]);
		mem[word] = value;
		late[p * WORDS + word]--;
	   }
	od
}

proctype producer()
{
	byte pos, tail_seen, queued, done_seen;
	bool deferred;

	do
	:: packets < PACKETS ->
		packets++;
		/* ptap_prod_reserve() */
		if
		:: BREAK != 5 && pos + 1 - tail_seen > SLOTS ->
			tail_seen = load(PRODUCER, TAIL)		/* A */
		:: else
		fi;
		if
		:: BREAK != 5 && pos + 1 - tail_seen > SLOTS ->
			goto dropped
		:: else
		fi;
		/* ptap_hook_defer(), or the bytes at once */
		deferred = false;
		if
		:: true
		:: true ->
			if
			:: BREAK == 7 || queued == done_seen
			:: else -> done_seen = load(PRODUCER, DONE)	/* E */
			fi;
			deferred = (BREAK == 7 || queued - done_seen < QUEUE)
		fi;
		if
		:: BREAK != 1 ->
			store(PRODUCER, HEADER + pos % SLOTS, pos + 1)
		:: else
		fi;
		if
		:: deferred ->
			store(PRODUCER, ENTRY + queued % QUEUE, pos + 1);
			queued++;
			store(PRODUCER, QUEUED, queued)			/* F */
		:: else ->
			store(PRODUCER, BODY + pos % SLOTS, pos + 1)
		fi;
		if
		:: BREAK == 1 ->
			store(PRODUCER, HEADER + pos % SLOTS, pos + 1)
		:: else
		fi;
		/* ptap_prod_commit() */
		pos++;
		if
		:: queued != done_seen ->
			done_seen = load(PRODUCER, DONE)		/* E */
		:: else
		fi;
		if
		:: queued == done_seen || (BREAK == 2 && !deferred) ->
			store(PRODUCER, HEAD, pos)			/* B */
		:: else ->
			store(PRODUCER, PENDING, pos)			/* I */
		fi;
		written = pos;
dropped:	skip
	:: else -> break
	od;
	empty(stores[PRODUCER]);
	produced = true
}

/* ptap_ring_drain(): any number of times, and once when nothing more comes */
proctype drainer()
{
	byte done, queued, pending, head, at;
	bool last;

	do
	:: !last ->
		last = produced;
again:		queued = load(DRAINER, QUEUED);				/* G */
		do
		:: done != queued ->
			at = load(DRAINER, ENTRY + done % QUEUE);
			assert(at > 0 &&
			       load(DRAINER, HEADER + (at - 1) % SLOTS) == at);
			done++;
			if
			:: BREAK == 4 -> store(DRAINER, HEAD, at)
			:: else
			fi;
			store(DRAINER, BODY + (at - 1) % SLOTS, at);
			if
			:: BREAK != 4 -> store(DRAINER, HEAD, at)	/* K */
			:: else
			fi;
			store(DRAINER, DONE, done)			/* H */
		:: else -> break
		od;
		/* ptap_drain_settle() */
		if
		:: BREAK != 3 -> pending = load(DRAINER, PENDING)	/* J */
		:: else
		fi;
		queued = load(DRAINER, QUEUED);				/* G */
		if
		:: queued != done && BREAK != 8 -> goto again
		:: else
		fi;
		if
		:: BREAK == 3 -> pending = load(DRAINER, PENDING)
		:: else
		fi;
		head = load(DRAINER, HEAD);
		if
		:: pending > head ->
			empty(stores[DRAINER]);		/* cmpxchg() */
			atomic {
				if
				:: mem[HEAD] == head -> mem[HEAD] = pending
				:: else
				fi
			}
		:: else
		fi
	:: else -> break
	od;
	empty(stores[DRAINER]);
	assert(mem[HEAD] == written);
	drained = true
}

proctype reader()
{
	byte tail, head, last;

	do
	:: tail < load(READER, HEAD) ->
		head = load(READER, HEAD);				/* C */
		assert(head >= last);
		last = head;
		do
		:: tail < head ->
			if
			:: BREAK == 6 -> store(READER, TAIL, tail + 1)
			:: else
			fi;
			assert(load(READER, HEADER + tail % SLOTS) == tail + 1);
			assert(load(READER, BODY + tail % SLOTS) == tail + 1);
			tail++;
			if
			:: BREAK != 6 -> store(READER, TAIL, tail)	/* D */
			:: else
			fi
		:: else -> break
		od
	:: drained && tail == written -> break
	od
}

init {
	atomic {
		run memory(PRODUCER);
		run memory(DRAINER);
		run memory(READER);
		run producer();
		run drainer();
		run reader()
	}
}
