#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""udp_burst.py HOST COUNT [SIZE]: datagrams, each with its number and a pattern.

SIZE 0, the default, goes through sizes from 1 byte to beyond an Ethernet
frame's, so that fragments are among them.
"""
import socket
import sys

host, count = sys.argv[1], int(sys.argv[2])
size = int(sys.argv[3]) if len(sys.argv) > 3 else 0
family = socket.AF_INET6 if ":" in host else socket.AF_INET
sock = socket.socket(family, socket.SOCK_DGRAM)
for i in range(count):
    length = size or 1 + (i * 37) % 3000
    head = i.to_bytes(8, "big")
    body = bytes((i + n) & 0xFF for n in range(max(0, length - 8)))
    try:
        sock.sendto((head + body)[:length], (host, 9999))
    except ConnectionRefusedError:
        pass
