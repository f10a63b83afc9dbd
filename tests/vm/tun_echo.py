#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""tun_echo.py NAME ADDRESS SECONDS: a tun device whose far side answers pings.

Everything that is sent into it comes back with its addresses swapped and, if it
was an ICMP echo request, as the reply.
"""
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

name, address, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
if not os.path.exists("/dev/net/tun"):
    subprocess.run(["modprobe", "tun"], check=False)
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
subprocess.run(["ip", "addr", "add", address + "/24", "dev", name], check=True)
subprocess.run(["ip", "link", "set", name, "up"], check=True)
end = time.monotonic() + seconds
while time.monotonic() < end:
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    p = bytearray(os.read(fd, 65536))
    if p[0] >> 4 != 4:
        continue
    p[12:16], p[16:20] = p[16:20], p[12:16]
    ihl = (p[0] & 15) * 4
    if p[9] == 1 and p[ihl] == 8:
        p[ihl] = 0
        p[ihl + 2 : ihl + 4] = b"\0\0"
        data = bytes(p[ihl:]) + b"\0" * (len(p[ihl:]) % 2)
        s = sum(struct.unpack(f"!{len(data) // 2}H", data))
        s = (s & 0xFFFF) + (s >> 16)
        s = ~((s & 0xFFFF) + (s >> 16)) & 0xFFFF
        p[ihl + 2 : ihl + 4] = s.to_bytes(2, "big")
    os.write(fd, p)
