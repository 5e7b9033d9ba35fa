#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares docs/abi.md with the code: every ioctl and capability that has a
row is in a table of its scope, and every other name of <linux/kvm.h> that
concerns x86 is in a table of what is absent.

usage: lab/in-root scripts/abi.py

In docs/abi.md, the first column of each table holds names; the heading above
it says which set they are: "ioctls of /dev/kvm", "ioctls of a VM", "ioctls of
a vCPU", "Capabilities", "Absent ioctls", "Absent capabilities".
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADERS = ["/usr/include/linux/kvm.h",
           "/usr/include/x86_64-linux-gnu/asm/kvm.h"]
# Names that other architectures have for themselves, and what was removed
# from all kernels long before this project: shadow-MMU paravirtualization,
# assignment of devices without VFIO.
ELSEWHERE = re.compile(
    r"S390|PPC|SPAPR|ARM_|_ARM|MIPS|_REG_LIST|_ONE_REG|DIRTY_TLB|ALLOCATE_RMA|"
    r"SW_TLB|IRQ_MPIC|IRQ_XICS|GUEST_DEBUG_HW_[BW]PS|CAP_STEAL_TIME|MSI_DEVID|"
    r"PTP_KVM|SYSTEM_EVENT_DATA|COUNTER_OFFSET|CAP_PV_MMU|CAP_IOMMU|LAST_CPU|"
    r"ASSIGN_DEV_IRQ|PCI_2_3|PCI_SEGMENT")
SCOPES = {"ioctls of /dev/kvm": "SYSTEM", "ioctls of a VM": "VM",
          "ioctls of a vCPU": "VCPU"}


def ioctl_rows():
    """Scope to set of names."""
    rows, scope = {}, None
    text = (ROOT / "kvm/api/ioctl_rows.h").read_text(encoding="utf-8")
    for line in text.splitlines():
        start = re.match(r"#define IOCTL_(\w+)_ROWS\(X\)", line)
        if start:
            scope = rows.setdefault(start.group(1), set())
        row = re.match(r"\s*X\((KVM_\w+),", line)
        if row:
            scope.add(row.group(1))
    return rows


def cap_rows():
    text = (ROOT / "kvm/api/cap_rows.h").read_text(encoding="utf-8")
    return set(re.findall(r"^\s*X\((KVM_CAP_\w+),", text, re.M))


def header_names():
    text = "".join(pathlib.Path(h).read_text(encoding="utf-8")
                   for h in HEADERS)
    ioctls = re.findall(r"^#define\s+(KVM_\w+)\s+\\?\s*_IO\w*\(\s*KVMIO", text,
                        re.M)
    caps = re.findall(r"^#define (KVM_CAP_\w+) \d+", text, re.M)
    return ({n for n in ioctls if not ELSEWHERE.search(n)},
            {n for n in caps if not ELSEWHERE.search(n)})


def documented():
    """Heading to set of names."""
    tables, names = {}, None
    text = (ROOT / "docs/abi.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            names = tables.setdefault(line.lstrip("# "), set())
        elif line.startswith("| `"):
            names.update(re.findall(r"`(KVM_\w+)`", line.split("|")[1]))
    return tables


def main():
    rows, caps, tables = ioctl_rows(), cap_rows(), documented()
    uapi_ioctls, uapi_caps = header_names()
    want = {heading: rows[scope] for heading, scope in SCOPES.items()}
    want["Capabilities"] = caps
    # Other descriptors' commands (those of devices) have names of their own.
    want["Absent ioctls"] = uapi_ioctls - set().union(*rows.values())
    want["Absent capabilities"] = uapi_caps - caps
    problems = 0
    for heading, names in want.items():
        told = tables.get(heading, set())
        for name in sorted(names - told):
            print(f"docs/abi.md: {heading}: {name} is missing")
        for name in sorted(told - names):
            print(f"docs/abi.md: {heading}: {name} does not belong there")
        problems += len(names ^ told)
    counts = ", ".join(f"{len(n)} {h}" for h, n in want.items())
    print(f"abi: {counts}; {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
