#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""many.py WHAT FIRST COUNT ALL FOLDER [TAPDUMP-OPTION]...: many captures that
fail at once.

All of them capture the same datagrams on lo, so that a sweep costs one burst
and not one for each place.  Of ALL captures that a sweep is to have, those from
number FIRST on are made, COUNT of them.  WHAT is

  limit  a file size limit in the middle of a record
  torn   killed with SIGKILL when the first bytes of a record are in the file
  kill   killed with SIGKILL under load, at different moments
  term   ended with SIGTERM under load, in the same way

The places of limit and torn are spread over a record, the header byte by byte;
with more places than bytes, over each byte of one record behind the other.
Every second of these captures is pcapng.

Checks status, messages, counts and what is in the files, and leaves these
behind.  Prints what is wrong; the exit status says whether something is.
"""
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

PORT = 9999
SIZE = 1400
PACKET = 14 + 20 + 8 + SIZE
RECORD, PCAP_HEADER = 16 + PACKET, 24
BLOCK = 32 + (PACKET + 3) // 4 * 4
START_SECONDS = 120
BURST = 10


def blocks(data):
    """Type and size of each pcapng block, or of each pcap record as if it were
    one; ValueError if the last one is not whole."""
    at, pcapng = 0, data[:4] == b"\x0a\x0d\x0d\x0a"
    while at < len(data):
        if pcapng:
            kind, size = struct.unpack_from("=II", data, at) \
                if at + 12 <= len(data) else (0, len(data))
        elif at:
            kind, size = 6, 16 + struct.unpack_from("=I", data, at + 8)[0] \
                if at + 16 <= len(data) else len(data)
        else:
            kind, size = 0, 24
        if at + size > len(data):
            raise ValueError(f"ends {len(data) - at} bytes into a record")
        yield kind, size
        at += size


def held(path):
    """How many packets are in a file, or what is wrong with it."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        return sum(kind == 6 for kind, _ in blocks(data))
    except ValueError as error:
        return str(error)


class Capture:
    """A tapdump whose messages are kept."""

    def __init__(self, number, path, options, limit=None):
        self.number, self.path, self.text = number, path, ""
        self.listening = threading.Event()
        self.process = subprocess.Popen(
            ["tapdump", "-i", "lo", "-B", "256", "-w", path, *options,
             "udp", "dst", "port", str(PORT)],
            stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
            preexec_fn=limit and (lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit))))
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        """Until the guardian has ended too: it has the same standard error."""
        for line in self.process.stderr:
            self.text += line
            if "listening on" in line:
                self.listening.set()

    def end(self):
        """Its exit status."""
        self.process.wait()
        self.reader.join()
        return self.process.returncode

    def said(self, pattern):
        """The number in what it said, or None."""
        found = re.search(pattern, self.text, re.M)
        return int(found.group(1)) if found else None

    def captured(self):
        """What it says is in the file."""
        return self.said(r"^(\d+) packets? captured$")

    def adds_up(self):
        """What the filter accepted is in the file, or said to be lost."""
        return self.said(r"^(\d+) packets? received by filter$") == (
            (self.captured() or 0) +
            (self.said(r"^(\d+) packets? dropped by kernel$") or 0) +
            (self.said(r"^(\d+) packets? not written: ") or 0))


class Load:
    """Datagrams to lo."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sent = 0
        self.stop = False

    def burst(self, count):
        """So many of them."""
        for _ in range(count):
            body = self.sent.to_bytes(8, "big").ljust(SIZE, b"x")
            try:
                self.sock.sendto(body, ("127.0.0.1", PORT))
            except ConnectionRefusedError:
                self.sock.sendto(body, ("127.0.0.1", PORT))
            self.sent += 1

    def run(self):
        """Without end."""
        while not self.stop:
            self.burst(50)
            time.sleep(0.002)


class Sweep:
    """Captures FIRST to FIRST + COUNT - 1 of ALL in a folder."""

    def __init__(self, first, count, total, folder, options):
        self.numbers = range(first, first + count)
        self.total, self.folder, self.options = total, folder, options
        self.pcapng_header = 0

    def start(self, options=lambda i: [], limit=lambda i: None):
        """All of them, capturing."""
        captures = [Capture(i, f"{self.folder}/{i:04}",
                            self.options + options(i), limit(i))
                    for i in self.numbers]
        for capture in captures:
            if not capture.listening.wait(START_SECONDS):
                raise SystemExit(f"no start: {capture.text}")
        return captures

    def measure(self):
        """How long a pcapng file's header is."""
        capture = Capture(0, f"{self.folder}/x", ["--pcapng", "-c", "1"])
        capture.listening.wait(START_SECONDS)
        Load().burst(1)
        capture.end()
        with open(capture.path, "rb") as file:
            for kind, size in blocks(file.read()):
                if kind == 6:
                    break
                self.pcapng_header += size
        os.unlink(capture.path)

    def place(self, number):
        """Whole records in front of the place, and bytes of the next one."""
        size = BLOCK if number % 2 else RECORD
        number, total = number // 2, self.total // 2
        if total >= size:
            return divmod(number, size)
        return 0, number if number < 20 < total else number * size // total

    def at(self, number, records, part=0):
        """How long a file with so much in it is."""
        if number % 2:
            return self.pcapng_header + records * BLOCK + part
        return PCAP_HEADER + records * RECORD + part


def every_second(number):
    """Is pcapng."""
    return ["--pcapng"] if number % 2 else []


def limits(sweep):
    """RLIMIT_FSIZE within the fourth record, or one behind it."""
    def limit(number):
        records, part = sweep.place(number)
        return sweep.at(number, 3 + records, part)

    sweep.measure()
    captures = sweep.start(every_second, limit)
    Load().burst(BURST)
    for capture in captures:
        status, (records, part) = capture.end(), sweep.place(capture.number)
        records += 3
        if status != 1 or "File too large" not in capture.text or \
           capture.captured() != records or held(capture.path) != records or \
           not capture.adds_up():
            yield (f"{capture.path}, limit {part} bytes behind {records} "
                   f"records: status {status}, in the file "
                   f"{held(capture.path)}: {capture.text}")


def torn(sweep):
    """The beginning of a record behind ten whole ones."""
    sweep.measure()
    captures = sweep.start(every_second)
    Load().burst(BURST)
    end = time.monotonic() + START_SECONDS
    whole = {c: sweep.at(c.number, BURST) for c in captures}
    while time.monotonic() < end and any(
            os.path.getsize(c.path) < whole[c] for c in captures):
        time.sleep(0.05)
    for capture in captures:
        with open(capture.path, "r+b") as file:
            file.seek(sweep.at(capture.number, 0))
            record = file.read(BLOCK if capture.number % 2 else RECORD)
            file.seek(0, 2)
            file.write(record[:sweep.place(capture.number)[1]])
        capture.process.kill()
    for capture in captures:
        status, size = capture.end(), os.path.getsize(capture.path)
        if status != -signal.SIGKILL or size != whole[capture] or \
           held(capture.path) != BURST or \
           f"is valid and holds {BURST} packets" not in capture.text:
            yield (f"{capture.path}, {sweep.place(capture.number)[1]} bytes of "
                   f"a record: status {status}, {size} bytes: {capture.text}")


def under_load(sweep, number):
    """A signal to each, at some moment, in the middle of writing."""
    captures = sweep.start()
    load = Load()
    thread = threading.Thread(target=load.run)
    thread.start()
    time.sleep(1)
    for capture in captures:
        time.sleep(random.uniform(0, 0.1))
        capture.process.send_signal(number)
    results = [capture.end() for capture in captures]
    load.stop = True
    thread.join()
    return zip(captures, results)


def kill(sweep):
    """SIGKILL: the guardian counts what is in the file."""
    for capture, status in under_load(sweep, signal.SIGKILL):
        found = re.search(r"(\S+) is valid and holds (\d+) packet",
                          capture.text)
        empty = "before anything was in" in capture.text or \
            (not os.path.exists(capture.path) and
             "between two files" in capture.text)
        if status != -signal.SIGKILL or not (found or empty) or \
           (found and held(found.group(1)) != int(found.group(2))):
            yield f"{capture.path}, killed: status {status}: {capture.text}"


def term(sweep):
    """SIGTERM: everything is written and counted."""
    for capture, status in under_load(sweep, signal.SIGTERM):
        if status or not capture.adds_up() or \
           held(capture.path) != capture.captured():
            yield f"{capture.path}, ended: status {status}: {capture.text}"


def main():
    """The captures, and what is wrong with them."""
    what, first, count, total = sys.argv[1], *map(int, sys.argv[2:5])
    taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taker.bind(("127.0.0.1", PORT))     # so that no answers come
    os.makedirs(sys.argv[5])
    sweep = Sweep(first, count, total, sys.argv[5], sys.argv[6:])
    wrong = list({"limit": limits, "torn": torn, "kill": kill,
                  "term": term}[what](sweep))
    for line in wrong[:5]:
        print(line)
    print(f"{count} captures, {len(wrong)} wrong")
    return bool(wrong)


sys.exit(main())
