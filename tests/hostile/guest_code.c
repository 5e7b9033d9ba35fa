// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random guests: instructions of every privilege level with operands that lead
 * somewhere (MSRs, ports, APICs, page tables), and the state to start them in.
 */
#include "hostile.h"

#include <cpuid.h>
#include <string.h>

static const u32 msrs[] = {
	0x10, 0x17, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xc1, 0xcd, 0xce,
	0xe7, 0xe8, 0xfe, 0x10a, 0x10b, 0x119, 0x122, 0x140, 0x174, 0x175,
	0x176, 0x179, 0x17a, 0x17b, 0x186, 0x198, 0x199, 0x19a, 0x1a0, 0x1a6,
	0x1c9, 0x1d9, 0x1db, 0x1fc, 0x200, 0x201, 0x20f, 0x250, 0x268, 0x277,
	0x2ff, 0x345, 0x38d, 0x38f, 0x3f1, 0x400, 0x401, 0x402, 0x403, 0x480,
	0x48b, 0x570, 0x600, 0x6a0, 0x6a2, 0x6e0, 0x800, 0x802, 0x808, 0x80b,
	0x80d, 0x80f, 0x820, 0x828, 0x830, 0x832, 0x837, 0x838, 0x83e, 0x83f,
	0xd90, 0xda0, 0x40000000, 0x40000001, 0x40000020, 0x40000073,
	0x400000b0, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04,
	0x4b564d05, 0x4b564d06, 0x4b564d08, 0x11, 0x12, 0xc0000080, 0xc0000081,
	0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
	0xc0000103, 0xc0000104, 0xc0000108, 0xc0010004, 0xc0010010, 0xc0010015,
	0xc001001a, 0xc001001f, 0xc0010055, 0xc0010058, 0xc0010111, 0xc0010114,
	0xc0010115, 0xc0010117, 0xc001011f, 0xc0010140, 0xc0010200, 0xc0011020,
	0xc0011029, 0xc001102a, 0xc001102c,
};

static const u64 values[] = {
	0, 1, 2, 3, 7, 0xf, 0x10, 0x20, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000,
	0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000,
	0xffff7fffffffffff, 0x00ffffffffffffff, 0x7fffffffffffffff,
	0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000,
	/* APICs, IOAPIC, ports, tables, holes */
	0xfee00000, 0xfee00080, 0xfee000b0, 0xfee000f0, 0xfee00300, 0xfee00310,
	0xfee00320, 0xfee00350, 0xfee00380, 0xfee003e0, 0xfec00000, 0xfec00010,
	0xfffff000, 0xfffbc000, 0xd0000000, 0xd0000ffe, 0xa0000, 0xb8000,
	0xf0000, 0xfffffff0, 0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43, 0x61, 0x70,
	0x71, 0x80, 0xcf8, 0xcfc, 0x3f8, 0x4d0, 0x4d1, 0x92, 0x64, 0x60,
	G_CODE, G_GDT, G_IDT, G_TSS, G_PML4, G_PDPT, G_PD, G_PD32, G_PDPT32, G_STACK,
	G_RAM - 1, G_RAM - 8, G_RAM, G_CODE + 0xffe,
	/* control registers */
	0x11, 0x80000011, 0xe0000011, 0x60000010, 0x80010001, 0x20, 0x6b0,
	0x1000000, 0xd01, 0x500, 0x400, 0x5, 0x3fff7ff,
	0xfd6, 0x4500, 0xc4500, 0x84630, 0x406ff, 0x30000, 0x8f,
};

u64 odd_value(struct rng *r)
{
	u64 v = values[below(r, ARRAY_SIZE(values))];

	switch (below(r, 8)) {
	case 0:
		return rnd(r);
	case 1:
		return 1ull << below(r, 64);
	case 2:
		return v + below(r, 16) - 8;
	case 3:
		return v ^ 1ull << below(r, 64);
	case 4:
		return rnd(r) & 0xfff;
	}
	return v;
}

u32 odd_msr(struct rng *r)
{
	u32 index = msrs[below(r, ARRAY_SIZE(msrs))];

	switch (below(r, 12)) {
	case 0:
		return rnd(r);
	case 1:
		return index + below(r, 8) - 4;
	case 2:
		return index & 0xffffff00 | below(r, 256);
	}
	return index;
}

/* Instructions; a byte 0 behind the opcode means nothing, random bytes follow. */
static const struct insn {
	u8 len, bytes[7];
} insns[] = {
	{ 2, { 0x0f, 0x30 } }, { 2, { 0x0f, 0x30 } }, { 2, { 0x0f, 0x30 } },
	{ 2, { 0x0f, 0x32 } }, { 2, { 0x0f, 0x32 } }, { 2, { 0x0f, 0xa2 } },
	{ 1, { 0xe4 } }, { 1, { 0xe5 } }, { 1, { 0xe6 } }, { 1, { 0xe7 } },
	{ 1, { 0xec } }, { 1, { 0xed } }, { 1, { 0xee } }, { 1, { 0xef } },
	{ 2, { 0xf3, 0x6c } }, { 2, { 0xf3, 0x6e } }, { 2, { 0xf2, 0x6f } },
	{ 1, { 0x6c } }, { 1, { 0x6d } }, { 1, { 0x6e } }, { 1, { 0x6f } },
	{ 3, { 0x66, 0xf3, 0x6d } }, { 3, { 0x67, 0xf3, 0xa4 } },
	{ 2, { 0xf3, 0xa4 } }, { 2, { 0xf3, 0xa5 } }, { 2, { 0xf3, 0xab } },
	{ 2, { 0xf3, 0xaa } }, { 2, { 0xf3, 0xa6 } }, { 2, { 0xf2, 0xae } },
	{ 1, { 0xa4 } }, { 1, { 0xa5 } }, { 1, { 0xab } }, { 1, { 0xad } },
	{ 2, { 0x0f, 0x20 } }, { 2, { 0x0f, 0x22 } }, { 2, { 0x0f, 0x22 } },
	{ 3, { 0x0f, 0x22, 0xc0 } }, { 3, { 0x0f, 0x22, 0xd8 } },
	{ 3, { 0x0f, 0x22, 0xe0 } }, { 4, { 0x44, 0x0f, 0x22, 0xc0 } },
	{ 2, { 0x0f, 0x21 } }, { 2, { 0x0f, 0x23 } }, { 2, { 0x0f, 0x06 } },
	{ 2, { 0x0f, 0x01 } }, { 2, { 0x0f, 0x01 } }, { 2, { 0x0f, 0x00 } },
	{ 3, { 0x0f, 0x01, 0xd1 } }, { 3, { 0x0f, 0x01, 0xd0 } },
	{ 3, { 0x0f, 0x01, 0xc1 } }, { 3, { 0x0f, 0x01, 0xd9 } },
	{ 3, { 0x0f, 0x01, 0xd8 } }, { 3, { 0x0f, 0x01, 0xda } },
	{ 3, { 0x0f, 0x01, 0xdc } }, { 3, { 0x0f, 0x01, 0xdd } },
	{ 3, { 0x0f, 0x01, 0xc2 } }, { 3, { 0x0f, 0x01, 0xc8 } },
	{ 3, { 0x0f, 0x01, 0xc9 } }, { 3, { 0x0f, 0x01, 0xf8 } },
	{ 3, { 0x0f, 0x01, 0xf9 } }, { 3, { 0x0f, 0x01, 0xee } },
	{ 1, { 0xf4 } }, { 1, { 0xfa } }, { 1, { 0xfb } }, { 1, { 0xcd } },
	{ 1, { 0xcc } }, { 1, { 0xce } }, { 1, { 0xf1 } }, { 1, { 0xcf } },
	{ 2, { 0x48, 0xcf } }, { 1, { 0xea } }, { 1, { 0x9a } }, { 1, { 0xcb } },
	{ 1, { 0xca } }, { 1, { 0x9c } }, { 1, { 0x9d } }, { 1, { 0x8e } },
	{ 1, { 0x8c } }, { 1, { 0x1f } }, { 1, { 0x17 } }, { 1, { 0x07 } },
	{ 2, { 0x0f, 0xb2 } }, { 2, { 0x0f, 0xb4 } }, { 1, { 0xc4 } },
	{ 1, { 0xc5 } }, { 1, { 0xff } }, { 1, { 0xff } }, { 2, { 0x48, 0xff } },
	{ 2, { 0x0f, 0x31 } }, { 3, { 0x0f, 0x01, 0xf9 } }, { 2, { 0x0f, 0x33 } },
	{ 2, { 0x0f, 0x08 } }, { 2, { 0x0f, 0x09 } }, { 2, { 0x0f, 0x05 } },
	{ 2, { 0x0f, 0x07 } }, { 2, { 0x0f, 0x34 } }, { 2, { 0x0f, 0x35 } },
	{ 2, { 0x0f, 0xaa } }, { 2, { 0x0f, 0x0b } }, { 2, { 0x0f, 0xae } },
	{ 2, { 0x0f, 0xc7 } }, { 3, { 0xf0, 0x0f, 0xc7 } }, { 2, { 0x0f, 0xc0 } },
	{ 3, { 0xf0, 0x0f, 0xc1 } }, { 3, { 0xf0, 0x0f, 0xb1 } },
	{ 2, { 0xf0, 0x87 } }, { 2, { 0xf0, 0x01 } }, { 2, { 0x48, 0x87 } },
	{ 1, { 0x87 } }, { 1, { 0x86 } }, { 1, { 0x88 } }, { 1, { 0x89 } },
	{ 1, { 0x8a } }, { 1, { 0x8b } }, { 2, { 0x48, 0x89 } },
	{ 2, { 0x48, 0x8b } }, { 1, { 0xc6 } }, { 1, { 0xc7 } }, { 1, { 0xa0 } },
	{ 1, { 0xa1 } }, { 1, { 0xa2 } }, { 1, { 0xa3 } }, { 1, { 0x80 } },
	{ 1, { 0x81 } }, { 1, { 0x83 } }, { 1, { 0xf6 } }, { 1, { 0xf7 } },
	{ 1, { 0xc8 } }, { 1, { 0xc9 } }, { 1, { 0x62 } }, { 1, { 0x63 } },
	{ 1, { 0x60 } }, { 1, { 0x61 } }, { 1, { 0x50 } }, { 1, { 0x58 } },
	{ 1, { 0x8f } }, { 1, { 0xe8 } }, { 1, { 0xc3 } }, { 1, { 0xeb } },
	{ 1, { 0xe2 } }, { 1, { 0x75 } }, { 1, { 0xe9 } },
	{ 2, { 0x0f, 0x6f } }, { 2, { 0x0f, 0x7f } }, { 3, { 0x66, 0x0f, 0x6f } },
	{ 3, { 0xf3, 0x0f, 0x7f } }, { 2, { 0x0f, 0x10 } }, { 2, { 0x0f, 0x29 } },
	{ 2, { 0x0f, 0xe7 } }, { 3, { 0x66, 0x0f, 0xe7 } }, { 2, { 0x0f, 0xc3 } },
	{ 2, { 0x0f, 0x78 } }, { 2, { 0x0f, 0x79 } }, { 3, { 0x66, 0x0f, 0x38 } },
	{ 4, { 0x66, 0x0f, 0x38, 0x82 } }, { 4, { 0x0f, 0x38, 0xf0, 0 } },
	{ 2, { 0x0f, 0xba } }, { 2, { 0x0f, 0xab } }, { 2, { 0x0f, 0x02 } },
	{ 2, { 0x0f, 0x03 } }, { 2, { 0x0f, 0xb6 } }, { 2, { 0x0f, 0xbf } },
	{ 1, { 0xd9 } }, { 1, { 0xdb } }, { 1, { 0xdd } }, { 1, { 0xdf } },
	{ 1, { 0xd7 } }, { 2, { 0x67, 0x8b } }, { 2, { 0x66, 0x8b } },
	{ 2, { 0x64, 0x8b } }, { 2, { 0x65, 0x89 } }, { 2, { 0x36, 0x89 } },
};

void guest_code(struct rng *r, u8 *code, u32 len)
{
	u32 at = 0, i;

	while (at + 16 <= len) {
		u8 *p = code + at;
		const struct insn *in = &insns[below(r, ARRAY_SIZE(insns))];

		switch (below(r, 16)) {
		case 0:			/* anything */
			for (i = 0; i < 8; i++)
				p[i] = rnd(r);
			at += 1 + below(r, 8);
			break;
		case 1 ... 4: {		/* a register gets an odd value */
			u32 v = odd_value(r);

			p[0] = 0xb8 + below(r, 8);
			memcpy(p + 1, &v, 4);
			at += 5;
			break;
		}
		case 5: {		/* the same, 64 bits */
			u64 v = odd_value(r);

			p[0] = 0x48;
			p[1] = 0xb8 + below(r, 8);
			memcpy(p + 2, &v, 8);
			at += 10;
			break;
		}
		case 6: {		/* ECX an MSR */
			u32 v = odd_msr(r);

			p[0] = 0xb9;
			memcpy(p + 1, &v, 4);
			at += 5;
			break;
		}
		default:
			memcpy(p, in->bytes, in->len);
			for (i = 0; i < 6; i++)
				p[in->len + i] = rnd(r);
			at += in->len + below(r, 6);
		}
	}
	while (at < len)
		code[at++] = rnd(r);
}

static void put(u8 *ram, u32 at, u64 v)
{
	memcpy(ram + at, &v, 8);
}

static void gate(struct rng *r, u8 *at, bool wide)
{
	u32 to = G_CODE + below(r, G_CODE_SIZE);
	u32 types[] = { 0x8e, 0xee, 0x8f, 0xef, 0x85, 0xe5, 0x86, 0x87 };
	u8 type = types[below(r, once_in(r, 8) ? 8 : 4)];
	u16 sel = once_in(r, 4) ? below(r, 16) << 3 | below(r, 4) : 0x08;

	if (wide)
		sel = 0x18;
	at[0] = to;
	at[1] = to >> 8;
	memcpy(at + 2, &sel, 2);
	at[4] = below(r, 8) ? 0 : below(r, 8);
	at[5] = once_in(r, 16) ? rnd(r) : type;
	at[6] = to >> 16;
	at[7] = to >> 24;
}

void guest_tables(struct rng *r, u8 *ram)
{
	static const u64 gdt[] = {
		0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff,
		0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff,
		0x00009b000000ffff, 0x0000930000000000 | 0xffff,
		0x00008b0030000fff, 0, 0x000085000008ffff, 0x0000ec0000080000,
		0x00cf9f000000ffff, 0x000082004000ffff, 0x00008900300000ff,
	};
	bool wide = once_in(r, 2);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(gdt); i++)
		put(ram, G_GDT + 8 * i, once_in(r, 32) ? rnd(r) : gdt[i]);
	for (i = 0; i < 256; i++) {
		if (wide) {
			gate(r, ram + G_IDT + 16 * i, true);
			put(ram, G_IDT + 16 * i + 8, 0);
		} else {
			gate(r, ram + G_IDT + 8 * i, false);
		}
	}
	for (i = 0; i < 0x1000; i += 8)
		put(ram, G_TSS + i, once_in(r, 4) ? odd_value(r) : G_STACK);
	put(ram, G_PML4, G_PDPT | 7);
	for (i = 1; i < 512; i++)
		put(ram, G_PML4 + 8 * i, once_in(r, 64) ? odd_value(r) : 0);
	for (i = 0; i < 4; i++)
		put(ram, G_PDPT + 8 * i, (G_PD + 0x1000 * i) |
		    (once_in(r, 8) ? below(r, 256) : 7));
	for (i = 0; i < 4; i++)
		put(ram, G_PDPT32 + 8 * i, (G_PD + 0x1000 * i) | 1);
	for (i = 0; i < 2048; i++)
		put(ram, G_PD + 8 * i, (u64)i << 21 | 0xe7 |
		    (once_in(r, 64) ? odd_value(r) : 0));
	for (i = 0; i < 1024; i++) {
		u32 v = i << 22 | 0xe7;

		memcpy(ram + G_PD32 + 4 * i, &v, 4);
	}
	guest_code(r, ram + G_CODE, G_CODE_SIZE);
	/* Code again where vector 0 of real mode and SIPIs lead to. */
	for (i = 0; i < 0x400; i += 4) {
		ram[i] = rnd(r);
		ram[i + 1] = rnd(r);
		ram[i + 2] = 0;
		ram[i + 3] = 0x10;
	}
}

static struct kvm_segment segment(u16 selector, u32 limit, u8 type, u8 dpl)
{
	return (struct kvm_segment) {
		.selector = selector | dpl, .limit = limit, .type = type,
		.dpl = dpl, .present = 1, .s = 1, .g = limit > 0xfffff,
		.db = 1,
	};
}

/*
 * VT-x wants a busy TSS. QEMU, as the AMD host, ends itself with "invalid tss
 * type" when the guest changes to an inner stack by a TSS that it was given as
 * a busy one.
 */
static u8 tss_type(void)
{
	u32 a, b, c = 0, d;

	__get_cpuid(0, &a, &b, &c, &d);
	return c == signature_AMD_ecx ? 9 : 11;
}

int guest_start(struct rng *r, int vcpu)
{
	u32 mode = below(r, 6);
	u8 dpl = once_in(r, 3) ? 3 : 0;
	struct kvm_sregs s;
	struct kvm_regs regs;
	u32 i;

	if (ioctl(vcpu, KVM_GET_SREGS, &s) || ioctl(vcpu, KVM_GET_REGS, &regs))
		return -1;
	s.cr3 = 0;
	s.gdt = (struct kvm_dtable) { .base = G_GDT, .limit = 0x7f };
	s.idt = (struct kvm_dtable) { .base = G_IDT, .limit = 0xfff };
	s.cr4 = 0;
	s.efer = 0;
	s.cr0 = 0x10;
	if (mode == 0) {		/* real mode */
		dpl = 0;
		s.idt.base = 0;
		s.cs = segment(0x1000, 0xffff, 11, 0);
		s.cs.base = 0x10000;
		s.cs.db = 0;
		s.ds = segment(0, 0xffff, 3, 0);
		s.ds.db = 0;
		s.ss = s.es = s.fs = s.gs = s.ds;
	} else {
		s.cr0 |= 1 | (once_in(r, 2) ? 0x40000 : 0) |
			 (once_in(r, 2) ? 0x10000 : 0);
		s.cs = segment(0x08, 0xffffffff, 11, dpl);
		s.ds = segment(0x10, 0xffffffff, 3, dpl);
		s.ss = s.es = s.fs = s.gs = s.ds;
		if (mode == 2) {
			s.cr3 = G_PD32;
			s.cr4 = 0x10;
			s.cr0 |= 0x80000000;
		} else if (mode == 3) {
			s.cr3 = G_PDPT32;
			s.cr4 = 0x20;
			s.cr0 |= 0x80000000;
		} else if (mode >= 4) {
			s.cr3 = G_PML4;
			s.cr4 = 0x620 | (once_in(r, 2) ? 0x80 : 0) |
				(once_in(r, 2) ? 0x40000 : 0);
			s.efer = 0x500 | (once_in(r, 2) ? 0x801 : 0);
			s.cr0 |= 0x80000000;
			s.cs.l = mode == 4;
			s.cs.db = !s.cs.l;
		}
	}
	s.tr = (struct kvm_segment) {
		.selector = 0x48, .base = G_TSS, .limit = 0xfff,
		.type = tss_type(),
		.present = 1,
	};
	memset(&regs, 0, sizeof(regs));
	for (i = 0; i < 16; i++)
		((u64 *)&regs)[i] = odd_value(r);
	regs.rsp = G_STACK + below(r, 64);
	regs.rip = (mode ? G_CODE : 0) + below(r, G_CODE_SIZE - 64);
	regs.rflags = 2 | (once_in(r, 2) ? 0x200 : 0) |
		      (once_in(r, 8) ? 0x100 : 0) |
		      (once_in(r, 4) ? 0x3000 : 0) |
		      (once_in(r, 4) ? 0x40000 : 0);
	if (mode && mode < 4 && once_in(r, 8)) {
		/* virtual-8086 mode */
		s.cs = segment(0x1000, 0xffff, 3, 3);
		s.cs.selector = 0x1000;
		s.cs.base = 0x10000;
		s.cs.db = 0;
		s.ds = segment(0, 0xffff, 3, 3);
		s.ds.selector = 0;
		s.ds.db = 0;
		s.ss = s.es = s.fs = s.gs = s.ds;
		regs.rip = below(r, G_CODE_SIZE - 64);
		regs.rflags |= 0x20000;
	}
	return ioctl(vcpu, KVM_SET_SREGS, &s) || ioctl(vcpu, KVM_SET_REGS, &regs);
}
