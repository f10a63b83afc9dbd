// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * capture.c - owns one capture file in memory.
 *
 * All reading is libpcap's: pcap and pcapng, either byte order, time stamps
 * in nanoseconds. A file that cannot be opened ends the program; a file that
 * breaks off is kept up to the break, which is then part of the result.
 * Packet bytes lie in blocks that live as long as the capture; only the
 * bytes that are compared are kept.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pcapdiff.h"

#define BLOCK_SIZE	(4U << 20)

struct capture_block {
	struct capture_block *next;
	size_t used;
	size_t size;
	uint8_t data[];
};

static const uint8_t *capture_keep(struct capture *cap, const uint8_t *data,
				   size_t len)
{
	struct capture_block *block = cap->blocks;
	uint8_t *copy;
	size_t size;

	if (!block || block->size - block->used < len) {
		size = len > BLOCK_SIZE ? len : BLOCK_SIZE;
		block = grow_array(NULL, 1, sizeof(*block) + size);
		block->next = cap->blocks;
		block->used = 0;
		block->size = size;
		cap->blocks = block;
	}
	copy = block->data + block->used;
	if (len)
		memcpy(copy, data, len);
	block->used += len;
	return copy;
}

static int64_t capture_ts_ns(const struct timeval *tv)
{
	int64_t ts_ns;

	/* tv_usec holds nanoseconds: that is the precision we opened with */
	if (__builtin_mul_overflow((int64_t)tv->tv_sec, NSEC_PER_SEC, &ts_ns) ||
	    __builtin_add_overflow(ts_ns, (int64_t)tv->tv_usec, &ts_ns))
		return tv->tv_sec < 0 ? -TS_NS_MAX : TS_NS_MAX;
	if (ts_ns > TS_NS_MAX)
		return TS_NS_MAX;
	return ts_ns < -TS_NS_MAX ? -TS_NS_MAX : ts_ns;
}

static void capture_note_time(struct capture *cap, int64_t ts_ns)
{
	int64_t back_ns;

	if (!cap->nr) {
		cap->first_ns = ts_ns;
		cap->last_ns = ts_ns;
	} else {
		back_ns = cap->packets[cap->nr - 1].ts_ns - ts_ns;
		if (back_ns > 0)
			cap->nr_back++;
		if (back_ns > cap->worst_back_ns)
			cap->worst_back_ns = back_ns;
	}
	if (ts_ns < cap->first_ns)
		cap->first_ns = ts_ns;
	if (ts_ns > cap->last_ns)
		cap->last_ns = ts_ns;
	if (ts_ns % NSEC_PER_USEC)
		cap->micro = false;
}

static void capture_add(struct capture *cap, const struct pcap_pkthdr *hdr,
			const uint8_t *data, uint32_t number, uint32_t snaplen)
{
	struct packet *pkt;

	if (cap->nr == cap->nr_alloc) {
		if (cap->nr_alloc > UINT32_MAX / 2)
			die("%s: more than %u packets: use --filter",
			    cap->name, cap->nr);
		cap->nr_alloc = cap->nr_alloc ? 2 * cap->nr_alloc : 1024;
		cap->packets = grow_array(cap->packets, cap->nr_alloc,
					  sizeof(*cap->packets));
	}
	pkt = &cap->packets[cap->nr];
	pkt->ts_ns = capture_ts_ns(&hdr->ts);
	pkt->caplen = hdr->caplen < snaplen ? hdr->caplen : snaplen;
	pkt->len = hdr->len;
	pkt->number = number;
	pkt->mate = NO_MATE;
	pkt->moved = false;
	pkt->data = capture_keep(cap, data, pkt->caplen);
	pkt->hash = content_hash(pkt->data, pkt->caplen);
	capture_note_time(cap, pkt->ts_ns);
	cap->nr++;
}

static void capture_read(struct capture *cap, pcap_t *pcap,
			 const struct bpf_program *prog, uint32_t snaplen)
{
	struct pcap_pkthdr *hdr;
	const uint8_t *data;
	uint64_t number;
	int ret;

	for (number = 1;; number++) {
		ret = pcap_next_ex(pcap, &hdr, &data);
		if (ret != 1)
			break;
		if (number >= NO_MATE)
			die("%s: more than %" PRIu64 " records", cap->name,
			    number - 1);
		if (prog && !pcap_offline_filter(prog, hdr, data))
			continue;
		capture_add(cap, hdr, data, (uint32_t)number, snaplen);
	}
	if (ret != PCAP_ERROR_BREAK) {
		cap->torn = true;
		cap->torn_number = number;
		snprintf(cap->torn_words, sizeof(cap->torn_words), "%s",
			 pcap_geterr(pcap));
	}
}

/**
 * capture_load() - read a whole file
 * @cap: filled in; capture_free() gives its memory back
 * @path: the file, "-" for standard input
 * @opt: filter and snaplen are used
 *
 * Does not return if the file cannot be opened or the filter does not suit
 * its link type. A file that breaks off leaves @cap->torn set.
 */
void capture_load(struct capture *cap, const char *path,
		  const struct options *opt)
{
	char errbuf[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program prog;
	pcap_t *pcap;

	memset(cap, 0, sizeof(*cap));
	cap->name = strcmp(path, "-") ? path : "(standard input)";
	cap->micro = true;
	pcap = pcap_open_offline_with_tstamp_precision(path,
				PCAP_TSTAMP_PRECISION_NANO, errbuf);
	/* libpcap puts the name in front where it knows it: fopen() failures */
	if (!pcap && !strncmp(errbuf, path, strlen(path)))
		die("cannot read %s", errbuf);
	if (!pcap)
		die("cannot read %s: %s", cap->name, errbuf);
	cap->linktype = pcap_datalink(pcap);
	cap->snaplen = pcap_snapshot(pcap);
	if (opt->filter &&
	    pcap_compile(pcap, &prog, opt->filter, 1, PCAP_NETMASK_UNKNOWN))
		die("filter '%s' on %s: %s", opt->filter, cap->name,
		    pcap_geterr(pcap));
	capture_read(cap, pcap, opt->filter ? &prog : NULL, opt->snaplen);
	if (opt->filter)
		pcap_freecode(&prog);
	pcap_close(pcap);
}

/**
 * capture_free() - give back what capture_load() allocated
 * @cap: the capture; its packets may not be used any more
 */
void capture_free(struct capture *cap)
{
	struct capture_block *block;

	while (cap->blocks) {
		block = cap->blocks;
		cap->blocks = block->next;
		free(block);
	}
	free(cap->packets);
	cap->packets = NULL;
	cap->nr = 0;
}

/**
 * capture_linktype_name() - the link type in words
 * @cap: the capture
 * @buf: room for the words if libpcap has none
 * @size: of @buf
 *
 * Return: @buf or a constant.
 */
const char *capture_linktype_name(const struct capture *cap, char *buf,
				  size_t size)
{
	const char *name = pcap_datalink_val_to_description(cap->linktype);

	if (name)
		return name;
	snprintf(buf, size, "link type %d", cap->linktype);
	return buf;
}
