#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Names the instructions that bench-profile.so counted.

usage: bench/profile.py DIR N [MODULES]

DIR holds counts.N (of the plugin), symbols (the host's /proc/kallsyms) and
rows.N (of the bench program).  MODULES is the directory of kvm*.ko with debugging
information, where functions that were inlined are to be told apart: they are
printed below the function they became part of.

Prints the functions executed with their instructions and calls a round; of
the in-tree modules, where MODULES is not given, the sums alone.
"""
import bisect
import collections
import pathlib
import re
import subprocess
import sys

LEAST = 0.5             # instructions a round; what has less is summed up
FARTHEST = 0x10000      # from a symbol to the last of its code


def read_symbols(path):
    """Sorted addresses and (name, module) of all code."""
    seen = {}
    for line in path.read_text().splitlines():
        fields = line.split()
        if len(fields) < 3 or fields[1] not in "tTwW":
            continue
        module = fields[3].strip("[]") if len(fields) > 3 else "kernel"
        name = fields[2]
        # Of several names at one place, the plainest.
        old = seen.get(int(fields[0], 16))
        if not old or (len(name), name) < (len(old[0]), old[0]):
            seen[int(fields[0], 16)] = name, module
    addresses = sorted(seen)
    return addresses, [seen[a] for a in addresses]


def read_counts(path):
    lines = path.read_text().splitlines()
    counts = {}
    for line in lines[1:]:
        address, count = line.split()
        counts[int(address, 16)] = int(count)
    return counts


def text_base(ko, named):
    """Where the module's .text was loaded."""
    out = subprocess.run(["readelf", "-SW", ko], capture_output=True,
                         text=True, check=True).stdout
    number = re.search(r"\[ *(\d+)\] \.text +PROGBITS", out).group(1)
    out = subprocess.run(["readelf", "-sW", ko], capture_output=True,
                         text=True, check=True).stdout
    for line in out.splitlines():
        f = line.split()
        if len(f) == 8 and f[3] == "FUNC" and f[6] == number and f[7] in named:
            return named[f[7]] - int(f[1], 16)
    return None


def inlined(ko, base, addresses):
    """For each address: the functions it is in, the innermost first."""
    text = "".join(f"{a - base:#x}\n" for a in addresses)
    out = subprocess.run(
        ["addr2line", "-e", ko, "-j", ".text", "-a", "-f", "-i"],
        input=text, capture_output=True, text=True, check=True).stdout
    chains, names = [], None
    lines = iter(out.splitlines())
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]+", line):
            names = []
            chains.append(names)
        else:
            names.append(line)
            next(lines)         # file and line
    return dict(zip(addresses, chains))


def main():
    where = pathlib.Path(sys.argv[1])
    addresses, names = read_symbols(where / "symbols")
    counts = read_counts(where / f"counts.{sys.argv[2]}")
    rows = (where / f"rows.{sys.argv[2]}").read_text().splitlines()
    rounds = next(int(line.split()[1]) for line in rows
                  if line.startswith("profiled "))
    if not rounds or not counts:
        sys.exit("profile: nothing was counted: is there such a row?")

    total = collections.Counter()
    calls = collections.Counter()
    place = {}
    for address, count in counts.items():
        if address == 0:
            key = "(user space and guest)", ""
        else:
            i = bisect.bisect_right(addresses, address) - 1
            key = names[i]
            if i < 0 or address - addresses[i] > FARTHEST:
                key = "(no symbol: the kernel of a guest)", ""
            if i >= 0 and addresses[i] == address:
                calls[key] += count
            if len(sys.argv) <= 3 and key[1].startswith("kvm"):
                key = "(in-tree)", key[1]
        total[key] += count
        place[address] = key

    parts = collections.defaultdict(collections.Counter)
    if len(sys.argv) > 3:
        for module in {key[1] for key in total if key[1].startswith("kvm")}:
            ko = str(pathlib.Path(sys.argv[3]) /
                     (module.replace("_", "-") + ".ko"))
            named = {n: a for a, (n, m) in zip(addresses, names) if m == module}
            base = text_base(ko, named)
            inside = sorted(a for a, key in place.items() if key[1] == module)
            if base is None:
                continue
            for address, chain in inlined(ko, base, inside).items():
                if len(chain) > 1:
                    parts[place[address]][chain[0]] += counts[address]

    for line in rows:
        if not line.startswith("profiled"):
            print("\t".join(line.split("\t")[-2:]))
    whole = sum(total.values())
    print(f"{whole / rounds:.0f} instructions a round in {rounds} rounds\n")
    modules = collections.Counter()
    for (_, module), count in total.items():
        modules[module or "user space and guest"] += count
    for module, count in modules.most_common():
        print(f"{count / rounds:9.1f}  {module}")
    print(f"\n{'insns':>9} {'calls':>7}  function")
    rest = 0
    for key, count in total.most_common():
        if count / rounds < LEAST:
            rest += count
            continue
        name, module = key
        where_from = f"  [{module}]" if module not in ("", "kernel") else ""
        print(f"{count / rounds:9.1f} {calls[key] / rounds:7.2f}  "
              f"{name}{where_from}")
        for part, n in parts[key].most_common():
            if n / rounds >= LEAST:
                print(f"{'':17}    {n / rounds:7.1f} in {part}")
    print(f"{rest / rounds:9.1f} {'':7}  (all others)")


main()
