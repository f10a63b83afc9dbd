// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * main.c - pcapdiff: what differs between two captures, packet by packet.
 *
 * The list of steps and nothing else. Both captures are held in memory, so
 * that every step is a plain pass or a sort over arrays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pcapdiff.h"

static void check_linktypes(const struct capture cap[NR_SIDES],
			    const struct options *opt)
{
	char name_a[32], name_b[32];

	if (cap[SIDE_A].linktype == cap[SIDE_B].linktype ||
	    opt->ignore_linktype)
		return;
	die("different link types: A is %s, B is %s; --ignore-linktype compares them all the same",
	    capture_linktype_name(&cap[SIDE_A], name_a, sizeof(name_a)),
	    capture_linktype_name(&cap[SIDE_B], name_b, sizeof(name_b)));
}

int main(int argc, char **argv)
{
	struct capture cap[NR_SIDES];
	struct options opt;
	struct result res;
	struct match match;
	unsigned int side;

	options_parse(&opt, argc, argv);
	for (side = 0; side < NR_SIDES; side++)
		capture_load(&cap[side], opt.path[side], &opt);
	check_linktypes(cap, &opt);

	match_captures(&match, cap, &opt);
	order_mark(cap, match.nr_pairs);
	result_collect(&res, cap, &match, &opt);

	if (!opt.quiet && opt.json)
		json_print(&res, cap, &match, &opt);
	else if (!opt.quiet)
		report_print(&res, cap, &match, &opt);
	if (fflush(stdout) || ferror(stdout))
		die("cannot write the result: %s", strerror(errno));

	result_free(&res);
	for (side = 0; side < NR_SIDES; side++)
		capture_free(&cap[side]);
	return res.different ? EXIT_DIFFERENT : EXIT_SAME;
}
