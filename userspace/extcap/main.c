// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * main.c - ptap-extcap: ptap's interfaces in Wireshark and tshark.
 *
 * The command line, which Wireshark writes.  Options that a newer Wireshark
 * might add are not refused.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "extcap.h"

enum {
	OPT_INTERFACES = 256,
	OPT_VERSION,
	OPT_INTERFACE,
	OPT_DLTS,
	OPT_CONFIG,
	OPT_CAPTURE,
	OPT_FILTER,
	OPT_FIFO,
	OPT_CONTROL_IN,
	OPT_CONTROL_OUT,
	OPT_SNAPLEN,
	OPT_BUFFER,
	OPT_DIRECTION,
	OPT_PROMISC,
	OPT_META,
	OPT_CLOCK,
};

static const struct option long_options[] = {
	{ "extcap-interfaces", no_argument, NULL, OPT_INTERFACES },
	{ "extcap-version", optional_argument, NULL, OPT_VERSION },
	{ "extcap-interface", required_argument, NULL, OPT_INTERFACE },
	{ "extcap-dlts", no_argument, NULL, OPT_DLTS },
	{ "extcap-config", no_argument, NULL, OPT_CONFIG },
	{ "extcap-capture-filter", required_argument, NULL, OPT_FILTER },
	{ "extcap-control-in", required_argument, NULL, OPT_CONTROL_IN },
	{ "extcap-control-out", required_argument, NULL, OPT_CONTROL_OUT },
	{ "capture", no_argument, NULL, OPT_CAPTURE },
	{ "fifo", required_argument, NULL, OPT_FIFO },
	{ "snaplen", required_argument, NULL, OPT_SNAPLEN },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "direction", required_argument, NULL, OPT_DIRECTION },
	{ "promisc", required_argument, NULL, OPT_PROMISC },
	{ "meta", required_argument, NULL, OPT_META },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char usage_text[] =
"Usage: ptap-extcap --extcap-interfaces\n"
"       ptap-extcap --extcap-interface=ptap-IFACE --extcap-dlts\n"
"       ptap-extcap --extcap-interface=ptap-IFACE --extcap-config\n"
"       ptap-extcap --extcap-interface=ptap-IFACE --extcap-capture-filter=FILTER\n"
"       ptap-extcap --extcap-interface=ptap-IFACE --capture --fifo=FILE [OPTION]...\n"
"\n"
"Run by Wireshark and tshark, which list ptap's interfaces when this program is\n"
"in their folder extcap (Help, About, Folders). To try it:\n"
"\n"
"  tshark -i ptap-any\n"
"\n"
"  --snaplen=BYTES      bytes of a packet, at most\n"
"  --buffer=KIB         size of each CPU's ring\n"
"  --direction=WHICH    in, out or inout\n"
"  --promisc=true|false promiscuous mode\n"
"  --meta=true|false    the direction of each packet\n"
"  --clock=host|tsc     where time stamps come from\n";

static uint64_t number(const char *what, const char *text, uint64_t max)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (!*text || *text == '-' || *end || v > max)
		errx(1, "%s is a number up to %llu, not %s", what,
		     (unsigned long long)max, text);
	return v;
}

static uint32_t direction(const char *text)
{
	if (!strcmp(text, "in"))
		return PTAP_DIR_IN;
	if (!strcmp(text, "out"))
		return PTAP_DIR_OUT;
	return PTAP_DIR_IN | PTAP_DIR_OUT;
}

static const char *iface(const char *text)
{
	size_t len = strlen(EXTCAP_PREFIX);

	if (strncmp(text, EXTCAP_PREFIX, len) != 0 || !text[len])
		errx(1, "there is no interface %s; --extcap-interfaces lists them",
		     text);
	return text + len;
}

/* What the dialog has, and the command line without Wireshark. */
static void parse_setting(struct extcap *x, int c)
{
	switch (c) {
	case OPT_SNAPLEN:
		x->snaplen = number("the snapshot length", optarg,
				    PTAP_SNAPLEN_MAX);
		break;
	case OPT_BUFFER:
		x->ring_size = number("the buffer size in KiB", optarg,
				      1 << 20) << 10;
		break;
	case OPT_DIRECTION:
		x->direction = direction(optarg);
		break;
	case OPT_PROMISC:
		x->promisc = !strcmp(optarg, "true");
		break;
	case OPT_META:
		x->meta = !strcmp(optarg, "true");
		break;
	case OPT_CLOCK:
		x->clock_tsc = !strcmp(optarg, "tsc");
		break;
	}
}

static void parse(struct extcap *x, int c)
{
	switch (c) {
	case OPT_INTERFACES:
		x->list = true;
		break;
	case OPT_INTERFACE:
		x->iface = iface(optarg);
		break;
	case OPT_DLTS:
		x->dlts = true;
		break;
	case OPT_CONFIG:
		x->config = true;
		break;
	case OPT_CAPTURE:
		x->capture = true;
		break;
	case OPT_FILTER:
		x->filter = optarg;
		break;
	case OPT_FIFO:
		x->fifo = optarg;
		break;
	case OPT_CONTROL_IN:
		x->control_in = optarg;
		break;
	case OPT_CONTROL_OUT:
		x->control_out = optarg;
		break;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		parse_setting(x, c);
	}
}

int main(int argc, char **argv)
{
	struct extcap x = { .promisc = true };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		parse(&x, c);
	if (x.list) {
		answer_interfaces();
		return 0;
	}
	if (!x.iface) {
		fputs(usage_text, stderr);
		return 1;
	}
	if (x.dlts)
		answer_dlts(&x);
	else if (x.config)
		answer_config();
	else if (x.capture)
		return capture_run(&x);
	else if (x.filter)
		return answer_filter(&x);
	return 0;
}
