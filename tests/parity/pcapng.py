# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""A pcapng file as a pcap file for each of its interfaces.

Interfaces may have different link types, which neither a pcap file nor libpcap
can have in one.  Reads what tapdump writes: one section, packets in Enhanced
Packet Blocks, stamps in nanoseconds or microseconds.
"""
import struct

IDB, EPB, SHB = 1, 6, 0x0A0D0D0A
IF_NAME, IF_TSRESOL = 2, 9
NSEC_MAGIC, MAX_SNAPLEN = 0xA1B23C4D, 262144


def blocks(data):
    """Type and body of each block, as far as they are whole."""
    at = 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if size < 12 or at + size > len(data):
            return
        yield kind, data[at + 8:at + size - 4]
        at += size


def options(body):
    at, found = 0, {}
    while at + 4 <= len(body):
        code, size = struct.unpack_from("<HH", body, at)
        if not code:
            break
        found[code] = body[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    return found


def interface(body, prefix):
    """Name, nanoseconds of a stamp's unit, and a pcap file with its header."""
    found = options(body[8:])
    name = found[IF_NAME].rstrip(b"\0").decode()
    file = open(f"{prefix}.{name}", "wb")
    file.write(struct.pack("<IHHiIII", NSEC_MAGIC, 2, 4, 0, 0, MAX_SNAPLEN,
                           struct.unpack_from("<H", body)[0]))
    return name, 10 ** (9 - found.get(IF_TSRESOL, b"\x06")[0]), file


def split(path):
    """Writes PATH.NAME for each interface; returns {NAME: PATH.NAME}, and how
    often a packet is older than the one before it."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != struct.pack("<I", SHB):
        return {}, 0
    interfaces, last, steps_back = [], 0, 0
    for kind, body in blocks(data):
        if kind == IDB:
            interfaces.append(interface(body, path))
        elif kind == EPB:
            which, high, low, caplen, length = struct.unpack_from("<5I", body)
            _, unit, file = interfaces[which]
            time_ns = (high << 32 | low) * unit
            steps_back += time_ns < last
            last = time_ns
            file.write(struct.pack("<4I", *divmod(time_ns, 10**9), caplen, length) +
                       body[20:20 + caplen])
    for _, _, file in interfaces:
        file.close()
    return {name: f"{path}.{name}" for name, _, _ in interfaces}, steps_back
