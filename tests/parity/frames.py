# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Traffic made of bytes: frames and packets as no stack would send them.

Ethernet frames go through packet sockets of the ends; what carries IP only gets
the packets without a link layer.  Each function is a phase (see traffic.py) and
returns what was refused.  Contents carry a number, so that no two packets are
alike unless they are meant to be.
"""
import itertools
import struct

BROADCAST = b"\xff" * 6
NOBODY = bytes.fromhex("020000aabbcc")
number = itertools.count(1)


def fill(length):
    head = next(number).to_bytes(8, "big")
    return (head + bytes(i & 0xFF for i in range(max(0, length - 8))))[:length]


def eth(a, b, kind, payload, dst=None):
    return (dst or b.mac) + a.mac + struct.pack("!H", kind) + payload


def addr4(text):
    return bytes(int(part) for part in text.split("."))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(src, dst, proto, payload, options=b"", frag=0, ttl=64, ident=None):
    ihl = 5 + len(options) // 4
    ident = next(number) & 0xFFFF if ident is None else ident
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, ihl * 4 + len(payload),
                       ident, frag, ttl, proto, 0, src, dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src, dst, following, payload):
    return struct.pack("!IHBB16s16s", 0x60000000, len(payload), following, 64,
                       src, dst) + payload


def udp(payload, port=9):
    return struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload


SRC6 = bytes.fromhex("fd090000000000000000000000000001")
DST6 = bytes.fromhex("fd090000000000000000000000000002")
SRC4, DST4 = bytes([10, 9, 0, 1]), bytes([10, 9, 0, 2])

ROUTER_ALERT = bytes.fromhex("94040000")
RECORD_ROUTE = bytes.fromhex("072704") + bytes(36) + b"\0"
TIMESTAMP = bytes.fromhex("44240500") + bytes(32)
NOPS = b"\x01" * 40


def ipv4_packets():
    body = udp(fill(100))
    for options in (b"", ROUTER_ALERT, RECORD_ROUTE, TIMESTAMP, NOPS):
        yield ip4(SRC4, DST4, 17, body, options)
    yield ip4(SRC4, DST4, 17, body, ttl=1)
    yield ip4(SRC4, DST4, 17, body, frag=0x4000)
    for at, more in ((0, 1), (13, 1), (26, 0), (13, 1)):
        yield ip4(SRC4, DST4, 17, fill(104), frag=at | more << 13, ident=77)
    for proto in (1, 2, 4, 6, 41, 47, 50, 51, 89, 103, 112, 132, 136, 255):
        yield ip4(SRC4, DST4, proto, fill(60))
    yield ip4(SRC4, DST4, 59, b"")
    yield ip4(SRC4, DST4, 17, body)[:11]
    yield b"\x4f" + fill(30)


def ipv6_packets():
    body = udp(fill(90))
    hop = struct.pack("!BBBBI", 17, 0, 1, 4, 0)
    yield ip6(SRC6, DST6, 17, body)
    for header in (0, 43, 60):
        yield ip6(SRC6, DST6, header, hop + body)
    yield ip6(SRC6, DST6, 0, b"\x2b" + hop[1:] + b"\x3c" + hop[1:] + hop + body)
    for at, more in ((0, 1), (13, 1), (26, 0)):
        yield ip6(SRC6, DST6, 44,
                  struct.pack("!BBHI", 17, 0, at << 3 | more, 7) + fill(104))
    yield ip6(SRC6, DST6, 51, struct.pack("!BBHII", 17, 1, 0, 1, 1) + body)
    yield ip6(SRC6, DST6, 59, b"")
    yield ip6(SRC6, DST6, 58, b"\x80\0\0\0" + fill(40))
    yield ip6(SRC6, DST6, 0, struct.pack("!BBBBI", 17, 0, 0xC2, 4, 70000) + body)


def send(ends, kind, payloads, dst=None):
    refused = []
    for payload in payloads:
        for a, b in ends:
            a.frame(eth(a, b, kind, payload, dst), refused)
    return refused


def arp(a, b, _flags):
    """Of addresses that nobody has: the stack believes what it hears."""
    packets = []
    x, y = bytes([10, 9, 0, 101]), bytes([10, 9, 0, 102])
    for op, sender, target in ((1, x, y), (2, y, x), (1, x, x), (2, x, x),
                               (1, b"\0" * 4, y)):
        packets.append(struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, op, a.mac,
                                   sender, b.mac, target))
    return send([(a, b)], 0x806, packets, BROADCAST) + \
        send([(a, b), (b, a)], 0x806, [p + b"\0" * 18 for p in packets])


def raw_ipv4(a, b, _flags):
    return send([(a, b), (b, a)], 0x800, ipv4_packets())


def raw_ipv6(a, b, _flags):
    return send([(a, b), (b, a)], 0x86DD, ipv6_packets())


def raw_layer3(a, b, _flags):
    refused = []
    for end in (a, b):
        for packet in ipv4_packets():
            end.packet(0x800, packet, refused)
        for packet in ipv6_packets():
            end.packet(0x86DD, packet, refused)
        end.packet(0x8847, fill(50), refused)
        # nothing at all: the kernel refuses it
        end.packet(0x800, b"", refused)
    return refused


def llc(a, b, _flags):
    """802.3: a length where others have a type."""
    refused = []
    snap = bytes.fromhex("aaaa03000000")
    for length in (0, 3, 38, 46, 47, 200, 1000, 1497, 1500):
        body = (b"\x42\x42\x03" + fill(1500))[:length]
        a.frame(eth(a, b, length, body.ljust(46, b"\0")), refused)
    for head in (snap + b"\x08\x00", snap + b"\x81\x37", b"\xff\xff", b"\xe0\xe0\x03"):
        b.frame(eth(b, a, len(head) + 100, head + fill(100)), refused)
    return refused


def stp(a, b, _flags):
    bpdu = bytes.fromhex("424203000000000080000200000000010000000080000200"
                         "0000000180010000140002000f00") + bytes(8)
    pvst = bytes.fromhex("aaaa0300000c010b") + bpdu[3:]
    for group, body in (("0180c2000000", bpdu), ("01000ccccccd", pvst)):
        for x, y in ((a, b), (b, a)):
            x.frame(eth(x, y, len(body), body, bytes.fromhex(group)))


def lldp(a, b, _flags):
    body = b"\x02\x07\x04" + a.mac + b"\x04\x02\x07a" + b"\x06\x02\0\x78" + b"\0\0"
    for last in (b"\x0e", b"\x03", b"\x00"):
        dst = bytes.fromhex("0180c20000") + last
        a.frame(eth(a, b, 0x88CC, body, dst))
        a.frame(eth(a, b, 0x8809, b"\x01\x01" + fill(108), dst))
    return []


def runts(a, b, _flags):
    refused = []
    for length in (*range(0, 16), 17, 20, 33, 45, 46):
        a.frame(eth(a, b, 0x88B5, fill(length)), refused)
        b.frame(eth(b, a, 0x88B5, fill(length)), refused)
    for length in (0, 1, 6, 12, 13):
        a.frame(eth(a, b, 0x88B5, b"")[:length], refused)
    return refused


def tags(a, b, _flags):
    """VLAN tags in the bytes, which are not taken out before the tap."""
    refused = []
    inner = ip4(SRC4, DST4, 17, udp(fill(60)))
    chains = ([(0x8100, 5)], [(0x8100, 0xE000)], [(0x8100, 0x1FFF)],
              [(0x88A8, 9), (0x8100, 10)], [(0x8100, 9), (0x8100, 10)],
              [(0x88A8, 1), (0x88A8, 2), (0x8100, 3), (0x8100, 4)],
              [(0x9100, 6)], [(0x8100, 7), (0x88A8, 8)])
    for chain in chains:
        body = b"".join(struct.pack("!HH", *tag) for tag in chain)
        for x, y in ((a, b), (b, a)):
            head = y.mac + x.mac + body
            x.frame(head + b"\x08\x00" + inner, refused)
            x.frame(head + b"\x00\x32" + fill(50), refused)
            x.frame(head, refused)
            x.frame(head[:15], refused)
    return refused


def ethertypes(a, b, _flags):
    refused = []
    for kind in (0x8847, 0x8848, 0x8863, 0x8864, 0x88B5, 0x9000, 0x888E, 0x88F7,
                 0x88E5, 0x22F0, 0x6003, 0x8137, 0x894F, 0x0600, 0x05DD, 0xFFFF):
        a.frame(eth(a, b, kind, fill(70)), refused)
        b.frame(eth(b, a, kind, fill(71), NOBODY), refused)
    return refused


def others(a, b, _flags):
    """For nobody here: only a promiscuous interface takes them."""
    refused = []
    for i in range(20):
        b.frame(eth(b, a, 0x800, ip4(DST4, SRC4, 17, udp(fill(30 + i))), NOBODY),
                refused)
        b.frame(eth(b, a, 0x88B5, fill(60), bytes.fromhex("0300000000") +
                    bytes([i])), refused)
        a.frame(eth(a, b, 0x88B5, fill(60), a.mac), refused)
    return refused


def sizes(a, b, _flags):
    """Up to the largest that the device takes, and one more."""
    refused = []
    for end, peer in ((a, b), (b, a)):
        mtu = end.mtu
        for length in (100, 1000, 1499, 1500, 4000, 9000, 16000, 40000, mtu - 1,
                       mtu, mtu + 1, mtu + 4):
            end.frame(eth(end, peer, 0x88B5, fill(length)), refused)
    return refused


def storm(a, b, flags):
    refused = []
    for _ in range(300 if "sample" in flags else 1000):
        a.frame(eth(a, b, 0x88B5, fill(46), BROADCAST), refused)
    return refused


def twins(a, b, _flags):
    """The same frame again and again."""
    frame = eth(a, b, 0x88B5, bytes(46))
    for _ in range(50):
        a.frame(frame)


PHASES = [
    ("arp", ["ether"], arp),
    ("ipv4-raw", ["ether"], raw_ipv4),
    ("ipv6-raw", ["ether"], raw_ipv6),
    ("layer3-raw", ["l3"], raw_layer3),
    ("802.3", ["ether"], llc),
    ("stp", ["ether"], stp),
    ("lldp", ["ether"], lldp),
    ("runts", ["ether"], runts),
    ("tags-in-bytes", ["ether"], tags),
    ("ethertypes", ["ether"], ethertypes),
    ("others", ["ether"], others),
    ("sizes", ["ether"], sizes),
    ("twins", ["ether"], twins),
    ("storm", ["ether"], storm),
]
