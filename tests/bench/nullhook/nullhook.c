// SPDX-License-Identifier: GPL-2.0
/*
 * nullhook: a tap that does nothing, for tests/bench only.
 *
 * What a packet_type for ETH_P_ALL costs before it does any work: the call, the
 * reference, and on transmit the clone that the stack makes for taps.  It is
 * the floor that the benchmark's contenders stand on.  It registers for the
 * initial network namespace while it is loaded and counts nothing.  With the
 * parameter "clock" it also reads one, "host" or "tsc": no tap that stamps its
 * packets can cost less.
 *
 * ptap_null_rcv() runs in softirq, or in process context with BH off.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <net/net_namespace.h>

static char *clock = "";
module_param(clock, charp, 0);
static bool host, tsc;

static int ptap_null_rcv(struct sk_buff *skb, struct net_device *dev,
			 struct packet_type *pt, struct net_device *orig_dev)
{
	struct timespec64 now;
	u32 low, high;

	if (host)
		ktime_get_real_ts64(&now);
	if (tsc)
		asm volatile("rdtsc" : "=a" (low), "=d" (high));
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type ptap_null = {
	.type = htons(ETH_P_ALL),
	.func = ptap_null_rcv,
	.af_packet_net = &init_net,
};

static int __init ptap_null_init(void)
{
	host = !strcmp(clock, "host");
	tsc = !strcmp(clock, "tsc");
	dev_add_pack(&ptap_null);
	return 0;
}

static void __exit ptap_null_exit(void)
{
	dev_remove_pack(&ptap_null);
}

module_init(ptap_null_init);
module_exit(ptap_null_exit);
MODULE_DESCRIPTION("Empty packet tap, for benchmarks");
MODULE_LICENSE("GPL");
