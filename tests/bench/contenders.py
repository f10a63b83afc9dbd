# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""The contenders: how each is started, and how its counts are read.

spec() gives for a run what guest.py needs: argv (absent: nothing captures),
module (loaded for the run), ready (a pattern on standard error that says that
it captures), counts (how its last words are read), cpu (that its reader is
pinned to; -1: free), readers (its threads, if several), linger (seconds in which
it may empty its ring: the peers leave what is in it at a signal). All have a
snapshot length above the frame's and the same interface. Ring sizes come from
the run ("mib" for the whole capture; ptap has a ring for each CPU, so it gets its
share), else each has its own default.
"""

import json
import re

IFACE = "dummy0"

# A filter that looks at most of the headers and takes nothing, or everything,
# of what pktgen sends.
FILTERS = {
    "reject": "udp and dst port 5353 and dst host 10.1.1.1",
    "accept": "udp and dst port 9 and dst host 10.9.9.9",
}


def sink(run, work):
    kind = run.get("sink", "null")
    if kind == "pipe":
        return "-"
    if kind == "null":
        return "/dev/null"
    if kind == "disk":
        return work + "/disk.cap"
    return work + "/tmpfs/cap"


def interface(run):
    return run.get("iface", IFACE)


def tapdump(run, work, *extra, filter_text=None):
    argv = [work + "/bin/tapdump", "-p", "-i", interface(run),
            "-w", sink(run, work)]
    if run.get("usec") is None:
        argv.append("--nano")
    if run.get("mib"):
        argv += ["-B", str(int(run["mib"] * 1024 // run.get("cpus", 2)))]
    argv += extra
    if filter_text:
        argv.append(filter_text)
    return {"argv": argv, "ready": "listening on", "counts": "tcpdump"}


def ptapreader(run, work, option, *extra):
    argv = [work + "/bin/ptapreader", option, "-i", interface(run), *extra]
    if option == "-H" and run.get("sink", "null") == "null":
        # Mapping such rings is beyond this kernel; nobody reads them.
        argv.append("-r")
    if run.get("mib"):
        argv += ["-b", str(int(run["mib"] // run.get("cpus", 2)))]
    if run.get("sink", "null") != "null":
        argv += ["-w", sink(run, work)]
    return {"argv": argv, "ready": "ready", "counts": "json"}


def v3(run, work, *extra):
    argv = [work + "/bin/v3reader", "-i", interface(run), *extra]
    if run.get("mib"):
        argv += ["-b", str(run["mib"])]
    return {"argv": argv, "ready": "ready", "counts": "json"}


def tcpdump(run, work, *extra):
    argv = ["tcpdump", "-n", "-p", "-Z", "root", "-i", interface(run),
            "-w", sink(run, work)]
    if run.get("mib"):
        argv += ["-B", str(run["mib"] * 1024)]
    argv += extra
    # A block of its ring that is not full comes to it after a second.
    return {"argv": argv, "ready": "listening on", "counts": "tcpdump",
            "settle": 0.3, "linger": 1.3}


def dumpcap(run, work):
    # -P: pcap, as the others write.
    argv = ["dumpcap", "-q", "-p", "-P", "-i", IFACE,
            "-w", sink(run, work)]
    if run.get("mib"):
        argv += ["-B", str(run["mib"])]
    return {"argv": argv, "ready": "socket", "counts": "dumpcap",
            "settle": 0.3, "linger": 0.5}


def netsniff(run, work):
    argv = ["netsniff-ng", "--in", IFACE, "--out", sink(run, work),
            "--silent", "--no-promisc", "--bind-cpu", "1"]
    if run.get("mib"):
        argv += ["--ring-size", f"{run['mib']}MiB"]
    return {"argv": argv, "ready": "socket", "counts": "netsniff",
            "settle": 0.3, "linger": 0.5}


def spec(run, work):
    name = run["contender"].partition("@")[0]
    table = {
        "none": lambda: {},
        "queue": lambda: {},
        "tun": lambda: {},
        "null": lambda: {"module": "nullhook.ko"},
        "null-clock": lambda: {"module": "nullhook.ko",
                               "parameters": ["clock=host"]},
        "null-tsc": lambda: {"module": "nullhook.ko",
                             "parameters": ["clock=tsc"]},
        "ptap": lambda: tapdump(run, work),
        "ptap-ng": lambda: tapdump(run, work, "--pcapng"),
        "ptap-read": lambda: tapdump(run, work, "--read"),
        "ptap-cb0": lambda: tapdump(run, work, "--copybreak=0"),
        "ptap-reject": lambda: tapdump(run, work,
                                       filter_text=FILTERS["reject"]),
        "ptap-tsc": lambda: tapdump(run, work, "--clock=tsc"),
        "ptap-now": lambda: tapdump(run, work, "--immediate-mode"),
        "tcpdump-now": lambda: tcpdump(run, work, "--immediate-mode", "-U"),
        "ptap-tsc-hold": lambda: ptapreader(run, work, "-H", "-T"),
        "ptap-tsc-release": lambda: ptapreader(run, work, "-R", "-T"),
        # What tapdump asks for with --pcapng, --meta drops,id and --meta all.
        "ptap-ng-release": lambda: ptapreader(run, work, "-R", "-p"),
        "ptap-id-release": lambda: ptapreader(run, work, "-R", "-p", "-m",
                                              "0x26"),
        "ptap-all-release": lambda: ptapreader(run, work, "-R", "-p", "-m",
                                               "0x3f"),
        "ptap-accept": lambda: tapdump(run, work,
                                       filter_text=FILTERS["accept"]),
        "ptap-hold": lambda: ptapreader(run, work, "-H"),
        "ptap-drain": lambda: ptapreader(run, work, "-D"),
        "ring-write": lambda: dict(ptapreader(run, work, "-W"), check=False),
        "ptap-live": lambda: ptapreader(run, work, "-L"),
        "ptap-release": lambda: ptapreader(run, work, "-R"),
        "v3": lambda: v3(run, work, "-w", sink(run, work)),
        "v3-live": lambda: v3(run, work),
        "v3-release": lambda: v3(run, work, "-R"),
        "v3-hold": lambda: v3(run, work, "-H"),
        "v3-fanout": lambda: v3(run, work, "-f", "2"),
        "v3-fanout-hold": lambda: dict(v3(run, work, "-H", "-f", "2"),
                                       readers=2),
        "tcpdump": lambda: tcpdump(run, work),
        "dumpcap": lambda: dumpcap(run, work),
        "netsniff-ng": lambda: netsniff(run, work),
    }
    return table[name]()


def number(pattern, text):
    m = re.search(pattern, text)
    if not m:
        raise ValueError(f"no '{pattern}' in: {text[-200:]}")
    return int(m[1])


def counts(kind, out, errors):
    """captured, dropped, and seen where the contender says it."""
    if kind == "json":
        return json.loads(out)
    if kind == "dumpcap":
        m = re.search(r"'[^']*': (\d+)/(\d+)", errors)
        if not m:
            raise ValueError("no counts in: " + errors[-200:])
        return {"captured": int(m[1]), "dropped": int(m[2])}
    if kind == "netsniff":
        got = {
            "captured": number(r"(\d+)\s+packets incoming", errors + out),
            "dropped": number(r"(\d+)\s+packets failed filter", errors + out),
        }
        return got
    return {
        "captured": number(r"(\d+) packets? captured", errors),
        "seen": number(r"(\d+) packets? received by filter", errors),
        "dropped": number(r"(\d+) packets? dropped by kernel", errors),
    }
