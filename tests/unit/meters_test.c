// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What those who watch a capture are told: the same sample as JSON, for
 * Prometheus, and as a line on the terminal.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../../userspace/tapdump/meters_json.c"
#include "../../userspace/tapdump/meters_line.c"
#include "../../userspace/tapdump/meters_prom.c"
#include "tap.h"

static struct ptap_stats cpus[2] = {
	{
		.seen = 1010, .filtered = 10, .captured = 990,
		.dropped = {
			[PTAP_DROP_RING_FULL] = 7, [PTAP_DROP_NESTED] = 3,
		},
		.captured_bytes = 99000, .consumed = 980,
		.consumed_bytes = 98000, .high_water = 4096,
	},
	{ .seen = 1, .captured = 1, .captured_bytes = 100, .consumed = 1,
	  .consumed_bytes = 100, .high_water = 100 },
};

static struct sample sample(void)
{
	struct sample s = {
		.time_ns = 1700000000123456789, .elapsed_ns = 2000000005,
		.ifaces = "eth0, a\"b\\c", .file = "x.pcapng", .written = 981,
		.ring_size = 4096, .cpu = cpus, .nr_cpus = 2,
		.total = cpus[0],
	};

	s.total.seen++;
	s.total.captured++;
	s.total.captured_bytes += 100;
	s.total.consumed++;
	s.total.consumed_bytes += 100;
	return s;
}

static void json(void)
{
	static const char want[] =
		"{\"time\":1700000000.123456789,\"elapsed\":2.000000005,"
		"\"end\":false,\"interfaces\":\"eth0, a\\\"b\\\\c\","
		"\"file\":\"x.pcapng\",\"packets_captured\":981,"
		"\"packets_received_by_filter\":1001,"
		"\"packets_dropped_by_kernel\":10,\"ring_size\":4096,"
		"\"seen\":1011,\"filtered\":10,\"captured\":991,"
		"\"dropped\":{\"ring_full\":7,\"too_big\":0,\"malformed\":0,"
		"\"copy_fault\":0,\"nested\":3,\"bad_consumer\":0,"
		"\"no_memory\":0,\"linktype\":0},\"captured_bytes\":99100,"
		"\"lag_packets\":10,\"lag_bytes\":1000,\"high_water\":4096,"
		"\"cpus\":[{\"cpu\":0,\"seen\":1010,";
	struct sample s = sample();
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	meters_json(f, &s);
	s.end = true;
	s.file = NULL;
	meters_json(f, &s);
	fclose(f);
	TAP_CHECK(!strncmp(text, want, strlen(want)));
	TAP_CHECK(strstr(text, "\"high_water\":100}]}\n{\"time\""));
	TAP_CHECK(strstr(text, "\"end\":true,"));
	TAP_CHECK(text[len - 1] == '\n');
	if (tap_has_failed())
		tap_note("%s", text);
	free(text);
}

static void prometheus(void)
{
	char path[64], text[16384];
	struct sample s = sample();
	struct stat st;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/ptap-prom.%d", (int)getpid());
	f = fopen(path, "we");
	fclose(f);
	chmod(path, 0600);
	TAP_CHECK(!meters_prom(path, &s));
	f = fopen(path, "re");
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	fclose(f);
	TAP_CHECK(strstr(text, "# TYPE ptap_packets_dropped_total counter\n"));
	TAP_CHECK(strstr(text, "\nptap_capture_running{interface=\"eth0, a\\\"b\\\\c\"} 1\n"));
	TAP_CHECK(strstr(text, "\",cpu=\"0\",cause=\"nested\"} 3\n"));
	TAP_CHECK(strstr(text, "\",cpu=\"1\"} 100\n"));
	TAP_CHECK(strstr(text, "ptap_ring_fill_bytes{interface=\"eth0, a\\\"b\\\\c\",cpu=\"0\"} 1000\n"));
	/* Another file in its place: it was renamed. */
	TAP_CHECK(!stat(path, &st) && (st.st_mode & 0777) != 0600);
	unlink(path);
	TAP_CHECK(meters_prom("/nonesuch/x", &s) == -ENOENT);
}

static void line(void)
{
	struct meters_line l = { 0 };
	struct sample s = sample();
	char text[256];

	meters_line_text(&l, &s, 12300000000, text, sizeof(text));
	TAP_CHECK(!strcmp(text, "981 packets, 0 /s, 0.0 MB/s, 10 dropped (ring full), ring 24 %, x.pcapng, 12.3 GB left"));
	if (tap_has_failed())
		tap_note("%s", text);
	s.time_ns += 2000000000;
	s.written += 90000;
	s.total.consumed_bytes += 5000000;
	memset(s.total.dropped, 0, sizeof(s.total.dropped));
	meters_line_text(&l, &s, NO_DISK, text, sizeof(text));
	TAP_CHECK(!strcmp(text, "90981 packets, 45.0 k/s, 2.5 MB/s, 0 dropped, ring 24 %, x.pcapng"));
	if (tap_has_failed())
		tap_note("%s", text);
}

static const struct tap_test tests[] = {
	{ "JSON", json },
	{ "Prometheus", prometheus },
	{ "the line on the terminal", line },
};

int main(void)
{
	return TAP_RUN(tests);
}
