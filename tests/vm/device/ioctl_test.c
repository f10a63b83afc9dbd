// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Every ioctl of /dev/tap in every state, and what is no ioctl of it.
 *
 * The other parts of this program: ioctl_args.c structures and pointers,
 * ioctl_setup.c what SETUP and START refuse, ioctl_filter.c the other commands.
 */
#define _GNU_SOURCE
#include <linux/filter.h>
#include "common.h"
#include "ioctl_test.h"

#define IN(s)		(1U << PTAP_STATE_##s)

const struct command commands[] = {
	{ "INFO", PTAP_IOC_INFO, 96, 96, true, 0 },
	{ "SETUP", PTAP_IOC_SETUP, 64, 64, false,
	  IN(SETUP) | IN(RUNNING) | IN(STOPPED) },
	{ "FILTER", PTAP_IOC_FILTER, 24, 24, false, IN(NEW) | IN(STOPPED) },
	{ "DRAIN", PTAP_IOC_DRAIN, 16, 16, true, IN(NEW) },
	{ "SYNC", PTAP_IOC_SYNC, 16, 16, true, IN(NEW) },
	{ "IFACE", PTAP_IOC_IFACE, 104, 80, true, IN(NEW) },
	{ "PREAMBLE", PTAP_IOC_PREAMBLE, 32, 32, true, IN(NEW) },
	{ "STATS", PTAP_IOC_STATS, 224, 216, true, IN(NEW) },
};

const unsigned int nr_commands = ARRAY_SIZE(commands);

static uint8_t preamble_bytes[8192];

void command_fill(const struct command *c, void *buf)
{
	memset(buf, 0, c->size);
	memcpy(buf, &c->size, sizeof(c->size));
	if (c->nr == PTAP_IOC_PREAMBLE) {
		((struct ptap_preamble *)buf)->len = sizeof(preamble_bytes);
		((struct ptap_preamble *)buf)->buf = (uintptr_t)preamble_bytes;
	}
}

int session_in_state(uint32_t state)
{
	int fd;

	if (state == PTAP_STATE_NEW)
		return session_open(O_RDWR);
	fd = session_setup("d0", SETUP());
	if (state >= PTAP_STATE_RUNNING)
		REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
	if (state == PTAP_STATE_STOPPED)
		session_stop(fd);
	REQUIRE(session_state(fd) == state, "not in state %u", state);
	return fd;
}

static void command_in_state(const struct command *c, uint32_t state)
{
	int fd = session_in_state(state);
	uint32_t after = state;
	uint8_t buf[4096];

	command_fill(c, buf);
	if (c->busy_in & 1U << state) {
		CHECK_ERRNO(ioctl(fd, c->nr, buf), EBUSY, c->name);
	} else {
		CHECK(!ioctl(fd, c->nr, buf), "%s in state %u: %m", c->name,
		      state);
		if (c->nr == PTAP_IOC_SETUP)
			after = PTAP_STATE_SETUP;
	}
	CHECK_EQ(session_state(fd), after, c->name);
	close(fd);
}

static void states(void)
{
	uint32_t state;
	unsigned int i;

	net_dummy("d0");
	for (i = 0; i < nr_commands; i++)
		for (state = 0; state <= PTAP_STATE_STOPPED; state++)
			if (commands[i].nr != PTAP_IOC_SETUP || state)
				command_in_state(&commands[i], state);
}

static void start_stop_states(void)
{
	uint32_t state;
	int fd;

	net_dummy("d0");
	for (state = 0; state <= PTAP_STATE_STOPPED; state++) {
		fd = session_in_state(state);
		if (state == PTAP_STATE_SETUP) {
			CHECK(!ioctl(fd, PTAP_IOC_START), "START: %m");
			CHECK_EQ(session_state(fd), PTAP_STATE_RUNNING, "START");
			session_stop(fd);
		} else {
			CHECK_ERRNO(ioctl(fd, PTAP_IOC_START), EBUSY, "START");
			CHECK_EQ(session_state(fd), state, "START refused");
		}
		close(fd);
		fd = session_in_state(state);
		if (state == PTAP_STATE_RUNNING)
			CHECK(!ioctl(fd, PTAP_IOC_STOP), "STOP: %m");
		else
			CHECK_ERRNO(ioctl(fd, PTAP_IOC_STOP), EBUSY, "STOP");
		CHECK_EQ(session_state(fd),
			 state + (state == PTAP_STATE_RUNNING), "STOP");
		close(fd);
	}
}

static void stop_means_still(void)
{
	struct ptap_stats a, b;
	int fd;

	net_dummy("d0");
	fd = session_start("d0", SETUP());
	send_frames("d0", 0, 100, 200);
	session_stop(fd);
	a = session_stats(fd, PTAP_RING_ALL);
	send_frames("d0", 100, 100, 200);
	b = session_stats(fd, PTAP_RING_ALL);
	CHECK(!memcmp(&a, &b, sizeof(a)), "the counters go on after STOP");
	CHECK_EQ(a.captured, 100, "captured");
	CHECK_EQ(session_info(fd).nr_hooks, 0, "hooks after STOP");
	capture_discard(fd);
}

static void unknown_commands(void)
{
	static const unsigned long cmds[] = {
		_IO(PTAP_IOC_MAGIC, 0x0b), _IO(PTAP_IOC_MAGIC, 0xff),
		_IOR(PTAP_IOC_MAGIC, 0x00, struct ptap_info),
		_IOWR(PTAP_IOC_MAGIC, 0x01, struct ptap_setup),
		_IO(PTAP_IOC_MAGIC + 1, 0x00), 0x5401 /* TCGETS */,
	};
	uint8_t buf[4096] = { 0 };
	uint32_t state;
	size_t i;
	int fd;

	net_dummy("d0");
	for (state = 0; state <= PTAP_STATE_STOPPED; state++) {
		fd = session_in_state(state);
		for (i = 0; i < ARRAY_SIZE(cmds); i++)
			CHECK_ERRNO(ioctl(fd, cmds[i], buf), ENOTTY, "unknown");
		close(fd);
	}
}

static void no_write_no_seek(void)
{
	char buf[64] = { 0 };
	uint32_t state;
	int fd;

	net_dummy("d0");
	for (state = 0; state <= PTAP_STATE_STOPPED; state++) {
		fd = session_in_state(state);
		CHECK(write(fd, buf, sizeof(buf)) == -1, "write worked");
		CHECK_ERRNO(lseek(fd, 0, SEEK_CUR), ESPIPE, "lseek");
		CHECK_ERRNO(lseek(fd, 0, SEEK_END), ESPIPE, "lseek");
		CHECK_ERRNO(pread(fd, buf, sizeof(buf), 0), ESPIPE, "pread");
		CHECK_ERRNO(pwrite(fd, buf, sizeof(buf), 0), ESPIPE, "pwrite");
		CHECK_EQ(session_state(fd), state, "state");
		close(fd);
	}
}

static void info_of_new(void)
{
	struct ptap_info i = session_info(session_open(O_RDONLY));

	CHECK_EQ(i.size, sizeof(i), "size");
	CHECK_EQ(i.abi, PTAP_ABI, "abi");
	CHECK(i.features & PTAP_FEATURE_META_FLAGS, "feature meta flags");
	CHECK_EQ(i.page_size, getpagesize(), "page_size");
	CHECK(i.ring_size_max >= 1 << 20, "ring_size_max %llu", i.ring_size_max);
	CHECK(!i.format && !i.linktype && !i.snaplen && !i.direction &&
	      !i.copybreak && !i.meta && !i.watermark && !i.flush_us &&
	      !i.ring_size && !i.ring_stride && !i.nr_ifaces && !i.nr_hooks &&
	      !i.flags, "something of SETUP is said in state NEW");
}

static void locked_state(int fd, uint32_t state)
{
	struct ptap_info info;
	uint8_t buf[4096];
	unsigned int i;

	for (i = 0; i < nr_commands; i++) {
		command_fill(&commands[i], buf);
		if (commands[i].nr == PTAP_IOC_SETUP ||
		    commands[i].nr == PTAP_IOC_FILTER)
			CHECK_ERRNO(ioctl(fd, commands[i].nr, buf), EPERM,
				    commands[i].name);
		else
			CHECK(!ioctl(fd, commands[i].nr, buf), "%s locked: %m",
			      commands[i].name);
	}
	info = session_info(fd);
	CHECK_EQ(info.state, state, "state");
	CHECK_EQ(info.flags, PTAP_INFO_LOCKED, "flags");
}

/* Set up, locked: it runs, is read and stops, and is never changed again. */
static void locked(void)
{
	uint32_t state;
	struct tally t;
	struct capture c;
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_NEW);
	CHECK_ERRNO(ioctl(fd, PTAP_IOC_LOCK), EBUSY, "LOCK in state NEW");
	close(fd);
	for (state = PTAP_STATE_SETUP; state <= PTAP_STATE_STOPPED; state++) {
		fd = session_in_state(state);
		CHECK_EQ(session_info(fd).flags, 0, "flags before");
		CHECK(!ioctl(fd, PTAP_IOC_LOCK), "LOCK in state %u: %m", state);
		CHECK(!ioctl(fd, PTAP_IOC_LOCK), "LOCK twice: %m");
		locked_state(fd, state);
		close(fd);
	}
	fd = session_in_state(PTAP_STATE_SETUP);
	REQUIRE(!ioctl(fd, PTAP_IOC_LOCK), "LOCK: %m");
	REQUIRE(!ioctl(fd, PTAP_IOC_START), "START, locked: %m");
	locked_state(fd, PTAP_STATE_RUNNING);
	tally_init(&t);
	capture_init(&c, fd, tally_packet, &t);
	send_frames("d0", 0, 100, 200);
	capture_finish(&c, fd);
	tally_expect(&t, 0, 0, 100);
}

static const struct test tests[] = {
	{ "each command in each state", states },
	{ "each command when locked", locked },
	{ "START and STOP in each state", start_stop_states },
	{ "after STOP the counters stand still", stop_means_still },
	{ "unknown commands are ENOTTY", unknown_commands },
	{ "write and seek are refused", no_write_no_seek },
	{ "INFO in state NEW", info_of_new },
	{ "sizes below the first version", args_sizes },
	{ "larger structures: zero tail, other tail", args_larger },
	{ "bad pointers", args_pointers },
	{ "outputs are all written, nothing beyond", args_outputs },
	{ "unknown flags and reserved members", args_reserved },
	{ "SETUP: values out of range", setup_values },
	{ "SETUP: combinations that cannot be", setup_combinations },
	{ "SETUP: interfaces unknown, double, of mixed types", setup_interfaces },
	{ "SETUP: 1024 interfaces and one more", setup_many_interfaces },
	{ "SETUP: rings larger than the memory", setup_memory },
	{ "SETUP: defaults and roundings", setup_defaults },
	{ "SETUP: promiscuous needs CAP_NET_ADMIN", setup_promisc_right },
	{ "a failed SETUP leaves a usable session", setup_failed_then_used },
	{ "START: an interface is gone", start_interface_gone },
	{ "FILTER: values out of range", filter_values },
	{ "FILTER: programs that the checker refuses", filter_bad_programs },
	{ "FILTER: a failed one leaves the old one", filter_failed_keeps_old },
	{ "IFACE", iface_command },
	{ "PREAMBLE", preamble_command },
	{ "DRAIN and STATS: rings", drain_and_stats_rings },
};

int main(int argc, char **argv)
{
	return tap_main(tests, ARRAY_SIZE(tests), argc, argv);
}
