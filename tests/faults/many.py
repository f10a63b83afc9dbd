#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""many.py WHAT COUNT FOLDER [TAPDUMP-OPTION]...: many captures that fail at once.

All of them capture the same datagrams on lo, so that a sweep costs one burst
and not one for each offset.  WHAT is

  limit  a file size limit in the middle of a record, at COUNT offsets in it
  torn   killed with SIGKILL when the first bytes of a record are in the file,
         COUNT different numbers of them
  kill   killed with SIGKILL under load, at COUNT different moments
  term   ended with SIGTERM under load, in the same way

Checks status, messages, counts and lengths, and leaves the files behind.  Prints
what is wrong; the exit status says whether something is.
"""
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

PORT = 9999
SIZE = 1400
RECORD = 16 + 14 + 20 + 8 + SIZE
HEADER = 24
START_SECONDS = 120


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

    def captured(self):
        """What it says is in the file."""
        found = re.search(r"^(\d+) packets? captured$", self.text, re.M)
        return int(found.group(1)) if found else None


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


def start(count, folder, options, limit=lambda i: None):
    """All of them, capturing."""
    captures = []
    for i in range(count):
        captures.append(Capture(i, f"{folder}/{i:04}", options, limit(i)))
    for capture in captures:
        if not capture.listening.wait(START_SECONDS):
            raise SystemExit(f"no start: {capture.text}")
    return captures


def silent_socket():
    """Somebody who takes the datagrams, so that no answers come."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", PORT))
    return sock


def offsets(count):
    """Spread over a record, its header byte by byte."""
    step = max(1, RECORD // count)
    return [i if i < 20 and count > 40 else (i * step) % RECORD or 1
            for i in range(count)]


def limits(count, folder, options):
    """RLIMIT_FSIZE within the fourth record."""
    at = offsets(count)
    captures = start(count, folder, options,
                     lambda i: HEADER + 3 * RECORD + at[i])
    Load().burst(10)
    for capture in captures:
        status = capture.end()
        size = os.path.getsize(capture.path)
        if status != 1 or "File too large" not in capture.text or \
           capture.captured() != 3 or size != HEADER + 3 * RECORD:
            yield (f"limit {at[capture.number]} bytes into a record: status "
                   f"{status}, {size} bytes: {capture.text}")


def torn(count, folder, options):
    """The beginning of a record behind ten whole ones."""
    captures = start(count, folder, options)
    whole = HEADER + 10 * RECORD
    Load().burst(10)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and any(
            os.path.getsize(c.path) < whole for c in captures):
        time.sleep(0.05)
    for capture, part in zip(captures, offsets(count)):
        with open(capture.path, "r+b") as file:
            file.seek(HEADER)
            record = file.read(RECORD)
            file.seek(0, 2)
            file.write(record[:part])
        capture.process.kill()
    for capture in captures:
        status = capture.end()
        size = os.path.getsize(capture.path)
        if status != -signal.SIGKILL or size != whole or \
           "is valid and holds 10 packets" not in capture.text:
            yield (f"{offsets(count)[capture.number]} bytes of a record: "
                   f"status {status}, {size} bytes: {capture.text}")


def under_load(count, folder, options, number):
    """A signal to each, at some moment, in the middle of writing."""
    captures = start(count, folder, options)
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


def kill(count, folder, options):
    """SIGKILL: the guardian counts what is in the file."""
    for capture, status in under_load(count, folder, options, signal.SIGKILL):
        # A capture into several files has none of this name.
        size = os.path.exists(capture.path) and os.path.getsize(capture.path)
        found = re.search(r"is valid and holds (\d+) packet", capture.text)
        empty = "before anything was in" in capture.text or \
            (not size and "between two files" in capture.text)
        if status != -signal.SIGKILL or not (found or empty) or \
           (size and (size - HEADER) != RECORD * int(found.group(1))):
            yield f"killed: status {status}, {size} bytes: {capture.text}"


def term(count, folder, options):
    """SIGTERM: everything is written and counted."""
    for capture, status in under_load(count, folder, options, signal.SIGTERM):
        size = os.path.exists(capture.path) and os.path.getsize(capture.path)
        if status or capture.captured() is None or \
           (size and (size - HEADER) != RECORD * capture.captured()):
            yield f"ended: status {status}, {size} bytes: {capture.text}"


def main():
    """The captures, and what is wrong with them."""
    what, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    taker = silent_socket()
    os.makedirs(folder)
    wrong = list({"limit": limits, "torn": torn, "kill": kill,
                  "term": term}[what](count, folder, sys.argv[4:]))
    taker.close()
    for line in wrong[:5]:
        print(line)
    print(f"{count} captures, {len(wrong)} wrong")
    return bool(wrong)


sys.exit(main())
