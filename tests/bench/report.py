# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""From samples to medians, spreads, ratios and targets.

evaluate() takes the samples of run.py and returns what results.json has:
  summary     for each workload and contender: median, lowest and highest ns a
              packet, the same as added to no tap and to the empty hook, Mpps,
              loss, reader's CPU
  targets     one {"name", "value", "target", "met"} for each row of the
              project's table; value and met are null where it is not measured
  violations  runs in which sent != captured + dropped, or a file is not whole
              or not in order
  samples     what went in
Ratios are of medians of one run of the benchmark, never of other days' numbers.
"""

import statistics

PTAP = ("ptap", "ptap-hold", "ptap-release", "ptap-tsc-hold",
        "ptap-tsc-release", "ptap-ng-release", "ptap-id-release",
        "ptap-all-release", "ptap-tsc", "ptap-live", "ptap-drain",
        "ptap-read", "ptap-cb0", "ptap-ng", "ptap-accept", "ptap-reject")


def accounted(s):
    """Does this sample say of every packet where it went?"""
    c = s["capture"]
    passed = c.get("filtered", 0)
    if s["contender"] == "ptap-reject":
        return c["captured"] == 0 and c["dropped"] == 0
    return s["sent"] == c["captured"] + c["dropped"] + passed


def violations(samples):
    out = []
    for s in samples:
        if "error" in s:
            out.append(f"{s['id']}: {s['error'].strip()[-200:]}")
        elif s.get("capture") and not accounted(s):
            # Other people's counts are shown, ours have to be right.
            if s["contender"] in PTAP:
                out.append(f"{s['id']}: sent {s['sent']}, but {s['capture']}")
        for f in s.get("files", ()):
            if s["contender"] not in PTAP:
                continue
            if f["inversions"] or not f["whole"] or \
                    f["records"] != s["capture"]["captured"]:
                out.append(f"{s['id']}: file {f}")
    return out


def spread(values):
    return {"median": statistics.median(values), "min": min(values),
            "max": max(values), "n": len(values)}


def summarize(samples):
    groups = {}
    for s in samples:
        if "error" not in s:
            groups.setdefault(s["workload"], {}) \
                  .setdefault(s["contender"], []).append(s)
    out = {}
    for load, contenders in groups.items():
        out[load] = {n: one(group) for n, group in contenders.items()}
        add_deltas(out[load])
    return out


def one(group):
    row = {}
    if "lossfree_mpps" in group[0]:
        row["lossfree_mpps"] = spread([s["lossfree_mpps"] for s in group])
        return row
    if "latency_ns" in group[0]:
        for key in ("median", "p99"):
            row["latency_" + key] = spread([s["latency_ns"][key]
                                            for s in group])
        return row
    if "idle_wakeups" in group[0]:
        row["idle"] = spread([s["idle_wakeups"] + s["idle_timers"]
                              for s in group])
        return row
    row["ns"] = spread([statistics.mean(s["ns"]) for s in group])
    if "best" in group[0]:
        row["best"] = min(s["best"] for s in group)
    row["mpps"] = spread([s["mpps"] for s in group])
    if "tcp_gbs" in group[0]:
        row["gbs"] = spread([s["tcp_gbs"] for s in group])
    if "capture" not in group[0]:
        return row
    row["loss"] = spread([(s["capture"]["dropped"]) / s["sent"]
                          for s in group])
    got = [s for s in group if s["capture"]["captured"]]
    if got:
        row["cpu_ns"] = spread([1e9 * s["capture"]["cpu_s"] /
                                s["capture"]["captured"] for s in got])
    if got and "ring_bytes" in got[0]["capture"]:
        row["ring_bytes"] = spread([s["capture"]["ring_bytes"] /
                                    s["capture"]["captured"] for s in got])
    if got and got[0]["capture"].get("timed_bytes"):
        row["gbs"] = spread([s["capture"]["timed_bytes"] /
                             s["capture"]["take_ns"] for s in got])
        row["bytes"] = spread([s["capture"]["bytes"] /
                               s["capture"]["captured"] for s in got])
    return row


def add_deltas(contenders):
    for base in ("none", "null"):
        if "ns" not in contenders.get(base, {}):
            continue
        floor = contenders[base]["ns"]["median"]
        for row in contenders.values():
            if "ns" in row:
                row["over_" + base] = row["ns"]["median"] - floor


def ratio(a, b):
    return a / b if a is not None and b else None


class Rows:
    """Looks numbers up in a summary; None where they are not."""

    def __init__(self, summary):
        self.summary = summary

    def get(self, load, contender, key):
        row = self.summary.get(load, {}).get(contender, {})
        value = row.get(key)
        return value["median"] if isinstance(value, dict) else value

    def ratio(self, load, key, a, b):
        return ratio(self.get(load, a, key), self.get(load, b, key))


def loss_row(r, load):
    """Our loss, and whether it is at most a fifth of the best peer's."""
    ours = r.get(load, "ptap", "loss")
    peers = [r.get(load, p, "loss")
             for p in ("v3", "tcpdump", "dumpcap", "netsniff-ng")]
    peers = [p for p in peers if p is not None]
    return ours, min(peers) / 5 if peers else None


def targets(r):
    one_cpu = ratio(r.get("rx60-2cpu", "ptap-hold", "mpps"),
                    r.get("rx60-held", "ptap-hold", "mpps"))
    rows = [
        ("ns added, RX 60 B, against TPACKET_V3", "<=", 0.40,
         r.ratio("rx60", "over_none", "ptap-release", "v3-release")),
        ("ns added, RX 60 B, TSC clock", "<=", 0.20,
         r.ratio("rx60", "over_none", "ptap-tsc-release", "v3-release")),
        ("ns added, TX 60 B", "<=", 0.60,
         r.ratio("tx60", "over_none", "ptap-release", "v3-release")),
        ("ns added, RX 1514 B, default ring against 64 MiB", "<=", 0.35,
         r.ratio("rx1514", "over_none", "ptap-live", "v3-live")),
        ("ns added, 64 KiB GSO, default copybreak", "<=", 0.25,
         r.ratio("gso", "over_none", "ptap-drain", "v3-release")),
        ("2 CPUs, aggregate, against one TPACKET_V3 socket", ">=", 3.6,
         r.ratio("rx60-2cpu", "mpps", "ptap-hold", "v3-hold")),
        ("2 CPUs, aggregate, against TPACKET_V3 with fanout", ">=", 1.4,
         r.ratio("rx60-2cpu", "mpps", "ptap-hold", "v3-fanout-hold")),
        ("scaling from 1 to 2 CPUs", ">=", 1.9, one_cpu),
    ]
    for size in (60, 1514):
        ours, limit = loss_row(r, f"file{size}")
        rows.append((f"loss at full speed to a file, {size} B", "<=",
                     limit, ours))
    rows += [
        ("highest loss-free rate to a file, 60 B", ">=", 1.5,
         r.ratio("search60", "lossfree_mpps", "ptap", "v3")),
        ("highest loss-free rate to a file, 1514 B", ">=", 1.5,
         r.ratio("search1514", "lossfree_mpps", "ptap", "v3")),
        ("the same against tcpdump -w, 1514 B", ">=", 3,
         r.ratio("search1514", "lossfree_mpps", "ptap", "tcpdump")),
        ("reader CPU per packet against tcpdump, 60 B", "<=", 0.40,
         r.ratio("file60", "cpu_ns", "ptap", "tcpdump")),
        ("reader CPU per packet against tcpdump, 1514 B", "<=", 0.60,
         r.ratio("file1514", "cpu_ns", "ptap", "tcpdump")),
        ("bytes/s to a file against write(), one ring", ">=", 0.95,
         r.ratio("drain60", "gbs", "ptap-drain", "ring-write")),
        ("bytes/s to a file against write(), merged", ">=", 0.85,
         r.ratio("drain60-2cpu", "gbs", "ptap-drain", "ring-write")),
        ("ring bytes per 60-byte packet against TPACKET_V3", "<=", 0.55,
         ratio(r.get("rx60-held", "ptap-hold", "bytes"),
               r.get("rx60-held", "v3-hold", "ring_bytes"))),
        ("TCP throughput kept while captured", ">=", 0.95,
         r.ratio("tcp", "gbs", "ptap", "none")),
        ("latency when idle, median, against tcpdump", "<=", 1.0,
         r.ratio("latency", "latency_median", "ptap-now", "tcpdump-now")),
        ("latency when idle, p99, against tcpdump", "<=", 1.0,
         r.ratio("latency", "latency_p99", "ptap-now", "tcpdump-now")),
        ("timers and wake-ups when idle", "<=", 0,
         r.get("idle", "ptap", "idle")),
    ]
    return rows


def judge(op, limit, value):
    if value is None or limit is None:
        return None
    return value <= limit if op == "<=" else value >= limit


def evaluate(samples):
    summary = summarize(samples)
    wrong = violations(samples)
    out = []
    for name, op, limit, value in targets(Rows(summary)):
        out.append({"name": name, "value": value,
                    "target": None if limit is None else f"{op} {limit:.3g}",
                    "met": judge(op, limit, value)})
    checked = sum("capture" in s for s in samples)
    out.append({"name": "inversions; packets unaccounted for",
                "value": len(wrong) if checked else None, "target": "<= 0",
                "met": not wrong if checked else None})
    return {"targets": out, "summary": summary, "violations": wrong,
            "samples": samples}


def cell(row, key, form="{:8.1f}"):
    value = row.get(key)
    if isinstance(value, dict):
        value = value["median"]
    return form.format(value) if value is not None else " " * 7 + "-"


def table(results):
    """The whole of it, for people."""
    lines = []
    for load, contenders in results["summary"].items():
        lines.append(f"\n{load}: ns a packet (median, lowest-highest), added "
                     "to no tap and to the empty hook; loss; reader's CPU")
        for name, row in contenders.items():
            if "lossfree_mpps" in row:
                lines.append(f"  {name:15} loss-free up to "
                             + cell(row, "lossfree_mpps", "{:.2f} Mpps"))
                continue
            if "latency_p99" in row:
                lines.append(f"  {name:15} median "
                             + cell(row, "latency_median", "{:.0f} ns, p99 ")
                             + cell(row, "latency_p99", "{:.0f} ns"))
                continue
            if "idle" in row:
                lines.append(f"  {name:15} wake-ups and timers "
                             + cell(row, "idle", "{:.0f}"))
                continue
            if "ns" not in row:
                lines.append(f"  {name:15} {cell(row, 'gbs')} GB/s")
                continue
            ns = row["ns"]
            loss = row["loss"]["median"] * 100 if "loss" in row else 0
            lines.append(
                f"  {name:15}{ns['median']:8.1f} ({ns['min']:.1f}-"
                f"{ns['max']:.1f}) {cell(row, 'over_none')}"
                f"{cell(row, 'over_null')}  {cell(row, 'mpps', '{:6.2f}')} "
                f"Mpps {loss:6.2f} % {cell(row, 'cpu_ns')} ns"
                + (f" {cell(row, 'gbs', '{:.2f}')} GB/s"
                   if "gbs" in row else ""))
    lines.append("\ntargets")
    for t in results["targets"]:
        value = "not measured" if t["value"] is None else f"{t['value']:.3f}"
        mark = {True: "met", False: "MISSED", None: "-"}[t["met"]]
        lines.append(f"  {t['name']:52} {value:>12}  "
                     f"{t['target'] or '-':10} {mark}")
    return "\n".join(lines)
