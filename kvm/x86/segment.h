/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments: descriptors as they lie in memory, the hidden parts of segment
 * registers, and the checks that every access through one passes.
 *
 * Pure functions. SDM vol. 3, 3.4 and 3.5 (descriptors), 5.3 to 5.5 (limit and
 * type), 21.1 (real mode); APM vol. 2, chapter 4.
 */
#ifndef X86_SEGMENT_H
#define X86_SEGMENT_H

#include "base/host.h"
#include "base/rc.h"
#include "x86/regs.h"

/* Types with s == 0, SDM vol. 3, table 3-2 */
#define SEGTYPE_TSS16 1
#define SEGTYPE_LDT 2
#define SEGTYPE_TSS16_BUSY 3
#define SEGTYPE_CALL16 4
#define SEGTYPE_TASK_GATE 5
#define SEGTYPE_INT16 6
#define SEGTYPE_TRAP16 7
#define SEGTYPE_TSS 9
#define SEGTYPE_TSS_BUSY 11
#define SEGTYPE_CALL 12
#define SEGTYPE_INT 14
#define SEGTYPE_TRAP 15

/* Bits of the type with s == 1, SDM vol. 3, table 3-1 */
#define SEGTYPE_ACCESSED BIT(0)
#define SEGTYPE_WRITE BIT(1)	/* data: writable; code: readable */
#define SEGTYPE_DOWN BIT(2)	/* data: expand down; code: conforming */
#define SEGTYPE_CODE BIT(3)

#define SEL_RPL 3
#define SEL_TI BIT(2)

enum seg_access {
	SEG_READ,
	SEG_WRITE,
	SEG_EXEC,
};

/* ---- descriptors ---- */

/**
 * segment_decode() - the hidden part a descriptor loads
 * @selector: goes into the result
 * @lo: the descriptor's eight bytes
 * @hi: the next eight for LDT and TSS descriptors in long mode, else 0
 */
struct segment segment_decode(u16 selector, u64 lo, u64 hi);

/**
 * segment_encode() - the descriptor's first eight bytes
 *
 * The upper half of a long mode system descriptor is @seg->base >> 32.
 */
u64 segment_encode(const struct segment *seg);

/**
 * segment_ar() - access rights in the VMCS's format (SDM vol. 3, table 25-2)
 *
 * Bits 7:0 and 15:12 are those of a descriptor's second word; 16: unusable.
 */
u32 segment_ar(const struct segment *seg);

/** segment_set_ar() - set everything segment_ar() holds */
void segment_set_ar(struct segment *seg, u32 ar);

/** segment_attrib() - access rights as a VMCB packs them (APM vol. 2, B) */
static inline u16 segment_attrib(const struct segment *seg)
{
	u32 ar = segment_ar(seg);

	return (ar & 0xff) | (ar >> 4 & 0xf00);
}

/** segment_set_attrib() - the inverse; a segment not present is unusable */
void segment_set_attrib(struct segment *seg, u16 attrib);

/** segment_to_kvm() / segment_from_kvm() - the ioctl format */
struct kvm_segment segment_to_kvm(const struct segment *seg);
struct segment segment_from_kvm(const struct kvm_segment *kvm);

/* ---- real mode and virtual-8086 ---- */

/**
 * segment_load_real() - what loading @selector does in real mode
 *
 * Only selector and base change: limit and rights keep what they had.
 */
void segment_load_real(struct segment *seg, u16 selector);

/** segment_load_vm86() - what loading @selector does in virtual-8086 mode */
void segment_load_vm86(struct segment *seg, u16 selector);

/* ---- access ---- */

/** segment_limit_ok() - do @len bytes at @offset lie within the segment */
bool segment_limit_ok(const struct segment *seg, u32 offset, u32 len);

/** segment_type_ok() - does the type allow this access */
bool segment_type_ok(const struct segment *seg, enum seg_access access);

/* An access as an instruction makes it. */
struct seg_ref {
	enum seg sreg;
	enum seg_access access;
	u64 offset;		/* already truncated to the address size */
	u32 len;		/* 1 to 4096 bytes */
};

/**
 * segment_linear() - the linear address of an access
 * @regs: needs RG_CR, RG_SEG and RG_RIP
 * @linear: set when true is returned
 * @f: the exception when false is returned: #SS(0) for SS, else #GP(0)
 *
 * In 64-bit mode only FS and GS have a base and only canonicality is checked.
 * Without long mode addresses wrap at 4 GiB.
 */
bool segment_linear(const struct regs *regs, const struct seg_ref *ref,
		    u64 *linear, struct fault *f);

#endif
