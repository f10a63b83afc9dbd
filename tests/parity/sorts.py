# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What sorts of packets a capture has, told by their bytes, for the table.

The phases of traffic.py say what was meant to be sent; this says what came.
"""
import collections

EN10MB, RAW_12, RAW, SLL = 1, 12, 101, 113
TPIDS = (0x8100, 0x88A8)
EXTENSIONS = (0, 43, 44, 51, 60)
PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 58: "icmp6", 132: "sctp"}
MLD = (130, 131, 132, 143)
SLOW = (b"\x01\x80\xc2\x00\x00\x00", b"\x01\x00\x0c\xcc\xcc\xcd")

NAMES = ["arp", "options", "frag4", "ext6", "frag6", "icmp", "icmp6", "igmp", "mld",
         "tcp", "tcp>9K", "tcp>64K", "udp", "udp>9K", "sctp", "mcast", "bcast",
         "802.3", "stp", "lldp", "vlan", "qinq", "runt", "empty", ">1518", ">64K",
         "256K"]


def of_ip4(packet):
    """Sorts, the protocol and what it carries."""
    found = set()
    if len(packet) < 20:
        return found, None, b""
    ihl = (packet[0] & 15) * 4
    offset = int.from_bytes(packet[6:8], "big") & 0x3FFF
    if ihl > 20:
        found.add("options")
    if offset:
        found.add("frag4")
    return found, packet[9], packet[ihl:]


def of_ip6(packet):
    found = set()
    if len(packet) < 40:
        return found, None, b""
    proto, body = packet[6], packet[40:]
    while proto in EXTENSIONS and len(body) >= 8:
        found.add("frag6" if proto == 44 else "ext6")
        proto, size = body[0], 8 if proto == 44 else 8 + body[1] * 8
        body = body[size:]
    return found, proto, body


def of_packet(kind, packet, length):
    """Sorts of what an EtherType announces."""
    if kind == 0x806:
        return {"arp"}
    if kind == 0x88CC:
        return {"lldp"}
    if kind not in (0x800, 0x86DD):
        return set()
    found, proto, body = (of_ip4 if kind == 0x800 else of_ip6)(packet)
    name = PROTOCOLS.get(proto)
    if name:
        found.add(name)
        if name in ("tcp", "udp") and length > 9018:
            found.add(name + ">9K")
        if name == "tcp" and length > 65600:
            found.add("tcp>64K")
        if name == "icmp6" and body[:1] and body[0] in MLD:
            found.add("mld")
    return found


def of_frame(frame):
    """Sorts of an Ethernet frame, and what to make of the rest."""
    found = set()
    if frame[:6] == b"\xff" * 6:
        found.add("bcast")
    elif frame[:1] and frame[0] & 1:
        found.add("mcast")
    if len(frame) < 60:
        found.add("runt")
    if len(frame) <= 14:
        found.add("empty")
    kind, packet, tags = int.from_bytes(frame[12:14], "big"), frame[14:], 0
    while kind in TPIDS:
        kind, packet, tags = int.from_bytes(packet[2:4], "big"), packet[4:], tags + 1
    if tags:
        found.add("vlan" if tags == 1 else "qinq")
    if 0 < kind <= 1500:
        found.add("802.3")
        if frame[:6] in SLOW:
            found.add("stp")
    return found, kind, packet


def sorts(linktype, data):
    found, kind, packet = set(), None, data
    if linktype == EN10MB:
        found, kind, packet = of_frame(data)
        if len(data) > 1522:
            found.add(">1518")
    elif linktype == SLL:
        kind, packet = int.from_bytes(data[14:16], "big"), data[16:]
    elif linktype in (RAW, RAW_12):
        kind = 0x86DD if data[:1] and data[0] >> 4 == 6 else 0x800
    if len(data) > 65600:
        found.add(">64K")
    # of which tcpdump has not all
    if len(data) >= 262144 - 200:
        found.add("256K")
    return found | of_packet(kind, packet, len(data))


def count(linktype, packets):
    """How many packets of each sort, in the order of NAMES."""
    seen = collections.Counter(name for data in packets
                               for name in sorts(linktype, data))
    return [(name, seen[name]) for name in NAMES]
