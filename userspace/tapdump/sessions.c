// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sessions.c - who captures now (--list-sessions).
 *
 * The module says it in /proc/net/ptap, a line for each session of the network
 * namespace under a line with the names of the columns, by which they are found
 * here.  What the process was called with is from /proc/PID/cmdline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tapdump.h"

#define MAX_COLUMNS	64

/* A line taken apart in place. */
struct row {
	char *line;
	size_t room;
	char *word[MAX_COLUMNS];
	unsigned int nr;
};

static bool row_read(struct row *row, FILE *f)
{
	char *save, *word;

	if (getline(&row->line, &row->room, f) < 0)
		return false;
	row->nr = 0;
	for (word = strtok_r(row->line, " \n", &save);
	     word && row->nr < MAX_COLUMNS; word = strtok_r(NULL, " \n", &save))
		row->word[row->nr++] = word;
	return true;
}

static const char *column(const struct row *names, const struct row *row,
			  const char *name)
{
	unsigned int i;

	for (i = 0; i < names->nr && i < row->nr; i++)
		if (!strcmp(names->word[i], name))
			return row->word[i];
	return "-";
}

/* The command line in one line, or the process's name. */
static void print_command(const char *pid, const char *comm)
{
	char path[64], text[512];
	size_t n = 0, i;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/cmdline", pid);
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	while (n && !text[n - 1])
		n--;
	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = ' ';
	text[n] = '\0';
	puts(n ? text : comm);
}

static void print_row(const struct row *names, const struct row *row)
{
	const char *filter = column(names, row, "filter");
	char insns[32] = "-";
	char fill[16];

	if (strcmp(filter, "0") != 0)
		snprintf(insns, sizeof(insns), "%.12s insns", filter);
	snprintf(fill, sizeof(fill), "%.4s%%", column(names, row, "fill"));
	printf("%-7s %-7s %-12s %-10s %5s %12s %10s  ",
	       column(names, row, "pid"), column(names, row, "state"),
	       column(names, row, "ifaces"), insns, fill,
	       column(names, row, "captured"), column(names, row, "dropped"));
	print_command(column(names, row, "pid"), column(names, row, "comm"));
}

void sessions_list(void)
{
	struct row names = { 0 }, row = { 0 };
	FILE *f = fopen("/proc/net/ptap", "re");

	if (!f && errno == ENOENT)
		die("there is no /proc/net/ptap: the module is not loaded; modprobe ptap loads it");
	if (!f)
		die("cannot read /proc/net/ptap: %s", strerror(errno));
	printf("%-7s %-7s %-12s %-10s %5s %12s %10s  %s\n", "PID", "STATE",
	       "INTERFACES", "FILTER", "FILL", "CAPTURED", "DROPPED", "COMMAND");
	if (row_read(&names, f))
		while (row_read(&row, f))
			print_row(&names, &row);
	free(names.line);
	free(row.line);
	fclose(f);
}
