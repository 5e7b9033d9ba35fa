// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic, logic, shifts, bit operations, compare-and-exchange.
 *
 * The handlers that have a counterpart in alu_asm.h are one line each; what
 * is written out here is what needs more than two operands, can raise #DE, or
 * leaves the destination alone. No state besides the context; no locks.
 */
#include "base/div.h"
#include "emu/alu_asm.h"
#include "emu/exec.h"
#include "x86/event.h"

#define EXEC_BINARY(name)						\
enum emu_rc exec_##name(struct emu_ctxt *c)				\
{									\
	c->dst = alu_##name(c->dst, c->src, c->size, &c->rflags);	\
	return EMU_OK;							\
}

#define EXEC_UNARY(name)						\
enum emu_rc exec_##name(struct emu_ctxt *c)				\
{									\
	c->dst = alu_##name(c->dst, c->size, &c->rflags);		\
	return EMU_OK;							\
}

EXEC_BINARY(add)
EXEC_BINARY(or)
EXEC_BINARY(adc)
EXEC_BINARY(sbb)
EXEC_BINARY(and)
EXEC_BINARY(sub)
EXEC_BINARY(xor)
EXEC_UNARY(inc)
EXEC_UNARY(dec)
EXEC_UNARY(neg)
EXEC_BINARY(rol)
EXEC_BINARY(ror)
EXEC_BINARY(rcl)
EXEC_BINARY(rcr)
EXEC_BINARY(shl)
EXEC_BINARY(shr)
EXEC_BINARY(sar)

enum emu_rc exec_cmp(struct emu_ctxt *c)
{
	alu_sub(c->dst, c->src, c->size, &c->rflags);
	return EMU_OK;
}

enum emu_rc exec_test(struct emu_ctxt *c)
{
	alu_and(c->dst, c->src, c->size, &c->rflags);
	return EMU_OK;
}

enum emu_rc exec_not(struct emu_ctxt *c)
{
	c->dst = ~c->dst;
	return EMU_OK;
}

#define EXEC_DOUBLE(name)						\
enum emu_rc exec_##name(struct emu_ctxt *c)				\
{									\
	struct alu_double v = { .d = c->dst, .s = c->src,		\
				.count = c->src2 };			\
									\
	c->dst = alu_##name(v, c->size, &c->rflags);			\
	return EMU_OK;							\
}

EXEC_DOUBLE(shld)
EXEC_DOUBLE(shrd)

/* Bit instructions: the offset counts modulo the operand's width. */
#define EXEC_BIT(name)							\
enum emu_rc exec_##name(struct emu_ctxt *c)				\
{									\
	c->src &= c->size * 8 - 1;					\
	c->dst = alu_##name(c->dst, c->src, c->size, &c->rflags);	\
	return EMU_OK;							\
}

EXEC_BIT(bt)
EXEC_BIT(bts)
EXEC_BIT(btr)
EXEC_BIT(btc)

/* A source of 0 leaves the destination as it is: all of it. */
#define EXEC_SCAN(name)							\
enum emu_rc exec_##name(struct emu_ctxt *c)				\
{									\
	c->dst = alu_##name(c->dst, c->src, c->size, &c->rflags);	\
	c->no_writeback = c->src == 0;					\
	return EMU_OK;							\
}

EXEC_SCAN(bsf)
EXEC_SCAN(bsr)

static void set_flag(struct emu_ctxt *c, u64 flag, bool on)
{
	c->rflags = on ? c->rflags | flag : c->rflags & ~flag;
}

static enum emu_rc count_result(struct emu_ctxt *c, unsigned int n)
{
	set_flag(c, RFLAGS_CF, c->src == 0);
	set_flag(c, RFLAGS_ZF, n == 0);
	c->dst = n;
	return EMU_OK;
}

enum emu_rc exec_tzcnt(struct emu_ctxt *c)
{
	return count_result(c, c->src ? __ffs(c->src) : c->size * 8U);
}

enum emu_rc exec_lzcnt(struct emu_ctxt *c)
{
	return count_result(c, c->size * 8 - fls64(c->src));
}

enum emu_rc exec_popcnt(struct emu_ctxt *c)
{
	c->rflags &= ~RFLAGS_ARITH;
	set_flag(c, RFLAGS_ZF, c->src == 0);
	c->dst = hweight64(c->src);
	return EMU_OK;
}

/* The double-width product or dividend: AX, or rDX:rAX. */
static void acc_set(struct emu_ctxt *c, u64 hi, u64 lo)
{
	if (c->size == 1) {
		gpr_set(c, R_RAX, (hi & 0xff) << 8 | (lo & 0xff), 2);
		return;
	}
	gpr_set(c, R_RAX, lo, c->size);
	gpr_set(c, R_RDX, hi, c->size);
}

static u64 acc_hi(const struct emu_ctxt *c)
{
	u64 v = c->size == 1 ? c->gpr[R_RAX] >> 8 : c->gpr[R_RDX];

	return v & mask_bytes(c->size);
}

static u64 acc_lo(const struct emu_ctxt *c)
{
	return c->gpr[R_RAX] & mask_bytes(c->size);
}

/* MUL and IMUL: CF and OF tell that the high half is needed. */
static void set_overflow(struct emu_ctxt *c, bool on)
{
	set_flag(c, RFLAGS_CF | RFLAGS_OF, on);
}

enum emu_rc exec_mul(struct emu_ctxt *c)
{
	u128 product = (u128)acc_lo(c) * c->dst;
	u64 hi = product >> (c->size * 8);

	acc_set(c, hi, product);
	set_overflow(c, hi != 0);
	return EMU_OK;
}

enum emu_rc exec_imul(struct emu_ctxt *c)
{
	s64 a = sign_extend_bytes(acc_lo(c), c->size);
	s64 b = sign_extend_bytes(c->dst, c->size);
	s128 product = (s128)a * b;
	s64 lo = sign_extend_bytes((u64)product, c->size);

	acc_set(c, product >> (c->size * 8), product);
	set_overflow(c, product != lo);
	return EMU_OK;
}

/* IMUL with two and three operands. */
enum emu_rc exec_imul2(struct emu_ctxt *c)
{
	c->dst = alu_imul(c->src, c->src2, c->size, &c->rflags);
	return EMU_OK;
}

/*
 * Divide rDX:rAX as magnitudes. Fails when the quotient has more than the
 * operand's bits; *lo becomes the quotient, *hi the remainder.
 */
static bool divide(unsigned int size, u64 *hi, u64 *lo, u64 by)
{
	if (*hi >= by)
		return false;
	if (size < 8) {
		*lo |= *hi << (size * 8);
		*hi = 0;
	}
	alu_div128(hi, lo, by);
	return true;
}

enum emu_rc exec_div(struct emu_ctxt *c)
{
	u64 hi = acc_hi(c), lo = acc_lo(c);

	if (!divide(c->size, &hi, &lo, c->dst))
		return exec_fault(c, VEC_DE);
	acc_set(c, hi, lo);
	return EMU_OK;
}

enum emu_rc exec_idiv(struct emu_ctxt *c)
{
	u64 mask = mask_bytes(c->size), sign = mask ^ (mask >> 1);
	u64 hi = acc_hi(c), lo = acc_lo(c), by = c->dst;
	bool neg_a = hi & sign, neg_b = by & sign;

	if (neg_a) {
		lo = -lo & mask;
		hi = (~hi + !lo) & mask;
	}
	if (neg_b)
		by = -by & mask;
	if (!divide(c->size, &hi, &lo, by))
		return exec_fault(c, VEC_DE);
	/* the most negative quotient has no positive twin */
	if (lo > (neg_a != neg_b ? sign : sign - 1))
		return exec_fault(c, VEC_DE);
	acc_set(c, neg_a ? -hi : hi, neg_a != neg_b ? -lo : lo);
	return EMU_OK;
}

enum emu_rc exec_xadd(struct emu_ctxt *c)
{
	u64 old = c->dst;

	c->dst = alu_add(c->dst, c->src, c->size, &c->rflags);
	gpr_set(c, c->insn.reg, old, c->size);
	return EMU_OK;
}

/*
 * A failed comparison writes memory back as well, so that it sees a write in
 * either case, but leaves a register alone, bits 32 to 63 included. The
 * accumulator is written only then.
 */
enum emu_rc exec_cmpxchg(struct emu_ctxt *c)
{
	u64 old = c->dst;

	alu_sub(acc_lo(c), old, c->size, &c->rflags);
	if (c->rflags & RFLAGS_ZF) {
		c->dst = c->src;
	} else {
		gpr_set(c, R_RAX, old, c->size);
		c->no_writeback = !c->insn.mem;
	}
	return EMU_OK;
}

/* CMPXCHG8B, CMPXCHG16B */
enum emu_rc exec_cmpxchg8b(struct emu_ctxt *c)
{
	unsigned int half = c->insn.op_size == 8 ? 8 : 4;
	u64 old[2] = { 0, 0 }, new[2], linear;
	u8 was[16], want[16];
	enum emu_rc rc;
	bool equal;

	rc = operand_linear(c, OPERAND_MODRM(c), half * 2, true, &linear);
	if (rc)
		return rc;
	if (half == 8 && linear & 15)
		return exec_fault(c, VEC_GP);
	rc = exec_mem_rc(c->ops->read(c, linear, was, half * 2, EMU_ACC_WRITE));
	if (rc)
		return rc;
	memcpy(&old[0], was, half);
	memcpy(&old[1], was + half, half);

	equal = old[0] == gpr_get(c, R_RAX, half) &&
		old[1] == gpr_get(c, R_RDX, half);
	new[0] = equal ? c->gpr[R_RBX] : old[0];
	new[1] = equal ? c->gpr[R_RCX] : old[1];
	memcpy(want, &new[0], half);
	memcpy(want + half, &new[1], half);

	if (c->insn.prefixes & EMU_PFX_LOCK)
		rc = operand_swap(c, linear, &(struct emu_swap){
			.old = was, .new = want, .size = half * 2,
		});
	else
		rc = exec_mem_rc(c->ops->write(c, linear, want, half * 2, 0));
	if (rc)
		return rc;
	set_flag(c, RFLAGS_ZF, equal);
	if (!equal) {
		gpr_set(c, R_RAX, old[0], half);
		gpr_set(c, R_RDX, old[1], half);
	}
	return EMU_OK;
}

/* SF, ZF and PF of the byte in AL; OF is undefined. */
static void flags_of_al(struct emu_ctxt *c)
{
	u64 keep = c->rflags & (RFLAGS_CF | RFLAGS_AF);

	alu_and(c->gpr[R_RAX], 0xff, 1, &c->rflags);
	c->rflags = (c->rflags & ~(RFLAGS_CF | RFLAGS_AF)) | keep;
}

/* DAA and DAS: @sign is 1 or -1 */
static enum emu_rc decimal_adjust(struct emu_ctxt *c, int sign)
{
	u8 al = c->gpr[R_RAX], old = al;
	bool cf = c->rflags & RFLAGS_CF, old_cf = cf;
	bool low = (al & 15) > 9 || c->rflags & RFLAGS_AF;
	bool high = old > 0x99 || old_cf;

	if (low) {
		/* DAS keeps the borrow of its first step, DAA cannot carry */
		cf = old_cf || (sign < 0 ? al < 6 : al > 0xf9);
		al += sign * 6;
	}
	if (high) {
		al += sign * 0x60;
		cf = true;
	} else if (sign > 0) {
		cf = false;
	}
	c->gpr[R_RAX] = (c->gpr[R_RAX] & ~0xffULL) | al;
	set_flag(c, RFLAGS_CF, cf);
	set_flag(c, RFLAGS_AF, low);
	flags_of_al(c);
	return EMU_OK;
}

enum emu_rc exec_daa(struct emu_ctxt *c)
{
	return decimal_adjust(c, 1);
}

enum emu_rc exec_das(struct emu_ctxt *c)
{
	return decimal_adjust(c, -1);
}

/* AAA and AAS */
static enum emu_rc ascii_adjust(struct emu_ctxt *c, int sign)
{
	u16 ax = c->gpr[R_RAX];
	bool adjust = (ax & 15) > 9 || c->rflags & RFLAGS_AF;

	if (adjust)
		ax += sign * 0x106;
	gpr_set(c, R_RAX, ax & 0xff0f, 2);
	set_flag(c, RFLAGS_CF | RFLAGS_AF, adjust);
	return EMU_OK;
}

enum emu_rc exec_aaa(struct emu_ctxt *c)
{
	return ascii_adjust(c, 1);
}

enum emu_rc exec_aas(struct emu_ctxt *c)
{
	return ascii_adjust(c, -1);
}

enum emu_rc exec_aam(struct emu_ctxt *c)
{
	u8 al = c->gpr[R_RAX], base = c->insn.imm;

	if (!base)
		return exec_fault(c, VEC_DE);
	gpr_set(c, R_RAX, div_by(al, base) << 8 | div_mod(al, base), 2);
	flags_of_al(c);
	return EMU_OK;
}

enum emu_rc exec_aad(struct emu_ctxt *c)
{
	u16 ax = c->gpr[R_RAX];

	gpr_set(c, R_RAX, (u8)((ax & 0xff) + (ax >> 8) * c->insn.imm), 2);
	flags_of_al(c);
	return EMU_OK;
}
