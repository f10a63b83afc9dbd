// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * main.c - tapdump: capture packets with the ptap module.
 *
 * The order of steps and nothing else: set the tap up, open the output, give up
 * what is not needed any more, and only then start, so that nothing is captured
 * in vain, and nobody's packet meets a right.
 */
#include <stdlib.h>
#include <string.h>
#include "tapdump.h"

static struct ptap *open_tap(const struct options *opt)
{
	struct ptap_config config = {
		.size = sizeof(config),
		.ifaces = (const char *const *)opt->ifaces,
		.nr_ifaces = opt->nr_ifaces,
		.format = opt->format,
		.linktype = opt->linktype,
		.snaplen = opt->snaplen,
		.direction = opt->direction,
		.meta = opt->meta,
		.mode = opt->read ? PTAP_MODE_READ : PTAP_MODE_MMAP,
		.ring_size = opt->ring_size,
		.application = "tapdump " PTAP_VERSION,
	};
	struct ptap *tap = ptap_create();

	if (!tap)
		die("no memory");
	if (opt->promisc && !opt->any)
		config.flags |= PTAP_CONFIG_PROMISC;
	if (opt->immediate || !opt->write || opt->print)
		config.flags |= PTAP_CONFIG_IMMEDIATE;
	if (opt->no_optimize)
		config.flags |= PTAP_CONFIG_NO_OPTIMIZE;
	if (opt->clock_tsc)
		config.flags |= PTAP_CONFIG_CLOCK_TSC;
	if (opt->clock_adapter)
		config.flags |= PTAP_CONFIG_CLOCK_ADAPTER;
	if (opt->describe)
		config.flags |= PTAP_CONFIG_DESCRIBE;
	if (opt->copybreak >= 0) {
		config.flags |= PTAP_CONFIG_COPYBREAK;
		config.copybreak = opt->copybreak;
	}
	if (ptap_open(tap, &config))
		die("%s", ptap_error(tap));
	return tap;
}

/* Questions that are answered without a capture. */
static bool answer(struct options *opt)
{
	struct ptap *tap;

	if (opt->list) {
		ifaces_list();
		return true;
	}
	if (opt->list_sessions) {
		sessions_list();
		return true;
	}
	if (opt->dump && !opt->list_stamps && !opt->list_linktypes &&
	    !opt->nr_ifaces) {
		program_dump(opt);
		return true;
	}
	ifaces_resolve(opt);
	if (opt->list_stamps) {
		stamps_list(opt);
	} else if (opt->list_linktypes) {
		opt->promisc = false;
		tap = open_tap(opt);
		lists_linktypes(opt, tap);
		ptap_destroy(tap);
	} else if (opt->dump) {
		program_dump(opt);
	} else {
		return false;
	}
	return true;
}

static void set_up(struct capture *c)
{
	c->tap = open_tap(c->opt);
	if (ptap_filter_set(c->tap, c->opt->filter))
		die("%s", ptap_error(c->tap));
	if (ptap_filter_why(c->tap))
		complain("filter: %s; filtering in user space",
			 ptap_filter_why(c->tap));
	if (meters_open(c) || output_prepare(&c->out, c->opt, c->tap))
		exit(EXIT_FAILURE);
	c->out.files.watched = c;
	privileges_drop(c->opt->user);
	output_fork(&c->out);
	if (output_open(&c->out))
		exit(EXIT_FAILURE);
}

/* Everything is captured, written and counted; say so. */
static int finish(struct capture *c, int err)
{
	report_gone(c);
	if (output_close(&c->out, c))
		err = -1;
	meters_end(c);
	meta_warn(c->opt, c->tap);
	report_full(c);
	report_final(c);
	output_free(&c->out);
	ptap_destroy(c->tap);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct capture c = { 0 };
	struct options opt;
	int status;

	options_parse(&opt, argc, argv);
	if (opt.verify) {
		status = verify_files(opt.words, opt.verbose);
		options_free(&opt);
		return status;
	}
	if (opt.offline)
		offline_run(&opt, argv);
	if (answer(&opt)) {
		options_free(&opt);
		return EXIT_SUCCESS;
	}
	c.opt = &opt;
	stamps_prepare(&opt);
	set_up(&c);
	signals_init(opt.write && (opt.rotate_size || opt.rotate_seconds ||
				   opt.is_ring));
	if (meters_start(&c))
		die("%s", ptap_error(c.tap));
	confine(&c);
	if (ptap_start(c.tap))
		die("%s", ptap_error(c.tap));
	/* Not before: whoever waits for these words sends packets then. */
	report_listening(&c);
	status = finish(&c, capture_run(&c));
	options_free(&opt);
	return status;
}
