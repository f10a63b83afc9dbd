/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * extcap.h - what the parts of ptap-extcap know of each other.
 *
 * ptap-extcap is what Wireshark and tshark run to list ptap's interfaces and to
 * capture from them; the protocol is extcap(4).  main.c reads the command line,
 * answers.c answers what is asked before a capture, capture.c captures into
 * Wireshark's pipe, control.c speaks with the toolbar of its window.
 *
 * Single-threaded.  What goes wrong is a sentence on standard error, which
 * Wireshark shows, and exit status 1.
 */
#ifndef EXTCAP_H
#define EXTCAP_H

#include <ptap.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define EXTCAP_PREFIX	"ptap-"		/* before an interface's name */
#define EXTCAP_ANY	"any"

/**
 * struct extcap - the command line
 * @iface: --extcap-interface without the prefix, or NULL
 * @filter: --extcap-capture-filter, or NULL
 * @fifo: --fifo, or NULL
 * @control_in: --extcap-control-in: from the toolbar, or NULL
 * @control_out: --extcap-control-out: to the toolbar, or NULL
 * @list: --extcap-interfaces
 * @dlts: --extcap-dlts
 * @config: --extcap-config
 * @capture: --capture
 * @snaplen: bytes, or 0
 * @ring_size: bytes, or 0
 * @direction: PTAP_DIR_* bits
 * @promisc: promiscuous mode
 * @meta: packets tell their direction
 * @clock_tsc: times from the TSC
 */
struct extcap {
	const char *iface;
	const char *filter;
	const char *fifo;
	const char *control_in;
	const char *control_out;
	bool list;
	bool dlts;
	bool config;
	bool capture;
	uint32_t snaplen;
	uint64_t ring_size;
	uint32_t direction;
	bool promisc;
	bool meta;
	bool clock_tsc;
};

/* answers.c */
void answer_interfaces(void);
void answer_dlts(const struct extcap *x);
void answer_config(void);
int answer_filter(const struct extcap *x);

/* capture.c */
int capture_run(const struct extcap *x);

/* control.c */
enum {
	CONTROL_FILTER	= 0,	/* the filter's line in the toolbar */
	CONTROL_LOG	= 1,	/* its button for messages */
};

/**
 * struct control - the toolbar
 * @in: its messages come here, or -1
 * @out: ours go here, or -1
 * @ready: it has told all that it shows
 * @buf: bytes of messages that are not complete
 * @len: their number
 */
struct control {
	int in;
	int out;
	bool ready;
	uint8_t buf[8192];
	size_t len;
};

int control_open(struct control *c, const struct extcap *x);
void control_close(struct control *c);
void control_show_filter(const struct control *c, const char *filter);
void control_log(const struct control *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void control_warn(const struct control *c, const char *text);
char *control_next_filter(struct control *c);

#endif /* EXTCAP_H */
