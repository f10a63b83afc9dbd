# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""What is measured: the list of runs, in the order in which they are made.

A workload is a stream of packets and where they end up: cost() measures what
the sender pays, "live" with a reader beside it, "held" with rings that nobody
reads, "file" what arrives in a file at full speed, "drain" the reader alone,
"search" the highest rate without loss. The contenders run one
after the other, each repetition in another order, so that what changes on the
machine meanwhile meets all of them. Runs of two senders are long enough to
overlap (4 M packets each), and hold their rings until the end, because there
is no processor left to read them: rings there are as large as the stream.
Equal ring bytes everywhere else, but for the rows that are about ptap's
default ring. The quick plan has what the targets need, and each run twice.
"""

MILLION = 1000000

COST = ["none", "null", "null-clock", "null-tsc", "v3-release", "ptap-release",
        "ptap-tsc-release"]
META = ["none", "null", "ptap-release", "ptap-ng-release", "ptap-id-release",
        "ptap-all-release"]
LIVE = ["none", "v3", "tcpdump", "dumpcap", "netsniff-ng", "ptap", "ptap-read",
        "ptap-cb0", "ptap-reject", "ptap-accept", "ptap-ng"]
HELD = ["none", "null", "v3-hold", "v3-fanout-hold", "ptap-hold",
        "ptap-tsc-hold"]

# Ring bytes of the held runs: room for every packet of the run. A first lap, as
# long as the ring, is taken out before: this kernel maps each page of ptap's
# rings at the first access to it, at the cost of a fault of the host's.
HELD_MIB = {"v3-hold": 1280, "v3-fanout-hold": 1280, "ptap-hold": 1024,
            "ptap-tsc-hold": 1024}
HELD_LAP = {"v3-hold": 4 * MILLION, "v3-fanout-hold": 4 * MILLION,
            "ptap-hold": 7 * MILLION, "ptap-tsc-hold": 7 * MILLION}


def workload(name, direction, size, count, contenders, **more):
    return dict(name=name, dir=direction, size=size, count=count,
                contenders=contenders, senders=1, **more)


def cost(name, direction, size, contenders, head=40):
    """ns that a tap adds: bursts that fit into ptap's default ring of 4 MiB,
    with a reader that gives back what it got in the pauses."""
    return workload(name, direction, size, 3 * 1024 * 1024 // (size + head),
                    contenders, bursts=12, mib={"v3-release": 64})


def stream(name, direction, size):
    """The same with a reader that gives back all the time: for frames of which
    a burst would be a whole ring, so that it can stay in the cache."""
    return workload(name, direction, size, 400000,
                    ["none", "null", "v3-live", "ptap-live"], bursts=4,
                    mib={"v3-live": 64})


def workloads(quick):
    """Every stream, with its contenders; repetitions come on top."""
    many = 4 * MILLION
    few = MILLION
    files = ["v3", "tcpdump", "ptap"] if quick else \
        ["v3", "tcpdump", "dumpcap", "netsniff-ng", "ptap", "ptap-read",
         "ptap-ng"]
    same = {name: 64 for name in files}
    out = [
        cost("rx60", "rx", 60, COST),
        cost("tx60", "tx", 60, ["none", "null", "v3-release", "ptap-release"]
             if quick else COST),
        stream("rx1514", "rx", 1514),
    ]
    if not quick:
        out += [
            cost("meta60", "rx", 60, META, head=100),
            stream("rx594", "rx", 594),
            stream("tx594", "tx", 594),
            stream("tx1514", "tx", 1514),
            workload("live60", "rx", 60, many, LIVE, mib={"v3": 64}),
            workload("live1514", "rx", 1514, 2 * few, LIVE, mib={"v3": 64}),
        ]
    out += [
        workload("rx60-held", "rx", 60, many,
                 ["none", "v3-hold", "ptap-hold"], mib=HELD_MIB,
                 lap=HELD_LAP),
        dict(workload("rx60-2cpu", "rx", 60, many,
                      ["none", "v3-hold", "v3-fanout-hold", "ptap-hold"]
                      if quick else HELD, mib=HELD_MIB, lap=HELD_LAP),
             senders=2),
    ]
    if not quick:
        out.append(dict(workload("tx60-2cpu", "tx", 60, many, HELD,
                                 mib=HELD_MIB, lap=HELD_LAP), senders=2))
    out += [
        workload("file60", "rx", 60, many, files, sink="tmpfs", mib=same),
        workload("file1514", "rx", 1514, few, files, sink="tmpfs", mib=same),
        # What both rings of 32 MiB hold: more of them cannot be mapped here.
        workload("drain60", "rx", 60, 400000, ["ptap-drain", "ring-write"],
                 sink="tmpfs", mib={"ptap-drain": 64, "ring-write": 64},
                 bursts=12),
        dict(workload("drain60-2cpu", "rx", 60, 400000,
                      ["ptap-drain", "ring-write"], sink="tmpfs",
                      mib={"ptap-drain": 64, "ring-write": 64}, bursts=12),
             senders=2),
    ]
    if not quick:
        out.append(workload("disk1514", "rx", 1514, few // 4, files,
                            sink="disk", mib=same))
    out += others(quick)
    rate = {60: 16e6, 1514: 4e6}
    for size, who in ((60, ["v3", "ptap"]), (1514, ["v3", "tcpdump", "ptap"])):
        out.append(workload(f"search{size}", "rx", size, few, who,
                            sink="tmpfs", mib={n: 64 for n in who},
                            search=True, seconds=0.5, rate_max=rate[size],
                            burst=8, steps=6 if quick else 10))
    return out


def others(quick):
    """Real TCP beside captures and through middlemen; latency; idleness."""
    who = ["none", "null", "tcpdump", "ptap", "queue", "tun"]
    if not quick:
        who += ["v3", "ptap-cb0"]
    tcp = workload("tcp", "tx", 65536, 0, who, kind="tcp", iface="va",
                   mib_sent=64 if quick else 256, times=9, pause_ms=0,
                   mib={"v3": 64})
    # As cost(): what fits into the default ring, taken out in the pauses.
    cost = workload("gso", "tx", 65536, 0,
                    ["none", "null", "v3-release", "ptap-drain"], kind="tcp",
                    iface="va", mib_sent=3, times=40 if quick else 100,
                    pause_ms=25, mib={"v3-release": 64})
    late = workload("latency", "tx", 60, 500 if quick else 1000,
                    ["ptap-now", "tcpdump-now"], kind="latency", sink="pipe")
    still = workload("idle", "rx", 60, 0, ["ptap"], kind="idle", seconds=3)
    return [cost, tcp, late, still]


def repetitions(w, quick):
    if w.get("search"):
        return 1 if quick else 3
    if w["name"] == "idle":
        return 1
    if w["name"] in ("gso", "tcp", "latency"):
        return 3 if quick else 7
    return 2 if quick else 7


def with_variants(names, variants):
    """Beside each of ptap's contenders the same with other modules."""
    out = []
    for name in names:
        out.append(name)
        if name.startswith("ptap"):
            out += [f"{name}@{variant}" for variant in variants]
    return out


def runs(quick=False, only=None, reps=None, variants=()):
    """The plan: a list of runs, each with an id of its own."""
    out = []
    loads = [w for w in workloads(quick) if not only or w["name"] in only]
    if not loads:
        raise SystemExit("no such workload; see tests/bench/plan.py")
    for rep in range(reps or max(repetitions(w, quick) for w in loads)):
        for w in loads:
            if rep >= (reps or repetitions(w, quick)):
                continue
            names = with_variants(w["contenders"], variants)
            turn = rep % len(names)
            for name in names[turn:] + names[:turn]:
                run = {k: v for k, v in w.items()
                       if k not in ("contenders", "mib", "lap", "name")}
                run.update(id=f"{w['name']}/{name}/{rep}", workload=w["name"],
                           contender=name, rep=rep)
                if name in ("queue", "tun"):
                    run["middleman"] = name
                base, _, variant = name.partition("@")
                if variant:
                    run["ko"] = variant + ".ko"
                for key in ("mib", "lap"):
                    if base in w.get(key, {}):
                        run[key] = w[key][base]
                # In fragmented memory each page of a ring is a mapping of the
                # host, which has a limit: large rings want a new machine.
                if base.endswith("hold") and run.get("kind") != "tcp" and \
                        name.startswith("ptap"):
                    run["fresh"] = True
                out.append(run)
    return out
