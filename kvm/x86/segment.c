// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors, access rights and segment checks, as segment.h tells.
 *
 * Owns nothing. Callers: the emulator, the vendor modules (access rights of
 * their save areas), the ioctl edge (struct kvm_segment), core's page walks.
 *
 * The fields of struct segment come from the guest or the VMM in any
 * combination: nothing here relies on their being consistent.
 */
#include "x86/segment.h"

static_assert(sizeof(struct kvm_segment) == 24, "KVM API");

struct segment segment_decode(u16 selector, u64 lo, u64 hi)
{
	struct segment seg = {
		.selector = selector,
		.base = bits_get(lo, 39, 16) | bits_get(lo, 63, 56) << 24 |
			hi << 32,
		.limit = bits_get(lo, 15, 0) | bits_get(lo, 51, 48) << 16,
		.type = bits_get(lo, 43, 40),
		.s = bits_get(lo, 44, 44),
		.dpl = bits_get(lo, 46, 45),
		.present = bits_get(lo, 47, 47),
		.avl = bits_get(lo, 52, 52),
		.l = bits_get(lo, 53, 53),
		.db = bits_get(lo, 54, 54),
		.g = bits_get(lo, 55, 55),
	};

	if (seg.g)
		seg.limit = seg.limit << 12 | 0xfff;
	return seg;
}

u64 segment_encode(const struct segment *seg)
{
	u64 limit = seg->g ? seg->limit >> 12 : seg->limit;
	u64 rights = segment_ar(seg) & 0xf0ff;

	return (limit & 0xffff) | (seg->base & 0xffffff) << 16 |
	       rights << 40 | (limit >> 16 & 0xf) << 48 |
	       (seg->base >> 24 & 0xff) << 56;
}

u32 segment_ar(const struct segment *seg)
{
	return (u32)(seg->type & 15) | (u32)(seg->s & 1) << 4 |
	       (u32)(seg->dpl & 3) << 5 | (u32)(seg->present & 1) << 7 |
	       (u32)(seg->avl & 1) << 12 | (u32)(seg->l & 1) << 13 |
	       (u32)(seg->db & 1) << 14 | (u32)(seg->g & 1) << 15 |
	       (u32)(seg->unusable & 1) << 16;
}

void segment_set_ar(struct segment *seg, u32 ar)
{
	seg->type = ar & 15;
	seg->s = ar >> 4 & 1;
	seg->dpl = ar >> 5 & 3;
	seg->present = ar >> 7 & 1;
	seg->avl = ar >> 12 & 1;
	seg->l = ar >> 13 & 1;
	seg->db = ar >> 14 & 1;
	seg->g = ar >> 15 & 1;
	seg->unusable = ar >> 16 & 1;
}

void segment_set_attrib(struct segment *seg, u16 attrib)
{
	segment_set_ar(seg, (attrib & 0xffu) | (attrib & 0xf00u) << 4);
	seg->unusable = !seg->present;
}

struct kvm_segment segment_to_kvm(const struct segment *seg)
{
	return (struct kvm_segment){
		.base = seg->base,
		.limit = seg->limit,
		.selector = seg->selector,
		.type = seg->type,
		.present = seg->present,
		.dpl = seg->dpl,
		.db = seg->db,
		.s = seg->s,
		.l = seg->l,
		.g = seg->g,
		.avl = seg->avl,
		.unusable = seg->unusable,
	};
}

struct segment segment_from_kvm(const struct kvm_segment *kvm)
{
	/* fields wider than their meaning are cut, as hardware would */
	return (struct segment){
		.base = kvm->base,
		.limit = kvm->limit,
		.selector = kvm->selector,
		.type = kvm->type & 15,
		.present = kvm->present & 1,
		.dpl = kvm->dpl & 3,
		.db = kvm->db & 1,
		.s = kvm->s & 1,
		.l = kvm->l & 1,
		.g = kvm->g & 1,
		.avl = kvm->avl & 1,
		.unusable = kvm->unusable & 1,
	};
}

void segment_load_real(struct segment *seg, u16 selector)
{
	seg->selector = selector;
	seg->base = (u32)selector << 4;
	seg->unusable = 0;
}

void segment_load_vm86(struct segment *seg, u16 selector)
{
	*seg = (struct segment){
		.selector = selector,
		.base = (u32)selector << 4,
		.limit = 0xffff,
		.type = SEGTYPE_WRITE | SEGTYPE_ACCESSED,
		.s = 1,
		.dpl = 3,
		.present = 1,
	};
}

static bool segment_is_down(const struct segment *seg)
{
	return seg->s && !(seg->type & SEGTYPE_CODE) &&
	       (seg->type & SEGTYPE_DOWN);
}

bool segment_limit_ok(const struct segment *seg, u32 offset, u32 len)
{
	u64 last = (u64)offset + len - 1;

	if (segment_is_down(seg))
		return offset > seg->limit &&
		       last <= (seg->db ? 0xffffffffULL : 0xffffULL);
	return last <= seg->limit;
}

bool segment_type_ok(const struct segment *seg, enum seg_access access)
{
	bool code = seg->type & SEGTYPE_CODE;

	if (seg->unusable || !seg->present || !seg->s)
		return false;
	switch (access) {
	case SEG_READ:
		return !code || (seg->type & SEGTYPE_WRITE);
	case SEG_WRITE:
		return !code && (seg->type & SEGTYPE_WRITE);
	case SEG_EXEC:
		return code;
	}
	return false;
}

static bool segment_linear_long(const struct regs *regs,
				const struct seg_ref *ref, u64 *linear)
{
	unsigned int bits = regs_vaddr_bits(regs);
	u64 base = 0;

	if (ref->sreg == SEG_FS || ref->sreg == SEG_GS)
		base = regs->seg[ref->sreg].base;
	*linear = base + ref->offset;
	return is_canonical(*linear, bits) &&
	       is_canonical(*linear + ref->len - 1, bits);
}

bool segment_linear(const struct regs *regs, const struct seg_ref *ref,
		    u64 *linear, struct fault *f)
{
	const struct segment *seg = &regs->seg[ref->sreg];
	enum x86_mode mode = regs_mode(regs);
	bool ok;

	if (mode == MODE_LONG) {
		ok = segment_linear_long(regs, ref, linear);
	} else {
		*linear = (u32)(seg->base + ref->offset);
		ok = ref->offset <= U32_MAX &&
		     segment_limit_ok(seg, ref->offset, ref->len);
		if (mode == MODE_PROT16 || mode == MODE_PROT32)
			ok = ok && segment_type_ok(seg, ref->access);
	}
	if (ok)
		return true;
	*f = (struct fault){
		.vector = ref->sreg == SEG_SS ? VEC_SS : VEC_GP,
		.has_error_code = true,
	};
	return false;
}
