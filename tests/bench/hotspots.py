# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Where the time goes: samples of the benchmark kernel by perf.

A Recording is perf's, table() says what one CPU did in it, function by function,
in shares and in nanoseconds of a packet. The kernel is a program of this machine
with a thread for each CPU; pktgen sends on CPU 0 and nothing else runs there,
readers run on CPU 1. A program of that kernel is a process of this machine's:
what a reader does outside of the kernel has no names. The clock of samples is
cpu-clock: a guest has no cycle counters. A sample falls behind an instruction
that waits, so locked ones and loads carry what is before them. Functions of
modules have no symbols in the program: guest.py leaves the kernel's list of them
in WORK/kallsyms.
"""

import bisect
import collections
import os
import signal
import subprocess

SAMPLES_PER_SECOND = 4000
SHOWN = 16
# Between two bursts the thread waits for the other CPU.
WAITING = {"queued_spin_lock_slowpath", "__timer_delete_sync",
           "lock_timer_base", "_raw_spin_lock_irqsave", "stop_machine_yield"}
# What programs of that kernel are called here.
PROGRAMS = "uml-userspace"
PROGRAM = "(the reader itself)"


class Recording:
    """perf, which records all processors from begin() to end()."""

    def __init__(self, work):
        self.work = work
        self.perf = None

    def begin(self):
        """Again for each kernel that is started: one recording for all."""
        if self.perf:
            return
        self.perf = subprocess.Popen(
            ["perf", "record", "-q", "-a", "-e", "cpu-clock:u", "-F",
             str(SAMPLES_PER_SECOND), "-o", self.work / "perf.data"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def end(self):
        """Returns whether there is one."""
        if not self.perf:
            return False
        self.perf.send_signal(signal.SIGINT)
        self.perf.wait()
        return True


def module_symbols(path):
    """Addresses and names, in order."""
    found = []
    for line in path.read_text().splitlines():
        address, _, name, module = line.split()
        found.append((int(address, 16), f"{name} {module}"))
    return sorted(found)


def threads(pid):
    """The kernel's, of its CPUs, in order."""
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


def script(work, fields, *which):
    """Lines of samples."""
    return subprocess.run(
        ["perf", "script", "-i", work / "perf.data", *which, "-F", fields],
        check=True, capture_output=True, text=True).stdout.splitlines()


def kernel_samples(work, tid):
    """What the thread of a CPU was found in."""
    symbols = module_symbols(work / "kallsyms")
    starts = [a for a, _ in symbols]
    for line in script(work, "ip,sym", "--tid", str(tid)):
        address, _, name = line.strip().partition(" ")
        at = bisect.bisect(starts, int(address, 16)) - 1
        if at >= 0 and int(address, 16) < starts[-1] + (1 << 16):
            name = symbols[at][1]
        yield name


def program_samples(work):
    """One for each sample in the process that took most: the reader."""
    tids = [line.split()[0] for line in script(work, "tid", "--comm", PROGRAMS)]
    most = collections.Counter(tids).most_common(1)
    return [PROGRAM] * (most[0][1] if most else 0)


def samples(work, threads, cpu):
    """All of a CPU's; of what its programs do, only that they do."""
    names = list(kernel_samples(work, threads[cpu]))
    return names + program_samples(work) if cpu else names


def table(work, threads, cpu, ns):
    """Lines for people; ns is what a packet takes."""
    counts = collections.Counter(n for n in samples(work, threads, cpu)
                                 if n not in WAITING)
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
