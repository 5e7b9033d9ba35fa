/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic on the host's own ALU, so that results and flags are those of an
 * x86 processor and need no second description here.
 *
 * Flags travel in AX: LAHF and SAHF move SF, ZF, AF, PF and CF through AH;
 * SETO takes OF to AL, and adding 7Fh to an AL of 0 or 1 brings it back.
 * Nothing is pushed, so a red zone is safe.
 *
 * Each function takes operands of @size 1, 2, 4 or 8 bytes and the guest's
 * RFLAGS, of which it changes the six arithmetic flags as the instruction
 * does. What the instruction leaves undefined is what the host does. Bits of
 * the result above @size are undefined.
 */
#ifndef EMU_ALU_ASM_H
#define EMU_ALU_ASM_H

#include "emu/exec.h"

#define ALU_AH_FLAGS \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF)

static inline u32 alu_pack(u64 rflags)
{
	return (rflags & ALU_AH_FLAGS) << 8 | (rflags & RFLAGS_OF ? 1 : 0);
}

static inline u64 alu_unpack(u64 rflags, u32 ax)
{
	rflags &= ~RFLAGS_ARITH;
	rflags |= ax >> 8 & ALU_AH_FLAGS;
	return ax & 1 ? rflags | RFLAGS_OF : rflags;
}

#define ALU_BEFORE "addb $0x7f, %%al\n\tsahf\n\t"
#define ALU_AFTER "\n\tseto %%al\n\tlahf"

#define ALU_ASM(code, d, ax, ...)					\
	asm(ALU_BEFORE code ALU_AFTER					\
	    : [d] "+&r" (d), "+&a" (ax) : __VA_ARGS__ : "cc")

/* op d */
#define ALU_UNARY(name)							\
static inline u64 alu_##name(u64 d, unsigned int size, u64 *rflags)	\
{									\
	u32 ax = alu_pack(*rflags);					\
									\
	switch (size) {							\
	case 1: ALU_ASM(#name "b %b[d]", d, ax); break;			\
	case 2: ALU_ASM(#name "w %w[d]", d, ax); break;			\
	case 4: ALU_ASM(#name "l %k[d]", d, ax); break;			\
	default: ALU_ASM(#name "q %q[d]", d, ax); break;		\
	}								\
	*rflags = alu_unpack(*rflags, ax);				\
	return d;							\
}

/* op s, d; sizes from 2 */
#define ALU_WIDE(name)							\
static inline u64 alu_##name(u64 d, u64 s, unsigned int size, u64 *rflags) \
{									\
	u32 ax = alu_pack(*rflags);					\
									\
	switch (size) {							\
	case 2: ALU_ASM(#name "w %w[s], %w[d]", d, ax, [s] "r" (s)); break; \
	case 4: ALU_ASM(#name "l %k[s], %k[d]", d, ax, [s] "r" (s)); break; \
	default: ALU_ASM(#name "q %q[s], %q[d]", d, ax, [s] "r" (s)); break; \
	}								\
	*rflags = alu_unpack(*rflags, ax);				\
	return d;							\
}

/* op s, d */
#define ALU_BINARY(name)						\
static inline u64 alu_##name(u64 d, u64 s, unsigned int size, u64 *rflags) \
{									\
	u32 ax = alu_pack(*rflags);					\
									\
	switch (size) {							\
	case 1: ALU_ASM(#name "b %b[s], %b[d]", d, ax, [s] "r" (s)); break; \
	case 2: ALU_ASM(#name "w %w[s], %w[d]", d, ax, [s] "r" (s)); break; \
	case 4: ALU_ASM(#name "l %k[s], %k[d]", d, ax, [s] "r" (s)); break; \
	default: ALU_ASM(#name "q %q[s], %q[d]", d, ax, [s] "r" (s)); break; \
	}								\
	*rflags = alu_unpack(*rflags, ax);				\
	return d;							\
}

/* op cl, d */
#define ALU_SHIFT(name)							\
static inline u64 alu_##name(u64 d, u8 n, unsigned int size, u64 *rflags) \
{									\
	u32 ax = alu_pack(*rflags);					\
									\
	switch (size) {							\
	case 1: ALU_ASM(#name "b %%cl, %b[d]", d, ax, "c" (n)); break;	\
	case 2: ALU_ASM(#name "w %%cl, %w[d]", d, ax, "c" (n)); break;	\
	case 4: ALU_ASM(#name "l %%cl, %k[d]", d, ax, "c" (n)); break;	\
	default: ALU_ASM(#name "q %%cl, %q[d]", d, ax, "c" (n)); break;	\
	}								\
	*rflags = alu_unpack(*rflags, ax);				\
	return d;							\
}

/* op cl, s, d: the values of two operands and a count in one struct */
struct alu_double {
	u64 d, s;
	u8 count;
};

#define ALU_DOUBLE(name)						\
static inline u64 alu_##name(struct alu_double v, unsigned int size,	\
			     u64 *rflags)				\
{									\
	u32 ax = alu_pack(*rflags);					\
	u64 d = v.d;							\
									\
	switch (size) {							\
	case 2:								\
		ALU_ASM(#name "w %%cl, %w[s], %w[d]", d, ax,		\
			[s] "r" (v.s), "c" (v.count));			\
		break;							\
	case 4:								\
		ALU_ASM(#name "l %%cl, %k[s], %k[d]", d, ax,		\
			[s] "r" (v.s), "c" (v.count));			\
		break;							\
	default:							\
		ALU_ASM(#name "q %%cl, %q[s], %q[d]", d, ax,		\
			[s] "r" (v.s), "c" (v.count));			\
		break;							\
	}								\
	*rflags = alu_unpack(*rflags, ax);				\
	return d;							\
}

ALU_BINARY(add)
ALU_BINARY(or)
ALU_BINARY(adc)
ALU_BINARY(sbb)
ALU_BINARY(and)
ALU_BINARY(sub)
ALU_BINARY(xor)
ALU_UNARY(inc)
ALU_UNARY(dec)
ALU_UNARY(neg)
ALU_SHIFT(rol)
ALU_SHIFT(ror)
ALU_SHIFT(rcl)
ALU_SHIFT(rcr)
ALU_SHIFT(shl)
ALU_SHIFT(shr)
ALU_SHIFT(sar)
ALU_DOUBLE(shld)
ALU_DOUBLE(shrd)
ALU_WIDE(imul)
ALU_WIDE(bt)
ALU_WIDE(bts)
ALU_WIDE(btr)
ALU_WIDE(btc)
ALU_WIDE(bsf)
ALU_WIDE(bsr)

/**
 * alu_div128() - *hi:*lo by @by; quotient to *lo, remainder to *hi
 *
 * The quotient must fit: *hi < @by.
 */
static inline void alu_div128(u64 *hi, u64 *lo, u64 by)
{
	asm("divq %[by]" : "+a" (*lo), "+d" (*hi) : [by] "r" (by) : "cc");
}

#endif
