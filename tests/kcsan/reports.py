#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""reports.py [--count] MODULE - KCSAN's reports in a kernel's log, sorted.

Reads the log and passes it on without the reports in which MODULE's code does
not stand: races of the kernel with itself, of which it has hundreds. A report
counts as the module's if any line of its stacks is in the module, be it only
that the module called what raced; not if an interrupt hit there, and not if it
is one that the kernel has with whoever calls it (EXCUSED). With --count it prints how many different
ones there are of both sorts, by the two functions that they name.
"""
import re
import sys

RULE = re.compile(r"^(\[[^]]*\])? *={20,}$")
TITLE = re.compile(r"BUG: KCSAN: (.*)$")
STACK = re.compile(r" (to|of) 0x[0-9a-f]+ of \d+ bytes by ")
INTERRUPT = re.compile(r"\basm_(sysvec|common_interrupt|exc)_")
# The timer of each sleep tells so by a pointer that the sleeper reads.
EXCUSED = re.compile(r"data-race in hrtimer_wakeup / usleep_range_state$")


def split(lines):
    """(is it a report, its lines), in the log's order."""
    block = None
    for line in lines:
        if RULE.match(line):
            if block is None:
                block = [line]
            else:
                yield any(TITLE.search(b) for b in block), block + [line]
                block = None
        elif block is not None:
            block.append(line)
        else:
            yield False, [line]
    if block:
        yield any(TITLE.search(b) for b in block), block


def stands_in(lines, module):
    """Does the module's code stand in one of the stacks?"""
    if any(EXCUSED.search(line) for line in lines):
        return False
    interrupted = False
    for line in lines:
        interrupted = not STACK.search(line) and \
            (interrupted or bool(INTERRUPT.search(line)))
        if module in line and not interrupted:
            return True
    return False


def main():
    args = sys.argv[1:]
    count = args[0] == "--count"
    module = f"[{args[-1]}]"
    ours, others = {}, {}
    for report, lines in split(line.rstrip("\n") for line in sys.stdin):
        mine = report and stands_in(lines, module)
        if report:
            title = next(TITLE.search(b) for b in lines if TITLE.search(b)).group(1)
            kind = ours if mine else others
            kind[title] = kind.get(title, 0) + 1
        if not count and (mine or not report):
            print("\n".join(lines))
    if count:
        print(f"# reports with {module}: {sum(ours.values())}, {len(ours)} different;"
              f" of the kernel alone: {sum(others.values())}, {len(others)} different")
        for kind, name in ((ours, module), (others, "kernel")):
            for title, nr in sorted(kind.items(), key=lambda item: -item[1]):
                print(f"#  {name:8s} {nr:5d}  {title}")


main()
