# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Where the sender's time goes: samples of the benchmark kernel by perf.

start() begins to record, table() says what CPU 0 did, function by function, in
shares and in nanoseconds of a packet. The kernel is a program of this machine
whose first thread is CPU 0; pktgen sends there and nothing else runs there. The
clock of samples is cpu-clock: a guest has no cycle counters. A sample falls
behind an instruction that waits, so locked ones and loads carry what is before
them. Functions of modules have no symbols in the program: guest.py leaves the
kernel's list of them in WORK/kallsyms.
"""

import bisect
import collections
import os
import subprocess

SAMPLES_PER_SECOND = 4000
SHOWN = 16
# Between two bursts the thread waits for the other CPU.
WAITING = {"queued_spin_lock_slowpath", "__timer_delete_sync",
           "lock_timer_base", "_raw_spin_lock_irqsave", "stop_machine_yield"}


def start(work):
    """perf, recording all processors until it is interrupted."""
    return subprocess.Popen(
        ["perf", "record", "-q", "-a", "-e", "cpu-clock:u", "-F",
         str(SAMPLES_PER_SECOND), "-o", work / "perf.data"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def module_symbols(path):
    """Addresses and names, in order."""
    found = []
    for line in path.read_text().splitlines():
        address, _, name, module = line.split()
        found.append((int(address, 16), f"{name} {module}"))
    return sorted(found)


def samples(work, pid):
    """What the first thread was found in."""
    symbols = module_symbols(work / "kallsyms")
    starts = [a for a, _ in symbols]
    text = subprocess.run(
        ["perf", "script", "-i", work / "perf.data", "--tid", str(pid), "-F",
         "ip,sym"], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        address, _, name = line.strip().partition(" ")
        at = bisect.bisect(starts, int(address, 16)) - 1
        if at >= 0 and int(address, 16) < starts[-1] + (1 << 16):
            name = symbols[at][1]
        yield name


def table(work, pid, ns):
    """Lines for people; ns is what a packet takes."""
    counts = collections.Counter(name for name in samples(work, pid)
                                 if name not in WAITING)
    total = sum(counts.values())
    if not total:
        return ["no samples"]
    lines = [f"{total} samples, {ns:.1f} ns a packet"]
    for name, n in counts.most_common(SHOWN):
        lines.append(f"  {100 * n / total:5.1f} %  {ns * n / total:6.1f} ns  {name}")
    rest = sum(n for _, n in counts.most_common()[SHOWN:])
    lines.append(f"  {100 * rest / total:5.1f} %  {ns * rest / total:6.1f} ns  all others")
    os.unlink(work / "perf.data")
    return lines
