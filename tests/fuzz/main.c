// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * device [--calls N] [--seed N] [--programs FILE] [--replay FILE] [--round N]
 *	[--stop FILE]
 *
 * The fuzzer of /dev/tap: rounds of calls until there are N (default 5000).
 * Prints the seed, and TAP.  FILE gets what each thread is about to do, so that
 * it is known when the kernel died of it; --replay does that again, in as many
 * rounds as make N calls.  --round does only that round of a seed: where
 * nothing tells what is reached in the module it follows from the seed alone.
 * With --stop it ends early, after a round, when FILE is there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "fuzz.h"

#define ROUND_CALLS		1000U	/* of a thread: at most */
#define ROUND_SECONDS		600
#define STILL_MS		10

struct state *state;
__thread struct worker *worker;

static uint64_t seed;
static int programs = -1;	/* --programs */
static const struct program *replay;	/* one for each thread */

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

void fuzz_broken(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (__atomic_fetch_add(&state->broken, 1, __ATOMIC_RELAXED) < 20)
		say("broken: %s", text);
}

/* Memory that is not there, or not to be written: back to who touched it. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (worker && worker->jumping) {
		worker->jumping = false;
		siglongjmp(worker->jump, 1);
	}
	if (worker)
		state->crashed[worker->index] = (uintptr_t)info->si_addr | 1;
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_wake(int sig)
{
	(void)sig;
}

static void handlers(void)
{
	struct sigaction fault = {
		.sa_sigaction = on_fault,
		.sa_flags = SA_NODEFER | SA_SIGINFO,
	};
	struct sigaction wake = { .sa_handler = on_wake };

	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGUSR1, &wake, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static uint8_t *guarded(size_t size)
{
	uint8_t *p = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p + size, 4096, PROT_NONE);
	return p;
}

static void program_run(struct worker *w, const struct program *p)
{
	bool new = false;
	uint32_t i;

	if (programs >= 0 &&
	    pwrite(programs, p, sizeof(*p), w->index * sizeof(*p)) < 0)
		fuzz_broken("writing the programs: %s", strerror(errno));
	for (i = 0; i < p->nr; i++) {
		cover_begin(w);
		call_make(w, p->calls[i]);
		new |= cover_end(w);
	}
	if (new)
		corpus_add(p);
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;
	struct rng r = { w->seed };
	struct program p;

	worker = w;
	w->buf = guarded(BUF_SIZE);
	memset(w->buf, 0, BUF_SIZE);
	w->nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	cover_open(w);
	while (w->calls < w->left) {
		if (replay)
			p = replay[w->index];
		else
			corpus_pick(&r, &p);
		program_run(w, &p);
	}
	__atomic_store_n(&w->left, 0, __ATOMIC_RELEASE);
	return NULL;
}

/* Who sleeps in a call for long is woken by a signal. */
static void watch(struct worker *w, pthread_t *threads)
{
	struct timespec ms = { 0, STILL_MS * 1000000L };
	uint64_t was[THREADS] = { 0 };
	bool busy = true;
	uint32_t i;

	while (busy) {
		nanosleep(&ms, NULL);
		busy = false;
		for (i = 0; i < THREADS; i++) {
			if (!__atomic_load_n(&w[i].left, __ATOMIC_ACQUIRE))
				continue;
			busy = true;
			if (w[i].calls == was[i])
				pthread_kill(threads[i], SIGUSR1);
			was[i] = w[i].calls;
		}
	}
}

static void __attribute__((noreturn))
process_run(struct process *p, uint32_t index, uint64_t round_seed,
	    uint64_t calls)
{
	struct worker w[THREADS] = { 0 };
	pthread_t threads[THREADS];
	uint32_t i;

	handlers();
	p->sock = world_socket();
	mmap(ARENA, (CELLS + 4) * CELL, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
	for (i = 0; i < THREADS; i++) {
		w[i].p = p;
		w[i].index = index * THREADS + i;
		w[i].seed = round_seed + w[i].index;
		w[i].left = calls;
		if (pthread_create(&threads[i], NULL, worker_thread, &w[i]))
			_exit(1);
	}
	watch(w, threads);
	_exit(0);
}

/* The counters of a session have to add up, whatever was done to it. */
static void account(int fd)
{
	struct ptap_info info = { .size = sizeof(info) };
	uint64_t sum;
	uint32_t i, k;

	if (fd < 0 || ioctl(fd, PTAP_IOC_INFO, &info))
		return;
	if (info.state == PTAP_STATE_RUNNING)
		ioctl(fd, PTAP_IOC_STOP);
	for (i = 0; i < info.nr_rings; i++) {
		struct ptap_stats st = { .size = sizeof(st), .ring = i };

		if (ioctl(fd, PTAP_IOC_STATS, &st)) {
			fuzz_broken("STATS: %s", strerror(errno));
			continue;
		}
		sum = st.captured + st.filtered;
		for (k = 0; k < ARRAY_SIZE(st.dropped); k++)
			sum += st.dropped[k];
		if (st.seen != sum || st.consumed > st.captured ||
		    st.fill_faults)
			fuzz_broken("ring %u: seen %llu, accounted for %llu, consumed %llu of %llu, %llu faults",
				    i, (unsigned long long)st.seen,
				    (unsigned long long)sum,
				    (unsigned long long)st.consumed,
				    (unsigned long long)st.captured,
				    (unsigned long long)st.fill_faults);
	}
}

/*
 * A signal whose frame could not be written, because that was the copy that had
 * to fail, ends a process: that is no finding.  It never came to the handler,
 * and a thread of it had a fault to expect; every other SIGSEGV is a finding.
 */
static void process_ended(uint32_t index, int status)
{
	uint64_t crashed = 0;
	bool armed = false;
	uint32_t i;

	for (i = index * THREADS; i < (index + 1) * THREADS; i++) {
		armed |= state->armed[i];
		crashed |= state->crashed[i];
		state->armed[i] = false;
		state->crashed[i] = 0;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && armed &&
	    !crashed)
		state->frames++;
	else if (status)
		fuzz_broken("a process ended with status %#x, touched %#llx, %s",
			    status, (unsigned long long)crashed,
			    armed ? "a fault waited" : "no fault waited");
}

/* A round, in a process of its own, whose children end with it. */
static void __attribute__((noreturn)) round_run(uint64_t nr, uint64_t calls)
{
	struct rng r = { seed * 1000003 + nr };
	pid_t pids[PROCESSES], world[2];
	struct process p = { 0 };
	int mates[2], status;
	uint32_t i;

	if (unshare(CLONE_NEWNET) ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mates)) {
		fuzz_broken("no network namespace: %s", strerror(errno));
		_exit(1);
	}
	world_make();
	for (i = 0; i < SLOTS; i++)
		p.slots[i] = open(PTAP_DEVICE,
				  O_RDWR | O_CLOEXEC | O_NONBLOCK);
	for (i = 0; i < 2; i++) {
		world[i] = fork();
		if (!world[i])
			(i ? world_traffic : world_devices)(rng_next(&r));
	}
	for (i = 0; i < PROCESSES; i++) {
		p.mate = mates[i];
		pids[i] = fork();
		if (!pids[i])
			process_run(&p, i, rng_next(&r), calls);
	}
	for (i = 0; i < PROCESSES; i++)
		if (waitpid(pids[i], &status, 0) == pids[i])
			process_ended(i, status);
	for (i = 0; i < 2; i++) {
		kill(world[i], SIGKILL);
		waitpid(world[i], NULL, 0);
	}
	for (i = 0; i < SLOTS; i++)
		account(p.slots[i]);
	_exit(0);
}

static uint64_t calls_made(void)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < CALL_NR; i++)
		sum += __atomic_load_n(&state->count[i], __ATOMIC_RELAXED);
	return sum;
}

static void round_watch(uint64_t nr, uint64_t calls)
{
	struct timespec ms = { 0, 5000000 };
	struct timespec from, now;
	pid_t pid = fork();
	int status;

	if (!pid) {
		setpgid(0, 0);
		round_run(nr, calls);
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		nanosleep(&ms, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - from.tv_sec < ROUND_SECONDS)
			continue;
		fuzz_broken("round %llu hangs", (unsigned long long)nr);
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		return;
	}
	kill(-pid, SIGKILL);
	if (status)
		fuzz_broken("round %llu: status %#x", (unsigned long long)nr,
			    status);
}

static void report(void)
{
	uint32_t i, k;

	for (i = 0; i < CALL_NR; i++) {
		printf("# %-9s %8llu, of which %8llu succeeded", call_names[i],
		       (unsigned long long)state->count[i],
		       (unsigned long long)state->good[i]);
		for (k = 0; k < ERRNO_MAX; k++)
			if (state->errnos[i][k])
				printf(", %s:%llu", strerror(k),
				       (unsigned long long)state->errnos[i][k]);
		printf("\n");
	}
	say("%llu calls, %llu with a fault (%llu of them in a signal's frame), %llu places reached, %u programs kept",
	    (unsigned long long)calls_made(),
	    (unsigned long long)state->faults,
	    (unsigned long long)state->frames,
	    (unsigned long long)state->nr_cover, state->nr_corpus);
}

static const struct program *load(const char *name)
{
	struct program *p = calloc(PROCESSES * THREADS, sizeof(*p));
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, p, PROCESSES * THREADS * sizeof(*p)) <= 0) {
		fprintf(stderr, "device: %s: %m\n", name);
		exit(2);
	}
	close(fd);
	return p;
}

static void verdict(int nr, bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", nr, name);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "programs", required_argument, NULL, 'p' },
		{ "replay", required_argument, NULL, 'r' },
		{ "round", required_argument, NULL, 'n' },
		{ "stop", required_argument, NULL, 't' },
		{ 0 },
	};
	const char *stop = NULL;
	bool stopped = false;
	uint64_t calls = 5000, nr = 0, each, only = 0;
	int c;

	seed = time(NULL);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			calls = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			programs = open(optarg, O_RDWR | O_CREAT | O_CLOEXEC,
					0644);
			break;
		case 'r':
			replay = load(optarg);
			break;
		case 'n':
			only = strtoull(optarg, NULL, 0);
			break;
		case 't':
			stop = optarg;
			break;
		default:
			return 2;
		}
	}
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state == MAP_FAILED)
		return 1;
	say("seed %llu", (unsigned long long)seed);
	each = calls / (PROCESSES * THREADS);
	if (each > ROUND_CALLS)
		each = ROUND_CALLS;
	while (calls_made() < calls && state->broken < 20 && !stopped) {
		nr++;
		if (!only || nr == only)
			round_watch(nr, each);
		if (only && nr >= only)
			break;
		stopped = stop && !access(stop, F_OK);
		if (nr % 10 == 0 || stopped)
			say("round %llu: %llu calls, %llu places, %u programs",
			    (unsigned long long)nr,
			    (unsigned long long)calls_made(),
			    (unsigned long long)state->nr_cover,
			    state->nr_corpus);
	}
	report();
	verdict(1, calls_made() >= calls || only || stopped,
		stopped ? "calls were made until it was stopped" :
			  "all calls were made");
	verdict(2, !state->broken, "nothing broke, and the accounting held");
	printf("1..2\n");
	return state->broken != 0;
}
