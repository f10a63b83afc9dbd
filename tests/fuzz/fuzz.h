/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The fuzzer of /dev/tap, and what its parts share.
 *
 * A call is a number of 64 bits: its upper byte chooses what is called, the
 * whole of it, as the seed of a generator, all arguments (calls.c, args.c).  A
 * program is a list of calls; programs are made at random, or from those that
 * have reached something new in the module, where the kernel tells (cover.c).
 *
 * A round is a network namespace with traffic and with devices that come and go
 * (world.c), sessions, and workers: two processes with two threads each, which
 * work programs off on the same sessions.  At its end the sessions' accounting
 * has to add up.  What else can go wrong is the kernel's to tell.
 */
#ifndef PTAP_FUZZ_H
#define PTAP_FUZZ_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ptap.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define SLOTS		4U		/* sessions of a process */
#define PROCESSES	2U
#define THREADS		2U		/* of a process */
#define PROGRAM_MAX	48U
#define CORPUS_MAX	4096U
#define COVER_BITS	16
#define ERRNO_MAX	600U		/* more than a user may ever see */

/* Where mappings go: nothing else is there that could be hit. */
#define CELL		(1UL << 20)
#define CELLS		12U
#define ARENA		((uint8_t *)0x200000000000UL)

struct program {
	uint32_t nr;
	uint64_t calls[PROGRAM_MAX];
};

enum call {
	CALL_OPEN, CALL_CLOSE, CALL_DUP, CALL_INFO, CALL_SETUP, CALL_FILTER,
	CALL_START, CALL_STOP, CALL_DRAIN, CALL_SYNC, CALL_IFACE, CALL_PREAMBLE,
	CALL_STATS, CALL_LOCK, CALL_IOCTL, CALL_MMAP, CALL_MUNMAP, CALL_MREMAP,
	CALL_MPROTECT, CALL_MADVISE, CALL_TOUCH, CALL_SCRIBBLE, CALL_READ,
	CALL_READV, CALL_OTHER, CALL_POLL, CALL_FCNTL, CALL_FORK, CALL_PASS,
	CALL_TAKE, CALL_PIN, CALL_SEND, CALL_PROC, CALL_NR
};

/**
 * struct state - shared by all processes of all rounds
 * @count: calls made, by what was called
 * @good: of these, those that did not fail
 * @errnos: how the others failed
 * @faults: system calls in which an allocation was made to fail
 * @frames: processes that ended because a signal's frame could not be written
 * @armed: by worker, a fault waits for it
 * @crashed: by worker, it touched what is not there and did not mean to: where,
 *	with bit 0 set
 * @broken: findings
 * @cover: addresses that were reached, as bits of their hash
 * @nr_cover: bits set
 * @nr_corpus: programs in @corpus; taken with an atomic addition
 * @corpus: programs that reached something new
 */
struct state {
	uint64_t count[CALL_NR];
	uint64_t good[CALL_NR];
	uint64_t errnos[CALL_NR][ERRNO_MAX];
	uint64_t faults;
	uint64_t frames;
	bool armed[PROCESSES * THREADS];
	uint64_t crashed[PROCESSES * THREADS];
	uint64_t broken;
	uint8_t cover[1 << COVER_BITS];
	uint64_t nr_cover;
	uint32_t nr_corpus;
	struct program corpus[CORPUS_MAX];
};

extern struct state *state;

/* A generator: splitmix64. */
struct rng {
	uint64_t s;
};

uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);
/* True once in @n times. */
bool rng_once(struct rng *r, uint32_t n);

/**
 * struct process - what the threads of a process share, without a lock
 * @slots: sessions, or -1
 * @offsets: what a cell was mapped from, to know what may be found there
 * @mate: socket to the other process, for passing descriptors
 * @sock: packet socket
 */
struct process {
	int slots[SLOTS];
	uint64_t offsets[CELLS];
	int mate;
	int sock;
};

/**
 * struct worker - a thread
 * @p: its process
 * @calls: calls made
 * @nth_fd: to make allocations fail, or -1
 * @kcov: addresses reached, or NULL
 * @jump: where a hit into unmapped memory ends
 * @jumping: @jump is set
 * @buf: BUF_SIZE bytes for reads and structures, and behind them a page that
 *	is not there
 * @left: calls to make; 0 when it is done
 * @seed: of its programs
 * @index: of all threads of the round
 * @slot: the session that it is mostly busy with
 * @cell: the mapping that it is mostly busy with
 */
struct worker {
	struct process *p;
	uint64_t calls;
	int nth_fd;
	uint64_t *kcov;
	sigjmp_buf jump;
	volatile bool jumping;
	uint8_t *buf;
	uint64_t left;
	uint64_t seed;
	uint32_t index;
	uint32_t slot;
	uint32_t cell;
};

#define BUF_SIZE	(1U << 18)

extern __thread struct worker *worker;

void fuzz_broken(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* calls.c */
extern const char *const call_names[CALL_NR];
uint64_t call_random(struct rng *r);
void call_make(struct worker *w, uint64_t call);

/* fault.c */
bool fault_arm(struct worker *w, struct rng *r);
void fault_disarm(struct worker *w);

/* args.c: arguments of ioctl(); each returns a pointer for it */
void *arg_setup(struct worker *w, struct rng *r);
void *arg_filter(struct worker *w, struct rng *r);
void *arg_sized(struct worker *w, struct rng *r, const void *arg,
		uint32_t size);
uint32_t arg_u32(struct rng *r, const uint32_t *good, uint32_t nr);
uint64_t arg_pointer(struct worker *w, struct rng *r, void *good);

/* cover.c */
void cover_open(struct worker *w);
void cover_begin(struct worker *w);
/* Something new? */
bool cover_end(struct worker *w);
void corpus_add(const struct program *p);
/* A program: new, or made from one of the corpus. */
void corpus_pick(struct rng *r, struct program *p);

/* world.c */
void world_make(void);
int world_socket(void);
long world_send(int sock, struct rng *r);
void world_traffic(uint64_t seed) __attribute__((noreturn));
void world_devices(uint64_t seed) __attribute__((noreturn));

#endif /* PTAP_FUZZ_H */
