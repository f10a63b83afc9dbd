/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What every device test needs: libc, the interface under test, and the parts
 * of this folder (tap.h the frame of a test, net.h networks and test frames,
 * session.h system calls and accounting, capture.h and rings.h the readers).
 */
#ifndef PTAP_TEST_COMMON_H
#define PTAP_TEST_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ptap.h>
#include "capture.h"
#include "net.h"
#include "rings.h"
#include "session.h"
#include "tap.h"

#define TEST_THREAD(t, fn, arg)						\
	REQUIRE(!pthread_create(&(t), NULL, fn, arg), "pthread_create")

#endif /* PTAP_TEST_COMMON_H */
