#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""verify_make.py FILE [--light] [--swap] [--rings N] [--start N] EVENT...: a pcapng file as
tapdump writes it, of a capture in which that happens:

p[=N]     packets that are written
drop=N    lost in the kernel
lost=N    captured, but not written
rest=N    captured after the last one that was wanted
back      the clock is set back
base      the account that a further file begins with
sum       the account at the end of a file
end       that of the last one

Without numbers and losses in the packets with --light.  Numbers and sums go on
from file to file that begins with "base", in the file "state".
"""
import json
import os
import struct
import sys


class File:
    """A file being made."""

    def __init__(self, path, order, rings, light, start):
        self.order, self.rings, self.light = order, rings, light
        self.start = start
        self.state = {"seq": {}, "next": 0, "drop": 0, "told": 0, "lost": 0,
                      "captured": 0, "written": 0, "time": 10 ** 18,
                      "ended": False}
        if os.path.exists("state"):
            with open("state", encoding="ascii") as old:
                state = json.load(old)
            if not state["ended"]:
                self.state = state
        self.out = open(path, "wb")
        self.block(0x0a0d0d0a, self.pack("IHHq", 0x1a2b3c4d, 1, 0, -1))
        self.block(1, self.pack("HHI", 1, 0, 262144), (2, b"eth0"),
                   (9, b"\x09"))

    def pack(self, form, *values):
        """Numbers in the file's byte order."""
        return struct.pack(self.order + form, *values)

    def block(self, kind, body, *options):
        """A block with its options."""
        for code, data in options:
            body += self.pack("HH", code, len(data)) + data
            body += bytes(-len(data) % 4)
        if options:
            body += bytes(4)
        size = self.pack("I", len(body) + 12)
        self.out.write(self.pack("I", kind) + size + body + size)

    def time(self, ns):
        """A time is two words."""
        return self.pack("II", ns >> 32, ns & 0xffffffff)

    def number(self):
        """The next number of a record."""
        s = self.state
        ring = s["next"] % self.rings
        s["next"] += 1
        seq = s["seq"].get(str(ring), 0) + 1
        s["seq"][str(ring)] = seq
        s["captured"] += 1
        return ring << 48 | seq

    def packet(self):
        """A packet that is written."""
        s, options = self.state, []
        number = self.number()
        if not self.light:
            if s["drop"] > s["told"]:
                options.append((4, self.pack("Q", s["drop"] - s["told"])))
                s["told"] = s["drop"]
            options.append((5, self.pack("Q", number)))
        self.block(6, self.pack("I", 0) + self.time(s["time"]) +
                   self.pack("II", 61, 61) + bytes(64), *options)
        s["time"] += 1
        s["written"] += 1

    def account(self, last):
        """An Interface Statistics Block."""
        s = self.state
        times = [(2, self.time(10 ** 18 + self.start))]
        if last:
            times.append((3, self.time(s["time"])))
        accepted = s["captured"] + s["drop"]
        self.block(5, self.pack("I", 0) + self.time(s["time"]), *times,
                   *((code, self.pack("Q", n)) for code, n in (
                       (4, accepted), (5, 0), (6, accepted), (7, s["drop"]),
                       (8, s["written"] + s["lost"]))))
        s["ended"] = last

    def event(self, what, count):
        """Something happens."""
        s = self.state
        for _ in range(count):
            if what == "p":
                self.packet()
            elif what == "drop":
                s["drop"] += 1
            elif what in ("lost", "rest"):
                self.number()
                s["lost"] += what == "lost"
        if what == "back":
            s["time"] -= 10 ** 9
        elif what in ("base", "sum", "end"):
            self.account(what == "end")

    def close(self):
        """Leave the numbers to the next one."""
        self.out.close()
        with open("state", "w", encoding="ascii") as new:
            json.dump(self.state, new)


def main(args):
    options = {"order": "=", "rings": 1, "light": False, "start": 0}
    path = args.pop(0)
    if "base" not in args:
        if os.path.exists("state"):
            os.remove("state")
    while args and args[0].startswith("--"):
        word = args.pop(0)
        if word == "--light":
            options["light"] = True
        elif word == "--swap":
            options["order"] = ">" if sys.byteorder == "little" else "<"
        elif word == "--rings":
            options["rings"] = int(args.pop(0))
        elif word == "--start":
            options["start"] = int(args.pop(0))
    file = File(path, **options)
    for arg in args:
        what, _, count = arg.partition("=")
        file.event(what, int(count or 1))
    file.close()


main(sys.argv[1:])
