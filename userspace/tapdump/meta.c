// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * meta.c - what a pcapng file tells beside the packets (--meta).
 *
 * A list of words.  Light, the default, is the account of sums.c at the end of
 * each file; everything else costs bytes in each packet, or tells of the
 * machine.
 */
#include <stdlib.h>
#include <string.h>
#include "tapdump.h"

#define SUMS_SECONDS	10

static const struct {
	const char *name;
	uint32_t bit;
} words[] = {
	{ "flags", PTAP_META_FLAGS },
	{ "drops", PTAP_META_DROPCOUNT },
	{ "id", PTAP_META_PACKETID },
	{ "queue", PTAP_META_QUEUE },
	{ "hash", PTAP_META_HASH },
};

static bool parse_bit(struct options *opt, const char *word)
{
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(word, words[i].name) != 0)
			continue;
		opt->meta |= words[i].bit;
		return true;
	}
	return false;
}

static bool parse_set(struct options *opt, const char *word)
{
	unsigned int i;

	if (strcmp(word, "none") && strcmp(word, "light") &&
	    strcmp(word, "all"))
		return false;
	opt->meta = 0;
	opt->describe = false;
	opt->sums = strcmp(word, "none") != 0;
	opt->sums_seconds = 0;
	if (strcmp(word, "all") != 0)
		return true;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		opt->meta |= words[i].bit;
	opt->describe = true;
	opt->sums_seconds = SUMS_SECONDS;
	return true;
}

static bool parse_sums(struct options *opt, const char *word)
{
	unsigned long seconds = SUMS_SECONDS;
	char *end;

	if (strncmp(word, "stats", 5) != 0)
		return false;
	if (word[5] == '=') {
		seconds = strtoul(word + 6, &end, 10);
		if (!word[6] || *end || !seconds || seconds > INT32_MAX / 1000)
			die("--meta %s: a number of seconds is wanted", word);
	} else if (word[5]) {
		return false;
	}
	opt->sums = true;
	opt->sums_seconds = seconds;
	return true;
}

/* Words of the list, one after the other; what they need goes with them. */
void meta_parse(struct options *opt, const char *list)
{
	char *own = strdup(list), *save, *word;

	if (!own)
		die("no memory");
	for (word = strtok_r(own, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		if (!strcmp(word, "host"))
			opt->describe = true;
		else if (!parse_bit(opt, word) && !parse_set(opt, word) &&
			 !parse_sums(opt, word))
			die("--meta has no '%s': light, none, all, or of flags, drops, id, queue, hash, host, stats[=SECONDS] those that are wanted",
			    word);
	}
	free(own);
	if (opt->meta || opt->sums_seconds)
		opt->meta |= PTAP_META_COUNTS;
	opt->format = PTAP_FORMAT_PCAPNG;
	opt->ours = "--meta";
}

/* tcpdump reads a pcapng file only if all its interfaces are of one kind. */
void meta_warn(const struct options *opt, struct ptap *tap)
{
	struct ptap_iface_info first, iface;
	uint32_t id;

	if (opt->format != PTAP_FORMAT_PCAPNG || !opt->write ||
	    ptap_iface_get(tap, 0, &first))
		return;
	for (id = 1; !ptap_iface_get(tap, id, &iface); id++) {
		if (iface.linktype == first.linktype)
			continue;
		complain("%s has link type %u and %s has %u: Wireshark and tshark open such a pcapng file, tcpdump -r does not; without --pcapng all packets get the same cooked header",
			 first.name, first.linktype, iface.name,
			 iface.linktype);
		return;
	}
}
