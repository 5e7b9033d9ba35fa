#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes one table of what the benchmarks printed.

usage: bench/table.py IN OUT KEY=VALUE...

IN holds the rows of each run, intree.1, ours.1, intree.2 and so on.  Prints
the table and writes it as OUT.txt, OUT.json and, as a bar chart of the ratios,
OUT.svg.  The keys (host, kernel, commit, unit, note) describe the run.  With
doc=FILE, the table and the chart also take the place of what FILE has between
its lines <!-- bench --> and <!-- end -->.
"""
import html
import json
import math
import os
import pathlib
import re
import statistics
import sys

SETS = "intree", "ours"
GROUPS = {
    "exits": "Exits, a round trip",
    "lifecycle": "Lifecycle",
    "memslots": "Memory slots",
    "routes": "Interrupt routes",
    "state": "vCPU state",
    "memory": "Memory, bytes",
    "dirty": "Dirty logging of 1 GiB, 4 KiB pages",
    "boot": "Booting Debian under QEMU, instructions",
}


def read(directory):
    """{(group, title): {set: [values and texts]}} in the order printed."""
    rows = {}
    for name in SETS:
        for path in sorted(directory.glob(f"{name}.[0-9]*")):
            for line in path.read_text().splitlines():
                group, title, value = line.split("\t")
                row = rows.setdefault((group, title), {s: [] for s in SETS})
                try:
                    row[name].append(float(value))
                except ValueError:
                    row[name].append(value)
    return rows


def middle(values):
    """The median, None where there is no number."""
    numbers = [v for v in values if isinstance(v, float)]
    return statistics.median(numbers) if numbers else None


def ratio(row):
    """Ours by in-tree of each pair of runs: median, least, most."""
    pairs = [o / i for i, o in zip(row["intree"], row["ours"])
             if isinstance(i, float) and isinstance(o, float) and i > 0]
    return (statistics.median(pairs), min(pairs), max(pairs)) if pairs else None


def shown(values):
    number = middle(values)
    if number is None:
        return "failed" if any("failed" in str(v) for v in values) else "absent"
    return f"{number:,.0f}" if number >= 100 else f"{number:.4g}"


def table(rows, about):
    runs = max((len(r["ours"]) for r in rows.values()), default=0)
    width = max(len(title) for _, title in rows) + 2
    head = (f"{about['host']} host, Linux {about['kernel']}, commit "
            f"{about['commit']}, in {about['unit']}")
    lines = [head] + ([about["note"]] if about.get("note") else [])
    last = None
    for (group, title), row in rows.items():
        if group != last:
            last = group
            lines += ["", f"{GROUPS.get(group, group):{width}}"
                          f"{'in-tree':>14}{'ours':>14}{'ratio':>9}"
                          + ("     spread" if runs > 1 else "")]
        r = ratio(row)
        text = f"{r[0]:.3f}" if r else "-"
        spread = f"  {r[1]:.3f}..{r[2]:.3f}" if r and runs > 1 else ""
        lines.append(f"{'  ' + title:{width}}{shown(row['intree']):>14}"
                     f"{shown(row['ours']):>14}{text:>9}{spread}")
    return "\n".join(lines) + "\n"


def chart(rows, about):
    """Bars from 1 to the left where ours is ahead, to the right where not."""
    bars = [(g, t, ratio(r)[0]) for (g, t), r in rows.items() if ratio(r)]
    left, wide, step, top = 430, 560, 17, 56
    least = min([0.1] + [r for *_, r in bars if r > 0])
    most = max([2.0] + [r for *_, r in bars])
    low, high = math.floor(math.log10(least)), math.log10(most) + 0.15

    def x(value):
        at = max(math.log10(max(value, 1e-9)), low)
        return left + wide * (at - low) / (high - low)

    height = top + step * (len(bars) + len({g for g, *_ in bars})) + 16
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + wide + 90}"'
           f' height="{height}" font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="8" y="18" font-size="14">ours by in-tree, in '
           f'{html.escape(about["unit"])}: shorter than 1 is better</text>',
           f'<text x="8" y="34" fill="#666">'
           f'{html.escape(about["host"])} host, Linux '
           f'{html.escape(about["kernel"])}, commit '
           f'{html.escape(about["commit"])}</text>']
    ticks = [10.0 ** e for e in range(low, int(high) + 1)] + [0.5, 2.0]
    for tick in sorted(t for t in ticks if low <= math.log10(t) <= high):
        colour = "#333" if tick == 1 else "#ddd"
        svg.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 6}"'
                   f' y2="{height - 8}" stroke="{colour}"/>'
                   f'<text x="{x(tick):.1f}" y="{top - 9}" fill="#666"'
                   f' text-anchor="middle">{tick:g}</text>')
    y, last = top, None
    for group, title, r in bars:
        if group != last:
            last = group
            y += step
            svg.append(f'<text x="8" y="{y - 4}" font-weight="bold">'
                       f'{html.escape(GROUPS.get(group, group))}</text>')
        a, b = sorted((x(r), x(1)))
        colour = "#2a7f3f" if r <= 0.5 else "#8fbf6f" if r <= 1 else "#c0504d"
        svg.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">'
                   f'{html.escape(title)}</text>'
                   f'<rect x="{a:.1f}" y="{y + 3}" width="{b - a:.1f}"'
                   f' height="{step - 5}" fill="{colour}"/>'
                   f'<text x="{left + wide + 8}" y="{y + 12}">{r:.3g}</text>')
        y += step
    return "\n".join(svg + ["</svg>"]) + "\n"


def put_in_doc(doc, text, chart_path):
    path = pathlib.Path(doc)
    link = os.path.relpath(chart_path, path.parent)
    new = (f"<!-- bench -->\n![ratios]({link})\n\n```\n{text}```\n<!-- end -->")
    path.write_text(re.sub(r"<!-- bench -->.*?<!-- end -->",
                           lambda _: new, path.read_text(), flags=re.S))


def main():
    about = dict(a.split("=", 1) for a in sys.argv[3:])
    doc = about.pop("doc", "")
    rows = read(pathlib.Path(sys.argv[1]))
    if not rows:
        sys.exit("bench: there are no rows")
    text = table(rows, about)
    out = sys.argv[2]
    as_json = about | {"rows": [
        {"group": g, "title": t, **row, "ratio": ratio(row) and ratio(row)[0]}
        for (g, t), row in rows.items()]}
    pathlib.Path(out + ".txt").write_text(text)
    pathlib.Path(out + ".json").write_text(json.dumps(as_json, indent=1) + "\n")
    pathlib.Path(out + ".svg").write_text(chart(rows, about))
    if doc:
        put_in_doc(doc, text, out + ".svg")
    print(text, end="")


main()
