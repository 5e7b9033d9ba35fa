#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Adds the rows of a guest's boot to those of the benchmarks.

usage: bench/boot.py DIR

DIR holds intree.1 and ours.1, the rows, and where a guest was booted between
the plugin's marks, symbols.SET and counts.0 (in-tree) and counts.1 (ours).
What is counted is what was executed in kvm.ko and in the vendor's module.
"""
import bisect
import pathlib
import sys

TITLES = "in kvm.ko", "in the vendor's module", "in both"


def count(where, name, number):
    """Instructions in kvm.ko and in the vendor's module."""
    symbols, sums = [], [0, 0]
    path = where / f"symbols.{name}"
    if not path.exists() or not (where / f"counts.{number}").exists():
        return None
    for line in path.read_text().splitlines():
        address, kind, _, module = line.split()
        if kind in "tTwW":
            symbols.append((int(address, 16), module != "[kvm]"))
    symbols.sort()
    starts = [address for address, _ in symbols]
    # A module's text ends less than a page after its last symbol.
    ends = {m: max(a for a, k in symbols if k == m) + 0x1000
            for m in {m for _, m in symbols}}
    for line in (where / f"counts.{number}").read_text().splitlines()[1:]:
        address, executed = line.split()
        at = bisect.bisect_right(starts, int(address, 16)) - 1
        if at >= 0 and int(address, 16) < ends[symbols[at][1]]:
            sums[symbols[at][1]] += int(executed)
    return sums


def main():
    where = pathlib.Path(sys.argv[1])
    for number, name in enumerate(("intree", "ours")):
        sums = count(where, name, number)
        values = [*sums, sum(sums)] if sums else ["absent"] * 3
        with open(where / f"{name}.1", "a", encoding="ascii") as rows:
            for title, value in zip(TITLES, values):
                rows.write(f"boot\t{title}\t{value}\n")


main()
