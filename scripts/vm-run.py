#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""vm-run.py - run one QEMU of the test VM, from its start to its last byte.

Called by vm.sh, which has made the disks and the QEMU command line. Owns the
guest's two output streams and the status port (vm-init speaks the other end),
the timeout, the verdict on the kernel's log, the unpacking of /out and the
removal of the run's private folder. Exits with the command's own status, or:
124 the time ran out, 125 the guest's kernel failed, 130 interrupted.

The streams have a thread each, because writing to our own stdout may block for
as long as its reader likes; everything else happens in the main thread.
"""
import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

# What a healthy kernel never logs. Some words count only where a line begins:
# further on they are part of harmless sentences.
TROUBLE = re.compile(
    rb"^\[[^]]*\](\[[^]]*\])? (WARNING: |BUG: |general protection|watchdog: BUG: )"
    rb"|Kernel panic|kernel BUG at|\bOops: |soft lockup|hard LOCKUP"
    rb"|blocked for more than|self-detected stall|detected stalls"
    rb"|\bUBSAN: |KASAN: |KCSAN: |kmemleak: \d+ new|possible .* detected"
    rb"|Out of memory: Kill|unregister_netdevice: waiting")


def say(text):
    print("vm.sh: " + text, file=sys.stderr, flush=True)


class Ended(Exception):
    """The run is over; status is ours to exit with."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Stream(threading.Thread):
    """Carry one output of the command to one of our own descriptors."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.sock, self.guest = socket.socketpair()
        self.nr_bytes = 0
        self.broken = False

    def run(self):
        while True:
            data = self.sock.recv(1 << 16)
            if not data:
                return
            view = memoryview(data)
            while view and not self.broken:
                try:
                    view = view[os.write(self.target, view):]
                except BlockingIOError:
                    time.sleep(0.01)
                except OSError:
                    self.broken = True
            self.nr_bytes += len(data)


class Machine:
    def __init__(self, options):
        self.options = options
        self.streams = [Stream(1), Stream(2)]
        self.status_sock, self.status_guest = socket.socketpair()
        self.started = time.monotonic()
        self.qemu = None
        self.log = os.path.join(options.run, "qemu.log")

    def start(self):
        command, fds = list(self.options.qemu), []
        ports = [("stdout", self.streams[0].guest), ("stderr", self.streams[1].guest),
                 ("status", self.status_guest)]
        for name, sock in ports:
            fds.append(sock.fileno())
            command += ["-chardev", f"socket,id={name},fd={sock.fileno()}",
                        "-device", f"virtserialport,chardev={name},name=ptap.{name}"]
        # The VM dies with us, however we die.
        command = ["setpriv", "--pdeathsig", "KILL", "--"] + command
        stdin = None if self.options.shell else subprocess.DEVNULL
        stdout = None if self.options.shell else subprocess.DEVNULL
        with open(self.log, "wb") as log:
            self.qemu = subprocess.Popen(command, stdin=stdin, stdout=stdout,
                                         stderr=log, pass_fds=fds)
        for _, sock in ports:
            sock.close()
        for stream in self.streams:
            stream.start()

    def check(self):
        """Raise Ended if the run cannot go on."""
        if self.streams[0].broken:
            raise Ended(141, "")
        limit = self.options.timeout
        if limit and time.monotonic() - self.started > limit:
            raise Ended(124, f"the VM was still running after {limit} s and was ended;"
                        " --timeout SECONDS gives it more time")

    def wait_status(self):
        """The command's status, once every byte of its output is here."""
        line = b""
        self.status_sock.settimeout(0.2)
        while not line.endswith(b"\n"):
            self.check()
            try:
                data = self.status_sock.recv(256)
            except socket.timeout:
                continue
            except OSError:
                data = b""
            if not data:
                return None
            line += data
        status, *counts = (int(word) for word in line.split()[1:])
        while any(stream.nr_bytes < count
                  for stream, count in zip(self.streams, counts)):
            self.check()
            if self.qemu.poll() is not None:
                return None
            time.sleep(0.005)
        return status

    def finish(self):
        """Let the guest go down by itself, which is part of what is tested."""
        self.status_sock.sendall(b"bye\n")
        while self.qemu.poll() is None:
            self.check()
            time.sleep(0.005)

    def kill(self):
        if self.qemu and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait()


def show_log(console, first=None):
    """The kernel's log from shortly before line `first`, or its end."""
    lines = console.splitlines()
    start = max(0, len(lines) - 60)
    if first is not None:
        start = max(0, first - 10)
    for line in lines[start:start + 200]:
        sys.stderr.write("  | " + line.decode("utf-8", "replace") + "\n")
    sys.stderr.flush()


def verdict(machine, status):
    """The exit status, after a look at the kernel's log."""
    options = machine.options
    with open(options.console, "rb") as log:
        console = log.read()
    for number, line in enumerate(console.splitlines()):
        if TROUBLE.search(line):
            show_log(console, number)
            say("the guest's kernel failed: " + line.decode("utf-8", "replace").strip()
                + f"; its whole log is {options.log}")
            return 125
    if status is None:
        with open(machine.log, "rb") as log:
            sys.stderr.write(log.read().decode("utf-8", "replace"))
        if not console and machine.qemu.returncode:
            say("QEMU could not start the VM; see its message above")
            return 126
        show_log(console)
        say("the VM ended before the command did, without a word from its kernel;"
            f" the kernel's log is {options.log}")
        return 125
    return status


def unpack(options):
    """What the guest left in /out."""
    tar = ["tar", "-x", "-f", options.exchange, "-C", options.out, "--no-same-owner"]
    if subprocess.run(tar, check=False).returncode:
        say(f"cannot unpack all of the guest's /out into {options.out};"
            " is there room on that disk?")
        return False
    return True


def run(options):
    machine = Machine(options)

    def interrupted(number, _frame):
        raise Ended(128 + number, "interrupted; the VM was ended")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        machine.start()
        status = machine.wait_status()
        if status is None:
            machine.qemu.wait()
        else:
            machine.finish()
        unpacked = status is None or unpack(options)
        status = verdict(machine, status)
        return status if unpacked else 126
    except Ended as end:
        machine.kill()
        if end.status == 124:
            with open(options.console, "rb") as log:
                show_log(log.read())
        if str(end):
            say(str(end) + f"; the kernel's log is {options.log}")
        return end.status
    except BrokenPipeError:
        return verdict(machine, None)
    finally:
        machine.kill()
        shutil.rmtree(options.run, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True, help="private folder, removed at the end")
    parser.add_argument("--console", required=True, help="where QEMU writes the kernel's log")
    parser.add_argument("--log", required=True, help="the same log's name for people")
    parser.add_argument("--exchange", required=True, help="raw disk that brings /out back")
    parser.add_argument("--out", required=True)
    parser.add_argument("--timeout", type=int, required=True)
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("qemu", nargs="+")
    status = run(parser.parse_args())
    sys.stderr.flush()
    os._exit(status)


main()
