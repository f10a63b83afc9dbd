#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Make capture files for pcapdiff.sh.

pcapdiff_make.py OUT [step...]: starts from 100 packets, 10 ms apart, 60 to 159
bytes, number N in their bytes, then applies the steps from left to right and
writes OUT. Packets are counted from 0. The writer is deliberately its own:
neither libpcap's nor the project's.

  n=N            start again with N packets
  drop=I[-J]     leave out
  dup=I,T        insert a copy of packet I, T seconds later, at the end
  same=I-J       give these packets the bytes of I
  swap=I,J       exchange two packets, time stamps stay with the packets
  byte=I,OFF     flip one byte
  bytes=OFF      flip this byte in every packet
  len=I,D        add D to the length on the wire
  pad=I,D        append D zero bytes, captured and on the wire
  tag=I          insert a VLAN tag
  snap=N         cut to N bytes
  time=I,NS      shift one packet
  clock=NS       shift all
  jitter=NS      shift packet N by (N * 7919) % NS
  sort           sort by time
  micro          pcap with microseconds (and time cut to them)
  linktype=N     link type of the file
  big            big-endian
  ng             pcapng with nanoseconds
  cut=N          leave out the last N bytes of the file
"""
import struct
import sys

START_NS = 1700000000 * 10**9


class Packet:
    """One record; length is the one on the wire."""

    def __init__(self, number):
        self.ts_ns = START_NS + number * 10_000_000 + 123
        size = 60 + number % 100
        self.data = bytes.fromhex("020000000001020000000002") + b"\x08\0" + \
            struct.pack(">I", number) + \
            bytes(number * 40503 + i * i * 2897 >> 5 & 255
                  for i in range(size - 18))
        self.length = size


def flip(data, off):
    return data[:off] + bytes([data[off] ^ 0xff]) + data[off + 1:]


def copy(pkt):
    new = Packet(0)
    new.ts_ns, new.data, new.length = pkt.ts_ns, pkt.data, pkt.length
    return new


def edit(pkts, what, arg):
    """One step on the packets; returns them."""
    nums = [int(float(x)) for x in arg.replace("-", ",").split(",")] \
        if arg and what not in ("dup", "time", "clock", "len") else []
    if what == "n":
        pkts = [Packet(i) for i in range(nums[0])]
    elif what == "drop":
        del pkts[nums[0]:nums[-1] + 1]
    elif what == "dup":
        index, sec = arg.split(",")
        pkts.append(copy(pkts[int(index)]))
        pkts[-1].ts_ns += int(float(sec) * 10**9)
    elif what == "same":
        for i in range(nums[0], nums[1] + 1):
            pkts[i].data = pkts[nums[0]].data
            pkts[i].length = pkts[nums[0]].length
    elif what == "swap":
        i, j = nums
        pkts[i], pkts[j] = pkts[j], pkts[i]
    elif what == "byte":
        pkts[nums[0]].data = flip(pkts[nums[0]].data, nums[1])
    elif what == "bytes":
        for pkt in pkts:
            pkt.data = flip(pkt.data, nums[0])
    elif what == "len":
        index, more = arg.split(",")
        pkts[int(index)].length += int(more)
    elif what == "pad":
        pkts[nums[0]].data += bytes(nums[1])
        pkts[nums[0]].length += nums[1]
    elif what == "tag":
        pkt = pkts[nums[0]]
        pkt.data = pkt.data[:12] + b"\x81\0\0\x05" + pkt.data[12:]
        pkt.length += 4
    elif what == "snap":
        for pkt in pkts:
            pkt.data = pkt.data[:nums[0]]
    elif what == "time":
        index, nsec = arg.split(",")
        pkts[int(index)].ts_ns += int(nsec)
    elif what == "clock":
        for pkt in pkts:
            pkt.ts_ns += int(arg)
    elif what == "jitter":
        for i, pkt in enumerate(pkts):
            pkt.ts_ns += i * 7919 % nums[0]
    elif what == "sort":
        pkts.sort(key=lambda pkt: pkt.ts_ns)
    else:
        sys.exit("unknown step " + what)
    return pkts


def pcap(pkts, micro, linktype, order):
    """The bytes of a classic pcap file."""
    unit = 1000 if micro else 1
    out = struct.pack(order + "IHHiIII", 0xa1b2c3d4 if micro else 0xa1b23c4d,
                      2, 4, 0, 0, 262144, linktype)
    for pkt in pkts:
        out += struct.pack(order + "IIII", pkt.ts_ns // 10**9,
                           pkt.ts_ns % 10**9 // unit, len(pkt.data),
                           pkt.length) + pkt.data
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(pkts, linktype, order):
    """The bytes of a pcapng file with one interface."""
    out = block(order, 0x0a0d0d0a,
                struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    out += block(order, 1, struct.pack(order + "HHIHHB3xHH", linktype, 0,
                                       262144, 9, 1, 9, 0, 0))
    for pkt in pkts:
        out += block(order, 6, struct.pack(order + "IIIII", 0,
                                           pkt.ts_ns >> 32,
                                           pkt.ts_ns & 0xffffffff,
                                           len(pkt.data), pkt.length) +
                     pkt.data)
    return out


def main():
    pkts = [Packet(i) for i in range(100)]
    form = {"micro": False, "big": False, "ng": False}
    linktype, cut = 1, 0
    for step in sys.argv[2:]:
        what, _, arg = step.partition("=")
        if what in form:
            form[what] = True
        elif what == "linktype":
            linktype = int(arg)
        elif what == "cut":
            cut = int(arg)
        else:
            pkts = edit(pkts, what, arg)
    order = ">" if form["big"] else "<"
    if form["ng"]:
        data = pcapng(pkts, linktype, order)
    else:
        data = pcap(pkts, form["micro"], linktype, order)
    with open(sys.argv[1], "wb") as out:
        out.write(data[:len(data) - cut])


main()
