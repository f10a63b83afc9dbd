# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Runs the benchmark: plan, kernel, progress, report.

    run.py --kernel FILE --work DIR [--quick] [--only WORKLOAD,...]
           [--reps N] [--mem SIZE] [--profile CONTENDER [--cpu N]]
           [--variants "NAME ..."] --results FILE

The kernel is a program; it works WORK/plan.json off (guest.py) and appends to
WORK/results.jsonl, which this end follows. A kernel that dies or stands still
is started again for the runs that are left, a few times. At the end the results
go to FILE (JSON), to a table on standard output and to plots beside FILE. With
--profile only that contender runs, one workload, and what is printed is where
the time of a CPU goes: 0 is the sender's, 1 the reader's.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

import hotspots
import plan
import plot
import report

FAILURES = 3
STILL_SECONDS = 240
LAST_WORDS = "ran out of memory on the host side"
HERE = pathlib.Path(__file__).resolve().parent


def note(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def load_average():
    return float(pathlib.Path("/proc/loadavg").read_text().split()[0])


def boot(args, work):
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        python = sys.executable
    argv = [
        args.kernel, "mem=" + args.mem, "ncpus=2",
        "seccomp=on", "root=/dev/root", "rootfstype=hostfs", "rootflags=/",
        "rw", f"init={HERE}/guest-init.sh", "con=null", "con0=fd:0,fd:1",
        "panic=-1", f"PTAP_WORK={work}", f"PTAP_PYTHON={python}",
        f"PTAP_GUEST={HERE}/guest.py",
    ]
    env = dict(os.environ, TMPDIR="/dev/shm")
    with open(work / "console.log", "ab") as console:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, env=env,
                                stdout=console, stderr=console,
                                start_new_session=True)


def pin(pid):
    """A processor of this machine for each of the kernel's.

    A program of that kernel is a process that inherits from the thread which
    made it: it stays beside the kernel's part of it, in the same cache.
    """
    end = time.monotonic() + 10
    while len(hotspots.threads(pid)) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    tids = hotspots.threads(pid)
    for cpu, tid in enumerate(tids):
        os.sched_setaffinity(tid, {min(cpu, 1)})
    return tids


def stop(proc):
    try:
        os.killpg(proc.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    proc.wait()


def describe(run, result):
    if "error" in result:
        return "failed: " + result["error"].strip()[-150:]
    if "lossfree_mpps" in result:
        return f"loss-free up to {result['lossfree_mpps']:.2f} Mpps"
    if "latency_ns" in result:
        return "median {median} ns, p99 {p99} ns".format(
            **result["latency_ns"])
    if "idle_wakeups" in result:
        return "{idle_wakeups} wake-ups, {idle_timers} timers".format(**result)
    text = f"{max(result['ns']):7.1f} ns, {result['mpps']:6.2f} Mpps"
    captured = result.get("capture")
    if captured:
        lost = result["sent"] - captured["captured"]
        if lost and "filtered" not in captured and \
                run["contender"] != "ptap-reject":
            text += f", {100 * lost / result['sent']:.1f} % lost"
    return text


def is_dead(console, start):
    """It has lost a process of its own, and does not end by itself."""
    with open(console, encoding="ascii", errors="replace") as f:
        f.seek(start)
        return LAST_WORDS in f.read()


def follow(proc, path, runs, done, begins):
    """Reads results as they come, until all are there or the kernel ended.

    Calls begins() when the kernel says that it begins with the runs.
    """
    by_id = {r["id"]: r for r in runs}
    last = time.monotonic()
    offset = 0
    console = path.with_name("console.log")
    start = console.stat().st_size
    while True:
        ended = proc.poll() is not None
        if path.exists():
            data = path.read_text()
            end = data.rfind("\n") + 1
            for line in data[offset:end].splitlines():
                result = json.loads(line)
                if "begins" in result:
                    begins()
                    continue
                if result["id"] in done or result["id"] not in by_id:
                    continue
                result["load"] = load_average()
                done[result["id"]] = result
                last = time.monotonic()
                note(f"{len(done):3}/{len(runs)} {result['id']:28} " +
                     describe(by_id[result["id"]], result))
            offset = end
        if ended or len(done) == len(runs):
            return
        if is_dead(console, start) or \
                time.monotonic() - last > STILL_SECONDS:
            note("the benchmark's kernel stands still; starting another")
            return
        time.sleep(0.2)


def skip_missing(runs):
    """Peers that are not installed are left out, and said so."""
    for tool in ("tcpdump", "dumpcap", "netsniff-ng"):
        if shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin") is None:
            note(f"{tool} is not installed: left out")
            runs = [r for r in runs if r["contender"] != tool]
    return runs


def measure(args, work, begins):
    runs = skip_missing(plan.runs(args.quick, args.only, args.reps,
                                  args.variants))
    if args.profile:
        runs = [r for r in runs if r["contender"] == args.profile]
        if len({r["workload"] for r in runs}) != 1:
            raise SystemExit(f"one workload that has {args.profile} is wanted")
    (work / "plan.json").write_text(json.dumps(runs))
    results = work / "results.jsonl"
    results.unlink(missing_ok=True)
    done = {}
    load = load_average()
    if load > 0.5:
        note(f"the machine is not idle (load {load:.2f}): expect noise")
    failures = 0
    while len(done) < len(runs) and failures < FAILURES:
        before = len(done)
        proc = boot(args, work)
        try:
            args.threads = pin(proc.pid)
            follow(proc, results, runs, done, begins)
        finally:
            if len(done) == len(runs):
                try:
                    proc.wait(10)
                except subprocess.TimeoutExpired:
                    pass
            stop(proc)
        failures += len(done) == before
    if len(done) < len(runs):
        note(f"{len(runs) - len(done)} runs have no result; see "
             f"{work}/console.log and guest.log")
    samples = [dict(r, **done[r["id"]]) for r in runs if r["id"] in done]
    return samples, load


def on_signal(signum, frame):
    """Ends the kernel too, which has a session of its own."""
    raise SystemExit(128 + signum)


def main():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, on_signal)
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda s: s.split(","))
    parser.add_argument("--reps", type=int)
    parser.add_argument("--mem", default="6G")
    parser.add_argument("--profile")
    parser.add_argument("--variants", type=str.split, default=[])
    parser.add_argument("--cpu", type=int, default=0)
    parser.add_argument("--results", required=True)
    args = parser.parse_args()
    work = pathlib.Path(args.work).resolve()
    (work / "tmpfs").mkdir(parents=True, exist_ok=True)
    for old in ("console.log", "guest.log", "kallsyms"):
        (work / old).unlink(missing_ok=True)
    start = time.monotonic()
    recording = hotspots.Recording(work)
    samples, load = measure(args, work, recording.begin if args.profile
                            else lambda: None)
    if args.profile:
        if not recording.end() or not samples:
            raise SystemExit(f"nothing was run; see {work}/console.log")
        ns = statistics.median(s["ns"][0] for s in samples if "ns" in s)
        print("\n".join(hotspots.table(work, args.threads, args.cpu, ns)))
        return 0
    results = report.evaluate(samples)
    results["load_before"] = load
    results["load_after"] = load_average()
    results["seconds"] = round(time.monotonic() - start)
    results["quick"] = args.quick
    out = pathlib.Path(args.results)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(report.table(results))
    for name in plot.write(results, out.parent):
        note(f"plot: {name}")
    note(f"{len(samples)} runs in {results['seconds']} s, load "
         f"{load:.2f} before, results in {out}")
    failed = results["violations"]
    for line in failed:
        note("WRONG: " + line)
    return 1 if failed or not samples else 0


if __name__ == "__main__":
    sys.exit(main())
