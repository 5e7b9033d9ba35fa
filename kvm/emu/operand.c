// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands of an instruction under execution: registers, memory through
 * segmentation, the stack; and emu_exec(), which runs an instruction between
 * the reading of its operands and the commit.
 *
 * Invariant: c->regs is not touched before the instruction is complete, other
 * than by handlers in their last step. Any caller, no locks.
 */
#include "emu/exec.h"
#include "x86/event.h"

enum emu_rc exec_mem_rc(enum mem_rc rc)
{
	switch (rc) {
	case MEM_OK:
		return EMU_OK;
	case MEM_FAULT:
		return EMU_FAULT;
	case MEM_PENDING:
		return EMU_USER;
	case MEM_RETRY:
		return EMU_RETRY;
	case MEM_ERROR:
		return EMU_ERROR;
	case MEM_MMIO:
		break;
	}
	return EMU_UNHANDLED;
}

enum emu_rc exec_fault_sel(struct emu_ctxt *c, u8 vector, u16 sel)
{
	c->fault = (struct fault){
		.vector = vector,
		.has_error_code = c->mode != MODE_REAL &&
				  vector >= VEC_TS && vector <= VEC_GP,
		.error_code = sel & ~3U,
	};
	return EMU_FAULT;
}

enum emu_rc exec_fault(struct emu_ctxt *c, u8 vector)
{
	return exec_fault_sel(c, vector, 0);
}

u64 gpr_get(const struct emu_ctxt *c, unsigned int nr, unsigned int size)
{
	if (size == 1 && !c->insn.rex && nr >= 4 && nr < 8)
		return c->gpr[nr - 4] >> 8 & 0xff;
	return c->gpr[nr] & mask_bytes(size);
}

void gpr_set(struct emu_ctxt *c, unsigned int nr, u64 v, unsigned int size)
{
	u64 *reg = &c->gpr[nr];

	switch (size) {
	case 1:
		if (!c->insn.rex && nr >= 4 && nr < 8) {
			reg = &c->gpr[nr - 4];
			*reg = (*reg & ~0xff00ULL) | (v & 0xff) << 8;
		} else {
			*reg = (*reg & ~0xffULL) | (v & 0xff);
		}
		break;
	case 2:
		*reg = (*reg & ~0xffffULL) | (v & 0xffff);
		break;
	case 4:
		*reg = (u32)v;
		break;
	default:
		*reg = v;
	}
}

void gpr_add(struct emu_ctxt *c, unsigned int nr, u64 v, unsigned int size)
{
	gpr_set(c, nr, c->gpr[nr] + v, size);
}

u64 operand_ea(const struct emu_ctxt *c)
{
	const struct emu_insn *insn = &c->insn;
	u64 ea = insn->disp;

	if (insn->base != EMU_NO_REG)
		ea += c->gpr[insn->base];
	if (insn->index != EMU_NO_REG)
		ea += c->gpr[insn->index] << insn->scale;
	if (insn->rip_rel)
		ea += c->regs->rip + insn->len;
	return ea & mask_bytes(insn->addr_size);
}

static enum emu_rc seg_fault(struct emu_ctxt *c, u8 seg)
{
	return exec_fault(c, seg == SEG_SS ? VEC_SS : VEC_GP);
}

static enum emu_rc linear_long(struct emu_ctxt *c, struct operand_addr at,
			       unsigned int size, u64 *linear)
{
	unsigned int bits = regs_vaddr_bits(c->regs);
	u64 first = at.ea;

	if (at.seg == SEG_FS || at.seg == SEG_GS)
		first += c->regs->seg[at.seg].base;
	if (!is_canonical(first, bits) ||
	    !is_canonical(first + size - 1, bits) || first + size - 1 < first)
		return seg_fault(c, at.seg);
	*linear = first;
	return EMU_OK;
}

/* May a segment of this type be used so? SDM vol. 3, 5.5 */
static bool type_allows(const struct segment *s, bool write)
{
	bool code = s->type & 8, rw = s->type & 2;

	return write ? !code && rw : !code || rw;
}

enum emu_rc operand_linear(struct emu_ctxt *c, struct operand_addr at,
			   unsigned int size, bool write, u64 *linear)
{
	const struct segment *s = &c->regs->seg[at.seg];
	u64 last = at.ea + size - 1;

	if (emu_long(c))
		return linear_long(c, at, size, linear);
	if (!emu_real_segs(c) && (s->unusable || !s->present))
		return seg_fault(c, at.seg);
	if (!emu_real_segs(c) && !type_allows(s, write))
		return seg_fault(c, at.seg);
	if (!emu_real_segs(c) && (s->type & 0xc) == 4) {	/* expand-down */
		if (at.ea <= s->limit || last > (s->db ? U32_MAX : U16_MAX))
			return seg_fault(c, at.seg);
	} else if (last > s->limit) {
		return seg_fault(c, at.seg);
	}
	*linear = (u32)(s->base + at.ea);
	return EMU_OK;
}

enum emu_rc operand_read_mem(struct emu_ctxt *c, struct operand_addr at,
			     void *buf, unsigned int size, unsigned int acc)
{
	u64 linear;
	enum emu_rc rc = operand_linear(c, at, size, acc & EMU_ACC_WRITE,
					&linear);

	if (rc)
		return rc;
	return exec_mem_rc(c->ops->read(c, linear, buf, size, acc));
}

enum emu_rc operand_write_mem(struct emu_ctxt *c, struct operand_addr at,
			      const void *buf, unsigned int size)
{
	u64 linear;
	enum emu_rc rc = operand_linear(c, at, size, true, &linear);

	if (rc)
		return rc;
	return exec_mem_rc(c->ops->write(c, linear, buf, size, 0));
}

unsigned int stack_size(const struct emu_ctxt *c)
{
	if (emu_long(c))
		return 8;
	return c->regs->seg[SEG_SS].db ? 4 : 2;
}

#define STACK_MAX 8	/* PUSHA */

/*
 * Bytes of @n items at @sp that are accessed at once: what the callbacks take,
 * but an item alone where the stack wraps between two.
 */
static unsigned int stack_part(u64 sp, unsigned int n, unsigned int size,
			       u64 mask)
{
	return sp + n * size - 1 > mask ? size : 16;
}

enum emu_rc stack_push(struct emu_ctxt *c, const u64 *v, unsigned int n,
		       unsigned int size)
{
	unsigned int width = stack_size(c), i, part;
	u64 mask = mask_bytes(width), sp, linear;
	u8 buf[STACK_MAX * 8];
	enum emu_rc rc;

	sp = (c->gpr[R_RSP] - n * size) & mask;
	part = stack_part(sp, n, size, mask);
	for (i = 0; i < n; i++)
		memcpy(buf + i * size, &v[i], size);
	/* None is written where one is beyond the limit. */
	for (i = 0; i < n * size; i += part) {
		rc = operand_linear(c, OPERAND_ADDR(SEG_SS, (sp + i) & mask),
				    min(part, n * size - i), true, &linear);
		if (rc)
			return rc;
	}
	for (i = 0; i < n * size; i += part) {
		rc = operand_write_mem(c,
				       OPERAND_ADDR(SEG_SS, (sp + i) & mask),
				       buf + i, min(part, n * size - i));
		if (rc)
			return rc;
	}
	gpr_set(c, R_RSP, sp, width);
	return EMU_OK;
}

enum emu_rc stack_pop(struct emu_ctxt *c, u64 *v, unsigned int n,
		      unsigned int size)
{
	unsigned int width = stack_size(c), i, part;
	u64 mask = mask_bytes(width), sp = c->gpr[R_RSP] & mask;
	u8 buf[STACK_MAX * 8];
	enum emu_rc rc;

	part = stack_part(sp, n, size, mask);
	for (i = 0; i < n * size; i += part) {
		rc = operand_read_mem(c,
				      OPERAND_ADDR(SEG_SS, (sp + i) & mask),
				      buf + i, min(part, n * size - i), 0);
		if (rc)
			return rc;
	}
	for (i = 0; i < n; i++) {
		v[i] = 0;
		memcpy(&v[i], buf + i * size, size);
	}
	gpr_add(c, R_RSP, n * size, width);
	return EMU_OK;
}

/* Read an operand; those that handlers interpret themselves read as 0. */
static enum emu_rc operand_get(struct emu_ctxt *c, enum emu_operand op,
			       unsigned int acc, u64 *v)
{
	const struct emu_insn *insn = &c->insn;
	unsigned int size = operand_bytes(c, op);

	*v = 0;
	switch (operand_class(op)) {
	case OC_E:
		if (insn->mem)
			return operand_read_mem(c, OPERAND_MODRM(c), v, size,
						acc);
		fallthrough;
	case OC_R:
		*v = gpr_get(c, insn->rm, size);
		break;
	case OC_O:
		return operand_read_mem(c, OPERAND_MODRM(c), v, size, acc);
	case OC_G:
		*v = gpr_get(c, insn->reg, size);
		break;
	case OC_Z:
		*v = gpr_get(c, (insn->opcode & 7) | (insn->rex & 1) << 3, size);
		break;
	case OC_ACC:
		*v = c->gpr[R_RAX] & mask_bytes(size);
		break;
	case OC_I:
		*v = insn->imm;
		break;
	case OC_J:
		*v = c->rip + insn->imm;
		break;
	case OC_M:
		*v = c->ea;
		break;
	case OC_CL:
		*v = c->gpr[R_RCX] & 0xff;
		break;
	case OC_DX:
		*v = c->gpr[R_RDX] & 0xffff;
		break;
	case OC_ONE:
		*v = 1;
		break;
	default:
		break;
	}
	return EMU_OK;
}

/* A bit offset in a register reaches beyond the operand in memory. */
static void apply_bit_offset(struct emu_ctxt *c)
{
	s64 offset = (s64)sign_extend_bytes(c->src, c->size);

	if (c->insn.mem)
		c->ea += (offset >> (c->size == 8 ? 6 : c->size == 4 ? 5 : 4)) *
			 c->size;
	c->ea &= mask_bytes(c->insn.addr_size);
}

enum emu_rc operand_fetch(struct emu_ctxt *c)
{
	const struct emu_row *row = c->insn.row;
	unsigned int acc = row->flags & DW ? EMU_ACC_WRITE : 0;
	enum emu_rc rc;

	if (c->insn.mem)
		c->ea = operand_ea(c);
	else if (operand_class(row->op[0]) == OC_O ||
		 operand_class(row->op[1]) == OC_O)
		c->ea = c->insn.disp & mask_bytes(c->insn.addr_size);
	c->size = operand_bytes(c, row->op[0]);
	c->src_size = operand_bytes(c, row->op[1]);

	rc = operand_get(c, row->op[1], 0, &c->src);
	if (!rc)
		rc = operand_get(c, row->op[2], 0, &c->src2);
	if (rc)
		return rc;
	if (row->flags & BIT_OFF)
		apply_bit_offset(c);
	if (row->flags & DR)
		rc = operand_get(c, row->op[0], acc, &c->dst);
	c->dst_old = c->dst;
	return rc;
}

enum emu_rc operand_swap(struct emu_ctxt *c, u64 linear,
			 const struct emu_swap *swap)
{
	enum emu_rc rc;
	u8 old[16];

	memcpy(old, swap->old, swap->size);
	rc = exec_mem_rc(emu_cmpxchg(c, linear, swap));
	if (!rc && memcmp(old, swap->old, swap->size))
		rc = EMU_RETRY;
	return rc;
}

/* Write memory so that nobody can come between the read and the write. */
static enum emu_rc store_locked(struct emu_ctxt *c)
{
	const struct emu_swap swap = {
		.old = &c->dst_old, .new = &c->dst, .size = c->size,
	};
	u64 linear;
	enum emu_rc rc = operand_linear(c, OPERAND_MODRM(c), c->size, true,
					&linear);

	return rc ? rc : operand_swap(c, linear, &swap);
}

enum emu_rc operand_store(struct emu_ctxt *c)
{
	const struct emu_insn *insn = &c->insn;
	enum operand_class class = operand_class(insn->row->op[0]);
	u32 rmw = insn->row->flags & RMW;

	switch (class) {
	case OC_E:
		if (insn->mem && rmw == RMW && insn->prefixes & EMU_PFX_LOCK)
			return store_locked(c);
		if (insn->mem)
			return operand_write_mem(c, OPERAND_MODRM(c), &c->dst,
						 c->size);
		fallthrough;
	case OC_R:
		gpr_set(c, insn->rm, c->dst, c->size);
		break;
	case OC_O:
		return operand_write_mem(c, OPERAND_MODRM(c), &c->dst, c->size);
	case OC_G:
		gpr_set(c, insn->reg, c->dst, c->size);
		break;
	case OC_Z:
		gpr_set(c, (insn->opcode & 7) | (insn->rex & 1) << 3, c->dst,
			c->size);
		break;
	case OC_ACC:
		gpr_set(c, R_RAX, c->dst, c->size);
		break;
	default:
		return EMU_UNHANDLED;
	}
	return EMU_OK;
}

/*
 * Between two iterations of a repetition RF is set, whatever comes there: its
 * breakpoint was met before the first. SDM vol. 3, 18.3.1.1
 */
static void commit(struct emu_ctxt *c)
{
	u64 resume = c->again ? RFLAGS_RF : 0;

	memcpy(c->regs->gpr, c->gpr, sizeof(c->gpr));
	c->regs->rip = c->rip;
	c->regs->rflags = c->rflags | resume | RFLAGS_FIXED;
	regs_touch(c->regs, RG_GPR | RG_RIP);
}

enum emu_rc emu_exec(struct emu_ctxt *c)
{
	const struct emu_row *row = c->insn.row;
	enum emu_rc rc;

	if (!row || !row->exec)
		return EMU_UNHANDLED;
	memcpy(c->gpr, c->regs->gpr, sizeof(c->gpr));
	c->rflags = c->regs->rflags & ~RFLAGS_RF;
	c->rip = c->regs->rip + c->insn.len;
	if (!emu_long(c))
		c->rip = (u32)c->rip;
	c->shadow = 0;
	c->halted = c->iret = c->again = c->no_writeback = false;
	c->dst = c->src = c->src2 = 0;

	if (row->flags & PV && regs_cpl(c->regs))
		return exec_fault(c, VEC_GP);
	rc = operand_fetch(c);
	if (!rc)
		rc = row->exec(c);
	if (!rc && row->flags & DW && !c->no_writeback)
		rc = operand_store(c);
	/* Iterations that are finished count also if the next one has to wait. */
	if (!rc || c->again)
		commit(c);
	return rc;
}
