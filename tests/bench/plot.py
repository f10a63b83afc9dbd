# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Plots of the results, as SVG, with nothing but text.

write() makes cost.svg (ns that each tap adds to a packet, a panel for each
workload, a line from the lowest to the highest run) and rate.svg (aggregate
and loss-free packet rates), beside results.json. Colours tell ptap from the
others; the numbers stand beside the bars.
"""

import pathlib
from html import escape

WIDTH = 760
LABEL = 150
BAR = 18
OURS, OTHERS, FLOOR = "#1b6ca8", "#b5651d", "#888888"


def colour(name):
    if name.startswith("null") or name in ("none", "ring-write"):
        return FLOOR
    return OURS if name.startswith("ptap") else OTHERS


def panel(title, rows, top, unit):
    """rows: (name, value, low, high). Returns lines of SVG and the height."""
    scale = max([high for _, _, _, high in rows] + [1e-9])
    room = WIDTH - LABEL - 130
    out = [f'<text x="8" y="{top + 16}" font-weight="bold">'
           f'{escape(title)}</text>']
    y = top + 26
    for name, value, low, high in rows:
        length = max(value, 0) / scale * room
        x = [LABEL + max(v, 0) / scale * room for v in (low, high)]
        middle = y + BAR / 2
        out += [
            f'<text x="{LABEL - 6}" y="{y + 13}" text-anchor="end">'
            f'{escape(name)}</text>',
            f'<rect x="{LABEL}" y="{y + 2}" width="{length:.1f}" '
            f'height="{BAR - 5}" fill="{colour(name)}"/>',
            f'<line x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{middle}" '
            f'y2="{middle}" stroke="black"/>',
            f'<text x="{max(x[1], LABEL + length) + 6:.1f}" y="{y + 13}">'
            f'{value:.1f} {unit}</text>',
        ]
        y += BAR
    return out, y - top + 12


def document(title, panels, unit):
    body, top = [], 34
    for name, rows in panels:
        lines, height = panel(name, rows, top, unit)
        body += lines
        top += height
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{top}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{top}" fill="white"/>',
        f'<text x="8" y="20" font-size="15">{escape(title)}</text>',
        *body, "</svg>", ""])


def cost_panels(summary):
    for load, contenders in summary.items():
        if "none" not in contenders or load.endswith("2cpu"):
            continue
        floor = contenders["none"]["ns"]["median"]
        rows = [(name, row["ns"]["median"] - floor, row["ns"]["min"] - floor,
                 row["ns"]["max"] - floor)
                for name, row in contenders.items()
                if name != "none" and "ns" in row]
        if rows:
            yield load, rows


def rate_panels(summary):
    for load, contenders in summary.items():
        key = "lossfree_mpps" if load.startswith("search") else "mpps"
        if key == "mpps" and not load.endswith("2cpu"):
            continue
        rows = [(name, row[key]["median"], row[key]["min"], row[key]["max"])
                for name, row in contenders.items() if key in row]
        if rows:
            what = "loss-free to a file" if key != "mpps" else "aggregate"
            yield f"{load}, {what}", rows


def write(results, folder):
    """Returns the names of the files written."""
    made = []
    for name, title, panels, unit in (
            ("cost.svg", "Nanoseconds added to a packet",
             cost_panels(results["summary"]), "ns"),
            ("rate.svg", "Millions of packets a second",
             rate_panels(results["summary"]), "Mpps")):
        panels = list(panels)
        if panels:
            path = pathlib.Path(folder) / name
            path.write_text(document(title, panels, unit), encoding="ascii")
            made.append(str(path))
    return made
