#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""For each rule of scripts/check.py: a tree that keeps it, and trees that
break it in just one place, which must be found by that rule and no other."""
import pathlib
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import check  # noqa: E402

C = "// SPDX-License-Identifier: GPL-2.0-only\n/* What it is. */\n"
H = "/* SPDX-License-Identifier: GPL-2.0-only */\n/* What it is. */\n"

CLEAN = {
    "tests/shim/base/host.h": H + "#include <stdint.h>\n",
    "kvm/base/host.h": H + "#include <linux/types.h>\n",
    "kvm/x86/regs.h": H + '#include "base/host.h"\nstruct regs { int a; };\n',
    "kvm/emu/emu.h": H + '#include "x86/regs.h"\nstruct emu { struct regs r; };\n',
    "kvm/core/run.c": C + '#include <linux/slab.h>\n#include "emu/emu.h"\n'
                          "/* WARN_ON(1); #if is words here */\n"
                          "int run(int a, int b, int c, int d, int e)\n{\n"
                          "\treturn a;\n}\n",
    "kvm/host/module.c": C + "#if 1\n#endif\n",
    "kvm/api/ioctl_rows.h": H + "#define IOCTL_SYSTEM_ROWS(X) \\\n"
                                "\tX(KVM_CREATE_VM, a) \\\n"
                                "\tX(KVM_CHECK_EXTENSION, b)\n"
                                "#define IOCTL_VM_ROWS(X) \\\n"
                                "\tX(KVM_CHECK_EXTENSION, b)\n",
}

# rule: files that break it
BROKEN = {
    "include_direction": [
        {"kvm/dev/pic.c": C + '#include "core/vm.h"\n'},
        {"kvm/dev/pic.c": C + '#include "x86/regs.h"\n'},
        {"kvm/emu/exec.c": C + '#include "x86/msr.h"\n'},
        {"kvm/core/vm.c": C + '#include "api/fds.h"\n'},
        {"kvm/core/vm.c": C + '#include "svm/vmcb.h"\n'},
        {"kvm/svm/run.c": C + '#include "vmx/vmcs.h"\n'},
        {"kvm/svm/run.c": C + '#include "irq/chip.h"\n'},
        {"kvm/host/vfio.c": C + '#include "api/device.h"\n'},
        {"kvm/irq/route.c": C + '#include "core/run.h"\n'},
        {"kvm/core/vm.c": C + '#include "vm.h"\n'},
        {"kvm/misc/vm.c": C},
    ],
    "pure_files": [
        {"kvm/x86/cr.c": C + "#include <linux/slab.h>\n"},
        {"kvm/mmu/tdp.c": C + "#include <linux/mm.h>\n"},
        {"kvm/svm/controls.c": C + '#include "core/vcpu.h"\n'},
    ],
    "foreign_headers": [
        {"kvm/svm/run.c": C + "#include <asm/svm.h>\n"},
        {"kvm/core/vm.c": C + "#include <linux/kvm_host.h>\n"},
    ],
    "conditionals": [
        {"kvm/core/vm.c": C + "#ifdef CONFIG_X\n#endif\n"},
        {"kvm/core/vm.c": C + "  #  if X\n#endif\n"},
    ],
    "spdx": [
        {"kvm/core/vm.c": "/* no */\n/* What. */\n"},
        {"tests/unit/test_x.c": "int x;\n"},
    ],
    "head_comment": [
        {"kvm/core/vm.c": C.splitlines()[0] + "\n\nint x;\n"},
    ],
    "line_length": [
        {"kvm/core/vm.c": C + "\t" * 12 + "int xxxxx;\n"},
        {"kvm/core/vm.c": C + "int x; \n"},
    ],
    "file_length": [
        {"kvm/core/vm.c": C + "int x;\n" * 999},
    ],
    "function_length": [
        {"kvm/core/vm.c": C + "int f(void)\n{\n" + "\tx();\n" * 101 + "}\n"},
    ],
    "warnings": [
        {"kvm/core/vm.c": C + "void f(void)\n{\n\tWARN_ON_ONCE(x);\n}\n"},
        {"kvm/core/vm.c": C + "void f(void)\n{\n\tBUG();\n}\n"},
    ],
    "vendor_names": [
        {"kvm/x86/msr.c": C + "int f(void)\n{\n\treturn is_intel();\n}\n"},
    ],
    "divisions": [
        {"kvm/dev/pit.c": C + "u64 f(u64 a, u64 b)\n{\n\treturn a / b;\n}\n"},
        {"kvm/dev/pit.c": C + "u64 f(u64 a, u64 b)\n{\n\treturn a %\n"
                              "\t       (u32)b;\n}\n"},
        {"kvm/dev/pit.c": C + "void f(void)\n{\n\tx /= (y + 1);\n}\n"},
        {"kvm/dev/pit.c": C + "u64 f(u64 a)\n{\n"
                              "\treturn div64_u64(a, 3);\n}\n"},
        {"kvm/core/clock.c": C + "u64 f(u64 a, u32 b)\n{\n"
                                 "\treturn mul_u64_u32_div(a, b, 9);\n}\n"},
        {"kvm/core/clock.c": C + "u64 f(u64 a, u32 b)\n{\n"
                                 "\treturn DIV_ROUND_UP(a, b);\n}\n"},
    ],
    "run_page": [
        {"kvm/core/run.c": C + "int f(void)\n{\n"
                               "\treturn vcpu->run->exit_reason;\n}\n"},
        {"kvm/core/run.c": C + "void f(void)\n{\n\tif (run->a.b == 1)\n"
                               "\t\tg();\n}\n"},
        {"kvm/core/run.c": C + "void f(void)\n{\n"
                               "\tfor (i = 0; i < run->internal.ndata; i++)\n"
                               "\t\trun->internal.data[i] = 1;\n}\n"},
    ],
    "walks_called": [
        {"kvm/core/clock.c": C + "static bool all(struct vm *vm)\n{\n"
                                 "\tvm_for_each_vcpu(i, v, vm)\n\t\tx(v);\n"
                                 "\treturn true;\n}\n"
                                 "void f(struct vm *vm)\n{\n"
                                 "\tscoped_guard(raw_spinlock, &vm->l)\n"
                                 "\t\tall(vm);\n}\n"},
    ],
    "bounded_sections": [
        {"kvm/irq/chip.c": C + "void f(struct vm *vm)\n{\n"
                               "\tguard(spinlock_irqsave)(&vm->l);\n"
                               "\tvm_for_each_vcpu(i, v, vm)\n\t\tx(v);\n}\n"},
        {"kvm/irq/irqfd.c": C + "void f(struct vm *vm)\n{\n"
                                "\tspin_lock_irq(&vm->l);\n"
                                "\tlist_for_each_entry(a, &vm->l, b)\n"
                                "\t\tx(a);\n}\n"},
        {"kvm/core/vm.c": C + "void f(struct vm *vm)\n{\n"
                              "\tpreempt_disable();\n"
                              "\tfor (i = 0; i < vm->vcpu_count; i++)\n"
                              "\t\tx(i);\n}\n"},
        {"kvm/core/vm.c": C + "void f(struct vm *vm)\n{\n"
                              "\tvm_for_each_vcpu_atomic(i, v, vm)\n"
                              "\t\tx(v);\n}\n"},
    ],
    "table_addresses": [
        {"kvm/mmu/tdp.c": C + "u64 f(u64 pte)\n{\n\treturn pte & PTE_ADDR;"
                              "\n}\n"},
        {"kvm/mmu/iter.c": C + "u64 *f(u64 pte)\n{\n\treturn host_va(pte);"
                               "\n}\n"},
        {"kvm/svm/main.c": C + "u64 f(void *p)\n{\n\treturn __pa(p);\n}\n"},
    ],
    "initialisers": [
        {"kvm/core/vm.c": C + "struct a b = { 1, 2 };\n"},
    ],
    "parameters": [
        {"kvm/core/vm.c": C + "int f(int a, int b, int c,\n"
                              "      int d, int e, int g);\n"},
    ],
    "self_standing": [
        {"kvm/x86/cr.h": H + "struct cr { struct regs r; };\n"},
        {"kvm/x86/cr.h": H + "uint64_t cr;\n"},
    ],
    "ioctl_numbers": [
        {"kvm/api/ioctl_rows.h": H + "#define IOCTL_VM_ROWS(X) \\\n"
                                     "\tX(KVM_CREATE_VCPU, a) \\\n"
                                     "\tX(KVM_CREATE_VCPU, b)\n"},
    ],
}


def problems_of(files):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return check.check(root)[1]


class Check(unittest.TestCase):
    def test_clean_tree(self):
        self.assertEqual(problems_of(CLEAN), [])

    def test_each_rule_is_broken_here(self):
        rules = check.FILE_RULES + check.TREE_RULES
        self.assertEqual({r.__name__ for r in rules}, set(BROKEN))

    def test_broken_trees(self):
        for rule, trees in BROKEN.items():
            for tree in trees:
                with self.subTest(rule=rule, tree=tree):
                    found = problems_of({**CLEAN, **tree})
                    self.assertEqual({p[2] for p in found}, {rule})

    def test_host_bug_may_warn(self):
        tree = {"kvm/core/vm.c": C + "void f(void)\n{\n"
                                     "\t/* Host bug: never set up. */\n"
                                     "\tBUG();\n}\n"}
        self.assertEqual(problems_of({**CLEAN, **tree}), [])

    def test_walks_that_are_bounded(self):
        text = (C + "void f(struct vm *vm)\n{\n\tspin_lock(&vm->l);\n"
                "\t/* bounded: there are two */\n"
                "\tlist_for_each_entry(a, &vm->l, b)\n\t\tx(a);\n"
                "\tvm_for_some_vcpus(i, v, vm)\n\t\tx(v);\n}\n"
                "void g(struct vm *vm)\n{\n"
                "\tvm_for_each_vcpu(i, v, vm)\n\t\tx(v);\n}\n")
        self.assertEqual(problems_of({**CLEAN, "kvm/irq/chip.c": text}), [])

    def test_divisions_by_constants(self):
        tree = {"kvm/core/vm.c": C + "u64 f(u64 a)\n{\n"
                                     "\ta %= PAGE_SIZE;\n"
                                     "\tg(DIV_ROUND_UP(a, (u64)BITS));\n"
                                     "\treturn a / 10 / sizeof(a); /* a / b */\n"
                                     "}\n",
                "kvm/base/div.h": H + "#include \"base/host.h\"\n"
                                      "static inline int d(int a, int b)\n{\n"
                                      "\treturn a / b;\n}\n"}
        self.assertEqual(problems_of({**CLEAN, **tree}), [])

    def test_run_page_once(self):
        tree = {"kvm/core/run.c": C + "void f(void)\n{\n"
                                      "\trun->io.size = 1;\n"
                                      "\trun->exit_reason =\n\t\tREASON;\n"
                                      "\tx = READ_ONCE(vcpu->run->cr8);\n"
                                      "\tmemcpy(&x, vcpu->run->mmio.data, n);\n"
                                      "\tmemset(&run->a, 0, sizeof(run->a));\n"
                                      "}\n"}
        self.assertEqual(problems_of({**CLEAN, **tree}), [])

    def test_function_names_and_lengths(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "a.c")
            path.write_text("int one(int a,\n\tint b)\n{\n\tx();\n\ty();\n}\n"
                            "struct s {\n\tint a;\n};\n")
            f = check.Source(pathlib.Path(directory), path)
            self.assertEqual(list(f.functions()), [("one", 3, 2)])


if __name__ == "__main__":
    unittest.main()
