# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Traffic made by sockets: what the stack itself sends, in all its ways.

Segmentation offloads, zero copy and sendfile give packets whose bytes are not
where a simple copy looks for them: in pages of the user or of the page cache,
in a list of fragments.  Each function is a phase (see traffic.py).  With
"oneway" nobody answers, so only datagrams go.
"""
import contextlib
import os
import socket
import struct
import tempfile
import threading
import time

SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
IPPROTO_SCTP = 132
PATTERN = bytes(range(256)) * 4096


def families(flags):
    if "ip4" in flags:
        yield socket.AF_INET
    if "ip6" in flags:
        yield socket.AF_INET6


def address(end, family):
    return end.ip4 if family == socket.AF_INET else end.ip6


def dgrams(a, b, flags):
    """Yield (socket of A, address of B) with a listener there."""
    for family in families(flags):
        listener = None
        if "oneway" not in flags:
            listener = b.socket(family, socket.SOCK_DGRAM)
            listener.bind((address(b, family), 0))
            port = listener.getsockname()[1]
        else:
            port = 9999
        sender = a.socket(family, socket.SOCK_DGRAM)
        yield sender, (address(b, family), port)
        sender.close()
        if listener:
            listener.close()


def try_send(refused, function, *args):
    try:
        function(*args)
    except OSError as error:
        refused.append(error.strerror or str(error))


def ping(a, b, flags):
    for family in families(flags):
        for size in ("0", "56", "1400"):
            a.run("ping", "-q", "-c", "2", "-i", "0.02", "-W", "1", "-s", size,
                  address(b, family))
    if "ip4" in flags and "oneway" not in flags:
        a.run("ping", "-q", "-c", "1", "-W", "1", "-R", b.ip4)
        a.run("ping", "-q", "-c", "1", "-W", "1", "-T", "tsandaddr", b.ip4)
        # nobody listens: unreachable
        with a.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"?", (b.ip4, 9))
    b.run("ping", "-q", "-c", "1", "-W", "1",
          b.ip4 and address(a, next(families(flags))))


def udp(a, b, flags):
    refused = []
    for sock, to in dgrams(a, b, flags):
        for i in range(60):
            size = i * 29 % 1473
            try_send(refused, sock.sendto, i.to_bytes(4, "big") * 400, to) \
                if i % 20 == 19 else \
                try_send(refused, sock.sendto, PATTERN[i:i + size], to)
    return refused


def fragments(a, b, flags):
    refused = []
    for sock, to in dgrams(a, b, flags):
        for i, size in enumerate((3000, 5000, 20000, 60000, 65507)):
            if sock.family == socket.AF_INET:
                # IP_MTU_DISCOVER: let it be cut
                sock.setsockopt(socket.IPPROTO_IP, 10, 0)
            try_send(refused, sock.sendto, PATTERN[i:i + size], to)
            time.sleep(0.01)
    return refused


def udp_gso(a, b, flags):
    refused = []
    for sock, to in dgrams(a, b, flags):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        for i, (size, segment) in enumerate(((12000, 1200), (30000, 1000),
                                             (60000, 1400), (3001, 1000))):
            sock.setsockopt(SOL_UDP, UDP_SEGMENT, segment)
            try_send(refused, sock.sendto, PATTERN[i:i + size], to)
            time.sleep(0.01)
    return refused


def multicast(a, b, flags):
    refused = []
    groups = {socket.AF_INET: "239.9.8.7", socket.AF_INET6: "ff15::987"}
    for family in families(flags):
        group = groups[family]
        with b.socket(family, socket.SOCK_DGRAM) as member, \
                a.bound(family, socket.SOCK_DGRAM) as sender:
            with b.inside():
                index = socket.if_nametoindex(b.dev) if b.dev != "-" else 0
            packed = socket.inet_pton(family, group)
            with contextlib.suppress(OSError):
                if family == socket.AF_INET:
                    member.setsockopt(socket.IPPROTO_IP,
                                      socket.IP_ADD_MEMBERSHIP,
                                      struct.pack("4s4si", packed, b"\0" * 4, index))
                else:
                    member.setsockopt(socket.IPPROTO_IPV6,
                                      socket.IPV6_JOIN_GROUP,
                                      struct.pack("16si", packed, index))
            if family == socket.AF_INET6:
                with a.inside():
                    out = socket.if_nametoindex(a.dev)
                sender.setsockopt(socket.IPPROTO_IPV6,
                                  socket.IPV6_MULTICAST_IF, out)
            for i in range(10):
                try_send(refused, sender.sendto, PATTERN[i:i + 200], (group, 5001))
    return refused


def broadcast(a, _b, _flags):
    refused = []
    with a.bound(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for i in range(10):
            try_send(refused, sock.sendto, PATTERN[i:i + 300],
                     ("255.255.255.255", 5002))
    return refused


@contextlib.contextmanager
def connection(a, b, family, buffer=0, kind=socket.SOCK_STREAM, proto=0):
    """A connected socket of A; B reads all, then says how much it was."""
    listener = b.socket(family, kind, proto)
    listener.bind((address(b, family), 0))
    listener.listen(1)

    def serve():
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            sock.settimeout(8)
            total = 0
            while True:
                data = sock.recv(1 << 20)
                if not data:
                    break
                total += len(data)
            sock.sendall(str(total).encode() * 2000)
            sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    client = a.socket(family, kind, proto)
    client.settimeout(8)
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    try:
        client.connect((address(b, family), listener.getsockname()[1]))
        yield client
        # SCTP has no half-closed connections
        if proto != IPPROTO_SCTP:
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while client.recv(65536):
                    pass
    finally:
        client.close()
        thread.join(8)
        listener.close()


def tcp(a, b, flags):
    for family in families(flags):
        with connection(a, b, family) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for i in range(20):
                sock.sendall(PATTERN[i:i + 40 + i])
        with connection(a, b, family) as sock:
            for i in range(2 if "sample" in flags else 8):
                sock.sendall(PATTERN[i:i + 65536])
        # nobody there: a reset
        with a.socket(family, socket.SOCK_STREAM) as sock, \
                contextlib.suppress(OSError):
            sock.settimeout(1)
            sock.connect((address(b, family), 1))


def send_file(a, b, flags):
    size = 100000 if "sample" in flags else 400000
    with tempfile.TemporaryFile() as file:
        file.write(PATTERN[:size])
        file.flush()
        for family in families(flags):
            with connection(a, b, family) as sock:
                sock.setblocking(True)
                at = 0
                while at < size:
                    at += os.sendfile(sock.fileno(), file.fileno(), at,
                                      size - at)


def zero_copy(a, b, flags):
    refused = []
    for family in families(flags):
        with connection(a, b, family) as sock:
            sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
            for i in range(2 if "sample" in flags else 6):
                buffer = bytearray(PATTERN[i:i + 60000])
                sent = 0
                while sent < len(buffer):
                    sent += sock.send(memoryview(buffer)[sent:], MSG_ZEROCOPY)
    for sock, to in dgrams(a, b, flags):
        sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        for i in range(5):
            try_send(refused, sock.sendto, PATTERN[i:i + 1300], MSG_ZEROCOPY, to)
    return refused


def big(a, b, flags):
    """As much at once as the device's gso_max_size lets through."""
    for family in families(flags):
        with connection(a, b, family, 8 << 20) as sock:
            for _ in range(6):
                sock.sendall(PATTERN)


def sctp(a, b, flags):
    for family in families(flags):
        with connection(a, b, family, 0, socket.SOCK_STREAM,
                        IPPROTO_SCTP) as sock:
            for i in range(10):
                sock.sendall(PATTERN[i:i + 100 + i * 200])


def raw_options(a, b, _flags):
    """IPv4 options that the stack itself puts into its packets."""
    with a.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for options in (b"\x94\x04\0\0", b"\x01" * 40,
                        b"\x07\x0b\x04" + bytes(9)):
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, options)
            sock.sendto(PATTERN[:100], (b.ip4, 9998))
            sock.sendto(PATTERN[:4000], (b.ip4, 9998))


def raw_headers(a, b, _flags):
    """IPv6 extension headers that the stack itself puts there."""
    with a.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        for which in (54, 59):  # IPV6_HOPOPTS, IPV6_DSTOPTS
            sock.setsockopt(socket.IPPROTO_IPV6, which, bytes(2) + b"\1\4" + bytes(4))
            sock.sendto(PATTERN[:100], (b.ip6, 9998))
            sock.sendto(PATTERN[:4000], (b.ip6, 9998))


def filtered(a, b, flags):
    """Ports that the kind's traffic control drops, on the way in and out."""
    refused = []
    for family in families(flags):
        for end, other in ((a, b), (b, a)):
            with end.socket(family, socket.SOCK_DGRAM) as sock:
                for port in (7001, 7002, 7003):
                    for i in range(10):
                        try_send(refused, sock.sendto, PATTERN[i:i + 500],
                                 (address(other, family), port))
    return refused


PHASES = [
    ("ping", ["any-ip"], ping),
    ("udp", ["any-ip"], udp),
    ("ip-options", ["ip4", "any-ip"], raw_options),
    ("ip6-headers", ["ip6", "any-ip"], raw_headers),
    ("fragments", ["any-ip"], fragments),
    ("udp-gso", ["any-ip"], udp_gso),
    ("multicast", ["any-ip", "!no-multicast"], multicast),
    ("broadcast", ["ip4", "any-ip", "!no-multicast"], broadcast),
    ("tcp", ["any-ip", "!oneway"], tcp),
    ("sendfile", ["any-ip", "!oneway"], send_file),
    ("zerocopy", ["any-ip", "!oneway"], zero_copy),
    ("big-tcp", ["any-ip", "!oneway", "big"], big),
    ("sctp", ["any-ip", "!oneway"], sctp),
    ("tc-drops", ["any-ip", "!oneway", "tc"], filtered),
]
