# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Works the benchmark's plan off, inside the benchmark's kernel.

    guest.py WORK

WORK/plan.json is a list of runs (see plan.py), WORK/bin has the programs, and
WORK/results.jsonl gets a line when the runs begin and one for each run as it
ends, so that the host can show progress and go on after a crash: runs that have
a line are left out. One run is: start the contender on its CPU, wait until it
captures, let pktgen (or TCP) send, stop the contender, read what it and the
kernel counted.

Runs as the only program of the machine, as root; the host is visible but only
WORK is written to.
"""

import errno
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import time

import contenders
import paths

PKTGEN = "/proc/net/pktgen/"
IFACE = "dummy0"
READY_SECONDS = 20
SEND_SECONDS = 120
WRITE_BYTES = 1 << 20
STOP_SECONDS = 120


def write(path, text):
    """A thread of pktgen's that has just ended may refuse a moment longer."""
    for attempt in range(50):
        try:
            with open(path, "w", encoding="ascii") as f:
                f.write(text + "\n")
            return
        except OSError as e:
            if e.errno != errno.EBUSY or attempt == 49:
                raise
        time.sleep(0.05)


def read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read()


def pktgen_setup(run):
    """One pktgen thread for each sender, all on the same interface."""
    write(PKTGEN + "pgctrl", "reset")
    devices = []
    for cpu in range(run["senders"]):
        dev = f"{IFACE}@{cpu}"
        write(f"{PKTGEN}kpktgend_{cpu}", f"add_device {dev}")
        mode = "netif_receive" if run["dir"] == "rx" else "queue_xmit"
        lines = [
            f"xmit_mode {mode}",
            f"count {run['count']}",
            f"pkt_size {run['size']}",
            "dst_mac 02:00:00:00:00:99",
            "src_mac 02:00:00:00:00:01",
            "dst_min 10.9.9.9", "dst_max 10.9.9.9",
            "src_min 10.9.9.1", "src_max 10.9.9.1",
            "udp_dst_min 9", "udp_dst_max 9",
            "udp_src_min 4000", "udp_src_max 4000",
        ]
        if run["dir"] == "rx":
            lines.append(f"burst {run.get('burst', 32)}")
        if run.get("rate"):
            # The delay is between bursts.
            burst = run.get("burst", 32) if run["dir"] == "rx" else 1
            lines.append(f"delay {int(1e9 * burst / run['rate'])}")
        for line in lines:
            write(PKTGEN + dev, line)
        devices.append(dev)
    return devices


def pktgen_started(text):
    """When the thread began, as it says: 0 before the first time."""
    return int(re.search(r"started: (\d+)us", text)[1])


def pktgen_result(dev, before):
    """Microseconds and packets, once the thread has come to its end.

    On a busy machine "start" returns before the threads have begun: a result
    of the time before, which had begun at before, is none.
    """
    end = time.monotonic() + SEND_SECONDS
    while True:
        text = read(PKTGEN + dev)
        m = re.search(r"Result: OK: (\d+)\(c\d+\+d\d+\) usec, (\d+) ", text)
        if m and pktgen_started(text) != before:
            return int(m[1]), int(m[2])
        if time.monotonic() > end or \
                re.search(r"Result: (ERROR|Interrupted|Invalid)", text):
            raise RuntimeError("pktgen: " + text.strip().splitlines()[-1])
        time.sleep(0.05)


def pktgen_run(run):
    """Returns packets sent, and nanoseconds for each sender's packet.

    With "bursts" the stream is sent so many times with a pause between, the
    time is the median's, and all times are in "bursts": short enough to be
    seldom disturbed, and a reader catches up in the pauses.
    """
    devices = pktgen_setup(run)
    total, bursts, ns, mpps = 0, [], [], []
    for _ in range(run.get("bursts", 1)):
        before = [pktgen_started(read(PKTGEN + dev)) for dev in devices]
        write(PKTGEN + "pgctrl", "start")
        got = [pktgen_result(*pair) for pair in zip(devices, before)]
        total += sum(n for _, n in got)
        ns = [1000.0 * u / n for u, n in got]
        mpps.append(sum(n / u for u, n in got))
        bursts.append(ns[0])
    result = {"sent": total, "ns": ns, "mpps": statistics.median(mpps)}
    if len(bursts) > 1:
        result.update(ns=[statistics.median(bursts)], bursts=bursts,
                      best=min(bursts))
    return result


class Capture:
    """A contender's process, from ready to reaped."""

    def __init__(self, spec, work):
        self.spec = spec
        self.out = open(work + "/tmpfs/stdout", "w+b")
        self.err = open(work + "/tmpfs/stderr", "w+b")
        cpu = spec.get("cpu", 1)
        self.proc = subprocess.Popen(
            spec["argv"], stdin=subprocess.DEVNULL, stdout=self.out,
            stderr=self.err, cwd=work + "/tmpfs",
            preexec_fn=(lambda: os.sched_setaffinity(0, {cpu}))
            if cpu >= 0 else None)
        self.wait_ready()

    def text(self, f):
        f.flush()
        f.seek(0)
        return f.read().decode(errors="replace")

    def is_ready(self):
        if self.spec["ready"] != "socket":
            return re.search(self.spec["ready"], self.text(self.err))
        # Type, protocol, interface, running: a packet socket that is bound.
        return re.search(r" [0-9a-f]+ +[1-9]\d* +1 ", read("/proc/net/packet"))

    def wait_ready(self):
        end = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            if self.proc.poll() is not None or time.monotonic() > end:
                self.proc.kill()
                raise RuntimeError("not ready: " + self.text(self.err)[-300:])
            time.sleep(0.02)
        time.sleep(self.spec.get("settle", 0.1))

    def give_back(self):
        """Makes a reader that holds everything take what is in its rings."""
        readers = self.spec.get("readers", 1)
        self.proc.send_signal(signal.SIGUSR1)
        end = time.monotonic() + STOP_SECONDS
        while self.text(self.err).count("warm") < readers:
            if self.proc.poll() is not None or time.monotonic() > end:
                raise RuntimeError("no lap: " + self.text(self.err)[-300:])
            time.sleep(0.02)

    def stop(self):
        time.sleep(self.spec.get("linger", 0))
        self.proc.send_signal(signal.SIGINT)
        end = time.monotonic() + STOP_SECONDS
        while True:
            pid, status, usage = os.wait4(self.proc.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                self.proc.kill()
                os.wait4(self.proc.pid, 0)
                raise RuntimeError("did not stop")
            time.sleep(0.01)
        self.proc.returncode = status
        out, errors = self.text(self.out), self.text(self.err)
        self.out.close()
        self.err.close()
        if status:
            raise RuntimeError(f"status {status}: {errors[-300:]}")
        counts = contenders.counts(self.spec["counts"], out, errors)
        counts["cpu_s"] = usage.ru_utime + usage.ru_stime
        return counts


def check_files(work, spec):
    """What is in the files that the contender wrote, and removes them."""
    found = []
    folder = work + "/tmpfs/"
    names = sorted(n for n in os.listdir(folder) if n.startswith("cap"))
    if names and spec.get("check", True):
        out = subprocess.run([work + "/bin/capcheck"] +
                             [folder + n for n in names],
                             check=True, capture_output=True, text=True).stdout
        found = [json.loads(line) for line in out.splitlines()]
    for name in names:
        os.unlink(folder + name)
    return found


def use_module(run, work, loaded=["ptap.ko"]):
    """A run may name a ptap.ko of its own, to compare two of them."""
    module = run.get("ko", "ptap.ko")
    if loaded[0] != module:
        subprocess.run(["rmmod", "ptap"], check=True)
        subprocess.run(["insmod", work + "/" + module], check=True)
        loaded[0] = module


def keep_symbols(work):
    """Of modules, for hotspots.py."""
    found = [line for line in read("/proc/kallsyms").splitlines(True)
             if line.endswith("]\n")]
    with open(work + "/kallsyms", "w", encoding="ascii") as f:
        f.writelines(found)


def run_one(run, work):
    spec = contenders.spec(run, work)
    if spec.get("module"):
        subprocess.run(["insmod", work + "/" + spec["module"],
                        *spec.get("parameters", [])], check=True)
    capture = Capture(spec, work) if spec.get("argv") else None
    keep_symbols(work)
    try:
        first = 0
        if capture and run.get("lap"):
            first = pktgen_run(dict(run, count=run["lap"]))["sent"]
            capture.give_back()
        result = pktgen_run(run)
        result["sent"] += first
        if capture:
            result["capture"] = capture.stop()
            capture = None
            result["files"] = check_files(work, spec)
    finally:
        if capture:
            capture.proc.kill()
            capture.proc.wait()
            check_files(work, {"check": False})
        if spec.get("module"):
            name = spec["module"].removesuffix(".ko")
            subprocess.run(["rmmod", name], check=True)
    return result


def path(work, made=[]):
    if not made:
        made.append(paths.Path(work))
    return made[0]


def start(run, work):
    spec = contenders.spec(run, work)
    return Capture(spec, work) if spec.get("argv") else None


def tcp(run, work):
    if run["contender"] != "null":
        return paths.tcp(run, path(work), lambda: start(run, work))
    subprocess.run(["insmod", work + "/nullhook.ko"], check=True)
    try:
        return paths.tcp(run, path(work), lambda: None)
    finally:
        subprocess.run(["rmmod", "nullhook"], check=True)


def latency(run, work):
    return paths.latency(run, work, contenders.spec(run, work)["argv"])


def idle(run, work):
    return paths.idle(run, start(run, work))


KINDS = {"tcp": tcp, "latency": latency, "idle": idle}


def kind_of(run):
    if run.get("kind"):
        return KINDS[run["kind"]]
    if run.get("search"):
        return search_rate
    return run_one


def search_rate(run, work):
    """RFC 2544: the highest rate at which nothing is lost, by bisection.

    Before that as fast as the sender can, which is in larger bursts.
    """
    low, high = 0.0, run["rate_max"]
    trials = []
    for _ in range(run.get("steps", 7)):
        rate = high if not trials else (low + high) / 2
        trial = dict(run, count=max(int(rate * run["seconds"]), 20000))
        if trials:
            trial["rate"] = rate
        else:
            del trial["burst"]
        result = run_one(trial, work)
        lost = result["sent"] - result["capture"]["captured"]
        trials.append({"rate": rate, "mpps": result["mpps"], "lost": lost})
        if lost:
            high = rate
        else:
            low = max(low, rate)
            if rate == run["rate_max"]:
                break
    good = [t["mpps"] for t in trials if not t["lost"]]
    return {"lossfree_mpps": max(good, default=0.0), "trials": trials}


def touch_memory(work):
    """Makes the host give the memory that the runs will use.

    It is a file of the host's, whose pages come when they are touched first;
    whose file or ring that was would be charged with it.
    """
    path = work + "/tmpfs/cap"
    chunk = bytes(WRITE_BYTES)
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(chunk) == len(chunk):
                pass
        except OSError as e:
            if e.errno != errno.ENOSPC:
                raise
    os.unlink(path)


def main():
    work = sys.argv[1]
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (-1, -1))
    with open(work + "/plan.json", encoding="ascii") as f:
        plan = json.load(f)
    results = work + "/results.jsonl"
    done, used = set(), False
    if os.path.exists(results):
        done = {json.loads(line).get("id")
                for line in read(results).splitlines()}
    subprocess.run(["ip", "link", "set", IFACE, "up", "mtu", "9000"],
                   check=True)
    os.sched_setaffinity(0, {1})
    touch_memory(work)
    keep_symbols(work)
    with open(results, "a", encoding="ascii") as f:
        print(json.dumps({"begins": True}), file=f, flush=True)
        for run in plan:
            if run["id"] in done:
                continue
            if run.get("fresh") and used:
                break
            used = True
            start = time.monotonic()
            try:
                use_module(run, work)
                result = kind_of(run)(run, work)
            except (RuntimeError, OSError, subprocess.SubprocessError,
                    ValueError) as e:
                result = {"error": f"{type(e).__name__}: {e}"}
            result["id"] = run["id"]
            result["seconds"] = round(time.monotonic() - start, 2)
            f.write(json.dumps(result) + "\n")
            f.flush()


main()
