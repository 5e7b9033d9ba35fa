// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control flow: near and far jumps, calls and returns, loops, IRET, and
 * software interrupts of real mode.
 *
 * Far transfers reach code segments at the same privilege level, and outer
 * ones by RETF and IRET. Not done, and reported as EMU_UNHANDLED: call gates,
 * task gates and task switches, IRET to virtual-8086 mode, INT n through a
 * protected-mode IDT.
 *
 * Order: everything that can fail, then the stack, then CS and SS. No locks.
 */
#include "emu/exec.h"
#include "x86/event.h"

static enum emu_rc check_target(struct emu_ctxt *c, const struct segment *cs,
				u64 rip)
{
	bool wide = c->regs->efer & EFER_LMA_BIT && cs->l;

	if (wide ? !is_canonical(rip, regs_vaddr_bits(c->regs)) :
		   rip > cs->limit)
		return exec_fault(c, VEC_GP);
	return EMU_OK;
}

enum emu_rc exec_branch(struct emu_ctxt *c, u64 target, unsigned int size)
{
	enum emu_rc rc;

	target &= mask_bytes(size);
	rc = check_target(c, &c->regs->seg[SEG_CS], target);
	if (!rc)
		c->rip = target;
	return rc;
}

enum emu_rc exec_jmp(struct emu_ctxt *c)
{
	return exec_branch(c, c->dst, c->insn.op_size);
}

enum emu_rc exec_jcc(struct emu_ctxt *c)
{
	return exec_condition(c->rflags, c->insn.opcode) ? exec_jmp(c) : EMU_OK;
}

enum emu_rc exec_call(struct emu_ctxt *c)
{
	u64 back = c->rip;
	enum emu_rc rc = exec_jmp(c);

	return rc ? rc : stack_push(c, &back, 1, c->insn.op_size);
}

enum emu_rc exec_ret(struct emu_ctxt *c)
{
	enum emu_rc rc;
	u64 target;

	rc = stack_pop(c, &target, 1, c->insn.op_size);
	if (rc)
		return rc;
	gpr_add(c, R_RSP, c->insn.imm, stack_size(c));
	return exec_branch(c, target, c->insn.op_size);
}

/* E0 LOOPNE, E1 LOOPE, E2 LOOP */
enum emu_rc exec_loop(struct emu_ctxt *c)
{
	unsigned int width = c->insn.addr_size;
	bool zf = c->rflags & RFLAGS_ZF, go;

	gpr_add(c, R_RCX, -1ULL, width);
	go = c->gpr[R_RCX] & mask_bytes(width);
	if (c->insn.opcode != 0xe2)
		go = go && zf == (c->insn.opcode == 0xe1);
	return go ? exec_jmp(c) : EMU_OK;
}

enum emu_rc exec_jcxz(struct emu_ctxt *c)
{
	if (c->gpr[R_RCX] & mask_bytes(c->insn.addr_size))
		return EMU_OK;
	return exec_jmp(c);
}

/* The far pointer of the instruction, immediate or in memory. */
static enum emu_rc far_pointer(struct emu_ctxt *c, u64 *rip, u16 *sel)
{
	unsigned int size = c->insn.op_size;
	enum emu_rc rc;
	u8 buf[10];

	if (!c->insn.mem) {
		*rip = c->insn.imm & mask_bytes(size);
		*sel = c->insn.imm2;
		return EMU_OK;
	}
	rc = operand_read_mem(c, OPERAND_MODRM(c), buf, size + 2, 0);
	if (rc)
		return rc;
	*rip = 0;
	memcpy(rip, buf, size);
	memcpy(sel, buf + size, 2);
	return EMU_OK;
}

static void commit_code(struct emu_ctxt *c, const struct segment *cs, u64 rip)
{
	c->regs->seg[SEG_CS] = *cs;
	c->rip = rip;
	regs_touch(c->regs, RG_SEG);
}

/* Where a far jump or call goes, checked. */
static enum emu_rc far_target(struct emu_ctxt *c, struct segment *cs, u64 *rip)
{
	enum emu_rc rc;
	u16 sel;

	rc = far_pointer(c, rip, &sel);
	if (!rc)
		rc = seg_check_code(c, sel, regs_cpl(c->regs), false, cs);
	return rc ? rc : check_target(c, cs, *rip);
}

enum emu_rc exec_jmp_far(struct emu_ctxt *c)
{
	struct segment cs;
	enum emu_rc rc;
	u64 rip;

	rc = far_target(c, &cs, &rip);
	if (!rc)
		commit_code(c, &cs, rip);
	return rc;
}

enum emu_rc exec_call_far(struct emu_ctxt *c)
{
	u64 frame[2] = { c->rip, c->regs->seg[SEG_CS].selector };
	struct segment cs;
	enum emu_rc rc;
	u64 rip;

	rc = far_target(c, &cs, &rip);
	if (!rc)
		rc = stack_push(c, frame, 2, c->insn.op_size);
	if (!rc)
		commit_code(c, &cs, rip);
	return rc;
}

/* After a return to @cpl: what that level may not use becomes null. */
static void drop_inner_segments(struct emu_ctxt *c, unsigned int cpl)
{
	static const u8 segs[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		struct segment *s = &c->regs->seg[segs[i]];

		if (s->unusable || s->dpl >= cpl || (s->type & 0xc) == 0xc)
			continue;
		*s = (struct segment){ .unusable = 1 };
	}
}

/* SS of a return to level @cpl; 64-bit mode allows a null one below 3. */
static enum emu_rc return_stack(struct emu_ctxt *c, u16 sel, unsigned int cpl,
				const struct segment *cs, struct segment *ss)
{
	if (!(sel & ~3U) && c->regs->efer & EFER_LMA_BIT && cs->l && cpl < 3 &&
	    (sel & 3U) == cpl) {
		*ss = (struct segment){ .selector = sel, .dpl = cpl,
					.unusable = 1 };
		return EMU_OK;
	}
	return seg_check_stack(c, sel, cpl, ss);
}

/*
 * The common part of RETF and IRET. frame[] holds RIP, CS and, for IRET,
 * RFLAGS; @release bytes of arguments follow on the stack.
 */
static enum emu_rc far_return(struct emu_ctxt *c, const u64 *frame,
			      u64 release, bool pop_stack)
{
	unsigned int cpl = regs_cpl(c->regs), rpl = frame[1] & 3;
	struct segment cs, ss;
	enum emu_rc rc;
	u64 stack[2];

	if (!emu_real_segs(c) && rpl < cpl)
		return exec_fault_sel(c, VEC_GP, frame[1]);
	rc = seg_check_code(c, frame[1], cpl, true, &cs);
	if (!rc)
		rc = check_target(c, &cs, frame[0]);
	if (rc)
		return rc;
	gpr_add(c, R_RSP, release, stack_size(c));
	if (emu_real_segs(c) || (rpl == cpl && !pop_stack)) {
		commit_code(c, &cs, frame[0]);
		return EMU_OK;
	}

	rc = stack_pop(c, stack, 2, c->insn.op_size);
	if (!rc)
		rc = return_stack(c, stack[1], rpl, &cs, &ss);
	if (rc)
		return rc;
	if (c->regs->efer & EFER_LMA_BIT && cs.l)
		c->gpr[R_RSP] = stack[0];
	else
		gpr_set(c, R_RSP, stack[0], ss.db ? 4 : 2);
	/* the caller's stack holds the arguments as well */
	gpr_add(c, R_RSP, release, cs.l ? 8 : ss.db ? 4 : 2);
	commit_code(c, &cs, frame[0]);
	c->regs->seg[SEG_SS] = ss;
	if (rpl > cpl)
		drop_inner_segments(c, rpl);
	return EMU_OK;
}

enum emu_rc exec_ret_far(struct emu_ctxt *c)
{
	enum emu_rc rc;
	u64 frame[2];

	rc = stack_pop(c, frame, 2, c->insn.op_size);
	return rc ? rc : far_return(c, frame, c->insn.imm, false);
}

/* SDM vol. 2, IRET: which flags the popped image replaces. */
static u64 iret_flags(const struct emu_ctxt *c)
{
	u64 change = RFLAGS_ARITH | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT;
	unsigned int cpl = regs_cpl(c->regs);

	if (c->insn.op_size > 2)
		change |= RFLAGS_RF | RFLAGS_AC | RFLAGS_ID;
	if (cpl <= bits_get(c->rflags, 13, 12))
		change |= RFLAGS_IF;
	if (cpl == 0) {
		change |= RFLAGS_IOPL;
		if (c->insn.op_size > 2 && !emu_real_segs(c))
			change |= RFLAGS_VIF | RFLAGS_VIP;
	}
	return change;
}

enum emu_rc exec_iret(struct emu_ctxt *c)
{
	u64 frame[3], change = iret_flags(c);
	enum emu_rc rc;

	if (c->mode == MODE_VM86 && bits_get(c->rflags, 13, 12) < 3)
		return c->regs->cr4 & CR4_VME ? EMU_UNHANDLED :
		       exec_fault(c, VEC_GP);
	if (!emu_real_segs(c) && c->rflags & RFLAGS_NT)
		return emu_long(c) ? exec_fault(c, VEC_GP) : EMU_UNHANDLED;
	rc = stack_pop(c, frame, 3, c->insn.op_size);
	if (rc)
		return rc;
	if (!emu_real_segs(c) && !(c->regs->efer & EFER_LMA_BIT) &&
	    c->insn.op_size > 2 && frame[2] & RFLAGS_VM &&
	    !regs_cpl(c->regs))
		return EMU_UNHANDLED;
	rc = far_return(c, frame, 0, emu_long(c));
	if (rc)
		return rc;
	c->rflags = (c->rflags & ~change) | (frame[2] & change);
	c->iret = true;
	return EMU_OK;
}

/* Through the vector table of real mode, SDM vol. 3, 21.1.4. */
static enum emu_rc software_interrupt(struct emu_ctxt *c, u8 vector)
{
	const struct dtable *idt = &c->regs->idt;
	u64 frame[3] = { c->rip, c->regs->seg[SEG_CS].selector, c->rflags };
	struct segment cs;
	enum emu_rc rc;
	u16 entry[2];

	if (c->mode != MODE_REAL)
		return EMU_UNHANDLED;
	if (vector * 4 + 3 > idt->limit)
		return exec_fault(c, VEC_GP);
	rc = exec_mem_rc(c->ops->read(c, (u32)(idt->base + vector * 4), entry,
				      4, EMU_ACC_IMPLICIT));
	if (!rc)
		rc = seg_check_code(c, entry[1], 0, false, &cs);
	if (!rc)
		rc = check_target(c, &cs, entry[0]);
	if (!rc)
		rc = stack_push(c, frame, 3, 2);
	if (rc)
		return rc;
	c->rflags &= ~(RFLAGS_IF | RFLAGS_TF | RFLAGS_AC);
	commit_code(c, &cs, entry[0]);
	return EMU_OK;
}

enum emu_rc exec_int(struct emu_ctxt *c)
{
	return software_interrupt(c, c->insn.imm);
}

enum emu_rc exec_int3(struct emu_ctxt *c)
{
	return software_interrupt(c, VEC_BP);
}

enum emu_rc exec_into(struct emu_ctxt *c)
{
	if (!(c->rflags & RFLAGS_OF))
		return EMU_OK;
	return software_interrupt(c, VEC_OF);
}

enum emu_rc exec_bound(struct emu_ctxt *c)
{
	unsigned int size = c->insn.op_size;
	u64 low = 0, high = 0;
	enum emu_rc rc;
	u8 buf[16];
	s64 v;

	rc = operand_read_mem(c, OPERAND_MODRM(c), buf, size * 2, 0);
	if (rc)
		return rc;
	memcpy(&low, buf, size);
	memcpy(&high, buf + size, size);
	v = sign_extend_bytes(c->dst, size);
	if (v < (s64)sign_extend_bytes(low, size) ||
	    v > (s64)sign_extend_bytes(high, size))
		return exec_fault(c, VEC_BR);
	return EMU_OK;
}
