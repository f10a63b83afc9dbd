#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""filter_table.py KIND - verdicts of ptap and of libpcap's live capture.

KIND is ether, raw, cooked, loopback.  All filters of the kind capture at the
same time, on one traffic: with libpcap as tcpdump sets it up, and with libptap.
Each must get the same packets.  Prints a line for each: verdict, filter, note.

In the tables, "!" stands before what libpcap refuses, which libptap then has to
refuse in the same words, "0" before what accepts no packet that there is, "?"
before what may or may not.
"""
import collections
import contextlib
import ctypes
import fcntl
import operator
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../parity"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__),
                                "../../userspace/examples"))
# pylint: disable=wrong-import-position
import frames
from capture import Config, Packet
from ends import End
from frames import (BROADCAST, DST4, DST6, SRC4, SRC6, addr4, eth, fill, ip4,
                    ip6, udp)

SNAPLEN, BUFFER, ENODATA = 1800, 1 << 21, 61
PCAP_USEC, MMAP, READ = 2, 0, 1
SLL2, SLL2_LEN = 276, 20
TPIDS = (b"\x81\x00", b"\x88\xa8")
# of cooked headers: what they are made of
EVERYTHING = "link[2:2] = 0"

NETWORK = """
ip
ip6
tcp
udp
icmp
icmp6
sctp
igmp
pim
vrrp
ah
esp
ip proto 47
ip proto \\\\tcp
ip6 proto 0
ip6 proto 58
proto 41
host 10.9.0.1
src host 10.9.0.1
?dst host 10.9.0.1
ip host 10.9.0.2
ip6 host fd09::1
host fd09::2
net 10.9.0.0/24
src net 10.9.0.0 mask 255.255.255.252
dst net 224.0.0.0/4
0net 192.0.2.0/24
net fd09::/64
port 53
src port 1024
dst port 80
tcp port 443
udp port 53
portrange 50-90
tcp src portrange 1000-1100
udp dst portrange 53-80
ip multicast
ip6 multicast
ip broadcast
greater 200
less 60
len > 150
?len = 94
udp and greater 100
ip[6:2] & 0x1fff != 0
ip[0] & 0xf > 5
icmp[icmptype] = icmp-echo
icmp6[icmp6type] = icmp6-echo
tcp[tcpflags] & (tcp-syn|tcp-fin) != 0
udp[4:2] > 40
ip6[6] = 44
ip[2:2] > len - 40
ip6 protochain 6
ip6 protochain 17
not ip6 protochain 17
ip protochain 17
ip6 protochain 17 or icmp
inbound
outbound
inbound and udp
not outbound and not tcp
(tcp or udp) and (port 53 or port 80) and not src host 10.9.0.2
!tcp and and
!udp port nosuch
!ip[0:3] = 1
"""

# What libpcap runs in user space does not know the direction, and from 1.11 on
# not the number of a tag: there its verdict is put together of two others.
BETTER = {
    "inbound and ip6 protochain 17":
        ("inbound", operator.and_, "ip6 protochain 17"),
    "outbound and not ip6 protochain 17":
        ("outbound", operator.and_, "not ip6 protochain 17"),
}
BETTER_TAGS = {
    "ip6 protochain 17 or vlan 7": ("ip6 protochain 17", operator.or_, "vlan 7"),
    "not ip6 protochain 17 and vlan 7":
        ("not ip6 protochain 17", operator.and_, "vlan 7"),
}

ETHER = """
arp
rarp
arp host 10.9.0.101
ether host {a}
ether src {a}
ether dst {b}
ether src host {b}
ether broadcast
broadcast
multicast
ether multicast
ether proto 0x88b5
ether proto \\\\arp
ether[0] & 1 != 0
ether[12:2] < 1501
ether[len - 1] = 0
vlan
vlan 5
vlan 7
vlan and ip
vlan 9 and vlan 10
vlan and vlan and vlan
vlan 7 and udp
not vlan
icmp and not vlan
udp and vlan
vlan or arp
!vlan and ip6 protochain 17
!not vlan and ip6 protochain 17
ifindex {ifindex}
0ifindex 9999
mpls
mpls 1024
mpls and ip
mpls 1024 and mpls 2048
pppoed
pppoes
pppoes 5
pppoes and ip
pppoes 5 and udp
geneve
geneve 7
stp
!lldp
llc
llc u
iso
clnp
isis
ipx
netbeui
aarp
atalk
decnet
lat
moprc
mopdl
ether proto 0x9000
decnet src 10.15
?decnet host 1.1
!gateway nosuch
!wlan addr1 1:2:3:4:5:6
!type mgt
!atm
"""

COOKED = """
arp
rarp
ether proto 0x88cc
ether proto \\\\arp
!multicast
pppoed
pppoes
!lldp
ifindex {ifindex}
not ifindex {ifindex}
ifindex {ifindex} and udp
0ifindex 9999
link[10] = 4
link[11] = 6
link[12:4] = {a4}
link[12:4] = {a4} and udp
link[16:2] != 0 or udp
link[8:2] = 1
link[20] = 0x45
link[2:2] = 0
!vlan
!mpls
!ether host 2:0:0:0:0:1
!broadcast
!gateway nosuch
"""

# One filter with more terms than the kernel takes instructions.
LONG = "udp and (port 53 or " + " or ".join(
    f"ip[{i % 20}:2] = {60000 + i}" for i in range(2300)) + ")"


class Bpf(ctypes.Structure):
    """struct bpf_program."""
    _fields_ = [("len", ctypes.c_uint), ("insns", ctypes.c_void_p)]


class Header(ctypes.Structure):
    """struct pcap_pkthdr."""
    _fields_ = [("sec", ctypes.c_long), ("usec", ctypes.c_long),
                ("caplen", ctypes.c_uint32), ("len", ctypes.c_uint32)]


class Pcap:
    """A live capture as tcpdump makes it, in the ring that has a place for each
    packet: blocks fill up while nobody looks."""
    lib = ctypes.CDLL("libpcap.so.0.8")
    lib.pcap_create.restype = ctypes.c_void_p
    lib.pcap_geterr.restype = ctypes.c_char_p

    def __init__(self, iface, expression, dlt):
        lib, text = self.lib, ctypes.create_string_buffer(256)
        self.handle = h = ctypes.c_void_p(lib.pcap_create(iface.encode(), text))
        for call, value in ((lib.pcap_set_snaplen, SNAPLEN),
                            (lib.pcap_set_promisc, 1),
                            (lib.pcap_set_immediate_mode, 1),
                            (lib.pcap_set_buffer_size, BUFFER)):
            call(h, value)
        if lib.pcap_activate(h) < 0:
            raise OSError(lib.pcap_geterr(h).decode())
        if dlt:
            lib.pcap_set_datalink(h, dlt)
        self.why, program = "", Bpf()
        if lib.pcap_compile(h, ctypes.byref(program), expression.encode(), 1, 0):
            self.why = lib.pcap_geterr(h).decode()
        elif lib.pcap_setfilter(h, ctypes.byref(program)):
            raise OSError(lib.pcap_geterr(h).decode())
        lib.pcap_setnonblock(h, 1, text)

    def packets(self):
        header, data = ctypes.POINTER(Header)(), ctypes.POINTER(ctypes.c_uint8)()
        while self.lib.pcap_next_ex(self.handle, ctypes.byref(header),
                                    ctypes.byref(data)) == 1:
            h = header.contents
            yield (h.sec * 1000000 + h.usec, h.len,
                   ctypes.string_at(data, h.caplen))
        self.lib.pcap_close(self.handle)


class Tap:
    """The same with ptap."""
    lib = ctypes.CDLL("libptap.so.1")
    lib.ptap_create.restype = ctypes.c_void_p
    for name in ("ptap_error", "ptap_filter_why"):
        getattr(lib, name).restype = ctypes.c_char_p

    def __init__(self, iface, expression, linktype, mode):
        every = iface == "any"
        names = (ctypes.c_char_p * 1)(iface.encode())
        self.handle = ctypes.c_void_p(self.lib.ptap_create())
        config = Config(size=ctypes.sizeof(Config), nr_ifaces=not every,
                        ifaces=names, format=PCAP_USEC, linktype=linktype,
                        snaplen=SNAPLEN, mode=mode, ring_size=1 << 17,
                        flags=not every)
        if self.lib.ptap_open(self.handle, ctypes.byref(config)):
            raise OSError(self.lib.ptap_error(self.handle).decode())
        self.why = self.note = ""
        if self.lib.ptap_filter_set(self.handle, expression.encode()):
            self.why = self.lib.ptap_error(self.handle).decode()
            return
        self.note = (self.lib.ptap_filter_why(self.handle) or b"").decode()
        if self.lib.ptap_start(self.handle):
            raise OSError(self.lib.ptap_error(self.handle).decode())

    def packets(self):
        packet = Packet()
        self.lib.ptap_stop(self.handle)
        while True:
            ret = self.lib.ptap_packet_next(self.handle, ctypes.byref(packet))
            if ret == -ENODATA:
                break
            if ret < 0:
                raise OSError(self.lib.ptap_error(self.handle).decode())
            if ret:
                yield (packet.ts_ns // 1000, packet.len,
                       ctypes.string_at(packet.data, packet.caplen))
        self.lib.ptap_destroy(self.handle)


def tcp(sport, dport, flags):
    return struct.pack("!HHIIBBHHH", sport, dport, 1, 2, 0x50, flags, 100, 0,
                       0) + fill(30)


def network_packets():
    """EtherType and packet, of what the phases of frames.py have not."""
    for sport, dport in ((1024, 53), (53, 1024), (40000, 80), (1050, 443)):
        body = struct.pack("!HHHH", sport, dport, 60, 0) + fill(52)
        for flags in (2, 0x10, 0x11):
            yield 0x800, ip4(SRC4, DST4, 6, tcp(sport, dport, flags))
            yield 0x86DD, ip6(SRC6, DST6, 6, tcp(sport, dport, flags))
        yield 0x800, ip4(SRC4, DST4, 17, body)
        yield 0x86DD, ip6(SRC6, DST6, 17, body)
    chain = bytes([43, 0, 1, 4, 0, 0, 0, 0]) + bytes([6, 0, 0, 0, 0, 0, 0, 0])
    yield 0x86DD, ip6(SRC6, DST6, 0, chain + tcp(1024, 80, 2))
    ah = struct.pack("!BBHII", 17, 1, 0, 1, 1)
    yield 0x800, ip4(SRC4, DST4, 51, ah + udp(fill(20)))
    for group in ("224.0.0.1", "255.255.255.255", "10.9.0.255", "0.0.0.0"):
        yield 0x800, ip4(SRC4, addr4(group), 17, udp(fill(300)))
    yield 0x86DD, ip6(SRC6, bytes.fromhex("ff02" + "00" * 13 + "01"), 58,
                      b"\x80\0\0\0" + fill(8))
    yield 0x800, ip4(SRC4, DST4, 1, b"\x08\0\0\0" + fill(56))


def ether_frames(a, b):
    inner = ip4(SRC4, DST4, 17, udp(fill(40), 53))
    inner6 = ip6(SRC6, DST6, 0, bytes([17, 0, 1, 4, 0, 0, 0, 0]) + udp(fill(9)))
    for kind, packet in network_packets():
        yield eth(a, b, kind, packet)
    for labels in ((1024,), (1024, 2048), (3,)):
        stack = b"".join(struct.pack("!I", label << 12 | (i == len(labels) - 1) << 8
                                     | 64) for i, label in enumerate(labels))
        yield eth(a, b, 0x8847, stack + inner)
    for session in (5, 6):
        yield eth(a, b, 0x8864, struct.pack("!BBHHH", 0x11, 0, session, 2 +
                                            len(inner), 0x21) + inner)
    for tags in ((7,), (5,), (9, 10), (1, 2, 3)):
        head = b"".join(struct.pack("!HH", 0x8100, tag) for tag in tags)
        yield b.mac + a.mac + head + b"\x08\x00" + inner
        yield b.mac + a.mac + head + b"\x86\xdd" + inner6
    yield eth(a, b, 0x86DD, inner6)
    for vni in (7, 8):
        geneve = struct.pack("!BBHI", 0, 0, 0x6558, vni << 8)
        yield eth(a, b, 0x800, ip4(SRC4, DST4, 17, udp(geneve + fill(60), 6081)))
    for kind in (0x8035, 0x6001, 0x6002, 0x6004, 0x809B, 0x80F3, 0x88CC, 0x88B5):
        yield eth(a, b, kind, fill(50), BROADCAST)
    # DECnet, long format: from 10.15, with the padding that it has on Ethernet
    yield eth(a, b, 0x6003, b"\x30\0\x81\x26" + bytes(7) + b"\xaa\0\x04\0\x0f\x28" +
              fill(40))
    yield eth(a, b, 0x6003, b"\x30\0\x26\0\0\xaa\0\x04\0\x01\x04\0\0\xaa\0\x04\0"
              b"\x0f\x28" + fill(40))
    for head in (b"\xf0\xf0\x03", b"\xfe\xfe\x03\x81", b"\xfe\xfe\x03\x83"):
        yield eth(a, b, len(head) + 60, head + fill(60))


def send_ether(a, b):
    for phase in (frames.arp, frames.raw_ipv4, frames.raw_ipv6, frames.llc,
                  frames.stp, frames.lldp, frames.tags, frames.ethertypes):
        phase(a, b, "")
    for x, y in ((a, b), (b, a)):
        for frame in ether_frames(x, y):
            x.frame(frame)


def send_raw(a, tun):
    """Out by a socket, in by the tun device's file."""
    packets = [p for _, p in network_packets()]
    packets += [*frames.ipv4_packets(), *frames.ipv6_packets()]
    for packet in packets:
        if packet and len(packet) > 20:
            a.packet(0x86DD if packet[0] >> 4 == 6 else 0x800, packet, [])
            with contextlib.suppress(OSError):
                os.write(tun, packet)


def send_loopback(lo):
    for _, packet in network_packets():
        lo.frame(eth(lo, lo, 0x86DD if packet[0] >> 4 == 6 else 0x800, packet))
    frames.raw_ipv4(lo, lo, "")
    frames.raw_ipv6(lo, lo, "")


def send(kind, a, b, tun):
    if kind == "raw":
        send_raw(End("pt-a/pt0/-/-"), tun)
    elif kind == "loopback":
        send_loopback(End("pt-a/lo/-/-"))
    else:
        send_ether(a, b)


def table(kind, words):
    """Expression and what is expected: packets, none, or a refusal."""
    lines = {"ether": ETHER, "cooked": COOKED}.get(kind, "") + NETWORK
    # lo is Ethernet: what is left to see there is how packets pass it
    for line in lines.split("\n")[::4 if kind == "loopback" else 1]:
        what = line[:1] if line[:1] in "!0?" else ""
        text = line[len(what):].replace("\\\\", "\\").format(**words)
        # the way out of lo is seen once, as the way in
        if kind == "loopback" and text.startswith("outbound"):
            what = "0"
        if text:
            yield text, what
    if kind == "ether":
        yield LONG, ""


def packets_of(capture, begin, end):
    """How often each came."""
    return collections.Counter(
        (length, data) for us, length, data in capture.packets()
        if begin <= us <= end)


def bare(packets):
    """Of cooked packets, what follows the header."""
    found = collections.Counter()
    for (length, data), nr in packets.items():
        found[length, data[SLL2_LEN:]] += nr
    return found


def of_file(text, packets):
    """Those of cooked packets that a filter accepts in the file."""
    lib, program = Pcap.lib, Bpf()
    lib.pcap_open_dead.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(lib.pcap_open_dead(SLL2, SNAPLEN))
    if lib.pcap_compile(handle, ctypes.byref(program), text.encode(), 1, 0):
        raise OSError(lib.pcap_geterr(handle).decode())
    return collections.Counter({
        (length, data): nr for (length, data), nr in packets.items()
        if lib.pcap_offline_filter(ctypes.byref(program), ctypes.byref(
            Header(caplen=len(data), len=length)), data)})


def put_right(text, everything, ours, theirs):
    """Both, with what libpcap's live capture of "any" should have.

    The kernel gives a cooked packet's type as the one behind the tags that are
    in its bytes, but leaves the tags there.  By that type libpcap runs in user
    space what the kernel cannot, and takes the tag for the head of an IP packet.
    The packet's own type is the tag's, by which the kernel runs all else."""
    tagged = collections.Counter({p: nr for p, nr in everything.items()
                                  if p[1][:2] in TPIDS})
    wrong, others = bare(tagged), bare(everything - tagged)
    right = bare(of_file(text, tagged))
    # left out: what looks like the rest of a packet without a tag
    both = wrong.keys() & others.keys()
    theirs = collections.Counter({p: nr for p, nr in theirs.items()
                                  if p not in wrong}) + right
    return [collections.Counter({p: nr for p, nr in side.items() if p not in both})
            for side in (ours, theirs)]


def name_of(text):
    return text if len(text) < 70 else text[:60] + f"... ({len(text)} bytes)"


def verdict(text, what, pcap, tap, ours, theirs):
    if what == "!":
        same = pcap.why and pcap.why in tap.why
        return same, f"refused: {tap.why!r}, {pcap.why!r}"
    if pcap.why or tap.why:
        return False, f"refused: {tap.why!r}, {pcap.why!r}"
    note = f"{sum(ours.values())} packets" + (f"; {tap.note}" if tap.note else "")
    if ours != theirs:
        more, less = ours - theirs, theirs - ours
        some = [f"{length}:{data[:40].hex()}"
                for length, data in [*more, *less][:3]]
        note += f", libpcap {sum(theirs.values())}; ours alone " \
            f"{sum(more.values())}, theirs {sum(less.values())}, such as {some}"
    expected = what == "?" or (what == "0") == (not ours)
    return ours == theirs and expected, note


def main():
    kind, mode = sys.argv[1], READ if sys.argv[2:] == ["read"] else MMAP
    iface = {"ether": "va", "raw": "pt0", "cooked": "any", "loopback": "lo"}[kind]
    dlt = SLL2 if kind == "cooked" else 0
    a, b = End("pt-a/va/-/-"), End("pt-b/vb/-/-")
    words = {"a": a.mac.hex(":"), "b": b.mac.hex(":"),
             "a4": "0x" + a.mac[:4].hex(),
             "ifindex": socket.if_nametoindex("va")}
    tun = -1
    if kind == "raw":
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"pt0", 0x1001))
    # of cooked headers libpcap reads the direction itself; lo has one only
    better = {"ether": BETTER | BETTER_TAGS, "raw": BETTER}.get(kind, {})
    rows = [(text, what, Pcap(iface, text, dlt), Tap(iface, text, dlt, mode))
            for text, what in [*table(kind, words), *((t, "") for t in better)]]
    time.sleep(0.5)
    # What is in its ring when a filter is set, libpcap counts as at least one,
    # and filters so many packets once more, without knowing their direction.
    for _ in range(2):
        begin = time.time_ns() // 1000
        send(kind, a, b, tun)
        time.sleep(0.5)
    end = time.time_ns() // 1000
    time.sleep(1)
    got = {text: (packets_of(tap, begin, end) if not tap.why else None,
                  packets_of(pcap, begin, end) if not pcap.why else None)
           for text, _, pcap, tap in rows}
    for text, what, pcap, tap in rows:
        ours, theirs = got[text]
        if text in better:
            one, both, other = better[text]
            theirs = both(got[one][1], got[other][1])
        if kind == "cooked" and ours is not None and theirs is not None:
            ours, theirs = bare(ours), bare(theirs)
            if "protochain" in text:
                ours, theirs = put_right(text, got[EVERYTHING][0], ours, theirs)
        good, note = verdict(text, what, pcap, tap, ours, theirs)
        print(f"{'ok' if good else 'not ok'}\t{kind}: {name_of(text)}\t{note}",
              flush=True)


main()
