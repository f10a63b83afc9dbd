#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""seeds.py DIR: what the fuzzers of parsers begin with, a folder for each."""

import pathlib
import struct
import sys


def block(kind, body, *options, order="<"):
    """A pcapng block."""
    for code, data in options:
        body += struct.pack(order + "HH", code, len(data)) + data
        body += bytes(-len(data) % 4)
    if options:
        body += bytes(4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(order="<"):
    """A small capture with everything that --verify looks at."""
    def pack(form, *values):
        return struct.pack(order + form, *values)

    out = block(0x0a0d0d0a, pack("IHHq", 0x1a2b3c4d, 1, 0, -1), order=order)
    out += block(1, pack("HHI", 1, 0, 262144), (2, b"eth0"), (9, b"\x09"),
                 order=order)
    for seq in 1, 2, 4:
        out += block(6, pack("IIIII", 0, 0x17, seq, 6, 60) + b"packet\0\0",
                     (2, pack("I", 1)), (4, pack("Q", seq - 1)),
                     (5, pack("Q", 1 << 48 | seq)), order=order)
    out += block(5, pack("III", 0, 0, 9), (2, bytes(8)), (3, bytes(8)),
                 (6, pack("Q", 8)), (7, pack("Q", 4)), (8, pack("Q", 3)),
                 order=order)
    return out


def pcap(magic):
    """A small capture of the old format."""
    out = struct.pack("<IHHIIII", magic, 2, 4, 0, 0, 262144, 1)
    for i in range(3):
        out += struct.pack("<IIII", 1700000000, i, 20 + i, 60) + bytes(20 + i)
    return out


OPTIONS = (
    "-i\nlo\n-w\nx.pcap\n-s\n96\n-c\n10",
    "-C\n1\n-W\n5\n-G\n60\n-w\nx-%s.pcap\n-z\ngzip\ntcp port 80",
    "--pcapng\n--meta\ndrops,id,flags\n--stats\njson=1,x\n-B\n4M",
    "--ring-buffer\nfiles:3,filesize:100,duration:5\n-b\n-w\nx",
    "--autostop\npackets:5,duration:7\n--compress\nzstd:3\n-w\nx",
    "--on-full\nwait\n--jobs\n2\n-Q\nin\n-y\nLINUX_SLL2\n-i\nany",
    "--verify\n-v\na.pcapng\nb.pcapng", "-r\nx.pcap\n-nn\n-XX", "-D", "-L",
    "-j\nhost\n--time-stamp-precision\nnano\n-Z\nnobody\n-M\nx\n-E\ny",
)
FILTERS = ("", "tcp port 80", "vlan and host 10.0.0.1", "ip6 and udp",
           "outbound", "ether proto 0x88b5", "greater 100 and less 200",
           "ip[0] & 0xf != 5", "not arp and (icmp or tcp[13] & 2 != 0)",
           "ifindex 3", "ether host 1:2:3:4:5:6", "mpls 7 and pppoes")


def main():
    """All of them."""
    top = pathlib.Path(sys.argv[1])
    files = [pcapng(), pcapng(">"), pcap(0xa1b2c3d4), pcap(0xa1b23c4d)]
    message = b"T\0\0\x0a\0\1tcp port T\0\0\2\0\0T\0\0\5\0\1arp"
    seeds = {
        "verify": [bytes([i]) + f for f in files[:2] for i in range(4)],
        "repair": files + [f[:-7] for f in files],
        "stream": [bytes([how]) + f for f in files for how in range(9)],
        "filter": [bytes([how]) + f.encode() for f in FILTERS
                 for how in (0, 1, 2, 3, 18)],
        "options": [o.encode() for o in OPTIONS],
        "control": [message, b"xx" + message],
    }
    for name, many in seeds.items():
        folder = top / name
        folder.mkdir(parents=True, exist_ok=True)
        for i, data in enumerate(many):
            (folder / f"seed{i}").write_bytes(data)


main()
