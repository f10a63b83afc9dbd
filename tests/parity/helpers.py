#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""helpers.py WHAT ARGUMENT... - far ends and settings that no tool here makes.

xdp PIN: pin an XDP program that passes everything.  cable tun|tap NAME [vnet]
NS NS: such a device in both namespaces, joined.  team DEVICE MODE: choose a
team's mode.  wireguard SEED: a private key; wireguard-set DEVICE OWN PEER
ADDRESS: configure a device for one peer.  can DEVICE: send CAN frames.  ppp: a
PPP unit without a line, until ended.
"""
import base64
import contextlib
import ctypes
import fcntl
import hashlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys

from ends import End

TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 1, 2, 0x1000, 0x4000
TUN_F_ALL = 0x1 | 0x2 | 0x4


def bpf(command, attributes):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(321, command, attributes, len(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return fd


def xdp(pin):
    folder = os.path.dirname(pin)
    os.makedirs(folder, exist_ok=True)
    # not in /sys, which "ip -n" mounts anew
    if not os.path.ismount(folder):
        subprocess.run(["mount", "-t", "bpf", "bpf", folder], check=True)
    # r0 = XDP_PASS; exit
    code = ctypes.create_string_buffer(struct.pack("<BBhi", 0xB7, 0, 0, 2) +
                                       struct.pack("<BBhi", 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"Dual BSD/GPL")
    # BPF_PROG_LOAD of BPF_PROG_TYPE_XDP; BPF_OBJ_PIN
    attributes = struct.pack("<IIQQ", 6, 2, ctypes.addressof(code),
                             ctypes.addressof(licence)).ljust(120, b"\0")
    fd = bpf(5, attributes)
    path = ctypes.create_string_buffer(pin.encode())
    bpf(6, struct.pack("<QII", ctypes.addressof(path), fd, 0))


def open_tun(ns, name, flags):
    with End(f"{ns}/{name}/-/-").inside():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    if flags & IFF_VNET_HDR:
        fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_ALL)
    return fd


def cable(kind, name, *rest):
    flags = (IFF_TUN if kind == "tun" else IFF_TAP) | IFF_NO_PI
    if rest[0] == "vnet":
        flags |= IFF_VNET_HDR
    a, b = (open_tun(ns, name, flags) for ns in rest[-2:])
    other = {a: b, b: a}
    while True:
        for fd in select.select([a, b], [], [])[0]:
            try:
                data = os.read(fd, 1 << 18)
                os.write(other[fd], data)
            except OSError:
                pass


def attribute(kind, data):
    pad = -len(data) % 4
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(pad)


def nested(kind, *attributes):
    return attribute(kind | 0x8000, b"".join(attributes))


class Genl:
    """Generic netlink, as much of it as is needed here."""

    def __init__(self, family):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        # CTRL_CMD_GETFAMILY by CTRL_ATTR_FAMILY_NAME
        reply = self.call(16, 3, 1, attribute(2, family.encode() + b"\0"))
        at = 20
        while at + 4 <= len(reply):
            size, kind = struct.unpack_from("HH", reply, at)
            if kind == 1:
                self.family = struct.unpack_from("H", reply, at + 4)[0]
            at += (size + 3) & ~3

    def call(self, family, command, version, payload):
        body = struct.pack("BBH", command, version, 0) + payload
        self.sock.send(struct.pack("IHHII", 16 + len(body), family, 5, 1, 0) + body)
        first = self.sock.recv(65536)
        kind = struct.unpack_from("H", first, 4)[0]
        if kind == 2:
            error = -struct.unpack_from("i", first, 16)[0]
            if error:
                raise OSError(error, os.strerror(error))
        else:
            self.sock.recv(65536)
        return first[:struct.unpack_from("I", first)[0]]


def team(device, mode):
    genl = Genl("team")
    # TEAM_CMD_OPTIONS_SET: one option, "mode", a string
    option = nested(1, attribute(1, b"mode\0"), attribute(3, b"\x05"),
                    attribute(4, mode.encode() + b"\0"))
    # done, although the kernel then finds nobody who listens for the change
    with contextlib.suppress(ProcessLookupError):
        genl.call(genl.family, 1, 1,
                  attribute(1, struct.pack("I", socket.if_nametoindex(device))) +
                  nested(2, option))


def private_key(seed):
    key = bytearray(hashlib.sha256(seed.encode()).digest())
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return bytes(key)


def public_key(key):
    """X25519 of the base point (RFC 7748, section 5)."""
    prime = 2**255 - 19
    scalar, x1 = int.from_bytes(key, "little"), 9
    x2, z2, x3, z3 = 1, 0, 9, 1
    for bit in range(254, -1, -1):
        if scalar >> bit & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
        plus, minus = (x2 + z2) % prime, (x2 - z2) % prime
        aa, bb = plus * plus % prime, minus * minus % prime
        da, cb = (x3 - z3) * plus % prime, (x3 + z3) * minus % prime
        x3, z3 = (da + cb) ** 2 % prime, x1 * (da - cb) ** 2 % prime
        x2, z2 = aa * bb % prime, (aa - bb) * (aa + 121665 * (aa - bb)) % prime
        if scalar >> bit & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
    return (x2 * pow(z2, prime - 2, prime) % prime).to_bytes(32, "little")


def wireguard(seed):
    print(base64.b64encode(private_key(seed)).decode())


def wireguard_set(device, own, peer, endpoint):
    genl = Genl("wireguard")
    own, peer = base64.b64decode(own), base64.b64decode(peer)
    where = struct.pack("!HH4s8x", 0, 51820, socket.inet_aton(endpoint))
    where = struct.pack("H", socket.AF_INET) + where[2:]
    everything = nested(9, *(
        nested(0, attribute(1, struct.pack("H", family)), attribute(2, bytes(size)),
               attribute(3, b"\0"))
        for family, size in ((socket.AF_INET, 4), (socket.AF_INET6, 16))))
    genl.call(genl.family, 1, 1,
              attribute(2, device.encode() + b"\0") + attribute(3, own) +
              attribute(6, struct.pack("H", 51820)) +
              nested(8, nested(0, attribute(1, public_key(peer)),
                               attribute(4, where), everything)))


def can(device):
    sock = socket.socket(socket.AF_CAN, socket.SOCK_RAW, 1)
    sock.setsockopt(101, 5, 1)  # CAN_RAW_FD_FRAMES
    sock.bind((device,))
    for i in range(40):
        size = i % 9
        sock.send(struct.pack("=IB3x8s", i | (0x80000000 if i & 1 else 0), size,
                              bytes(range(i, i + 8))))
        sock.send(struct.pack("=IBB2x64s", i, (0, 8, 12, 20, 64)[i % 5], 1,
                              bytes(range(i, i + 64))))


def ppp():
    if not os.path.exists("/dev/ppp"):
        os.mknod("/dev/ppp", 0o600 | 0x2000, os.makedev(108, 0))
    fd = os.open("/dev/ppp", os.O_RDWR)
    # PPPIOCNEWUNIT; PPPIOCSNPMODE: IPv4 (0x21) and IPv6 pass
    fcntl.ioctl(fd, 0xC004743E, struct.pack("i", 0))
    for protocol in (0x21, 0x57):
        fcntl.ioctl(fd, 0x4008744B, struct.pack("ii", protocol, 0))
    signal.pause()


def main():
    name = sys.argv[1].replace("-", "_")
    {f.__name__: f for f in (xdp, cable, team, wireguard, wireguard_set, can,
                             ppp)}[name](*sys.argv[2:])


main()
