// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * filter.c - filter expressions: compiled by libpcap, loaded into the session.
 *
 * libpcap compiles for a link type, so a session whose interfaces differ gets a
 * program for each, and one for the bare packet for the rest.  It compiles
 * differently for a live capture than for a file: a VLAN tag that the device
 * took out, or a packet's direction, is ancillary data then.  To have the very
 * program that tcpdump would load, it is given a live capture of the interface,
 * which is closed again at once.
 *
 * What the kernel does not run of a program is left to the sieve, which has to
 * see packets as they were compiled for: with the file's cooked header, if it
 * has one.
 */
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "internal.h"
#include "offload.h"

#define PTAP_LINKTYPE_ETHERNET	1
#define PTAP_LINKTYPE_RAW	101
#define PTAP_LINKTYPE_NETLINK	253	/* with LINUX_SLL's header */
#define PTAP_LIVE_TRIES_MAX	8

/* What libpcap calls it; the same number for all but one. */
static int ptap_linktype_dlt(u32 linktype)
{
	return linktype == PTAP_LINKTYPE_RAW ? DLT_RAW : (int)linktype;
}

/**
 * struct ptap_compile - programs being made
 * @p: handle
 * @text: expression
 * @nr: programs so far
 * @progs: they; their instructions are ours to free
 * @sieve: those among them of which the kernel runs a part only
 * @sieve_nr: the number of these
 * @why: what it cannot run
 */
struct ptap_compile {
	struct ptap *p;
	const char *text;
	u32 nr;
	struct ptap_filter_prog progs[PTAP_FILTER_PROGS_MAX];
	struct ptap_sieve_set sieve;
	u32 sieve_nr;
	char why[128];
};

static struct sock_filter *ptap_insns_alloc(struct ptap_compile *c, u32 nr)
{
	struct sock_filter *insns = calloc(nr, sizeof(*insns));

	if (!insns)
		ptap_error_set(c->p, "no memory for the filter");
	return insns;
}

/* The sieve runs the program; the kernel marks what it accepts. */
static int ptap_compile_sieve(struct ptap_compile *c,
			      struct ptap_filter_prog *prog, u32 header,
			      struct sock_filter *insns, u32 nr)
{
	bool ifindex = c->p->info.format == PTAP_FORMAT_PCAPNG ||
		       (c->p->info.nr_ifaces == 1 && !c->p->all_ifaces);
	const char *why = ptap_sieve_refuses(insns, nr, ifindex);

	if (why)
		return ptap_fail(c->p, -EOPNOTSUPP,
				 "filter \"%s\" runs neither in the kernel, since %s, nor on what the kernel captures, since %s",
				 c->text, c->why, why);
	prog->flags |= PTAP_FILTER_SIEVE |
		       PTAP_FILTER_SIEVE_NR(c->sieve_nr);
	c->sieve.progs[c->sieve.nr++] = (struct ptap_sieve_prog){
		.linktype = prog->linktype,
		.header = header,
		.nr = nr,
		.insns = insns,
	};
	return 0;
}

/*
 * A program for packets of @linktype.  It was compiled for a cooked header of
 * @header bytes, which they have @in_file, but not in the kernel.  Takes
 * @insns.
 */
static int ptap_compile_add(struct ptap_compile *c, u32 linktype, u32 header,
			    bool in_file, struct sock_filter *insns, u32 nr)
{
	struct ptap_filter_prog *prog = &c->progs[c->nr];
	struct ptap_offload o = {
		.in = insns, .nr_in = nr, .header = header,
		.out = ptap_insns_alloc(c, PTAP_INSNS_MAX),
		.max_out = PTAP_INSNS_MAX,
	};
	int err = o.out ? ptap_offload_program(&o) : -ENOMEM;
	bool sieved = false;

	*prog = (struct ptap_filter_prog){
		.linktype = linktype,
		.flags = header ? PTAP_FILTER_COOKED : 0,
		.len = o.nr_out,
		.insns = (uintptr_t)o.out,
	};
	if (err == -EINVAL) {
		ptap_error_set(c->p, "filter \"%s\": libpcap made no program",
			       c->text);
	} else if (!err && !o.whole && !in_file) {
		err = ptap_fail(c->p, -EOPNOTSUPP,
				"filter \"%s\" cannot run on packets of interfaces of different kinds: %s",
				c->text, o.why);
	} else if (!err && !o.whole) {
		if (!c->why[0])
			memcpy(c->why, o.why, sizeof(c->why));
		err = ptap_compile_sieve(c, prog, header, insns, nr);
		sieved = !err;
	}
	if (!sieved)
		free(insns);
	if (err)
		free(o.out);
	else
		c->nr++;
	return err;
}

/*
 * libpcap's program as the kernel's, which is the same in another type.  The
 * network of "ip broadcast" is not looked up, as tcpdump does not either.
 */
static int ptap_compile_text(struct ptap_compile *c, pcap_t *h,
			     struct sock_filter **insns, u32 *nr)
{
	struct bpf_program prog;
	u32 i;

	if (pcap_compile(h, &prog, c->text, c->p->optimize, 0))
		return ptap_fail(c->p, -EINVAL, "filter \"%s\": %s", c->text,
				 pcap_geterr(h));
	*nr = prog.bf_len;
	*insns = ptap_insns_alloc(c, prog.bf_len);
	for (i = 0; *insns && i < prog.bf_len; i++)
		(*insns)[i] = (struct sock_filter){
			.code = prog.bf_insns[i].code,
			.jt = prog.bf_insns[i].jt,
			.jf = prog.bf_insns[i].jf,
			.k = prog.bf_insns[i].k,
		};
	pcap_freecode(&prog);
	return *insns ? 0 : -ENOMEM;
}

static pcap_t *ptap_live_open(const char *name, int dlt, int snaplen)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *h = pcap_create(name, errbuf);

	if (!h)
		return NULL;
	if (!pcap_set_snaplen(h, snaplen) && !pcap_set_timeout(h, 1000) &&
	    !pcap_set_buffer_size(h, snaplen) && pcap_activate(h) >= 0 &&
	    pcap_datalink(h) == dlt)
		return h;
	pcap_close(h);
	return NULL;
}

/* Any interface of the link type: their programs do not differ. */
static pcap_t *ptap_live_any(int dlt, int snaplen)
{
	struct if_nameindex *list, *i;
	pcap_t *h = NULL;
	int tries = 0;

	list = if_nameindex();
	for (i = list; i && i->if_index && !h; i++)
		if (tries++ < PTAP_LIVE_TRIES_MAX)
			h = ptap_live_open(i->if_name, dlt, snaplen);
	if (list)
		if_freenameindex(list);
	return h;
}

/*
 * A program for a link type, in the words of interface @name if there is one.
 */
static int ptap_compile_native(struct ptap_compile *c, u32 linktype,
			       const char *name)
{
	int dlt = ptap_linktype_dlt(linktype);
	int snaplen = c->p->info.snaplen;
	struct sock_filter *insns = NULL;
	pcap_t *h = NULL;
	u32 nr = 0;
	int err;

	if (name)
		h = ptap_live_open(name, dlt, snaplen);
	if (!h && linktype == PTAP_LINKTYPE_ETHERNET)
		h = ptap_live_any(dlt, snaplen);
	if (!h)
		h = pcap_open_dead(dlt, snaplen);
	if (!h)
		return ptap_fail(c->p, -ENOMEM, "no memory for the filter");
	err = ptap_compile_text(c, h, &insns, &nr);
	pcap_close(h);
	return err ? err : ptap_compile_add(c, linktype, 0, true, insns, nr);
}

static u32 ptap_cooked_len(u32 linktype)
{
	switch (linktype) {
	case PTAP_LINKTYPE_LINUX_SLL2:
		return PTAP_SLL2_LEN;
	case PTAP_LINKTYPE_LINUX_SLL:
	case PTAP_LINKTYPE_NETLINK:
		return PTAP_SLL_LEN;
	default:
		return 0;
	}
}

/*
 * A program for the bare packets of interfaces with link type @linktype, or
 * PTAP_LINKTYPE_ANY; in the file they have the header of @header, if any.
 */
static int ptap_compile_cooked(struct ptap_compile *c, u32 linktype, u32 header)
{
	bool first = ptap_cooked_len(header) == PTAP_SLL_LEN;
	struct sock_filter *insns = NULL;
	u32 nr = 0;
	pcap_t *h;
	int err;

	h = pcap_open_dead(first ? DLT_LINUX_SLL : DLT_LINUX_SLL2,
			   c->p->info.snaplen);
	if (!h)
		return ptap_fail(c->p, -ENOMEM, "no memory for the filter");
	err = ptap_compile_text(c, h, &insns, &nr);
	pcap_close(h);
	return err ? err :
		     ptap_compile_add(c, linktype,
				      first ? PTAP_SLL_LEN : PTAP_SLL2_LEN,
				      ptap_cooked_len(header), insns, nr);
}

static bool ptap_compile_has(const struct ptap_compile *c, u32 linktype)
{
	u32 i;

	for (i = 0; i < c->nr; i++)
		if (c->progs[i].linktype == linktype)
			return true;
	return false;
}

/* The interfaces that SETUP was given: the expression must suit them all. */
static int ptap_compile_ifaces(struct ptap_compile *c)
{
	struct ptap_iface_info info = { .size = sizeof(info) };
	u32 id, nr = c->p->info.nr_ifaces;
	int err;

	for (id = 0; id < nr && c->nr < PTAP_FILTER_PROGS_MAX - 1; id++) {
		info.id = id;
		if (ioctl(c->p->fd, PTAP_IOC_IFACE, &info))
			break;
		if (ptap_compile_has(c, info.linktype))
			continue;
		if (ptap_cooked_len(info.linktype))
			err = ptap_compile_cooked(c, info.linktype,
						  info.linktype);
		else
			err = ptap_compile_native(c, info.linktype, info.name);
		if (err)
			return err;
	}
	return 0;
}

/* All interfaces, whichever they will be: it must suit Ethernet. */
static int ptap_compile_all(struct ptap_compile *c)
{
	static const u32 linktypes[] = {
		PTAP_LINKTYPE_ETHERNET, PTAP_LINKTYPE_RAW,
		105, 119, 127,			/* Wi-Fi, with headers or not */
	};
	int err;
	u32 i;

	for (i = 0; i < sizeof(linktypes) / sizeof(*linktypes); i++) {
		err = ptap_compile_native(c, linktypes[i], NULL);
		if (err && (!i || err == -ENOMEM))
			return err;
	}
	err = ptap_compile_cooked(c, PTAP_LINKTYPE_LINUX_SLL,
				  PTAP_LINKTYPE_LINUX_SLL);
	return err == -ENOMEM ? err : 0;
}

static int ptap_compile(struct ptap_compile *c)
{
	u32 linktype = c->p->info.linktype;
	int err;

	if (ptap_cooked_len(linktype))
		return ptap_compile_cooked(c, PTAP_LINKTYPE_ANY, linktype);
	err = c->p->all_ifaces ? ptap_compile_all(c) : ptap_compile_ifaces(c);
	if (err)
		return err;
	/*
	 * For interfaces that change their kind or appear later.  An expression
	 * that says nothing about a bare packet accepts none.
	 */
	err = ptap_compile_cooked(c, PTAP_LINKTYPE_ANY, PTAP_LINKTYPE_NATIVE);
	return c->nr ? 0 : err;
}

static int ptap_filter_ioctl(struct ptap *p,
			     const struct ptap_filter_prog *progs, u32 nr)
{
	struct ptap_filter filter = {
		.size = sizeof(filter),
		.nr_progs = nr,
		.progs = (uintptr_t)progs,
	};
	int err = ptap_check_open(p);

	if (err)
		return err;
	if (!ioctl(p->fd, PTAP_IOC_FILTER, &filter))
		return 0;
	err = -errno;
	switch (err) {
	case -EBUSY:
		return ptap_fail(p, err,
				 "the filter cannot be changed any more: the capture is stopped");
	case -EINVAL:
		return ptap_fail(p, err,
				 "the kernel does not take the filter's program");
	}
	return ptap_fail(p, err, "cannot load the filter: %s",
			 ptap_strerror(err));
}

int ptap_filter_load(struct ptap *p, const struct ptap_filter_prog *progs,
		     unsigned int nr)
{
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++)
		if (progs[i].flags & PTAP_FILTER_SIEVE)
			return ptap_fail(p, -EINVAL,
					 "programs for a sieve come from ptap_filter_set() alone");
	err = ptap_filter_ioctl(p, progs, nr);
	if (!err)
		p->why[0] = '\0';
	return err;
}

/* For the file's headers, and for who asks. */
static void ptap_filter_note(struct ptap *p, char *text, const char *why)
{
	free(p->filter);
	p->filter = text;
	memcpy(p->why, why, sizeof(p->why));
}

const char *ptap_filter_why(const struct ptap *p)
{
	return p->why[0] ? p->why : NULL;
}

/* There is one from the first filter on that needs it. */
static int ptap_filter_sieve(struct ptap *p)
{
	if (p->sieve)
		return 0;
	p->sieve = calloc(1, sizeof(*p->sieve));
	if (!p->sieve)
		return ptap_fail(p, -ENOMEM, "no memory for the filter");
	p->sieve->format = p->info.format;
	p->sieve->snaplen = p->info.snaplen;
	p->sieve->iface = ptap_iface_key_get;
	p->sieve->ring_of = ptap_ring_of;
	p->sieve->ctx = p;
	return 0;
}

/* Programs into the kernel, and the rest into the sieve. */
static int ptap_filter_replace(struct ptap *p, struct ptap_compile *c)
{
	int err = c->sieve.nr ? ptap_filter_sieve(p) : 0;

	if (!err)
		err = ptap_filter_ioctl(p, c->progs, c->nr);
	if (err || !c->sieve.nr)
		return err;
	ptap_sieve_replace(p->sieve, &c->sieve);
	c->sieve.nr = 0;
	return 0;
}

int ptap_filter_set(struct ptap *p, const char *text)
{
	struct ptap_compile c = { .p = p, .text = text };
	int err = ptap_check_open(p);
	char *own;
	u32 i;

	if (err)
		return err;
	if (!text || !text[strspn(text, " \t\n\r")]) {
		err = ptap_filter_ioctl(p, NULL, 0);
		if (!err)
			ptap_filter_note(p, NULL, c.why);
		return err;
	}
	own = strdup(text);
	if (!own)
		return ptap_fail(p, -ENOMEM, "no memory for the filter");
	c.sieve_nr = ptap_sieve_next(p->sieve);
	err = ptap_compile(&c);
	if (!err)
		err = ptap_filter_replace(p, &c);
	for (i = 0; i < c.nr; i++)
		free((void *)(uintptr_t)c.progs[i].insns);
	for (i = 0; i < c.sieve.nr; i++)
		free(c.sieve.progs[i].insns);
	if (err)
		free(own);
	else
		ptap_filter_note(p, own, c.why);
	return err;
}
