#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""replay_files.py FOLDER - capture files for 26-replay.sh, good and bad ones."""
import gzip
import os
import struct
import sys

EN10MB, RAW = 1, 101
A, B = b"\x02\0\0\0\0\1", b"\x02\0\0\0\0\2"


def frame(number, length=60, head=B + A):
    """Of local experimental EtherType; no two are alike."""
    body = struct.pack("!HI", 0x88B5, number) + bytes(i & 0xFF for i in range(length))
    return (head + body)[:length]


def pcap(frames, linktype=EN10MB):
    data = struct.pack("IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype)
    for i, packet in enumerate(frames):
        data += struct.pack("IIII", 1700000000 + i, 0, len(packet), len(packet))
        data += packet
    return data


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("II", kind, len(body) + 12) + body + \
        struct.pack("I", len(body) + 12)


def pcapng(frames):
    data = block(0x0A0D0D0A, struct.pack("IHHq", 0x1A2B3C4D, 1, 0, -1))
    data += block(1, struct.pack("HHI", EN10MB, 0, 0))
    for i, packet in enumerate(frames):
        head = struct.pack("IIIII", 0, 0, i, len(packet), len(packet))
        data += block(6, head + packet)
    return data


def main(folder):
    tagged = B + A + b"\x81\0\0\7"
    ordinary = [frame(i, 60 + i * 30) for i in range(30)] + \
        [frame(i, 200, tagged) for i in range(5)] + \
        [frame(i, 60, b"\xff" * 6 + A) for i in range(5)]
    # too short for a header, and far too long for any device
    refused = [frame(i, 100) for i in range(3)] + [frame(7, 13), frame(8, 6)] + \
        [frame(i, 9000) for i in range(3)] + [frame(9, 2)] + \
        [frame(i, 14 + i) for i in range(3)]
    files = {
        "ethernet.pcap": pcap(ordinary),
        "more/compressed.pcapng.gz": gzip.compress(
            pcapng([frame(i, 100) for i in range(12)])),
        "refused.pcap": pcap(refused),
        "truncated.pcap": pcap([frame(i, 300) for i in range(6)])[:-100],
        "empty.pcap": pcap([]),
        "ip.pcap": pcap([b"\x45\0\0\x14" + bytes(16)], RAW),
        "words.pcap": b"This is no capture file.\n",
    }
    for name, data in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


main(sys.argv[1])
