# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# tapdump against tcpdump, packet for packet.  Included by tests/tests.mk.
#
# parity: the whole matrix of interfaces, traffic and options, in test VMs; the
# table of results is printed and left in build/parity/parity.txt.  KINDS="veth
# gre ..." runs some kinds of interfaces only.
# replay: PCAPS=folder: every capture file there through a veth pair, captured
# with both and compared; the summary is left in build/parity/replay.txt.

.PHONY: parity replay
parity: deps
	@tests/parity/host.sh matrix $(KINDS)

replay: deps
	@tests/parity/host.sh replay "$(PCAPS)"
