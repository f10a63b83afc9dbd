#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# A sample of the matrix of tests/parity ("make parity"): one kind of interfaces
# for each way in which packets differ (Ethernet with offloads, loopback, VLAN,
# forwarded, raw IP, cooked, netlink), in a few ways to capture.

PARITY_OUT=$(mktemp -d /tmp/ptap-test.XXXXXX)
export PARITY_OUT
exec "$(dirname "$0")/../parity/run.sh" --sample \
	veth lo vlan bridge wireguard gre nlmon
