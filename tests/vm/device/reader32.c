// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * reader32 mmap|read RECORDS > FILE - a reader of 32 bits for a kernel of 64.
 *
 * Captures all interfaces of its network namespace, until there are so many
 * records, into a pcapng file; those of a mapping ring by ring, not by time.
 * It has neither libc nor libgcc, so that the compiler of a 64-bit system makes
 * it: only int 0x80.
 */
#include <linux/ptap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYS_EXIT	1
#define SYS_READ	3
#define SYS_WRITE	4
#define SYS_OPEN	5
#define SYS_IOCTL	54
#define SYS_POLL	168
#define SYS_MMAP2	192
#define PROT_READ	1
#define PROT_WRITE	2
#define MAP_SHARED	1
#define O_RDWR		2
#define POLLIN		1
#define PAGE		4096U
#define RINGS_MAX	16U
#define BLOCK_PACKET	6U

long sys(long nr, long a, long b, long c, long d, long e, long f);
__asm__(".globl sys\n"
	"sys:	push %ebp\n"
	"	push %edi\n"
	"	push %esi\n"
	"	push %ebx\n"
	"	mov 20(%esp), %eax\n"
	"	mov 24(%esp), %ebx\n"
	"	mov 28(%esp), %ecx\n"
	"	mov 32(%esp), %edx\n"
	"	mov 36(%esp), %esi\n"
	"	mov 40(%esp), %edi\n"
	"	mov 44(%esp), %ebp\n"
	"	int $0x80\n"
	"	pop %ebx\n"
	"	pop %esi\n"
	"	pop %edi\n"
	"	pop %ebp\n"
	"	ret\n"
	".globl _start\n"
	"_start:	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");

struct pollfd {
	int fd;
	short events;
	short revents;
};

struct ring {
	struct ptap_ring_consumer *con;
	const struct ptap_ring_control *ctl;
	const uint8_t *data;
};

static int fd;
static unsigned int wanted, got, nr_ifaces;
static struct ptap_info info = { .size = sizeof(info) };
static struct ring rings[RINGS_MAX];
static uint8_t buf[1 << 20];

void *memset(void *p, int c, size_t n)
{
	uint8_t *at = p;

	while (n--)
		*at++ = c;
	return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
	const uint8_t *src = from;
	uint8_t *dst = to;

	while (n--)
		*dst++ = *src++;
	return to;
}

/* The step that failed is the exit status. */
static long need(long ret, int step)
{
	if (ret < 0 && ret > -(long)PAGE)
		sys(SYS_EXIT, step, 0, 0, 0, 0, 0);
	return ret;
}

static long command(unsigned int nr, void *arg, int step)
{
	return need(sys(SYS_IOCTL, fd, nr, (long)arg, 0, 0, 0), step);
}

static void put(const uint8_t *p, uint32_t len)
{
	long n;

	while (len) {
		n = need(sys(SYS_WRITE, 1, (long)p, len, 0, 0, 0), 20);
		p += n;
		len -= n;
	}
}

static void count(const uint8_t *p, uint32_t len)
{
	uint32_t at;

	for (at = 0; at + 8 <= len; at += *(const uint32_t *)(p + at + 4))
		got += *(const uint32_t *)(p + at) == BLOCK_PACKET;
}

static void preamble(bool header)
{
	struct ptap_preamble pre = {
		.size = sizeof(pre), .first_iface = nr_ifaces,
		.flags = header ? PTAP_PREAMBLE_HEADER : 0,
		.len = sizeof(buf), .buf = (uintptr_t)buf,
	};

	command(PTAP_IOC_PREAMBLE, &pre, 10);
	put(buf, pre.len);
	nr_ifaces = pre.nr_ifaces;
}

static void *map(uint32_t ring, uint32_t page, uint32_t len, int prot)
{
	uint32_t at = ring * (uint32_t)(info.ring_stride / PAGE) + page;

	return (void *)need(sys(SYS_MMAP2, 0, len, prot, MAP_SHARED, fd, at),
			    11);
}

static void rings_map(void)
{
	uint32_t i;

	command(PTAP_IOC_INFO, &info, 12);
	if (info.nr_rings > RINGS_MAX || info.page_size != PAGE)
		sys(SYS_EXIT, 13, 0, 0, 0, 0, 0);
	for (i = 0; i < info.nr_rings; i++) {
		rings[i].con = map(i, 0, PAGE, PROT_READ | PROT_WRITE);
		rings[i].ctl = map(i, 1, PAGE + 2 * info.ring_size, PROT_READ);
		rings[i].data = (const uint8_t *)rings[i].ctl + PAGE;
	}
}

static void rings_take(void)
{
	struct ptap_drain drain = { .size = sizeof(drain),
				    .ring = PTAP_RING_ALL };
	uint64_t head, tail;
	struct ring *r;
	uint32_t i;

	command(PTAP_IOC_DRAIN, &drain, 14);
	for (i = 0; i < info.nr_rings; i++) {
		r = &rings[i];
		/* Halves of a position are no position. */
		head = __atomic_load_n(&r->ctl->head, __ATOMIC_ACQUIRE);
		tail = r->con->tail;
		if (r->ctl->nr_ifaces > nr_ifaces)
			preamble(false);
		count(r->data + (tail & (info.ring_size - 1)), head - tail);
		put(r->data + (tail & (info.ring_size - 1)), head - tail);
		__atomic_store_n(&r->con->tail, head, __ATOMIC_RELEASE);
	}
}

static void wait_more(void)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	need(sys(SYS_POLL, (long)&p, 1, 1000, 0, 0, 0), 15);
}

static void by_mmap(void)
{
	rings_map();
	preamble(true);
	while (got < wanted) {
		wait_more();
		rings_take();
	}
	command(PTAP_IOC_STOP, NULL, 16);
	rings_take();
}

static void by_read(void)
{
	long n;

	do {
		n = need(sys(SYS_READ, fd, (long)buf, sizeof(buf), 0, 0, 0),
			 17);
		count(buf, n);
		put(buf, n);
		if (n && got >= wanted) {
			sys(SYS_IOCTL, fd, PTAP_IOC_STOP, 0, 0, 0, 0);
			wanted = ~0U;
		}
	} while (n);
}

__attribute__((noreturn, used)) void start(char **args)
{
	struct ptap_setup setup = {
		.size = sizeof(setup), .flags = PTAP_SETUP_COPYBREAK,
		.copybreak = 500, .ring_size = 1 << 20,
	};
	const char *number;

	if ((long)args[0] != 3)
		sys(SYS_EXIT, 1, 0, 0, 0, 0, 0);
	number = args[3];
	while (*number)
		wanted = wanted * 10 + *number++ - '0';
	fd = need(sys(SYS_OPEN, (long)PTAP_DEVICE, O_RDWR, 0, 0, 0, 0), 2);
	command(PTAP_IOC_SETUP, &setup, 3);
	command(PTAP_IOC_START, NULL, 4);
	if (args[2][0] == 'm')
		by_mmap();
	else
		by_read();
	sys(SYS_EXIT, 0, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
