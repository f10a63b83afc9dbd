#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""traffic.py LOG FLAGS A B - all the traffic that two interfaces can carry.

A and B are the ends, as NAMESPACE/INTERFACE/IPV4/IPV6 ("-" for what there is
not, or for the initial namespace).  FLAGS is a list with commas: what the ends
can do (ether, ip4, ip6, oneway: B does not answer, ...).  Each phase below runs
if FLAGS has all that it needs; a leading "+" asks for one more phase or, with
"only:x:y", for just these.  LOG gets a line "TIME NAME" for each phase, so that
a packet can be told its phase, and "TIME NAME refused REASON" for what a
device does not take: that is no failure, the tools compare what is left.
"""
import sys
import time

import frames
import streams
from ends import End

PHASES = frames.PHASES + streams.PHASES


def wanted(name, needs, flags):
    only = [f[5:].split(":") for f in flags if f.startswith("only:")]
    if only and name not in only[0]:
        return False
    for need in needs:
        if need.startswith("!"):
            if need[1:] in flags:
                return False
        elif need not in flags:
            return False
    return True


def main():
    log = open(sys.argv[1], "a", buffering=1, encoding="ascii")
    flags = set(sys.argv[2].split(","))
    a, b = End(sys.argv[3]), End(sys.argv[4])
    for name, needs, function in PHASES:
        if not wanted(name, needs, flags):
            continue
        print(time.time_ns(), name, file=log)
        try:
            refused = function(a, b, flags)
        except (OSError, ValueError) as error:
            refused = [str(error)]
        for reason in sorted(set(refused or [])):
            print(time.time_ns(), name, "refused", reason, file=log)
        # What is still on its way belongs to its phase.
        time.sleep(0.05)
    print(time.time_ns(), "end", file=log)


main()
