/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The session's filter: classic BPF programs, one for each link type.
 */
#ifndef PTAP_FILTER_H
#define PTAP_FILTER_H

#include <linux/filter.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct ptap_filter;
struct ptap_session;

/**
 * struct ptap_filter_set - programs that are swapped together
 * @nr: number of @progs
 * @insns: instructions of them all, as they were given
 * @progs: @linktype and @flags as in struct ptap_filter_prog; @mark is what is
 *	added to the length of their records, or 0
 */
struct ptap_filter_set {
	u32 nr;
	u32 insns;
	struct {
		u32 linktype;
		u32 flags;
		u32 mark;
		struct bpf_prog *prog;
	} progs[];
};

int ptap_filter_replace(struct ptap_session *s, const struct ptap_filter *arg);
void ptap_filter_free(struct ptap_filter_set *set);

#endif /* PTAP_FILTER_H */
