// SPDX-License-Identifier: GPL-2.0
/*
 * File headers: the pcap header, or the pcapng Section Header Block and the
 * Interface Description Blocks.
 *
 * Made on demand, in process context, for read() and for PTAP_IOC_PREAMBLE, as
 * often as somebody begins a file.
 *
 * Formats: draft-ietf-opsawg-pcap, section 4; draft-ietf-opsawg-pcapng,
 * sections 4.1 and 4.2.  Host byte order.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include "iface.h"
#include "preamble.h"
#include "session.h"

struct ptap_pcap_header {
	u32 magic;
	u16 version_major;
	u16 version_minor;
	u32 reserved[2];
	u32 snaplen;
	u32 linktype;
};

struct ptap_shb {
	u32 type;
	u32 len;
	u32 magic;
	u16 version_major;
	u16 version_minor;
	s64 section_len;
	u32 len_again;
} __packed;

struct ptap_idb {
	u32 type;
	u32 len;
	u16 linktype;
	u16 reserved;
	u32 snaplen;
};

struct ptap_option {
	u16 code;
	u16 len;
};

/* The block's options at their longest: if_name, if_tsresol, opt_endofopt. */
#define PTAP_IDB_LEN_MAX	(sizeof(struct ptap_idb) + sizeof(u32) + \
				 3 * sizeof(struct ptap_option) + IFNAMSIZ + 4)

static_assert(sizeof(struct ptap_pcap_header) == 24);
static_assert(sizeof(struct ptap_shb) == 28);
static_assert(sizeof(struct ptap_idb) == 16);

#define PTAP_SHB_TYPE		0x0a0d0d0a
#define PTAP_SHB_MAGIC		0x1a2b3c4d
#define PTAP_IDB_TYPE		1
#define PTAP_OPT_END		0
#define PTAP_IDB_NAME		2
#define PTAP_IDB_TSRESOL	9
#define PTAP_PCAP_MAGIC_NSEC	0xa1b23c4d
#define PTAP_PCAP_MAGIC_USEC	0xa1b2c3d4

static u32 ptap_put_pcap_header(const struct ptap_config *cfg, u8 *dst)
{
	struct ptap_pcap_header h = {
		.magic = cfg->format == PTAP_FORMAT_PCAP_NSEC ?
			 PTAP_PCAP_MAGIC_NSEC : PTAP_PCAP_MAGIC_USEC,
		.version_major = 2,
		.version_minor = 4,
		.snaplen = cfg->snaplen,
		.linktype = cfg->file_linktype,
	};

	memcpy(dst, &h, sizeof(h));
	return sizeof(h);
}

static u32 ptap_put_shb(u8 *dst)
{
	struct ptap_shb h = {
		.type = PTAP_SHB_TYPE,
		.len = sizeof(h),
		.magic = PTAP_SHB_MAGIC,
		.version_major = 1,
		.section_len = -1,
		.len_again = sizeof(h),
	};

	memcpy(dst, &h, sizeof(h));
	return sizeof(h);
}

/* An option of a pcapng block, its data padded to 4 bytes. */
static u8 *ptap_put_option(u8 *dst, u16 code, const void *data, u16 len)
{
	struct ptap_option opt = { code, len };

	memcpy(dst, &opt, sizeof(opt));
	dst += sizeof(opt);
	memcpy(dst, data, len);
	memset(dst + len, 0, ALIGN(len, 4) - len);
	return dst + ALIGN(len, 4);
}

static u32 ptap_put_idb(const struct ptap_config *cfg,
			const struct ptap_iface *iface, u8 *dst)
{
	struct ptap_idb b = {
		.type = PTAP_IDB_TYPE,
		.linktype = iface->linktype,
		.snaplen = cfg->snaplen,
	};
	u8 *end = dst + sizeof(b);

	end = ptap_put_option(end, PTAP_IDB_NAME, iface->name,
			      strnlen(iface->name, IFNAMSIZ));
	end = ptap_put_option(end, PTAP_IDB_TSRESOL, "\x09", 1);
	end = ptap_put_option(end, PTAP_OPT_END, "", 0);
	b.len = end - dst + sizeof(b.len);
	memcpy(end, &b.len, sizeof(b.len));
	memcpy(dst, &b, sizeof(b));
	return b.len;
}

/**
 * ptap_preamble_make - the headers of a file, or what is new since
 * @s: session, set up
 * @header: begin with the file header
 * @first_iface: id of the first interface to describe
 * @buf: set
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ptap_preamble_make(struct ptap_session *s, bool header, u32 first_iface,
		       struct ptap_preamble_buf *buf)
{
	const struct ptap_config *cfg = &s->cfg;
	u32 nr = smp_load_acquire(&s->nr_ifaces);
	bool pcapng = cfg->format == PTAP_FORMAT_PCAPNG;
	u32 id;

	*buf = (struct ptap_preamble_buf){ .nr_ifaces = nr };
	if (first_iface > nr)
		first_iface = nr;
	if (!header && (!pcapng || first_iface == nr))
		return 0;
	buf->data = kvmalloc(sizeof(struct ptap_shb) +
			     (u64)(nr - first_iface) * PTAP_IDB_LEN_MAX,
			     GFP_KERNEL_ACCOUNT);
	if (!buf->data)
		return -ENOMEM;
	if (header)
		buf->len += pcapng ? ptap_put_shb(buf->data) :
				     ptap_put_pcap_header(cfg, buf->data);
	for (id = first_iface; pcapng && id < nr; id++)
		buf->len += ptap_put_idb(cfg, ptap_iface_by_id(s, id),
					 buf->data + buf->len);
	return 0;
}
