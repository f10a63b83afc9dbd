#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""judge_test.py - what tests/parity/judge.py excuses, and that it is no more.

Each excuse is tried on a pair of records that it is for, and then on the same
pair with every byte of one and of the other changed: a difference that is none
of its business has to stay one.
"""
import collections
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "parity"))
# pylint: disable=wrong-import-position
import judge
import pcapng
import sorts

SLL, SLL2, CAN, EN10MB = judge.SLL, judge.SLL2, judge.CAN, judge.EN10MB
count = [0, 0]


def result(passed, name):
    count[0] += 1
    count[1] += not passed
    print(f"{'ok' if passed else 'not ok'} {count[0]} - {name}")


def hexes(*parts):
    return bytes.fromhex("".join(parts).replace(" ", ""))


SENT = "0004 0001 0006 020000000001 0000"
RECEIVED = "0000 0001 0006 020000000001 0000"
SENT2 = "0000 00000003 0001 04 06 020000000001 0000"
IP = "4500001c000000004011000a0a0900010a0900022345000900080000"
PACKET = "0800" + IP
ETHER = "020000000002 020000000001"
# 10.9.0.1 to 10.9.0.2, 40000 to 9, one byte: pseudo-header's sum, whole checksum
UDP = "4500001d0000400040112692 0a090001 0a090002 9c400009 0009 {} 41"
PARTIAL, WHOLE = "142f", "0e7e"
Q7, Q8, AD9 = "8100 0007", "8100 0008", "88a8 0009"


def excuse_of(a, b, linktype):
    for excuse in judge.EXCUSES + judge.OF_KIND["e1000e"]:
        if excuse(a, b, linktype):
            return excuse.__name__
    return None


def changed(data, i):
    return data[:i] + bytes([data[i] ^ 0x40]) + data[i + 1:]


# name, excuse, link type, ours, tcpdump's, and which of our bytes tcpdump lost
CASES = [
    ("a type behind the tag, SLL2", "excuse_inner_type", SLL2,
     hexes("8100", SENT2, "0007", PACKET), hexes("0800", SENT2, "0007", PACKET),
     ()),
    ("a type behind the tag, and the tag twice, SLL", "excuse_inner_type", SLL,
     hexes(SENT, Q7, PACKET), hexes(SENT, Q7, "0800 0007", PACKET),
     ()),
    ("one inner tag is lost", "excuse_inner_tags", SLL,
     hexes(SENT, AD9, Q7, PACKET), hexes(SENT, AD9, PACKET),
     (20, 21)),
    ("three inner tags are lost", "excuse_inner_tags", SLL,
     hexes(SENT, AD9, Q7, Q8, Q7, PACKET), hexes(SENT, AD9, PACKET),
     (20, 21, 24, 25, 28, 29)),
    ("an inner tag is lost, another has the wrong type", "excuse_inner_tags", SLL,
     hexes(SENT, AD9, Q7, Q8, PACKET), hexes(SENT, AD9, "0800 0008", PACKET),
     (20, 21)),
    ("all tags of a short packet are lost", "excuse_inner_tags", SLL,
     hexes(SENT, AD9, Q7, "88b5 010203"), hexes(SENT, "88b5 010203"),
     (16, 17, 20, 21)),
    ("the tag of a short packet is lost", "excuse_short", SLL,
     hexes(RECEIVED, Q7, "88b5 010203"), hexes(RECEIVED, "88b5 010203"),
     (16, 17)),
    ("type 0 of what ends in its tag, SLL2", "excuse_no_type", SLL2,
     hexes("8100", SENT2, "0007 08"), hexes("0000", SENT2, "0007 08"),
     ()),
    ("type 0 of what ends in its second tag, SLL", "excuse_no_type", SLL,
     hexes(SENT, Q7, "8100 08"), hexes(SENT, "0000 0007 8100 08"),
     ()),
    ("type 0 of a tag that is lost", "excuse_no_type", SLL,
     hexes(RECEIVED, Q7, "8100 08"), hexes(RECEIVED, "0000 08"),
     (16, 17)),
    ("the flags of a CAN FD frame", "excuse_can_flags", CAN,
     hexes("00000123 08 05 0000 0102030405060708"),
     hexes("00000123 08 00 0000 0102030405060708"),
     (5,)),
    ("a checksum that the card filled in", "excuse_card", EN10MB,
     hexes(ETHER, "0800", UDP.format(WHOLE)),
     hexes(ETHER, "0800", UDP.format(PARTIAL)), ()),
]

# differences that nothing excuses
WRONG = [
    ("an inner tag of a received packet", SLL,
     hexes(RECEIVED, AD9, Q7, PACKET), hexes(RECEIVED, AD9, PACKET)),
    ("the outermost tag", SLL,
     hexes(SENT, AD9, Q7, PACKET), hexes(SENT, Q7, PACKET)),
    ("an inner tag in ours only, and the packet too long", SLL,
     hexes(SENT, AD9, Q7, PACKET), hexes(SENT, AD9, PACKET, "00")),
    ("a tag that tcpdump has and we do not", SLL,
     hexes(SENT, AD9, PACKET), hexes(SENT, AD9, Q7, PACKET)),
    ("type 0, of another packet", SLL,
     hexes(SENT, Q7, Q8), hexes(SENT, "0000 0007 8100 08")),
    ("a checksum that is wrong", EN10MB,
     hexes(ETHER, "0800", UDP.format("0e70")),
     hexes(ETHER, "0800", UDP.format(PARTIAL))),
    ("a tag in plain Ethernet", EN10MB,
     hexes("020000000002020000000001", AD9, Q7, PACKET),
     hexes("020000000002020000000001", AD9, PACKET)),
]

for name, wanted, linktype, a, b, lost in CASES:
    found = excuse_of(a, b, linktype)
    result(found == wanted, f"excused: {name}" +
           ("" if found == wanted else f" (by {found})"))
    more = [i for i in range(len(a)) if i not in lost and
            excuse_of(changed(a, i), b, linktype)]
    more += [i for i in range(len(b)) if excuse_of(a, changed(b, i), linktype)]
    result(not more, f"nothing else is: {name}" +
           (f" (bytes {more})" if more else ""))

for name, linktype, a, b in WRONG:
    result(not excuse_of(a, b, linktype), f"not excused: {name}")

# Before the traffic, what one has and the other has not; nothing else.
phases = judge.Phases("/nonexistent")
phases.starts = [(100, "ping")]
early, late = {"a": {"ts_ns": 99}}, {"a": {"ts_ns": 100}}
theirs, missed = {"b": {"ts_ns": 99}}, {"a": None, "b": {"ts_ns": 100}}
both = {"a": {"ts_ns": 99}, "b": {"ts_ns": 99}}
reasons = collections.Counter()
found = judge.leave_early([early, late, theirs, missed, both], phases, reasons)
result(found == [late, missed, both] and
       reasons == {judge.EARLY["a"]: 1, judge.EARLY["b"]: 1},
       "excused: a packet of one alone, before the traffic")



def block(kind, body):
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def described(linktype, name):
    return block(1, struct.pack("<HHI HH4s HHB3x HH", linktype, 0, 0, 2, len(name),
                                name, 9, 1, 9, 0, 0))


def packet(which, time_ns, data):
    return block(6, struct.pack("<5I", which, time_ns >> 32, time_ns & 0xFFFFFFFF,
                                len(data), 100) + data + bytes(-len(data) % 4))


# A file of two interfaces becomes two.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "x")
    with open(path, "wb") as out:
        out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) +
                  described(1, b"va") + packet(0, 5 * 10**9 + 1, b"12345") +
                  described(101, b"wg") + packet(1, 6 * 10**9, b"123") +
                  packet(0, 6 * 10**9 - 1, b"1") + packet(1, 0, b"cut off")[:-1])
    files, steps = pcapng.split(path)
    result(sorted(files) == ["va", "wg"] and steps == 1, "pcapng: interfaces, order")
    result(judge.pcap_records(files["va"]) == (1, [b"12345", b"1"]) and
           judge.pcap_times(files["va"]) == [5 * 10**9 + 1, 6 * 10**9 - 1],
           "pcapng: packets of one, and their times")
    result(judge.pcap_records(files["wg"]) == (101, [b"123"]),
           "pcapng: another link type")


def alone(side, number, time_ns):
    return {"kind": "only", side: {"packet": number, "ts_ns": time_ns}}


# One of several like packets, far apart, and one that is another.
with tempfile.TemporaryDirectory() as folder:
    paths = []
    for name, packets in (("a", [b"twin", b"ours"]), ("b", [b"them", b"twin"])):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for data in packets:
                out.write(struct.pack("<4I", 1, 0, len(data), len(data)) + data)
    reasons, found = judge.excused(
        [alone("a", 1, 0), alone("a", 2, 0), alone("b", 1, 0),
         alone("b", 2, 10**9)], *paths)
    result(sum(reasons.values()) == 1 and
           [d.get("a", d.get("b"))["head"] for d in found] ==
           [b"them".hex(), b"ours".hex()], "excused: a twin, and no other packet")
    reasons, found = judge.excused([alone("a", 1, 0), alone("b", 2, 3 * 10**9)], *paths)
    result(not reasons and len(found) == 2, "not excused: a twin from much later")

SORTS = [
    (EN10MB, hexes(ETHER, "0800", UDP.format(WHOLE)), "udp runt"),
    (EN10MB, hexes(ETHER, "0806") + bytes(46), "arp"),
    (EN10MB, hexes("ffffffffffff 020000000001", AD9, Q7, "86dd 60000000 0028 00 40") +
     bytes(32) + hexes("3a00 0502 0000 0100 8f00") + bytes(30),
     "bcast qinq ext6 icmp6 mld"),
    (EN10MB, hexes("0180c2000000 020000000001 0026 424203") + bytes(1600),
     "mcast 802.3 stp >1518"),
    (EN10MB, hexes(ETHER, "88cc"), "lldp empty runt"),
    (SLL, hexes(SENT, "0800 46000028 0001 2000 4002") + bytes(50),
     "options frag4 igmp"),
    (101, hexes("60000000 0014 06 40") + bytes(70000), "tcp tcp>9K tcp>64K >64K"),
    (101, b"", ""),
]
for linktype, data, wanted in SORTS:
    found = sorts.sorts(linktype, data)
    result(found == set(wanted.split()), f"sorts of a packet: {wanted or 'none'}" +
           ("" if found == set(wanted.split()) else f" ({found})"))

print(f"1..{count[0]}")
sys.exit(count[1] > 0)
