// SPDX-License-Identifier: GPL-2.0
/*
 * stampdev: an Ethernet device "stamp0" that stamps packets, for tests only.
 *
 * What is sent through it comes back as received, with a hardware time stamp if
 * SIOCSHWTSTAMP asked for it: packet n, counted from 0, has 10^9 seconds and n
 * microseconds and n nanoseconds.  Each fourth one has none, as an adapter that
 * is busy leaves some out.  With the parameter "refuse" it does not stamp, and
 * it says that it missed "missed" packets before anybody could see them.
 *
 * Transmit runs with BH off under the queue's lock; nothing else counts.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/net_tstamp.h>
#include <linux/netdevice.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <net/dst.h>

#define STAMP_FIRST_NS	(1000000000ULL * NSEC_PER_SEC)
#define STAMP_STEP_NS	1001
#define STAMP_NONE	4

static bool refuse;
module_param(refuse, bool, 0644);
MODULE_PARM_DESC(refuse, "SIOCSHWTSTAMP fails with ERANGE");

static uint missed;
module_param(missed, uint, 0644);
MODULE_PARM_DESC(missed, "packets that the device says it missed");

static struct net_device *stamp_dev;
static bool stamping;
static u64 count;

static netdev_tx_t stamp_xmit(struct sk_buff *skb, struct net_device *dev)
{
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return NETDEV_TX_OK;
	skb_orphan(skb);
	skb_dst_drop(skb);
	if (READ_ONCE(stamping) && count % STAMP_NONE != STAMP_NONE - 1)
		skb_hwtstamps(skb)->hwtstamp =
			ns_to_ktime(STAMP_FIRST_NS + count * STAMP_STEP_NS);
	count++;
	skb->protocol = eth_type_trans(skb, dev);
	netif_rx(skb);
	return NETDEV_TX_OK;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static int stamp_set(struct net_device *dev, struct kernel_hwtstamp_config *cfg,
		     struct netlink_ext_ack *extack)
{
	if (refuse)
		return -ERANGE;
	WRITE_ONCE(stamping, cfg->rx_filter != HWTSTAMP_FILTER_NONE);
	return 0;
}
#else
static int stamp_ioctl(struct net_device *dev, struct ifreq *req, int cmd)
{
	struct hwtstamp_config cfg;

	if (cmd != SIOCSHWTSTAMP)
		return -EOPNOTSUPP;
	if (refuse)
		return -ERANGE;
	if (copy_from_user(&cfg, req->ifr_data, sizeof(cfg)))
		return -EFAULT;
	WRITE_ONCE(stamping, cfg.rx_filter != HWTSTAMP_FILTER_NONE);
	return 0;
}
#endif

static void stamp_stats(struct net_device *dev, struct rtnl_link_stats64 *stats)
{
	stats->rx_missed_errors = READ_ONCE(missed);
}

static const struct net_device_ops stamp_ops = {
	.ndo_start_xmit = stamp_xmit,
	.ndo_get_stats64 = stamp_stats,
	.ndo_set_mac_address = eth_mac_addr,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.ndo_hwtstamp_set = stamp_set,
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	.ndo_eth_ioctl = stamp_ioctl,
#else
	.ndo_do_ioctl = stamp_ioctl,
#endif
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static int stamp_info(struct net_device *dev,
		      struct kernel_ethtool_ts_info *info)
#else
static int stamp_info(struct net_device *dev, struct ethtool_ts_info *info)
#endif
{
	info->so_timestamping = SOF_TIMESTAMPING_RX_SOFTWARE |
				SOF_TIMESTAMPING_SOFTWARE |
				SOF_TIMESTAMPING_RX_HARDWARE |
				SOF_TIMESTAMPING_SYS_HARDWARE |
				SOF_TIMESTAMPING_RAW_HARDWARE;
	info->phc_index = -1;
	info->tx_types = 1 << HWTSTAMP_TX_OFF | 1 << HWTSTAMP_TX_ON;
	info->rx_filters = 1 << HWTSTAMP_FILTER_NONE | 1 << HWTSTAMP_FILTER_ALL;
	return 0;
}

static const struct ethtool_ops stamp_ethtool = {
	.get_link = ethtool_op_get_link,
	.get_ts_info = stamp_info,
};

static void stamp_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &stamp_ops;
	dev->ethtool_ops = &stamp_ethtool;
	dev->flags |= IFF_NOARP;
	eth_hw_addr_random(dev);
}

static int __init stamp_init(void)
{
	int err;

	stamp_dev = alloc_netdev(0, "stamp%d", NET_NAME_ENUM, stamp_setup);
	if (!stamp_dev)
		return -ENOMEM;
	err = register_netdev(stamp_dev);
	if (err)
		free_netdev(stamp_dev);
	return err;
}

static void __exit stamp_exit(void)
{
	unregister_netdev(stamp_dev);
	free_netdev(stamp_dev);
}

module_init(stamp_init);
module_exit(stamp_exit);
MODULE_DESCRIPTION("Device with hardware time stamps, for tests");
MODULE_LICENSE("GPL");
