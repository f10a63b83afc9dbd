#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""judge.py WORK RESULTS - verdicts of the matrix.

Reads WORK/cells, which says which file of tapdump to compare with which of
tcpdump, has pcapdiff compare each, and gives one verdict for each: equal,
better, skipped or DIFFERENT.  "better" are differences in which tcpdump is
known to be wrong; EXCUSES below is the whole list, but for what an emulated card
does, OF_KIND.  Everything else is DIFFERENT, and is attributed to the traffic
that was going on by the times in WORK/phases.  Lines "VERDICT<tab>CELL<tab>NOTE"
go to standard output, records for the table (table.py) are appended to RESULTS.
"""
import collections
import json
import os
import re
import struct
import subprocess
import sys

import pcapng
import sorts

MAX_SNAPLEN = 262144
BLOCK_LOSS = 200  # what a TPACKET_V3 block of that size needs for headers


# What a record of tcpdump's differs in is put right, and is tapdump's then.
EN10MB, SLL, SLL2, CAN = 1, 113, 276, 227
TPIDS = (b"\x81\x00", b"\x88\xa8")
OUTGOING = 4


def excuse_block(a, b, _type):
    """tcpdump's ring cannot hold a packet of 262144 bytes: it cuts it short"""
    return (len(a) == MAX_SNAPLEN and a.startswith(b) and
            len(b) >= MAX_SNAPLEN - BLOCK_LOSS)


def type_behind_tags(packet):
    """The type behind the tags that a packet begins with, without a TPID; 0 if
    it ends before."""
    while packet[2:4] in TPIDS:
        packet = packet[4:]
    return packet[2:4] if len(packet) >= 4 else b"\0\0"


def sll_forms(a):
    """What tcpdump makes of our LINUX_SLL record with tags: how many bytes of
    ours are before what the kernel takes for the packet, and tcpdump's record.
    The kernel gives the outermost tag and the type behind all."""
    if a[14:16] not in TPIDS:
        return
    kind, end = type_behind_tags(a[16:]), 14
    while a[end:end + 2] in TPIDS:
        end += 4
    for at in range(16, min(end + 2, len(a)) + 1, 4):
        packet = a[at:]
        # see excuse_short
        tag = a[14:18] if len(packet) >= 14 else b""
        yield at, a[:14] + tag + kind + packet


def excuse_no_type(a, b, linktype):
    """tcpdump gives type 0 to a tagged packet that ends with its tag (kernel)"""
    if linktype == SLL2:
        return (len(a) >= 20 and a[:2] in TPIDS and a[2:] == b[2:] and
                b[:2] == b"\0\0" == type_behind_tags(a[20:]))
    return linktype == SLL and type_behind_tags(a[16:]) == b"\0\0" and any(
        form == b for at, form in sll_forms(a) if at < 24)


def excuse_inner_type(a, b, linktype):
    """tcpdump gives the type behind a tag that is still in the bytes (kernel)"""
    if linktype == SLL2 and len(a) >= 20:
        return (a[:2] in TPIDS and a[2:] == b[2:] and
                b[:2] == type_behind_tags(a[20:]))
    # without a tag in the bytes that is no other type
    return linktype == SLL and a[18:] != b[14:] and any(
        form == b for at, form in sll_forms(a) if at < 24)


def excuse_inner_tags(a, b, linktype):
    """of several tags of a sent packet tcpdump loses inner ones (kernel)"""
    return linktype == SLL and a[:2] == b"\0\4" and any(
        form == b for at, form in sll_forms(a) if at >= 24)


def excuse_short(a, b, linktype):
    """libpcap does not put the tag back before a packet of less than 14 bytes"""
    return (linktype == SLL and len(b) < 30 and a[14:16] in TPIDS and
            a[:14] + a[18:] == b)


def excuse_can_flags(a, b, linktype):
    """libpcap clears the flags of a CAN FD frame"""
    return (linktype == CAN and len(a) == len(b) > 5 and b[5] == 0 != a[5] and
            a[:5] + a[6:] == b[:5] + b[6:])


def excuse_time(a, b, _type):
    """one of several like packets, more than a millisecond apart (the VM stood still)"""
    return a == b


def sum16(data):
    """The ones' complement sum of words, as checksums have it."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def transport(frame):
    """Where TCP or UDP begins and its checksum is, and its pseudo-header."""
    if frame[12:14] == b"\x08\x00" and len(frame) >= 34:
        start, proto, addresses = 14 + (frame[14] & 15) * 4, frame[23], frame[26:34]
        length = int.from_bytes(frame[16:18], "big") + 14 - start
    elif frame[12:14] == b"\x86\xdd" and len(frame) >= 54:
        start, proto, addresses = 54, frame[20], frame[22:54]
        length = int.from_bytes(frame[18:20], "big")
    else:
        return None
    if proto not in (6, 17) or length < 8:
        return None
    return (start, start + (16 if proto == 6 else 6), length,
            addresses + struct.pack("!HH", proto, length))


def excuse_card(a, b, linktype):
    """QEMU's card computes checksums in the sender's memory: a clone has them"""
    found = transport(a) if linktype == EN10MB else None
    if not found:
        return False
    start, at, length, pseudo = found
    if a[:at] + a[at + 2:] != b[:at] + b[at + 2:] or \
            b[at:at + 2] != struct.pack("!H", sum16(pseudo)):
        return False
    whole = a[start:start + length]
    return len(whole) < length or sum16(pseudo + whole) == 0xFFFF


EXCUSES = [excuse_block, excuse_no_type, excuse_inner_type, excuse_inner_tags,
           excuse_short, excuse_can_flags, excuse_time]
OF_KIND = {"e1000e": [excuse_card]}
# One begins before the other, and libpcap refuses everything for a moment when it
# sets its filter.
EARLY = {"a": "tcpdump missed it while it began, before the traffic",
         "b": "tapdump had not begun, before the traffic"}
NEUTRAL = {excuse_time.__doc__, excuse_card.__doc__, *EARLY.values()}


def pcap_records(path):
    """Link type and packets of a pcap file; a pcapng file is converted first."""
    with open(path, "rb") as file:
        if file.read(4) == b"\x0a\x0d\x0d\x0a":
            subprocess.run(["editcap", "-F", "nsecpcap", path, path + ".pcap"],
                           check=False, stderr=subprocess.DEVNULL)
            path += ".pcap"
    if not os.path.exists(path):
        return 0, []
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return 0, []
    records, at = [], 24
    while at + 16 <= len(data):
        caplen = struct.unpack_from("I", data, at + 8)[0]
        records.append(data[at + 16:at + 16 + caplen])
        at += 16 + caplen
    return struct.unpack_from("I", data, 20)[0], records


def excused(differences, path_a, path_b, kind=""):
    """Counter of reasons, and the differences that have none."""
    linktype, records_a = pcap_records(path_a)
    records_b = pcap_records(path_b)[1]
    reasons, left, lonely = collections.Counter(), [], []

    def reason(a, b):
        for excuse in EXCUSES + OF_KIND.get(kind, []):
            if excuse(a, b, linktype):
                return excuse.__doc__
        return None

    def bytes_of(records, side):
        number = side["packet"] - 1
        return records[number] if number < len(records) else b""

    for d in differences:
        if d.get("a") and d.get("b"):
            why = reason(bytes_of(records_a, d["a"]), bytes_of(records_b, d["b"]))
            if why:
                reasons[why] += 1
            else:
                left.append(d)
        elif d.get("a"):
            lonely.append(d)
        else:
            left.append(d)
    # What pcapdiff saw as two packets may be one of several like ones, for which
    # it allows a millisecond only, or one that tcpdump changed.
    for limit_ns, same in ((2 * 10**9, True), (10**8, False)):
        for d in list(lonely):
            a = bytes_of(records_a, d["a"])
            for other in left:
                if other.get("a") or \
                        abs(other["b"]["ts_ns"] - d["a"]["ts_ns"]) > limit_ns:
                    continue
                b = bytes_of(records_b, other["b"])
                why = reason(a, b) if same == (a == b) else None
                if why:
                    reasons[why] += 1
                    left.remove(other)
                    lonely.remove(d)
                    break
    left += lonely
    for d in left:
        for side, records in (("a", records_a), ("b", records_b)):
            if d.get(side):
                d[side]["head"] = bytes_of(records, d[side])[:40].hex()
    return reasons, left


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def pcap_times(path):
    """Times of a classic pcap file's packets, in ns."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return []
    if len(data) < 24:
        return []
    scale = 1 if struct.unpack_from("I", data)[0] == 0xA1B23C4D else 1000
    times, at = [], 24
    while at + 16 <= len(data):
        sec, frac, caplen, _ = struct.unpack_from("4I", data, at)
        times.append(sec * 10**9 + frac * scale)
        at += 16 + caplen
    return times


class Phases:
    def __init__(self, path):
        self.starts, self.refused = [], collections.defaultdict(list)
        for line in read_text(path).splitlines():
            time_ns, name, *rest = line.split(" ", 3)
            if rest:
                self.refused[name].append(rest[-1])
            else:
                self.starts.append((int(time_ns), name))

    def at(self, time_ns):
        name = "-"
        for start, phase in self.starts:
            if start > time_ns:
                break
            name = phase
        return name


def leave_early(left, phases, reasons):
    """Without packets that one of them has alone, from before the traffic."""
    late = []
    for d in left:
        sides = [side for side in "ab" if d.get(side)]
        if len(sides) == 1 and phases.starts and \
                d[sides[0]]["ts_ns"] < phases.starts[0][0]:
            reasons[EARLY[sides[0]]] += 1
        else:
            late.append(d)
    return late


def losses(cell, work):
    """Packets that one of the two tools lost, or why there is nothing."""
    refs = [cell["ref"], *(os.path.join(work, r) for r in cell["merge"].split())]
    for path, tool in ((cell["tap"], "tapdump"), *((r, "tcpdump") for r in refs)):
        err = read_text(path + ".err")
        if "listening on" not in err:
            return (tool + " refused: " +
                    " ".join(err.replace("exit status", "status").split())[:150])
        match = re.search(r"^(\d+) packets? dropped by kernel", err, re.M)
        if match and int(match[1]):
            return f"{tool} lost {match[1]} packets"
    return None


def counts_wrong(cell, nr_packets):
    """tapdump's closing counts add up, and are the file's."""
    err = read_text(cell["tap"] + ".err")
    found = {}
    for what in ("captured", "received by filter", "dropped by kernel"):
        match = re.search(rf"^(\d+) packets? {what}", err, re.M)
        if not match:
            return f"no count of packets {what}: {err[-200:]}"
        found[what] = int(match[1])
    if found["captured"] + found["dropped by kernel"] != found["received by filter"]:
        return f"the counts do not add up: {found}"
    if found["captured"] != nr_packets:
        return f"{found['captured']} captured, {nr_packets} in the file"
    if not err.rstrip().endswith("exit status 0"):
        return err[-100:]
    return None


def describe(d):
    parts = [d["kind"]]
    for side in "ab":
        if d.get(side):
            parts.append(f"{side} {d[side]['packet']}: {d[side]['caplen']} of "
                         f"{d[side]['len']}, {d[side].get('head')}")
    if d.get("bytes"):
        parts.append(f"at {d['offset']}: {d['bytes']}")
    return ", ".join(parts)


def compare_files(cell, tap, ref, phases):
    """Verdict, note and number of packets."""
    argv = ["pcapdiff", "--json", "--limit", "2000", "--skew", "2",
            "--sorted", "A", "--ignore-order"]
    if cell["filter"]:
        argv += ["--filter", cell["filter"]]
    run = subprocess.run([*argv, tap, ref], check=False, capture_output=True,
                         text=True)
    if run.returncode == 2:
        return "DIFFERENT", "not comparable: " + run.stderr.strip()[-200:], 0
    diff = json.loads(run.stdout)
    nr = diff["a"]["packets"]
    if run.returncode == 0:
        return "equal", "", nr
    reasons, left = excused(diff["differences"], tap, ref, cell["kind"])
    left = leave_early(left, phases, reasons)
    if not left and reasons and not diff["a"]["steps_back"]:
        verdict = "better" if set(reasons) - NEUTRAL else "equal"
        return verdict, "; ".join(f"{n} times: {why}"
                                  for why, n in sorted(reasons.items())), nr
    kinds = {k: diff[k] for k in ("only_in_a", "only_in_b", "different_bytes",
                                  "different_length", "different_caplen",
                                  "nothing_in_common", "beyond_skew") if diff[k]}
    if diff["a"]["steps_back"]:
        kinds["steps_back_in_a"] = diff["a"]["steps_back"]
    during = collections.Counter()
    for d in left:
        side = d.get("a") or d.get("b")
        during[phases.at(side["ts_ns"]) if side else "-"] += 1
    note = f"{nr} packets, {kinds}, {sum(reasons.values())} of them excused, " \
        f"the others during {dict(during)}; first: " + \
        " | ".join(describe(d) for d in left[:3])
    return "DIFFERENT", note, nr


def compare_interfaces(cell, work, phases):
    """The same for a file of several interfaces, each with its own reference."""
    refs = {cell["point"]: cell["ref"]}
    for name in cell["merge"].split():
        refs[name[len(cell["point"]) + 1:-len(".full.tcp")]] = \
            os.path.join(work, name)
    files, steps_back = pcapng.split(cell["tap"])
    if files.keys() != refs.keys() or steps_back:
        return "DIFFERENT", f"interfaces {sorted(files)}, wanted {sorted(refs)}; " \
            f"{steps_back} steps back", 0
    parts = {name: compare_files(cell, files[name], ref, phases)
             for name, ref in refs.items()}
    worst = max((verdict for verdict, _, _ in parts.values()),
                key=("equal", "better", "DIFFERENT").index)
    note = "; ".join(f"{name}: {note}" for name, (_, note, _) in parts.items() if note)
    return worst, note, sum(nr for _, _, nr in parts.values())


def compare(cell, work, phases):
    lost = losses(cell, work)
    if lost:
        refused = lost.startswith("tapdump")
        return ("DIFFERENT" if refused else "skipped"), lost, 0
    if cell["merge"]:
        verdict, note, nr = compare_interfaces(cell, work, phases)
    else:
        verdict, note, nr = compare_files(cell, cell["tap"], cell["ref"], phases)
    if verdict != "DIFFERENT" and not cell["filter"]:
        wrong = counts_wrong(cell, nr)
        if wrong:
            return "DIFFERENT", wrong, nr
    return verdict, note, nr


def judge(work, results):
    names = "kind point set tap ref merge filter".split()
    phases = Phases(os.path.join(work, "phases"))
    out = open(results, "a", encoding="utf-8")
    counted = set()
    for line in read_text(os.path.join(work, "cells")).splitlines():
        cell = dict(zip(names, line.split("\t")))
        for key in ("tap", "ref"):
            cell[key] = os.path.join(work, cell[key])
        verdict, note, nr = compare(cell, work, phases)
        print(verdict, f"{cell['kind']} {cell['point']} {cell['set']} ({nr})", note,
              sep="\t", flush=True)
        print("cell", cell["kind"], cell["point"], cell["set"], verdict, nr, note,
              sep="\t", file=out)
        if cell["set"] == "default" and cell["point"] not in counted:
            counted.add(cell["point"])
            seen = collections.Counter(phases.at(t) for t in pcap_times(cell["ref"]))
            for _, phase in phases.starts:
                if phase != "end":
                    print("traffic", cell["kind"], cell["point"], phase,
                          seen[phase], "; ".join(phases.refused[phase])[:200],
                          sep="\t", file=out)
            for name, nr in sorts.count(*pcap_records(cell["ref"])):
                print("sort", cell["kind"], cell["point"], name, nr, sep="\t",
                      file=out)


if __name__ == "__main__":
    judge(sys.argv[1], sys.argv[2])
