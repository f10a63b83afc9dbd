# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Runs that pktgen cannot make: real TCP, middlemen, latency, idleness.

A Path is two network namespaces joined by a veth pair (or, for the tun
middleman, by a process): the sender's is the machine's own, the receiver's is
that of a process which does nothing else. tcp() sends over it with the sender
on CPU 0 and the receiver on CPU 1; a reader has to share CPU 1 with the
receiver, since there is no third one. latency() and idle() use the dummy
interface. All return what guest.py writes as a run's result.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import time

PORT = 5201
NET = {"veth": "10.77.0.", "tun": "10.78.0."}


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read()


class Path:
    """The receiver's namespace, and the way there. Made once, kept."""

    def __init__(self, work):
        self.work = work
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "86400"])
        # Until then it is in this namespace.
        mine = os.readlink("/proc/self/ns/net")
        ns = f"/proc/{self.holder.pid}/ns/net"
        while os.readlink(ns) == mine:
            time.sleep(0.02)
        self.pid = str(self.holder.pid)
        ip("link", "add", "va", "type", "veth", "peer", "name", "vb", "netns",
           self.pid)
        self.address("va", "vb", NET["veth"])

    def there(self, *argv):
        return ["nsenter", "-t", self.pid, "-n", *argv]

    def address(self, here, there, net):
        ip("addr", "add", net + "1/24", "dev", here)
        ip("link", "set", here, "up")
        subprocess.run(self.there("ip", "addr", "add", net + "2/24", "dev",
                                  there), check=True)
        subprocess.run(self.there("ip", "link", "set", there, "up"), check=True)


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def wait_for(f, pattern):
    """f: standard error of a process, as a file."""
    end = time.monotonic() + 20
    while not re.search(pattern, read(f.name)):
        if time.monotonic() > end:
            raise RuntimeError("not ready: " + read(f.name)[-300:])
        time.sleep(0.02)


def transfer(path, net, run):
    """One connection; returns tcpblast's bytes, and seconds of each time."""
    blast = path.work + "/bin/tcpblast"
    with open(path.work + "/tmpfs/blast.err", "wb") as f:
        server = subprocess.Popen(path.there(blast, "-l", str(PORT)), stderr=f,
                                  preexec_fn=pinned(1))
        wait_for(f, "ready")
        try:
            argv = [blast, net + "2", str(PORT)]
            argv += [str(run[key]) for key in ("mib_sent", "times", "pause_ms")]
            out = subprocess.run(argv, check=True, capture_output=True,
                                 text=True, timeout=120,
                                 preexec_fn=pinned(0)).stdout
            server.wait(20)
        finally:
            server.kill()
            server.wait()
    return json.loads(out)


def middleman(path, name):
    """Starts one; returns its process and the addresses to use."""
    binary = path.work + "/bin/middleman"
    args = {"queue": [binary, "queue", "0"],
            "tun": [binary, "tun", "tuna", path.pid, "tunb"]}[name]
    with open(path.work + "/tmpfs/middleman.err", "wb") as f:
        proc = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=f,
                                preexec_fn=pinned(1))
        try:
            wait_for(f, "ready")
        except RuntimeError:
            proc.kill()
            proc.wait()
            raise
    if name == "tun":
        path.address("tuna", "tunb", NET["tun"])
        return proc, NET["tun"]
    subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"""
        table ip bench {{
            chain out {{
                type filter hook output priority 0;
                ip daddr {NET['veth']}2 queue num 0
            }}
        }}""")
    return proc, NET["veth"]


def packets_of(interface):
    return int(read(f"/sys/class/net/{interface}/statistics/tx_packets"))


def tcp(run, path, start_capture):
    """Real TCP; with "middleman" through one, otherwise beside a capture.

    ns is the time of a packet that the sender hands to its device, 64 KiB of
    data where nobody cuts them up; the median of the times that it was done.
    """
    man, net, capture = None, NET["veth"], None
    try:
        if run.get("middleman"):
            man, net = middleman(path, run["middleman"])
        else:
            capture = start_capture()
        device = "tuna" if run.get("middleman") == "tun" else "va"
        before = packets_of(device)
        got = transfer(path, net, run)
        sent = packets_of(device) - before
        # One more than was timed.
        each = max(sent, 1) / (len(got["seconds"]) + 1)
        bursts = [s * 1e9 / each for s in got["seconds"]]
        seconds = statistics.median(got["seconds"])
        result = {"ns": [seconds * 1e9 / each], "bursts": bursts,
                  "best": min(bursts), "sent": sent,
                  "mpps": each / seconds / 1e6,
                  "tcp_gbs": got["bytes"] / seconds / 1e9}
        if capture:
            result["counts"] = capture.stop()
            capture = None
        return result
    finally:
        if capture:
            capture.proc.kill()
            capture.proc.wait()
        if man:
            if run["middleman"] == "queue":
                subprocess.run(["nft", "delete", "table", "ip", "bench"],
                               check=False)
            man.send_signal(signal.SIGTERM)
            man.wait()


def latency(run, work, argv):
    out = subprocess.run([work + "/bin/latency", "dummy0", str(run["count"]),
                          *argv], check=True, capture_output=True, text=True,
                         timeout=120, preexec_fn=pinned(1)).stdout
    got = json.loads(out)
    return {"latency_ns": {"median": got["median"], "p99": got["p99"]}}


def switches(pid):
    """Times that a process and its children went to sleep so far."""
    total = 0
    for p in [pid] + children(pid):
        for task in os.listdir(f"/proc/{p}/task"):
            total += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", read(
                f"/proc/{p}/task/{task}/status"))[1])
    return total


def children(pid):
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            if re.search(rf"\nPPid:\s+{pid}\n", read(f"/proc/{p}/status")):
                found += [p] + children(p)
        except OSError:
            pass
    return found


def idle(run, capture):
    """A capture without a packet: does it wake up, does a timer run?"""
    pid = capture.proc.pid
    time.sleep(1)
    before = switches(pid)
    timers = 0
    end = time.monotonic() + run["seconds"]
    while time.monotonic() < end:
        timers += len(re.findall("ptap", read("/proc/timer_list")))
        time.sleep(0.25)
    result = {"idle_wakeups": switches(pid) - before, "idle_timers": timers}
    capture.stop()
    return result
