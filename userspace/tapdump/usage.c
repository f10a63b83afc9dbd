// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * usage.c - help, version, and how tapdump complains.
 */
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "tapdump.h"

/* Fits a screen of 24 lines; the man page has the rest. */
static const char usage_text[] =
"Usage: tapdump [OPTION]... [FILTER EXPRESSION]    Options are tcpdump's.\n"
"What     -i IFACE or any, may be repeated  -D list them  -Q in|out|inout\n"
"         -s BYTES of a packet  -c COUNT end after  -F FILE filter expression\n"
"         -y LINKTYPE  -j STAMPTYPE  -L or -J list them  -p not promiscuous\n"
"         -O filter programs as they are, not optimized\n"
"Where    -w FILE or - ; without it tcpdump prints  --print both  --count only\n"
"         count  --pcapng  --nano  --micro the default, --time-stamp-precision=\n"
"         -U at once, as always  -Z USER become USER\n"
"Files    -C SIZE next file: millions of bytes, or k, m, g  -G SECONDS next file\n"
"         -W COUNT with -C: go round, with -G: end  -z COMMAND on each file,\n"
"         --jobs=N at a time  --ring-buffer=NAME:VALUE next file by filesize,\n"
"         duration, interval, packets; keep files, total, disk  --part --no-part\n"
"         --autostop=NAME:VALUE end by filesize, duration, files, packets\n"
"         --on-full=stop|wait|ring  --compress=zstd|lz4|gzip or zstd:LEVEL\n"
"How      -B KIB ring of each CPU  --copybreak=BYTES clone larger packets\n"
"         --clock=host|tsc  --immediate-mode wake for each  --read not mapped\n"
"Truth    --meta=LIST what pcapng tells: none, light, all, or of flags, drops,\n"
"         id, queue, hash, host, stats=SECONDS  --verify FILE... complete?\n"
"         --stats=json[=SECONDS][,FILE] or prometheus=FILE, or none on a terminal\n"
"Ask      --list-sessions who captures  -d show the filter program, -dd, -ddd\n"
"         -r FILE or -V FILE read files, with tcpdump  -h or --help  --version\n"
"Print    passed to tcpdump: -AbegHKlnNqStuvxX#EmMT\n"
"Signals  INT, TERM end properly  USR1 print the counts  HUP next file\n"
"Example  tapdump -i eth0 -w web.pcap tcp port 443\n";

void usage_print(int to_stderr)
{
	fputs(usage_text, to_stderr ? stderr : stdout);
}

void version_print(void)
{
	printf("tapdump version %s\n%s\n", ptap_version(), pcap_lib_version());
}

void complain(const char *fmt, ...)
{
	va_list ap;

	meters_clear();
	fputs("tapdump: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void die(const char *fmt, ...)
{
	va_list ap;

	meters_clear();
	fputs("tapdump: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}
