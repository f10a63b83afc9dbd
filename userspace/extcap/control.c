// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * control.c - the toolbar that Wireshark's window has for ptap's interfaces.
 *
 * Two pipes with messages: 'T', the length of the rest in three bytes, highest
 * first, the number of the control, a command, its text.  When a capture starts
 * the toolbar tells what it shows, then that it is ready; later what the user
 * changes.  Nothing here blocks: a toolbar that does not listen misses
 * messages.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "extcap.h"

#define HEADER	6

enum command {
	COMMAND_INITIALIZED	= 0,
	COMMAND_SET		= 1,
	COMMAND_ADD		= 2,
	COMMAND_STATUSBAR	= 6,
	COMMAND_WARNING		= 8,
};

/* Opened for both directions, a FIFO waits for nobody and never ends. */
static int open_pipe(const char *path)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		warn("cannot open the toolbar's pipe %s", path);
	return fd;
}

/* A message raises SIGIO, which ends the wait for packets. */
int control_open(struct control *c, const struct extcap *x)
{
	c->len = 0;
	c->ready = false;
	c->in = open_pipe(x->control_in);
	c->out = open_pipe(x->control_out);
	if (c->in < 0)
		return 0;
	if (fcntl(c->in, F_SETOWN, getpid()) ||
	    fcntl(c->in, F_SETFL, O_NONBLOCK | O_ASYNC)) {
		warn("cannot watch the toolbar's pipe");
		return -1;
	}
	return 0;
}

void control_close(struct control *c)
{
	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0)
		close(c->out);
	c->in = -1;
	c->out = -1;
}

static void send_text(const struct control *c, uint8_t number,
		      enum command command, const char *text)
{
	uint8_t buf[HEADER + 2048];
	size_t len = strnlen(text, sizeof(buf) - HEADER);

	if (c->out < 0)
		return;
	buf[0] = 'T';
	buf[1] = 0;
	buf[2] = (len + 2) >> 8;
	buf[3] = (len + 2) & 0xff;
	buf[4] = number;
	buf[5] = command;
	memcpy(buf + HEADER, text, len);
	/* A message is smaller than PIPE_BUF: all of it or nothing. */
	if (write(c->out, buf, HEADER + len) < 0 && errno != EAGAIN)
		warn("cannot write to the toolbar");
}

void control_show_filter(const struct control *c, const char *filter)
{
	send_text(c, CONTROL_FILTER, COMMAND_SET, filter);
}

/* A line for the status bar, and for the log. */
void control_log(const struct control *c, const char *fmt, ...)
{
	char text[1024];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	send_text(c, CONTROL_LOG, COMMAND_STATUSBAR, text);
	len = strlen(text);
	text[len] = '\n';
	text[len + 1] = '\0';
	send_text(c, CONTROL_LOG, COMMAND_ADD, text);
}

void control_warn(const struct control *c, const char *text)
{
	send_text(c, CONTROL_FILTER, COMMAND_WARNING, text);
	control_log(c, "%s", text);
}

/* The first whole message of the buffer, or 0 bytes. */
static size_t message_len(struct control *c)
{
	size_t len;

	while (c->len && c->buf[0] != 'T')
		memmove(c->buf, c->buf + 1, --c->len);
	if (c->len < HEADER)
		return 0;
	len = 4 + ((size_t)c->buf[1] << 16 | c->buf[2] << 8 | c->buf[3]);
	if (len < HEADER || len > sizeof(c->buf)) {
		c->len = 0;		/* not what the protocol says */
		return 0;
	}
	return len <= c->len ? len : 0;
}

/* The filter that a message sets, or NULL. */
static char *filter_of(struct control *c, size_t len)
{
	if (c->buf[5] == COMMAND_INITIALIZED)
		c->ready = true;
	if (c->buf[4] != CONTROL_FILTER || c->buf[5] != COMMAND_SET)
		return NULL;
	/* An empty line from the start is not a wish for everything. */
	if (!c->ready && len == HEADER)
		return NULL;
	return strndup((char *)c->buf + HEADER, len - HEADER);
}

/**
 * control_next_filter - the filter that the user wants from now on
 * @c: toolbar
 *
 * Return: the expression, to be freed; NULL if there is no other.
 */
char *control_next_filter(struct control *c)
{
	char *filter = NULL;
	ssize_t n;
	size_t len;

	if (c->in < 0)
		return NULL;
	do {
		while (!filter && (len = message_len(c))) {
			filter = filter_of(c, len);
			memmove(c->buf, c->buf + len, c->len - len);
			c->len -= len;
		}
		if (filter)
			break;
		n = read(c->in, c->buf + c->len, sizeof(c->buf) - c->len);
		if (n > 0)
			c->len += n;
	} while (n > 0);
	return filter;
}
