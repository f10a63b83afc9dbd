#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""table.py RESULTS... - the matrix's verdicts and traffic, as tables.

RESULTS are judge.py's.  Printed are: verdicts by kind of interfaces, each cell
with its verdict and reason, what was sent and seen in each phase of traffic.py,
what sorts of packets were seen (sorts.py), and what was refused.
"""
import collections
import sys

VERDICTS = ("equal", "better", "skipped", "DIFFERENT")


def ordered(items):
    return list(dict.fromkeys(items))


def grid(counts, rows, columns, empty):
    """A table of counts by (row, column), ten columns at a time."""
    width = max(map(len, rows), default=0)
    for start in range(0, len(columns), 10):
        part = columns[start:start + 10]
        print(" " * width, "", " ".join(f"{c:>5}" for c in part))
        for row in rows:
            print(f"{row:<{width}} ", " ".join(
                f"{counts.get((row, c), empty):>{max(5, len(c))}}" for c in part))
        print()


def by_place(records):
    """Counts of records KIND POINT COLUMN NUMBER, printed."""
    grid({(f"{r[0]} {r[1]}", r[2]): r[3] for r in records},
         ordered(f"{r[0]} {r[1]}" for r in records), ordered(r[2] for r in records),
         "-")


def print_cells(cells):
    by_point = collections.defaultdict(lambda: collections.defaultdict(list))
    for kind, point, name, verdict, nr, note in cells:
        by_point[f"{kind} {point}"][verdict, note].append(f"{name} ({nr})")
    for where, groups in by_point.items():
        for (verdict, note), names in groups.items():
            print(f"{where:<18} {verdict:<9} {' '.join(names)}"
                  f"{': ' + note if note else ''}")


def main():
    records = collections.defaultdict(list)
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                what, *rest = line.rstrip("\n").split("\t")
                records[what].append(rest)
    cells = records["cell"]
    verdicts = collections.Counter(c[3] for c in cells)
    print("Captured by tapdump and tcpdump at once:",
          ", ".join(f"{n} {v}" for v, n in sorted(verdicts.items())), end="\n\n")
    grid(collections.Counter((c[0], c[3]) for c in cells),
         ordered(c[0] for c in cells), VERDICTS, "")
    print("Kind, interface: options that gave the verdict (packets)\n")
    print_cells(cells)
    print("\nTraffic, in tcpdump's packets, by kind and interface"
          " (\"-\": not sent, 0: not seen there)\n")
    by_place(records["traffic"])
    print("Sorts of packets among them (sorts.py)\n")
    by_place(records["sort"])
    refused = [r for r in records["traffic"] if len(r) > 4 and r[4]]
    if refused:
        print("Refused by the device or the stack, so not compared\n")
        for kind, point, phase, _, reason in refused:
            print(f"{kind} {point}, {phase}: {reason}")


main()
