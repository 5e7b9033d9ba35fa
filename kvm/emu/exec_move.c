// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves, the stack, flags, segment registers, SSE moves to and from memory.
 * No state besides the context; no locks.
 */
#include "emu/exec.h"
#include "x86/event.h"

enum emu_rc exec_nop(struct emu_ctxt *c)
{
	return EMU_OK;
}

/* Also MOVZX: operands are read with zeros above them. */
enum emu_rc exec_mov(struct emu_ctxt *c)
{
	c->dst = c->src;
	return EMU_OK;
}

enum emu_rc exec_movsx(struct emu_ctxt *c)
{
	c->dst = sign_extend_bytes(c->src, c->src_size);
	return EMU_OK;
}

static u64 swap_bytes(u64 v, unsigned int size)
{
	return __builtin_bswap64(v) >> (64 - 8 * size);
}

enum emu_rc exec_movbe(struct emu_ctxt *c)
{
	c->dst = swap_bytes(c->src, c->size);
	return EMU_OK;
}

/* With a 16-bit operand the result is undefined; processors give 0. */
enum emu_rc exec_bswap(struct emu_ctxt *c)
{
	c->dst = c->size == 2 ? 0 : swap_bytes(c->dst, c->size);
	return EMU_OK;
}

/* Locked without being told when it goes to memory. */
enum emu_rc exec_xchg(struct emu_ctxt *c)
{
	u64 old = c->dst;

	c->insn.prefixes |= EMU_PFX_LOCK;
	c->dst = c->src;
	gpr_set(c, c->insn.reg, old, c->size);
	return EMU_OK;
}

/* 90 is NOP, or PAUSE, not an exchange of EAX with itself. */
enum emu_rc exec_xchg_acc(struct emu_ctxt *c)
{
	u64 old = c->dst;

	if (c->insn.opcode == 0x90 && !(c->insn.rex & 1)) {
		c->no_writeback = true;
		return EMU_OK;
	}
	c->dst = c->src;
	gpr_set(c, R_RAX, old, c->size);
	return EMU_OK;
}

bool exec_condition(u64 rflags, unsigned int cc)
{
	bool less = !(rflags & RFLAGS_SF) != !(rflags & RFLAGS_OF);
	bool met;

	switch (cc >> 1 & 7) {
	case 0:
		met = rflags & RFLAGS_OF;
		break;
	case 1:
		met = rflags & RFLAGS_CF;
		break;
	case 2:
		met = rflags & RFLAGS_ZF;
		break;
	case 3:
		met = rflags & (RFLAGS_CF | RFLAGS_ZF);
		break;
	case 4:
		met = rflags & RFLAGS_SF;
		break;
	case 5:
		met = rflags & RFLAGS_PF;
		break;
	case 6:
		met = less;
		break;
	default:
		met = less || rflags & RFLAGS_ZF;
	}
	return met != (cc & 1);
}

/* The destination is written in either case: 32 bits clear those above. */
enum emu_rc exec_cmov(struct emu_ctxt *c)
{
	if (exec_condition(c->rflags, c->insn.opcode))
		c->dst = c->src;
	return EMU_OK;
}

enum emu_rc exec_setcc(struct emu_ctxt *c)
{
	c->dst = exec_condition(c->rflags, c->insn.opcode);
	return EMU_OK;
}

enum emu_rc exec_lea(struct emu_ctxt *c)
{
	c->dst = c->src;
	return EMU_OK;
}

/* CBW, CWDE, CDQE */
enum emu_rc exec_cbw(struct emu_ctxt *c)
{
	c->dst = sign_extend_bytes(c->gpr[R_RAX], c->size / 2);
	return EMU_OK;
}

/* CWD, CDQ, CQO */
enum emu_rc exec_cwd(struct emu_ctxt *c)
{
	gpr_set(c, R_RDX, (s64)sign_extend_bytes(c->dst, c->size) < 0 ? ~0ULL : 0,
		c->size);
	return EMU_OK;
}

enum emu_rc exec_xlat(struct emu_ctxt *c)
{
	u64 ea = c->gpr[R_RBX] + (c->gpr[R_RAX] & 0xff);

	ea &= mask_bytes(c->insn.addr_size);
	return operand_read_mem(c, OPERAND_ADDR(c->insn.seg, ea), &c->dst, 1, 0);
}

/* Not in the manuals' tables: AL becomes CF in all bits. */
enum emu_rc exec_salc(struct emu_ctxt *c)
{
	gpr_set(c, R_RAX, c->rflags & RFLAGS_CF ? 0xff : 0, 1);
	return EMU_OK;
}

enum emu_rc exec_push(struct emu_ctxt *c)
{
	unsigned int size = c->insn.op_size;

	return stack_push(c, &c->dst, 1, size);
}

/* An address with rSP in it is that after the pop. */
enum emu_rc exec_pop(struct emu_ctxt *c)
{
	enum emu_rc rc = stack_pop(c, &c->dst, 1, c->insn.op_size);

	if (c->insn.mem)
		c->ea = operand_ea(c);
	return rc;
}

/* Lowest address first: DI, SI, BP, SP, BX, DX, CX, AX */
enum emu_rc exec_pusha(struct emu_ctxt *c)
{
	u64 v[8];
	unsigned int i;

	for (i = 0; i < 8; i++)
		v[i] = c->gpr[R_RDI - i];
	return stack_push(c, v, 8, c->insn.op_size);
}

enum emu_rc exec_popa(struct emu_ctxt *c)
{
	unsigned int i, size = c->insn.op_size;
	enum emu_rc rc;
	u64 v[8];

	rc = stack_pop(c, v, 8, size);
	for (i = 0; !rc && i < 8; i++)
		if (R_RDI - i != R_RSP)
			gpr_set(c, R_RDI - i, v[i], size);
	return rc;
}

static unsigned int iopl(const struct emu_ctxt *c)
{
	return bits_get(c->rflags, 13, 12);
}

enum emu_rc exec_pushf(struct emu_ctxt *c)
{
	u64 v = c->rflags & ~(RFLAGS_RF | RFLAGS_VM);

	if (c->mode == MODE_VM86 && iopl(c) < 3)
		return c->regs->cr4 & CR4_VME ? EMU_UNHANDLED :
		       exec_fault(c, VEC_GP);
	return stack_push(c, &v, 1, c->insn.op_size);
}

/* SDM vol. 2, POPF: what may be changed at which privilege. */
enum emu_rc exec_popf(struct emu_ctxt *c)
{
	u64 change = RFLAGS_ARITH | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT, v;
	unsigned int cpl = regs_cpl(c->regs);
	enum emu_rc rc;

	if (c->mode == MODE_VM86 && iopl(c) < 3)
		return c->regs->cr4 & CR4_VME ? EMU_UNHANDLED :
		       exec_fault(c, VEC_GP);
	rc = stack_pop(c, &v, 1, c->insn.op_size);
	if (rc)
		return rc;
	if (c->insn.op_size > 2)
		change |= RFLAGS_AC | RFLAGS_ID;
	if (cpl == 0)
		change |= RFLAGS_IOPL;
	if (cpl <= iopl(c))
		change |= RFLAGS_IF;
	c->rflags = (c->rflags & ~change) | (v & change);
	return EMU_OK;
}

/* SDM vol. 2, ENTER; the frame pointers come before the final check. */
enum emu_rc exec_enter(struct emu_ctxt *c)
{
	unsigned int level = c->insn.imm2 & 31, size = c->insn.op_size, i;
	unsigned int width = stack_size(c);
	u64 bp = c->gpr[R_RBP], frame, v;
	enum emu_rc rc;

	rc = stack_push(c, &bp, 1, size);
	frame = c->gpr[R_RSP];
	for (i = 1; !rc && i < level; i++) {
		bp = (bp - size) & mask_bytes(width);
		v = 0;
		rc = operand_read_mem(c, OPERAND_ADDR(SEG_SS, bp), &v, size, 0);
		if (!rc)
			rc = stack_push(c, &v, 1, size);
	}
	if (!rc && level)
		rc = stack_push(c, &frame, 1, size);
	if (rc)
		return rc;
	gpr_set(c, R_RBP, frame, size);
	gpr_add(c, R_RSP, -c->insn.imm, width);
	return EMU_OK;
}

enum emu_rc exec_leave(struct emu_ctxt *c)
{
	enum emu_rc rc;
	u64 bp;

	gpr_set(c, R_RSP, c->gpr[R_RBP], stack_size(c));
	rc = stack_pop(c, &bp, 1, c->insn.op_size);
	if (!rc)
		gpr_set(c, R_RBP, bp, c->insn.op_size);
	return rc;
}

/* The segment register that PUSH and POP name in the opcode. */
static enum seg opcode_seg(const struct emu_ctxt *c)
{
	return c->insn.opcode >> 3 & 7;
}

enum emu_rc exec_push_seg(struct emu_ctxt *c)
{
	u64 v = c->regs->seg[opcode_seg(c)].selector;

	return stack_push(c, &v, 1, c->insn.op_size);
}

enum emu_rc exec_pop_seg(struct emu_ctxt *c)
{
	enum seg seg = opcode_seg(c);
	enum emu_rc rc;
	u64 v;

	rc = stack_pop(c, &v, 1, c->insn.op_size);
	if (rc)
		return rc;
	if (seg == SEG_SS)
		c->shadow = SHADOW_MOV_SS;
	return seg_load(c, seg, v);
}

enum emu_rc exec_mov_from_seg(struct emu_ctxt *c)
{
	unsigned int seg = c->insn.reg & 7;

	if (seg > SEG_GS)
		return exec_fault(c, VEC_UD);
	c->dst = c->regs->seg[array_index_nospec(seg, SEG_COUNT)].selector;
	return EMU_OK;
}

enum emu_rc exec_mov_to_seg(struct emu_ctxt *c)
{
	unsigned int seg = c->insn.reg & 7;

	if (seg > SEG_GS || seg == SEG_CS)
		return exec_fault(c, VEC_UD);
	if (seg == SEG_SS)
		c->shadow = SHADOW_MOV_SS;
	return seg_load(c, array_index_nospec(seg, SEG_COUNT), c->src);
}

/* LES, LDS, LSS, LFS, LGS: the register is ours to write before the segment. */
enum emu_rc exec_lds(struct emu_ctxt *c)
{
	unsigned int size = c->insn.op_size;
	enum emu_rc rc;
	enum seg seg;
	u8 buf[10];
	u16 sel;

	if (c->insn.map == EMU_MAP_0F)
		seg = c->insn.opcode & 7;
	else
		seg = c->insn.opcode == 0xc4 ? SEG_ES : SEG_DS;
	rc = operand_read_mem(c, OPERAND_MODRM(c), buf, size + 2, 0);
	if (rc)
		return rc;
	c->dst = 0;
	memcpy(&c->dst, buf, size);
	memcpy(&sel, buf + size, 2);
	return seg_load(c, seg, sel);
}

#define LAHF_FLAGS \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF)

enum emu_rc exec_lahf(struct emu_ctxt *c)
{
	u64 ah = (c->rflags & LAHF_FLAGS) | RFLAGS_FIXED;

	c->gpr[R_RAX] = (c->gpr[R_RAX] & ~0xff00ULL) | ah << 8;
	return EMU_OK;
}

enum emu_rc exec_sahf(struct emu_ctxt *c)
{
	c->rflags &= ~LAHF_FLAGS;
	c->rflags |= c->gpr[R_RAX] >> 8 & LAHF_FLAGS;
	return EMU_OK;
}

enum emu_rc exec_clc(struct emu_ctxt *c)
{
	c->rflags &= ~RFLAGS_CF;
	return EMU_OK;
}

enum emu_rc exec_stc(struct emu_ctxt *c)
{
	c->rflags |= RFLAGS_CF;
	return EMU_OK;
}

enum emu_rc exec_cmc(struct emu_ctxt *c)
{
	c->rflags ^= RFLAGS_CF;
	return EMU_OK;
}

enum emu_rc exec_cld(struct emu_ctxt *c)
{
	c->rflags &= ~RFLAGS_DF;
	return EMU_OK;
}

enum emu_rc exec_std(struct emu_ctxt *c)
{
	c->rflags |= RFLAGS_DF;
	return EMU_OK;
}

/*
 * Which flag CLI and STI work on: IF, or VIF where virtual interrupts are on
 * (SDM vol. 3, 21.3 and 21.4); 0 if neither may be touched.
 */
static u64 interrupt_flag(const struct emu_ctxt *c)
{
	unsigned int cpl = regs_cpl(c->regs);

	if (cpl <= iopl(c))
		return RFLAGS_IF;
	if (c->mode == MODE_VM86)
		return c->regs->cr4 & CR4_VME ? RFLAGS_VIF : 0;
	return cpl == 3 && c->regs->cr4 & CR4_PVI ? RFLAGS_VIF : 0;
}

enum emu_rc exec_cli(struct emu_ctxt *c)
{
	u64 flag = interrupt_flag(c);

	if (!flag)
		return exec_fault(c, VEC_GP);
	c->rflags &= ~flag;
	return EMU_OK;
}

enum emu_rc exec_sti(struct emu_ctxt *c)
{
	u64 flag = interrupt_flag(c);

	if (!flag || (flag == RFLAGS_VIF && c->rflags & RFLAGS_VIP))
		return exec_fault(c, VEC_GP);
	if (flag == RFLAGS_IF && !(c->rflags & RFLAGS_IF))
		c->shadow = SHADOW_STI;
	c->rflags |= flag;
	return EMU_OK;
}

/* May SSE be used? SDM vol. 3, table 14-2 */
static enum emu_rc sse_check(struct emu_ctxt *c)
{
	if (c->regs->cr0 & CR0_EM || !(c->regs->cr4 & CR4_OSFXSR))
		return exec_fault(c, VEC_UD);
	if (c->regs->cr0 & CR0_TS)
		return exec_fault(c, VEC_NM);
	return EMU_OK;
}

static enum emu_rc sse_align(struct emu_ctxt *c, unsigned int size)
{
	enum emu_rc rc;
	u64 linear;

	if (!(c->insn.row->flags & ALGN))
		return EMU_OK;
	rc = operand_linear(c, OPERAND_MODRM(c), size, false, &linear);
	if (!rc && linear & (size - 1))
		rc = exec_fault(c, VEC_GP);
	return rc;
}

/* Register to register is done for whole registers only. */
enum emu_rc exec_sse_load(struct emu_ctxt *c)
{
	unsigned int size = c->src_size;
	enum emu_rc rc = sse_check(c);
	u8 data[16] = { 0 };

	if (rc)
		return rc;
	if (!c->insn.mem) {
		if (size != 16)
			return EMU_UNHANDLED;
		c->ops->xmm(c, c->insn.rm, data, false);
	} else {
		rc = sse_align(c, size);
		if (!rc)
			rc = operand_read_mem(c, OPERAND_MODRM(c), data, size,
					      0);
		if (rc)
			return rc;
	}
	c->ops->xmm(c, c->insn.reg, data, true);
	return EMU_OK;
}

enum emu_rc exec_sse_store(struct emu_ctxt *c)
{
	enum emu_rc rc = sse_check(c);
	unsigned int size = c->size;
	u8 data[16];

	if (rc)
		return rc;
	if (!c->insn.mem && size != 16)
		return EMU_UNHANDLED;
	if (c->insn.mem)
		rc = sse_align(c, size);
	if (rc)
		return rc;
	c->ops->xmm(c, c->insn.reg, data, false);
	if (c->insn.mem)
		return operand_write_mem(c, OPERAND_MODRM(c), data, size);
	c->ops->xmm(c, c->insn.rm, data, true);
	return EMU_OK;
}

/* The source of MOVD and of MMX moves: memory, or a general register. */
static enum emu_rc movd_source(struct emu_ctxt *c, u64 *v)
{
	*v = 0;
	if (c->insn.mem)
		return operand_read_mem(c, OPERAND_MODRM(c), v, c->src_size, 0);
	*v = gpr_get(c, c->insn.rm, c->src_size);
	return EMU_OK;
}

enum emu_rc exec_movd_load(struct emu_ctxt *c)
{
	enum emu_rc rc = sse_check(c);
	u64 data[2] = { 0, 0 };

	if (!rc)
		rc = movd_source(c, &data[0]);
	if (!rc)
		c->ops->xmm(c, c->insn.reg, data, true);
	return rc;
}

enum emu_rc exec_movd_store(struct emu_ctxt *c)
{
	enum emu_rc rc = sse_check(c);
	u64 data[2];

	if (rc)
		return rc;
	c->ops->xmm(c, c->insn.reg, data, false);
	c->dst = data[0];
	return EMU_OK;
}

/* SDM vol. 3, table 14-1. MOVQ between two MMX registers is no need here. */
static enum emu_rc mmx_check(struct emu_ctxt *c)
{
	if (c->regs->cr0 & CR0_EM)
		return exec_fault(c, VEC_UD);
	if (c->regs->cr0 & CR0_TS)
		return exec_fault(c, VEC_NM);
	return c->insn.mem || (c->insn.opcode & 0xf) == 0xe ? EMU_OK :
							      EMU_UNHANDLED;
}

enum emu_rc exec_mmx_load(struct emu_ctxt *c)
{
	enum emu_rc rc = mmx_check(c);
	u64 v;

	if (!rc)
		rc = movd_source(c, &v);
	return rc ? rc : c->ops->mmx(c, c->insn.reg & 7, &v, true);
}

enum emu_rc exec_mmx_store(struct emu_ctxt *c)
{
	enum emu_rc rc = mmx_check(c);

	return rc ? rc : c->ops->mmx(c, c->insn.reg & 7, &c->dst, false);
}

/* SDM vol. 3, table 14-1; neither looks for an exception that waits. */
static enum emu_rc x87_word(struct emu_ctxt *c, bool status)
{
	if (c->regs->cr0 & (CR0_EM | CR0_TS))
		return exec_fault(c, VEC_NM);
	c->dst = c->ops->x87(c, status);
	return EMU_OK;
}

enum emu_rc exec_fnstcw(struct emu_ctxt *c)
{
	return x87_word(c, false);
}

enum emu_rc exec_fnstsw(struct emu_ctxt *c)
{
	return x87_word(c, true);
}
