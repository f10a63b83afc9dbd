// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * signals.c - what the user wants while packets are captured.
 *
 * Handlers take a note and write to a descriptor that the main loop sleeps on,
 * so none is slept through, and nobody blocks signals around each sleep.  The
 * second of a kind that ends a capture is not handled: it ends the program at
 * once.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tapdump.h"

static volatile sig_atomic_t wish_stop, wish_info, wish_child, wish_turn;
static volatile sig_atomic_t stopping;	/* and stays so */
static int waker = -1;

/* Ends a sleep, this one or the next. */
static void wake(void)
{
	int err = errno;

	if (eventfd_write(waker, 1))
		errno = err;
}

static void on_stop(int sig)
{
	(void)sig;
	wish_stop = 1;
	stopping = 1;
	wake();
}

/*
 * Not when it comes from a write of ours: write() says it too, and that nobody
 * reads the messages any more is no reason to lose packets.
 */
static void on_pipe(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_pid != getpid())
		on_stop(sig);
}

static void on_info(int sig)
{
	(void)sig;
	wish_info = 1;
	wake();
}

static void on_child(int sig)
{
	(void)sig;
	wish_child = 1;
	wake();
}

static void on_turn(int sig)
{
	(void)sig;
	wish_turn = 1;
	wake();
}

/* Everything is written as soon as it has been taken: nothing is left to do. */
static void on_flush(int sig)
{
	(void)sig;
}

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

static void handle_pipe(void)
{
	struct sigaction sa = {
		.sa_sigaction = on_pipe,
		.sa_flags = SA_SIGINFO | SA_RESTART,
	};

	sigemptyset(&sa.sa_mask);
	sigaction(SIGPIPE, &sa, NULL);
}

static bool is_ignored(int sig)
{
	struct sigaction sa;

	return !sigaction(sig, NULL, &sa) && sa.sa_handler == SIG_IGN;
}

/* @turns: SIGHUP begins the next file, and does not end the capture */
void signals_init(bool turns)
{
	waker = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (waker < 0)
		die("cannot prepare for signals: %s", strerror(errno));
	handle(SIGINT, on_stop, SA_RESETHAND);
	handle(SIGTERM, on_stop, SA_RESETHAND);
	handle_pipe();
	signal(SIGXFSZ, SIG_IGN);	/* write() says it too */
	if (turns && !is_ignored(SIGHUP))
		handle(SIGHUP, on_turn, SA_RESTART);
	else if (!is_ignored(SIGHUP))
		handle(SIGHUP, on_stop, SA_RESETHAND);
	handle(SIGUSR1, on_info, SA_RESTART);
	handle(SIGUSR2, on_flush, SA_RESTART);
	handle(SIGCHLD, on_child, SA_NOCLDSTOP | SA_RESTART);
}

/* The wishes among @wishes that came since they were last taken. */
unsigned int signals_take(unsigned int wishes)
{
	unsigned int taken = 0;

	if (wishes & WISH_STOP && wish_stop) {
		wish_stop = 0;
		taken |= WISH_STOP;
	}
	if (wishes & WISH_INFO && wish_info) {
		wish_info = 0;
		taken |= WISH_INFO;
	}
	if (wishes & WISH_CHILD && wish_child) {
		wish_child = 0;
		taken |= WISH_CHILD;
	}
	if (wishes & WISH_TURN && wish_turn) {
		wish_turn = 0;
		taken |= WISH_TURN;
	}
	return taken;
}

/* The capture was ended; there is no waiting for something else any more. */
bool signals_wish_stop(void)
{
	return stopping;
}

/*
 * Sleep until there are packets, nobody reads @reader any more (-EPIPE, also
 * when no packet comes that could not be written; -1: whatever), or there is a
 * wish (-EINTR, at once if there was one since the last sleep).
 */
int signals_wait(struct ptap *tap, int reader, int timeout_ms)
{
	struct pollfd others[] = {
		{ .fd = waker, .events = POLLIN },
		{ .fd = reader },
	};
	eventfd_t count;
	int ret;

	ret = ptap_wait_any(tap, others, 2, timeout_ms, NULL);
	if (ret <= 0)
		return ret;
	if (others[0].revents) {
		eventfd_read(waker, &count);
		return -EINTR;
	}
	return others[1].revents & (POLLERR | POLLHUP) ? -EPIPE : ret;
}
