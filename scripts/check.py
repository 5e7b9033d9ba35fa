#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks the sources against the rules they are written by.

usage: scripts/check.py [TREE]

Each problem is a line "file:line: rule: what"; the last line counts them.
Exits non-zero if there is any. A rule is a function over one file, or over
the tree, that yields problems; RULES at the end lists them. What the rules
are for stands in docs/design.md, "Layers and include direction" and "Style".
"""
import pathlib
import re
import subprocess
import sys
import tempfile

LINE_MAX = 100          # columns
FILE_MAX = 1000         # lines
FUNCTION_MAX = 100      # lines of body

# --- include direction ---------------------------------------------------
# What a folder may include besides itself: folders, or single headers.
BELOW_CORE = ["base", "x86", "emu", "dev", "mem", "mmu"]
BELOW_API = BELOW_CORE + ["core", "irq", "pv"]
VENDOR = ["base", "x86", "mmu/pte.h", "core/backend.h", "core/entry.h",
          "core/fact.h", "core/gpr_asm.h", "core/guest_mode.h", "core/request.h", "core/vcpu.h",
          "core/vm.h"]
MAY_INCLUDE = {
    "base": [],
    "x86": ["base"],
    "emu": ["base", "x86/regs.h", "x86/walk.h", "x86/event.h"],
    "dev": ["base"],
    "mem": ["base", "x86"],
    "mmu": ["base", "x86", "mem"],
    "core": BELOW_CORE + ["irq", "pv"],
    "irq": BELOW_CORE + ["core/vm.h", "core/vcpu.h", "core/request.h",
                         "core/locks.h"],
    "pv": BELOW_CORE + ["core/vm.h", "core/vcpu.h", "core/request.h",
                        "core/locks.h", "core/clock.h"],
    "api": BELOW_API + ["host"],
    "host": BELOW_API,
    "vmx": VENDOR,
    "svm": VENDOR,
}

# Files that use nothing of the kernel but what base/host.h offers, so that
# the userspace build can have them. "folder/" means all of it, a name without
# suffix both the .c and the .h.
PURE = ["base/", "x86/", "emu/", "dev/",
        "mem/memslot", "mem/dirty",
        "core/entry.h", "core/arbiter", "core/access", "core/record",
        "irq/msi", "irq/route_table",
        "mmu/tdp", "mmu/iter", "mmu/split", "mmu/inval", "mmu/ept", "mmu/npt", "mmu/pte",
        "vmx/controls", "vmx/exit", "vmx/caps", "vmx/vmcs.h", "vmx/fields.h",
        "vmx/timer_math.h", "vmx/pid_table.h",
        "svm/controls", "svm/exit", "svm/caps", "svm/vmcb.h",
        "svm/errata.h",
        "svm/asid", "svm/avic.h", "svm/avic_mode", "svm/avic_tables",
        "svm/avic_exit"]
PARTLY_PURE = {p.split("/")[0] for p in PURE if not p.endswith("/")}
HOST_SEAM = "kvm/base/host.h"

# Someone else's structures: ours are written from the manuals.
FOREIGN = {"linux/kvm_host.h", "asm/kvm_host.h", "asm/svm.h", "asm/vmx.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
COMMENT_OR_STRING = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def is_pure(name):
    """Whether a path below kvm/ names a pure file."""
    return any(name.startswith(p) if p.endswith("/")
               else name in (p, p + ".c", p + ".h") for p in PURE)


class Source:
    """One file: its path in the tree, its text, and the text without
    comments and strings (newlines kept, so that line numbers hold)."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()
        self.code = COMMENT_OR_STRING.sub(
            lambda m: re.sub(r"[^\n]", " ", m.group()), self.text)
        parts = self.path.split("/")
        self.in_kvm = parts[0] == "kvm"
        self.folder = parts[1] if self.in_kvm and len(parts) > 2 else None
        self.is_c = self.path.endswith((".c", ".h"))

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def is_pure(self):
        name = self.path[len("kvm/"):]
        return self.in_kvm and self.path != HOST_SEAM and is_pure(name)

    def functions(self):
        """(name, first line, lines of body). In kernel style a function's
        braces, and only they, stand alone in the first column."""
        start = None
        code = self.code.splitlines()
        for number, line in enumerate(self.lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                head = " ".join(code[max(0, start - 6):start - 1])
                names = re.findall(r"(\w+)\s*\(", head.split("}")[-1])
                yield (names[0] if names else "?", start, number - start - 1)
                start = None

    def bodies(self):
        """(name, first line, body without comments)."""
        code = self.code.splitlines()
        for name, start, length in self.functions():
            yield name, start, "\n".join(code[start - 1:start + length])


# --- rules over one file -------------------------------------------------

def include_direction(f):
    if not f.folder:
        return
    allowed = MAY_INCLUDE.get(f.folder)
    if allowed is None:
        yield 1, f"the folder {f.folder} has no place in the layers"
        return
    for m in INCLUDE.finditer(f.text):
        if m.group(1) != '"':
            continue
        target = m.group(2)
        folder = target.split("/")[0]
        if "/" not in target:
            yield f.line_of(m.start()), f"{target}: write the path from kvm/"
        elif folder != f.folder and folder not in allowed and \
                target not in allowed:
            yield f.line_of(m.start()), f"{f.folder}/ may not include {target}"


def pure_files(f):
    if not f.is_pure():
        return
    for m in INCLUDE.finditer(f.text):
        if m.group(1) == "<":
            yield f.line_of(m.start()), (
                f"<{m.group(2)}>: pure code reaches the host through "
                "base/host.h only")
        elif f.folder in PARTLY_PURE and not is_pure(m.group(2)):
            yield f.line_of(m.start()), f"{m.group(2)} is not pure"


def foreign_headers(f):
    if not f.is_c:
        return
    for m in INCLUDE.finditer(f.text):
        if m.group(2) in FOREIGN:
            yield f.line_of(m.start()), f"{m.group(2)} is not ours to use"


def conditionals(f):
    """No #if in a .c outside host/: a header may offer empty inlines."""
    if not f.in_kvm or f.folder == "host" or not f.path.endswith(".c"):
        return
    for m in re.finditer(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b.*", f.code,
                         re.M):
        yield f.line_of(m.start()), m.group().strip()


def spdx(f):
    want = {".c": "// SPDX-License-Identifier: GPL-2.0-only",
            ".h": "/* SPDX-License-Identifier: GPL-2.0-only */",
            ".S": "/* SPDX-License-Identifier: GPL-2.0-only */"}
    first = want.get(pathlib.PurePath(f.path).suffix)
    if first and (not f.lines or f.lines[0] != first):
        yield 1, f"the first line is not: {first}"


def head_comment(f):
    if f.in_kvm and f.is_c and not f.text.split("\n", 1)[-1].startswith("/*"):
        yield 2, "no comment that says what the file owns"


def line_length(f):
    for number, line in enumerate(f.lines, 1):
        columns = len(line.expandtabs(8))
        if columns > LINE_MAX:
            yield number, f"{columns} columns"
        if line != line.rstrip():
            yield number, "white space at the end"


def file_length(f):
    if len(f.lines) > FILE_MAX:
        yield FILE_MAX, f"{len(f.lines)} lines"


def function_length(f):
    for name, line, length in f.functions():
        if length > FUNCTION_MAX:
            yield line, f"{name}() has {length} lines"


def warnings(f):
    """A guest must not be able to make the host complain. What only a bug of
    ours can reach says so in a comment of its own on that line or before."""
    if not f.in_kvm or f.folder == "host" or f.path == HOST_SEAM:
        return
    for m in re.finditer(r"\b(WARN(_ON|_ONCE|_ON_ONCE)?|BUG(_ON)?|panic)\s*\(",
                         f.code):
        number = f.line_of(m.start())
        near = "\n".join(f.lines[max(0, number - 3):number])
        if "host bug" not in near.lower():
            yield number, f"{m.group(1)}() outside host/"


def vendor_names(f):
    """Differences between vendors are the vendor modules' alone."""
    if not f.in_kvm or f.folder in ("vmx", "svm", "host"):
        return
    for m in re.finditer(r"\b(is_intel\w*|is_amd\w*|X86_VENDOR_\w+|x86_vendor|"
                         r"cpu_is_intel\w*|cpu_is_amd\w*)\b", f.code):
        yield f.line_of(m.start()), f"{m.group(1)} outside vmx/ and svm/"


DIVISION = re.compile(
    r"\b(?:do_div|div64_\w+|div_[su]64\w*|mul_u64_u32_div|"
    r"mul_u64_u64_div_u64|mult_frac|roundup|rounddown|DIV_ROUND_CLOSEST\w*|"
    r"DIV_ROUND_DOWN\w*)\s*\(|"
    # an operator, or the second operand of DIV_ROUND_UP, that is no constant
    r"(?:\s[/%]=?\s+|\bDIV_ROUND_UP\w*\([^,;]*,\s*)"
    r"(?!\([a-z]\w*\)\s*[A-Z0-9])[(*&]*(?!sizeof\b|offsetof\b)[a-z_]")


def divisions(f):
    """The processor's division faults for a divisor of 0 and for a quotient
    that does not fit: only base/div.h divides by what is no constant."""
    if not f.in_kvm or not f.is_c or f.path == "kvm/base/div.h":
        return
    for m in DIVISION.finditer(f.code):
        yield f.line_of(m.end()), "a division that base/div.h does not bound"


RUN_PAGE = re.compile(r"\brun->(\w+)[\w.\[\]]*\s*([^\s=]|=[=])?")
RUN_ONCE = re.compile(r"(?:READ_ONCE|sizeof|ARRAY_SIZE)\(&?(?:vcpu->)?$|"
                      r"\bmem(?:cpy|set)\([^;]*$")


def run_page(f):
    """kvm_run lies in the VMM's memory too, and may change between any two
    reads: each read is a READ_ONCE() or one memcpy(), what was written there
    is not read back."""
    if not f.in_kvm or not f.is_c:
        return
    for m in RUN_PAGE.finditer(f.code):
        before = f.code[max(0, m.start() - 120):m.start()]
        if m.group(2) and not RUN_ONCE.search(before):
            yield f.line_of(m.start()), (
                f"kvm_run's {m.group(1)} is read without READ_ONCE()")


# Where interrupts or preemption are off
ATOMIC = re.compile(r"guard\(\s*(raw_spinlock|spinlock|read_lock|write_lock|"
                    r"preempt|irq)\w*|\b(raw_)?spin_(try)?lock\w*\(|"
                    r"\b(read|write)_(try)?lock\w*\(|\bget_cpu\(|"
                    r"\bpreempt_disable\(|\blocal_irq_\w+\(")
# Walks over what a VMM can make many of: vCPUs, irqfds, devices, VMs
MANY = re.compile(r"\b(vm_for_each_vcpu|h?list_for_each_\w+|xa_for_each\w*)\s*\(|"
                  r"\bfor \([^{]*?vcpu_count")
# The only one who looks at all vCPUs in any context: a VM dies only once.
WALKS_ATOMIC = {("kvm/core/vm.c", "vm_bug")}
# Open: all vCPUs that sleep on one CPU, when hardware posts to one of them
WALKS_OPEN = {("kvm/vmx/posted.c", "posted_wake")}


def bounded_sections(f):
    """What runs with interrupts or preemption off, or under a spinlock, does
    not take longer for more vCPUs or irqfds. A walk whose length does not
    depend on the VMM says "bounded:" and why on its line or before."""
    if not f.in_kvm or not f.is_c:
        return
    for name, start, body in f.bodies():
        for m in re.finditer(r"\bvm_for_each_vcpu_atomic\(", body):
            if (f.path, name) not in WALKS_ATOMIC:
                yield start + body.count("\n", 0, m.start()), (
                    f"{name}() looks at all vCPUs, and not preemptibly")
        if not ATOMIC.search(body) or (f.path, name) in WALKS_OPEN:
            continue
        for m in MANY.finditer(body):
            number = start + body.count("\n", 0, m.start())
            near = "\n".join(f.lines[max(0, number - 3):number])
            if "bounded:" not in near:
                yield number, f"{name}() walks a list in a section that may " \
                    "not depend on its length"


def table_addresses(f):
    """Addresses in page tables may carry an encryption bit: those of second-level
    entries are taken apart in mmu/pte.h, and svm/ gives the CPU none without."""
    if f.path.startswith("kvm/mmu/") and f.path != "kvm/mmu/pte.h":
        for m in re.finditer(r"\b(PTE_ADDR|host_va)\b", f.code):
            yield f.line_of(m.start()), f"{m.group(1)} outside mmu/pte.h"
    if f.path.startswith("kvm/svm/"):
        for m in re.finditer(r"(__sme_set\()?\b(__pa|virt_to_phys|page_to_phys)"
                             r"\(", f.code):
            if not m.group(1):
                yield f.line_of(m.start()), f"{m.group(2)}() without __sme_set()"


def initialisers(f):
    """In kvm/, a struct is initialised by name."""
    if not f.in_kvm or not f.is_c:
        return
    for m in re.finditer(r"\bstruct \w+ \w+ = \{\s*([^\s.}])", f.code):
        if m.group(1) not in "{":
            yield f.line_of(m.start()), "an initialiser without names"


def parameters(f):
    """At most five parameters, in definitions and declarations."""
    if not f.in_kvm or not f.is_c:
        return
    for m in re.finditer(r"^(?:static |inline |const |struct |enum |unsigned |"
                         r"extern |\w+[ *]+)+\*?(\w+)\(([^()]*)\)\s*[;{]",
                         f.code, re.M):
        count = m.group(2).count(",") + 1
        if count > 5:
            yield f.line_of(m.start()), f"{m.group(1)}() has {count} parameters"


# --- rules over the tree -------------------------------------------------

def self_standing(root, sources):
    """Each header of pure code compiles by itself, in userspace."""
    headers = [f for f in sources if f.is_pure() and f.path.endswith(".h") and
               not f.path.endswith("_rows.h")]
    for f in headers:
        name = f.path[len("kvm/"):]
        done = subprocess.run(
            ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra",
             "-Werror", "-Wno-unused-function", "-Wno-unused-parameter",
             "-fsyntax-only", "-Itests/shim", "-Ikvm", "-x", "c", "-"],
            cwd=root, input=f'#include "{name}"\n', text=True,
            capture_output=True, check=False)
        if done.returncode:
            lines = [x for x in done.stderr.splitlines() if "error:" in x]
            yield f.path, 1, lines[0] if lines else done.stderr.strip()[:200]


def walks_called(root, sources):
    """The same one call further: who looks at all vCPUs is not called where
    interrupts or preemption are off. In a function that has such a section
    elsewhere the call says so by "bounded:"."""
    bodies = [(f, name, start, body) for f in sources
              if f.in_kvm and f.path.endswith(".c")
              for name, start, body in f.bodies()]
    walkers = {name for _, name, _, body in bodies
               if re.search(r"\bvm_for_each_vcpu\(", body)}
    if not walkers:
        return
    call = re.compile(r"\b(" + "|".join(sorted(walkers)) + r")\(")
    for f, name, start, body in bodies:
        if not ATOMIC.search(body):
            continue
        for m in call.finditer(body):
            number = start + body.count("\n", 0, m.start())
            near = "\n".join(f.lines[max(0, number - 3):number])
            if "bounded:" not in near:
                yield f.path, number, (
                    f"{name}() calls {m.group(1)}(), which looks at all vCPUs")


def ioctl_numbers(root, sources):
    """One row for each ioctl of a file descriptor: a number may occur again
    only in another scope (system, VM, vCPU, device)."""
    table = [f for f in sources if f.path == "kvm/api/ioctl_rows.h"]
    if not table:
        return
    f = table[0]
    rows = []
    for number, line in enumerate(f.code.splitlines(), 1):
        start = re.match(r"#define (IOCTL_\w+_ROWS)\(X\)", line)
        if start:
            scope = start.group(1)
        row = re.match(r"\s*X\((KVM_\w+),", line)
        if row:
            rows.append((scope, row.group(1), number))
    numbers = ioctl_values(sorted({name for _, name, _ in rows}))
    seen = {}
    for scope, name, line in rows:
        key = (scope, numbers.get(name, name))
        if key in seen:
            yield f.path, line, f"{name} has the number of {seen[key]}"
        seen[key] = name


def ioctl_values(names):
    """The value of each name, by the compiler; names it does not know are
    left out."""
    text = "#include <stdio.h>\n#include <linux/kvm.h>\nint main(void)\n{\n"
    for name in names:
        text += (f"#ifdef {name}\n"
                 f'\tprintf("%s %lu\\n", "{name}", (unsigned long){name});\n'
                 "#endif\n")
    text += "}\n"
    with tempfile.TemporaryDirectory() as directory:
        program = directory + "/values"
        subprocess.run(["gcc", "-x", "c", "-", "-o", program], input=text,
                       text=True, check=True)
        out = subprocess.run([program], text=True, check=True,
                             capture_output=True).stdout
    return dict(line.split() for line in out.splitlines())


FILE_RULES = [include_direction, pure_files, foreign_headers, conditionals,
              spdx, head_comment, line_length, file_length, function_length,
              warnings, vendor_names, divisions, run_page, bounded_sections,
              table_addresses, initialisers, parameters]
TREE_RULES = [self_standing, walks_called, ioctl_numbers]
FOLDERS = ["kvm", "tests", "examples", "bench"]


def read_tree(root):
    return [Source(root, path) for folder in FOLDERS
            for path in sorted((root / folder).rglob("*"))
            if path.suffix in (".c", ".h", ".S") and path.is_file()]


def check(root):
    """All problems as (file, line, rule, what)."""
    sources = read_tree(root)
    problems = [(f.path, line, rule.__name__, what) for f in sources
                for rule in FILE_RULES for line, what in rule(f)]
    for rule in TREE_RULES:
        problems += [(path, line, rule.__name__, what)
                     for path, line, what in rule(root, sources)]
    return sources, problems


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def print_sizes(sources):
    """How long functions are, a folder a line: what tells of a trend."""
    print("function lengths     files  lines  functions  p90  p99  longest")
    folders = {}
    for f in sources:
        name = "/".join(f.path.split("/")[:2]) if f.folder else \
            f.path.split("/")[0]
        folders.setdefault(name, []).append(f)
    for name, files in sorted(folders.items()):
        found = [(n, fn) for f in files for fn, _, n in f.functions()]
        lengths = sorted(n for n, _ in found) or [0]
        longest = max(found, default=(0, "-"))
        print(f"{name:20} {len(files):5} "
              f"{sum(len(f.lines) for f in files):6} {len(found):10} "
              f"{percentile(lengths, .9):4} {percentile(lengths, .99):4}  "
              f"{longest[0]} {longest[1]}")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    sources, problems = check(root)
    print_sizes(sources)
    for path, line, rule, what in problems:
        print(f"{path}:{line}: {rule}: {what}")
    counts = {}
    for _, _, rule, _ in problems:
        counts[rule] = counts.get(rule, 0) + 1
    print(f"check: {len(sources)} files, {len(problems)} problems" +
          "".join(f", {n} {rule}" for rule, n in sorted(counts.items())))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
