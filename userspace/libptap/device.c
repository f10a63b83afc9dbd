// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * device.c - the life of a capture: open and set up, start, wait, stop.
 *
 * The state lies in the kernel's session; the flags in the handle follow it.
 * Failures of SETUP come as an errno, and what they mean depends on what was
 * asked for, so the sentences are made here.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "internal.h"

#define LINKTYPE_RAW	101

struct ptap *ptap_create(void)
{
	struct ptap *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->fd = -1;
	p->iov = calloc(PTAP_NR_IOV, sizeof(*p->iov));
	if (!p->iov) {
		free(p);
		return NULL;
	}
	return p;
}

static void ptap_close(struct ptap *p)
{
	ptap_mapping_destroy(p);
	ptap_stream_exit(&p->stream);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void ptap_destroy(struct ptap *p)
{
	if (!p)
		return;
	ptap_close(p);
	free(p->headers.data);
	free(p->torn.data);
	free(p->filter);
	if (p->sieve)
		ptap_sieve_free(p->sieve);
	free(p->sieve);
	free(p->application);
	free(p->ifaces);
	free(p->iov);
	free(p);
}

/* Members that the caller's structure does not have are 0. */
static int ptap_config_read(struct ptap *p, const struct ptap_config *from,
			    struct ptap_config *config)
{
	const char *bytes = (const char *)from;
	size_t i;

	*config = (struct ptap_config){ .size = sizeof(*config) };
	if (!from)
		return 0;
	if (from->size < sizeof(from->size))
		return ptap_fail(p, -EINVAL, "ptap_config.size is not set");
	for (i = sizeof(*config); i < from->size; i++)
		if (bytes[i])
			return ptap_fail(p, -E2BIG,
					 "this library does not know a member of ptap_config that is set");
	memcpy(config, from, from->size < sizeof(*config) ? from->size :
							    sizeof(*config));
	if (config->flags & ~(PTAP_CONFIG_PROMISC | PTAP_CONFIG_IMMEDIATE |
			      PTAP_CONFIG_COPYBREAK |
			      PTAP_CONFIG_NO_OPTIMIZE |
			      PTAP_CONFIG_CLOCK_TSC |
			      PTAP_CONFIG_CLOCK_ADAPTER |
			      PTAP_CONFIG_DESCRIBE) ||
	    config->mode > PTAP_MODE_READ || config->reserved)
		return ptap_fail(p, -EINVAL,
				 "unknown flag or mode in ptap_config");
	return 0;
}

/* The file's permissions are in the way: whose group would do? */
static int ptap_fail_access(struct ptap *p, int err)
{
	struct group buf, *gr = NULL;
	char names[1024];
	struct stat st;

	if (!stat(PTAP_DEVICE, &st) && st.st_gid && st.st_mode & S_IRGRP &&
	    !getgrgid_r(st.st_gid, &buf, names, sizeof(names), &gr) && gr)
		return ptap_fail(p, err,
				 "cannot open %s: no permission; it is for the group %s: usermod -aG %s USER, and log in again",
				 PTAP_DEVICE, gr->gr_name, gr->gr_name);
	return ptap_fail(p, err, "cannot open %s: no permission; be root",
			 PTAP_DEVICE);
}

static int ptap_open_device(struct ptap *p)
{
	struct ptap_info info;
	int err;

	p->fd = open(PTAP_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (p->fd < 0) {
		err = -errno;
		switch (errno) {
		case ENOENT:
		case ENODEV:
		case ENXIO:
			return ptap_fail(p, err,
					 "cannot open %s: the module is not loaded; load it with: modprobe ptap, or insmod module/ptap.ko",
					 PTAP_DEVICE);
		case EPERM:
			return ptap_fail(p, err,
					 "cannot open %s: no right to capture, which is CAP_NET_RAW; be root, or give it to the program: setcap cap_net_raw,cap_net_admin=ep PROGRAM",
					 PTAP_DEVICE);
		case EACCES:
			return ptap_fail_access(p, err);
		}
		return ptap_fail(p, err, "cannot open %s: %s", PTAP_DEVICE,
				 ptap_strerror(err));
	}
	err = ptap_info_read(p->fd, &info);
	if (err == -ENOTTY || err == -EINVAL)
		return ptap_fail(p, -EPROTO, "%s is not a packet tap",
				 PTAP_DEVICE);
	if (err)
		return ptap_fail(p, err, "cannot ask %s for its version: %s",
				 PTAP_DEVICE, ptap_strerror(err));
	if (info.abi != PTAP_ABI)
		return ptap_fail(p, -EPROTO,
				 "the loaded module speaks version %u of the interface, this program version %u; install module and program of the same release",
				 info.abi, PTAP_ABI);
	return 0;
}

static int ptap_open_ifaces(struct ptap *p, const struct ptap_config *config,
			    u32 **indices)
{
	u32 i;

	*indices = calloc(config->nr_ifaces + 1, sizeof(**indices));
	if (!*indices)
		return ptap_fail(p, -ENOMEM, "no memory for the interfaces");
	for (i = 0; i < config->nr_ifaces; i++) {
		(*indices)[i] = if_nametoindex(config->ifaces[i]);
		if (!(*indices)[i])
			return ptap_fail(p, -ENODEV,
					 "%s: No such device exists; \"ip link\" lists those that do",
					 config->ifaces[i]);
	}
	return 0;
}

static int ptap_setup_fail(struct ptap *p, const struct ptap_config *config,
			   int err)
{
	unsigned long long kib = config->ring_size >> 10;

	switch (err) {
	case -ENODEV:
		return ptap_fail(p, err, "an interface disappeared just now");
	case -EEXIST:
		return ptap_fail(p, err, "an interface is named twice");
	case -EMEDIUMTYPE:
		return ptap_fail(p, err,
				 "the interfaces have different link types, which a pcap file cannot hold; use pcapng or link type LINUX_SLL2");
	case -EPERM:
		return ptap_fail(p, err,
				 "promiscuous mode needs CAP_NET_ADMIN; capture without it (tapdump -p)");
	case -ENOMEM:
		if (kib)
			return ptap_fail(p, err,
					 "no memory for rings of %llu KiB for each CPU; ask for smaller ones, or raise the module's parameter session_mb",
					 kib);
		return ptap_fail(p, err, "no memory for the rings");
	case -EOPNOTSUPP:
		if (!(config->flags & PTAP_CONFIG_CLOCK_TSC))
			return ptap_fail(p, err,
					 "the loaded module does not know all of the options that packets are to have; install module and program of the same release");
		return ptap_fail(p, err,
				 "this CPU's TSC is not said to tick steadily; use the kernel's clock, or set the module's parameter tsc=1 if you know better");
	case -EINVAL:
		return ptap_fail(p, err,
				 "%s refuses the configuration: a value is out of range, or values do not go together",
				 PTAP_DEVICE);
	}
	return ptap_fail(p, err, "cannot set %s up: %s", PTAP_DEVICE,
			 ptap_strerror(err));
}

/* The kernel cooks or leaves as it is; what it is shows afterwards. */
static u32 ptap_setup_linktype(const struct ptap_config *config)
{
	if (config->linktype == PTAP_LINKTYPE_LINUX_SLL ||
	    config->linktype == PTAP_LINKTYPE_LINUX_SLL2)
		return config->linktype;
	if (!config->linktype && config->format != PTAP_FORMAT_PCAPNG &&
	    config->nr_ifaces != 1)
		return PTAP_LINKTYPE_LINUX_SLL2;
	return PTAP_LINKTYPE_NATIVE;
}

/* libpcap calls one of them by another number. */
static const char *ptap_linktype_name(u32 linktype)
{
	const char *name = pcap_datalink_val_to_name(linktype == LINKTYPE_RAW ?
						     DLT_RAW : (int)linktype);

	return name ? name : "an unknown one";
}

static int ptap_open_setup(struct ptap *p, const struct ptap_config *config,
			   const u32 *indices)
{
	struct ptap_setup setup = {
		.size = sizeof(setup),
		.format = config->format,
		.snaplen = config->snaplen,
		.direction = config->direction,
		.copybreak = config->copybreak,
		.meta = config->meta,
		.watermark = config->watermark,
		.flush_us = config->flush_us,
		.nr_ifaces = config->nr_ifaces,
		.ring_size = config->ring_size,
		.ifaces = (uintptr_t)indices,
	};
	int err;

	if (config->flags & PTAP_CONFIG_PROMISC)
		setup.flags |= PTAP_SETUP_PROMISC;
	if (config->flags & PTAP_CONFIG_COPYBREAK)
		setup.flags |= PTAP_SETUP_COPYBREAK;
	if (config->flags & PTAP_CONFIG_CLOCK_TSC)
		setup.flags |= PTAP_SETUP_CLOCK_TSC;
	if (config->flags & PTAP_CONFIG_CLOCK_ADAPTER)
		setup.flags |= PTAP_SETUP_CLOCK_ADAPTER;
	if (config->flags & PTAP_CONFIG_IMMEDIATE)
		setup.watermark = 1;
	setup.linktype = ptap_setup_linktype(config);
	if (ioctl(p->fd, PTAP_IOC_SETUP, &setup))
		return ptap_setup_fail(p, config, -errno);
	err = ptap_info_get(p, &p->info);
	if (err || setup.linktype || !config->linktype ||
	    p->info.linktype == config->linktype)
		return err;
	return ptap_fail(p, -EMEDIUMTYPE,
			 "the interface's link type is %s, not %s",
			 ptap_linktype_name(p->info.linktype),
			 ptap_linktype_name(config->linktype));
}

int ptap_open(struct ptap *p, const struct ptap_config *config)
{
	struct ptap_config c;
	u32 *indices = NULL;
	int err;

	if (p->fd >= 0)
		return ptap_fail(p, -EBUSY, "the capture is open already");
	err = ptap_config_read(p, config, &c);
	if (err)
		return err;
	err = ptap_open_device(p);
	if (!err)
		err = ptap_open_ifaces(p, &c, &indices);
	if (!err)
		err = ptap_open_setup(p, &c, indices);
	free(indices);
	if (err)
		goto close;
	p->mode = c.mode;
	p->all_ifaces = !c.nr_ifaces;
	p->optimize = !(c.flags & PTAP_CONFIG_NO_OPTIMIZE);
	p->describe = c.flags & PTAP_CONFIG_DESCRIBE &&
		      c.format == PTAP_FORMAT_PCAPNG;
	if (c.application) {
		p->application = strdup(c.application);
		if (!p->application) {
			err = ptap_fail(p, -ENOMEM, "no memory for a name");
			goto close;
		}
	}
	if (p->mode == PTAP_MODE_MMAP)
		err = ptap_mapping_create(p);
	else if (ptap_stream_init(&p->stream, p->fd, p->info.format))
		err = ptap_fail(p, -ENOMEM, "no memory to read into");
	if (err)
		goto close;
	return 0;

close:
	ptap_close(p);
	return err;
}

int ptap_lock(struct ptap *p)
{
	int err = ptap_check_open(p);

	if (err || !ioctl(p->fd, PTAP_IOC_LOCK) || errno == ENOTTY)
		return err;
	err = -errno;
	return ptap_fail(p, err, "cannot lock the session: %s",
			 ptap_strerror(err));
}

int ptap_start(struct ptap *p)
{
	int err = ptap_check_open(p);

	if (err)
		return err;
	if (ioctl(p->fd, PTAP_IOC_START)) {
		err = -errno;
		return ptap_fail(p, err, "cannot start the capture: %s",
				 err == -EBUSY ? "it was started before" :
						 ptap_strerror(err));
	}
	p->started = true;
	return 0;
}

int ptap_stop(struct ptap *p)
{
	int err = ptap_check_open(p);

	if (err || p->stopped)
		return err;
	if (!p->started)
		return ptap_fail(p, -EBUSY, "the capture has not been started");
	if (ioctl(p->fd, PTAP_IOC_STOP)) {
		err = -errno;
		return ptap_fail(p, err, "cannot stop the capture: %s",
				 ptap_strerror(err));
	}
	p->stopped = true;
	p->rings.ended = true;
	return 0;
}

/*
 * What is there is too young to go out; it will not be for long.  That time is
 * less than going to sleep and waking up takes, and behind it the rings are
 * looked at with the time that was read here.  Should it not have helped then
 * a hook is at work that may need this CPU.
 *
 * Returns 1 if it is worth to look at the rings again.
 */
static int ptap_wait_holdback(struct ptap *p, const sigset_t *sigmask)
{
	struct timespec ts = { .tv_nsec = PTAP_HOLDBACK_NS };
	u64 start = p->seen_ns;

	if (p->fruitless > 1)
		return ppoll(NULL, 0, &ts, sigmask) < 0 ? -errno : 0;
	p->fruitless++;
	if (!start)
		start = ptap_realtime_ns();
	do {
		p->now_ns = ptap_realtime_ns();
	} while (p->now_ns - start <= PTAP_HOLDBACK_NS);
	return 1;
}

/* When poll() looked at the rings; 0: this module does not say. */
static u64 ptap_seen_ns(const struct ptap *p)
{
	return p->maps ? smp_load_acquire(&p->maps[0].ctl->polled_ns) : 0;
}

int ptap_wait(struct ptap *p, int timeout_ms, const sigset_t *sigmask)
{
	return ptap_wait_any(p, NULL, 0, timeout_ms, sigmask);
}

int ptap_wait_any(struct ptap *p, struct pollfd *others, unsigned int nr,
		  int timeout_ms, const sigset_t *sigmask)
{
	struct pollfd pfd[1 + PTAP_WAIT_OTHERS_MAX] = {
		{ .fd = p->fd, .events = POLLIN },
	};
	struct timespec ts = {
		.tv_sec = timeout_ms / 1000,
		.tv_nsec = timeout_ms % 1000 * 1000000L,
	};
	int ret = ptap_check_open(p);
	unsigned int i;

	if (ret)
		return ret;
	if (nr > PTAP_WAIT_OTHERS_MAX)
		return ptap_fail(p, -EINVAL, "more than %d descriptors",
				 PTAP_WAIT_OTHERS_MAX);
	for (i = 0; i < nr; i++) {
		others[i].revents = 0;
		pfd[1 + i] = others[i];
	}
	if (p->stopped)
		return 1;
	if (p->fruitless) {
		ret = ptap_wait_holdback(p, sigmask);
		if (ret)
			return ret;
	}
	ret = ppoll(pfd, 1 + nr, timeout_ms < 0 ? NULL : &ts, sigmask);
	if (ret < 0)
		return -errno;
	for (i = 0; i < nr; i++)
		others[i].revents = pfd[1 + i].revents;
	p->fruitless = pfd[0].revents ? p->fruitless + 1 : 0;
	p->seen_ns = pfd[0].revents ? ptap_seen_ns(p) : 0;
	p->now_ns = p->seen_ns;
	if (pfd[0].revents & POLLHUP) {
		p->gone = true;
		ret = ptap_stop(p);
		if (ret)
			return ret;
	}
	return ret > 0;
}

int ptap_fd(const struct ptap *p)
{
	return p->fd >= 0 ? p->fd : -EBADF;
}

int ptap_gone(const struct ptap *p)
{
	return p->gone;
}
