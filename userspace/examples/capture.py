#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""capture.py IFACE PACKETS [FILTER] - libptap from Python, with ctypes alone.

Prints time, length and the first bytes of each packet.  The class Tap is all
that a program needs; copy it."""

import ctypes
import sys


class Config(ctypes.Structure):
    """struct ptap_config; zeroes are the defaults."""
    _fields_ = [("size", ctypes.c_size_t),
                ("ifaces", ctypes.POINTER(ctypes.c_char_p)),
                *((name, ctypes.c_uint32) for name in (
                    "nr_ifaces", "flags", "format", "linktype", "snaplen",
                    "direction", "copybreak", "meta", "mode", "watermark",
                    "flush_us", "reserved")),
                ("ring_size", ctypes.c_uint64)]


class Packet(ctypes.Structure):
    """struct ptap_packet."""
    _fields_ = [("ts_ns", ctypes.c_uint64),
                ("data", ctypes.POINTER(ctypes.c_uint8)),
                *((name, ctypes.c_uint32) for name in (
                    "caplen", "len", "iface", "linktype", "direction"))]


class Tap:
    """A capture: for time_ns, length, data in Tap(["eth0"], "tcp"): ..."""
    ENODATA = 61

    def __init__(self, ifaces=(), expression="", snaplen=0, flags=0):
        self.lib = ctypes.CDLL("libptap.so.1")
        self.lib.ptap_create.restype = ctypes.c_void_p
        self.lib.ptap_error.restype = ctypes.c_char_p
        self.tap = ctypes.c_void_p(self.lib.ptap_create())
        names = (ctypes.c_char_p * len(ifaces))(*(i.encode() for i in ifaces))
        config = Config(size=ctypes.sizeof(Config), nr_ifaces=len(ifaces),
                        ifaces=names, snaplen=snaplen, flags=flags)
        self.check(self.lib.ptap_open(self.tap, ctypes.byref(config)))
        self.set_filter(expression)
        self.check(self.lib.ptap_start(self.tap))

    def check(self, ret):
        if ret < 0:
            raise OSError(-ret, self.lib.ptap_error(self.tap).decode())
        return ret

    def set_filter(self, expression):
        """From now on; at any time."""
        self.check(self.lib.ptap_filter_set(self.tap, expression.encode()))

    def __iter__(self):
        packet = Packet()
        while True:
            ret = self.lib.ptap_packet_next(self.tap, ctypes.byref(packet))
            if ret == -self.ENODATA:
                return
            if self.check(ret):
                yield (packet.ts_ns, packet.len,
                       ctypes.string_at(packet.data, packet.caplen))
            else:
                self.lib.ptap_wait(self.tap, 200, None)

    def close(self):
        self.lib.ptap_destroy(self.tap)
        self.tap = None


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: capture.py IFACE PACKETS [FILTER]")
    tap = Tap([sys.argv[1]], " ".join(sys.argv[3:]))
    print("capturing", file=sys.stderr)
    for number, (time_ns, length, data) in enumerate(tap, 1):
        print(f"{time_ns / 1e9:.6f} {length} {data[:16].hex()}", flush=True)
        if number == int(sys.argv[2]):
            break
    tap.close()


if __name__ == "__main__":
    main()
