# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The two ends of the traffic: sockets in network namespaces.

A socket belongs to the namespace that its thread was in when it was made, so
one process serves both ends: it enters a namespace for as long as it takes to
make a socket.  Only the main thread does so; helper threads are handed sockets
that exist.
"""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess

CLONE_NEWNET = 0x40000000
SIOCGIFHWADDR, SIOCGIFMTU = 0x8927, 0x8921
ETH_P_ALL = 3
libc = ctypes.CDLL(None, use_errno=True)


def setns(fd):
    if libc.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


class End:
    """NAMESPACE/INTERFACE/IPV4/IPV6"""

    def __init__(self, text):
        self.ns, self.dev, self.ip4, self.ip6 = text.split("/")
        self._raw = None

    @contextlib.contextmanager
    def inside(self):
        if self.ns == "-":
            yield
            return
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open("/run/netns/" + self.ns, os.O_RDONLY)
        try:
            setns(there)
            yield
        finally:
            setns(home)
            os.close(home)
            os.close(there)

    def run(self, *argv, timeout=20):
        prefix = [] if self.ns == "-" else ["ip", "netns", "exec", self.ns]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run([*prefix, *argv], check=False, timeout=timeout,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def socket(self, *args):
        with self.inside():
            sock = socket.socket(*args)
        sock.settimeout(5)
        return sock

    def bound(self, *args):
        """A socket that sends through this interface only."""
        sock = self.socket(*args)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE,
                        self.dev.encode())
        return sock

    def _ioctl(self, number):
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            request = struct.pack("16s24x", self.dev.encode())
            return fcntl.ioctl(sock, number, request)

    @property
    def mac(self):
        return self._ioctl(SIOCGIFHWADDR)[18:24]

    @property
    def mtu(self):
        return struct.unpack_from("i", self._ioctl(SIOCGIFMTU), 16)[0]

    def frame(self, data, refused=None):
        """Send a frame as it is; a device may refuse it."""
        if not self._raw:
            self._raw = self.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._raw.bind((self.dev, 0))
        try:
            self._raw.send(data)
        except OSError as error:
            if refused is None:
                raise
            refused.append(f"{len(data)} bytes: {error.strerror}")

    def packet(self, protocol, data, refused):
        """Send a packet without a link layer header."""
        with self.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as sock:
            try:
                sock.sendto(data, (self.dev, protocol, 0, 0, b"\xff" * 6))
            except OSError as error:
                refused.append(f"{len(data)} bytes: {error.strerror}")
