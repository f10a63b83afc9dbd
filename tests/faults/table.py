#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""table.py KILLS [FAULT]...: what goes wrong, and what three capture tools make of it.

Runs in the test VM as root, with the module loaded, and prints a table in
Markdown, or only the rows of the faults that are named.  Each cell is measured
here and now: the tool captures datagrams of lo, or of a dummy interface, into a
file; then its disk fills up, it is killed, and so on.  "torn" is a file that
ends in the middle of a record.
"""
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

PORT, SIZE = 9999, 1400
FILTER = f"udp dst port {PORT}"
TOOLS = {
    "tcpdump": lambda dev, path: [
        "tcpdump", "-Z", "root", "-i", dev, "-w", path, FILTER],
    "dumpcap": lambda dev, path: [
        "dumpcap", "-P", "-q", "-i", dev, "-f", FILTER, "-w", path],
    "tapdump": lambda dev, path: ["tapdump", "-i", dev, "-w", path, FILTER],
}
ROTATE = {"tcpdump": ["-G", "1"], "dumpcap": ["-b", "duration:1"],
          "tapdump": ["-G", "1"]}


def records(path):
    """How many are whole, and whether the file ends with one; None: no file."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None
    if len(data) < 24:
        return 0, True
    at = count = 0
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            return count, True
        caplen = struct.unpack_from("=I", data, at + 8)[0]
        if at + 16 + caplen > len(data):
            return count, True
        at += 16 + caplen
        count += 1
    return count, False


class Tool:
    """A capture, and what it says."""

    def __init__(self, name, path, dev="lo", more=(), limit=None, out=None,
                 user=None):
        command = TOOLS[name](dev, path)
        command[1:1] = more
        if user:
            caps = "caps=+net_raw,+net_admin"
            command = ["setpriv", f"--reuid={user}", "--clear-groups",
                       "--inh-" + caps, "--ambient-" + caps, *command]
        self.path = path
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=self.log,
            stdout=out or subprocess.DEVNULL,
            preexec_fn=limit and (lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit))))
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            if re.search(r"listening on|^File: |Capturing on", self.text(),
                         re.M):
                break
            time.sleep(0.05)
        time.sleep(1)

    def text(self):
        """Its messages."""
        self.log.seek(0)
        return self.log.read()

    def end(self, patience=5, number=signal.SIGINT):
        """Its status, and whether it ended without being told to."""
        try:
            self.process.wait(patience)
            return self.process.returncode, True
        except subprocess.TimeoutExpired:
            self.process.send_signal(number)
        self.process.wait(60)
        return self.process.returncode, False

    def claims(self):
        """The packets that it says it captured."""
        for pattern in (r"^(\d+) packets? captured", r"^Packets captured: (\d+)",
                        r"^Packets: (\d+)"):
            found = re.findall(pattern, self.text(), re.M)
            if found:
                return int(found[-1])
        return None

    def drops(self):
        """The packets that it says it lost."""
        for pattern in (r"^(\d+) packets? dropped by kernel",
                        r"received/dropped on .*: \d+/(\d+)"):
            found = re.findall(pattern, self.text(), re.M)
            if found:
                return int(found[-1])
        return None

    def verdict(self, status, by_itself):
        """A cell: what happened, in a few words."""
        held = records(self.path)
        words = [] if by_itself is None else [
            "ends" if by_itself else "goes on until it is stopped"]
        words.append(f"status {status}" if status >= 0 else
                     f"by signal {signal.Signals(-status).name}")
        if self.claims() is not None:
            words.append(f"claims {self.claims()} packets")
        if held:
            words.append(f"{held[0]} in the file" +
                         (" and a torn one" if held[1] else ""))
        return ", ".join(words)


def burst(count, host="127.0.0.1"):
    """Datagrams."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i in range(count):
        try:
            sock.sendto(i.to_bytes(8, "big").ljust(SIZE, b"x"), (host, PORT))
        except OSError:
            pass


class Load:
    """Datagrams without end."""

    def __enter__(self):
        self.stop = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        """Until the end."""
        while not self.stop:
            burst(50)

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()


def full_disk(tool, folder):
    """Full disk, 600 packets"""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "x", folder],
                   check=True)
    capture = Tool(tool, f"{folder}/f")
    burst(600)
    cell = capture.verdict(*capture.end())
    subprocess.run(["umount", folder], check=True)
    return cell


def run(*command):
    """What it says."""
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


class Disk:
    """A disk of 16 MiB with a table of the device mapper, mounted."""

    def __init__(self, folder, options="", table="linear", mkfs=()):
        self.folder, self.image = folder, f"{folder}.image"
        # There is no udev that would load drivers and make nodes.
        run("modprobe", "-a", "loop", "dm_mod")
        os.environ["DM_DISABLE_UDEV"] = "1"
        with open(self.image, "wb") as file:
            file.truncate(16 << 20)
        self.loop = run("losetup", "-f", "--show", self.image)
        self.size = run("blockdev", "--getsz", self.loop)
        run("dmsetup", "create", "pt-disk", "--table", self.table(table))
        run("mkfs.ext4", "-q", "-F", *mkfs, "/dev/mapper/pt-disk")
        self.options = options
        self.mount()

    def table(self, name):
        """Everything by way of one target."""
        places = {"linear": f" {self.loop} 0", "error": "",
                  "delay": f" {self.loop} 0 0 {self.loop} 0 100"}
        return f"0 {self.size} {name}{places[name]}"

    def mount(self):
        """It, with its options."""
        run("mount", "-o", self.options or "defaults", "/dev/mapper/pt-disk",
            self.folder)

    def become(self, table):
        """Another one under the file system."""
        run("dmsetup", "suspend", "--nolockfs", "pt-disk")
        run("dmsetup", "load", "pt-disk", "--table", self.table(table))
        run("dmsetup", "resume", "pt-disk")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run("umount", self.folder)
        run("dmsetup", "remove", "pt-disk")
        run("losetup", "-d", self.loop)
        os.unlink(self.image)


def failing_disk(tool, folder):
    """Disk that fails, behind 50 packets; in the file when it works again"""
    with Disk(folder) as disk:
        capture = Tool(tool, f"{folder}/f")
        burst(50)
        time.sleep(1)
        disk.become("error")
        status, _ = capture.end(1)
        run("umount", folder)
        disk.become("linear")
        disk.mount()
        held = records(capture.path)
        return (f"status {status}, claims {capture.claims()} packets, "
                f"{held[0] if held else 0} in the file, " +
                ("says so" if re.search("nput/output error|ead-only file",
                                        capture.text()) else "says nothing"))


def quota(tool, folder):
    """Quota of 100 kB, 600 packets"""
    with Disk(folder, "usrquota", mkfs=("-O", "quota", "-E",
                                        "quotatype=usrquota")):
        run("setquota", "-u", "nobody", "0", "100", "0", "0", folder)
        os.chmod(folder, 0o777)
        capture = Tool(tool, f"{folder}/f", user="nobody")
        burst(600)
        return capture.verdict(*capture.end())


def dummy():
    """An interface that sees each packet once: what is sent to 10.7.0.2."""
    for line in ("link add pt-d type dummy", "addr add 10.7.0.1/24 dev pt-d",
                 "link set pt-d up",
                 "neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev pt-d"):
        run("ip", *line.split())


def slow_disk(tool, folder):
    """Disk that takes 0.1 s for each write, mounted sync, 3000 packets"""
    dummy()
    with Disk(folder, "sync", "delay"):
        capture = Tool(tool, f"{folder}/f", dev="pt-d")
        burst(3000, "10.7.0.2")
        status, _ = capture.end(1)
        lost = 3000 - (capture.claims() or 0) - (capture.drops() or 0)
        cell = f"{capture.verdict(status, None)}, {capture.drops()} dropped" + (
            f", {lost} not accounted for" if lost else "")
    run("ip", "link", "del", "pt-d")
    return cell


def size_limit(tool, folder):
    """Limit of the file size (RLIMIT_FSIZE), 600 packets"""
    capture = Tool(tool, f"{folder}/f", limit=100000)
    burst(600)
    return capture.verdict(*capture.end())


def killed(tool, folder):
    """kill -9 under load"""
    torn = short = 0
    with Load():
        for i in range(KILLS):
            capture = Tool(tool, f"{folder}/{i}")
            time.sleep(random.uniform(0, 0.3))
            capture.process.kill()
            capture.process.wait()
            time.sleep(0.5)
            held = records(capture.path)
            torn += bool(held and held[1])
            short += bool(held and not held[0])
    return f"{torn} of {KILLS} files torn" + (
        f", {short} without a packet" if short else "")


def terminated(tool, folder):
    """SIGTERM under load"""
    capture = Tool(tool, f"{folder}/f")
    with Load():
        time.sleep(1)
        capture.process.send_signal(signal.SIGTERM)
        status, _ = capture.end(60)
    return capture.verdict(status, True)


def interface_gone(tool, folder):
    """Interface deleted, behind 200 packets"""
    dummy()
    capture = Tool(tool, f"{folder}/f", dev="pt-d")
    burst(200, "10.7.0.2")
    run("ip", "link", "del", "pt-d")
    return capture.verdict(*capture.end(8))


def idle(tool, folder):
    """A file each second, and no packet for 8 seconds"""
    name = f"{folder}/f" if tool == "dumpcap" else f"{folder}/f%s"
    capture = Tool(tool, name, more=ROTATE[tool])
    time.sleep(8)
    capture.end(0)
    nr = len(os.listdir(folder))
    return f"{nr} file{'s' if nr != 1 else ''}"


def closed_pipe(tool, folder):
    """The reader of a pipe goes away"""
    reader, writer = os.pipe()
    capture = Tool(tool, "-", out=writer)
    os.close(writer)
    os.close(reader)
    burst(600)
    status, by_itself = capture.end()
    return ("ends" if by_itself else "goes on until it is stopped") + (
        f", status {status}" if status >= 0 else
        f" by {signal.Signals(-status).name}")


def main():
    """The table."""
    faults = (full_disk, quota, size_limit, failing_disk, slow_disk, killed,
              terminated, interface_gone, idle, closed_pipe)
    os.chmod("/dev/tap", 0o666)
    taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taker.bind(("127.0.0.1", PORT))
    chosen = sys.argv[2:]
    faults = [f for f in faults if not chosen or f.__name__ in chosen]
    print("| |", " | ".join(TOOLS), "|")
    print("|---|" + "---|" * len(TOOLS))
    for fault in faults:
        cells = []
        for tool in TOOLS:
            folder = tempfile.mkdtemp(prefix="ptap-test.")
            os.chmod(folder, 0o755)
            try:
                cells.append(fault(tool, folder))
            except subprocess.CalledProcessError as error:
                cells.append(f"not measured: {error.cmd[0]} failed")
            print(f"{fault.__name__}, {tool}: {cells[-1]}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
        print(f"| {fault.__doc__} |", " | ".join(cells), "|", flush=True)


KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
main()
