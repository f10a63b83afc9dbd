#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A name server for the demo: the same answer to every question of type A or
AAAA, on UDP port 53 of all addresses."""
import socket
import struct

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("0.0.0.0", 53))
while True:
    query, peer = sock.recvfrom(4096)
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    qtype = struct.unpack("!H", question[-4:-2])[0]
    data = {1: bytes([192, 0, 2, 7]), 28: bytes.fromhex("20010db8" + "00" * 11 + "07")}.get(qtype)
    answer = b""
    if data:
        answer = b"\xc0\x0c" + question[-4:] + struct.pack("!IH", 60, len(data)) + data
    head = query[:2] + b"\x85\x80" + struct.pack("!HHHH", 1, 1 if data else 0, 0, 0)
    sock.sendto(head + question + answer, peer)
