#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""udp_numbers.py [--limit BYTES] FILE...: the numbers of udp_burst.py's
datagrams, one a line, in the order of the files.

Ethernet, IPv4 without options, pcap or pcapng of this machine's byte order.
Fails if a file does not end with a whole record; with --limit, if a file but
the last is not larger than that by a part of its last record.
"""
import struct
import sys

PCAP_HEADER, PCAP_RECORD, EPB_HEADER, NUMBER_AT = 24, 16, 28, 42


def records(data):
    """Offset, size and packet of each record."""
    pcapng = data[:4] == b"\x0a\x0d\x0d\x0a"
    at = 0 if pcapng else PCAP_HEADER
    while at < len(data):
        if pcapng:
            kind, size = struct.unpack_from("=II", data, at)
            caplen = struct.unpack_from("=I", data, at + 20)[0]
            start = at + EPB_HEADER
        else:
            kind, caplen = 6, struct.unpack_from("=I", data, at + 8)[0]
            start, size = at + PCAP_RECORD, PCAP_RECORD + caplen
        if at + size > len(data):
            raise ValueError("ends in the middle of a record")
        if kind == 6:
            yield at, size, data[start:start + caplen]
        at += size


def main(args):
    limit = 0
    if args[0] == "--limit":
        limit, args = int(args[1]), args[2:]
    for name in args:
        with open(name, "rb") as file:
            data = file.read()
        last = 0
        for at, _, packet in records(data):
            last = at
            print(int.from_bytes(packet[NUMBER_AT:NUMBER_AT + 8], "big"))
        if limit and name != args[-1] and not last <= limit < len(data):
            raise ValueError(f"{name}: {last} + {len(data) - last} bytes")


main(sys.argv[1:])
