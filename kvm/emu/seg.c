// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading segment registers: descriptor fetch, checks, the accessed bit.
 *
 * SDM vol. 3, 3.4.5, 3.5 and 5.4 to 5.6. Checks come first and may fault;
 * the register file is written as the last step, except that the accessed or
 * busy bit in the table is set before, as processors do.
 *
 * Tables are read with supervisor rights whatever the CPL. No locks.
 */
#include "emu/exec.h"

#define DESC_TYPE_BYTE 5	/* of the descriptor: type, S, DPL, P */

#define TYPE_CODE 8
#define TYPE_CONFORMING 4	/* code */
#define TYPE_RW 2		/* data: writable; code: readable */
#define TYPE_LDT 2
#define TYPE_TSS_BUSY 2		/* this bit of a TSS type */

static bool sel_null(u16 sel)
{
	return !(sel & ~3U);
}

static struct segment seg_decode(u64 desc, u16 sel)
{
	struct segment s = {
		.base = bits_get(desc, 39, 16) | bits_get(desc, 63, 56) << 24,
		.limit = bits_get(desc, 15, 0) | bits_get(desc, 51, 48) << 16,
		.selector = sel,
		.type = bits_get(desc, 43, 40),
		.s = bits_get(desc, 44, 44),
		.dpl = bits_get(desc, 46, 45),
		.present = bits_get(desc, 47, 47),
		.avl = bits_get(desc, 52, 52),
		.l = bits_get(desc, 53, 53),
		.db = bits_get(desc, 54, 54),
		.g = bits_get(desc, 55, 55),
	};

	if (s.g)
		s.limit = s.limit << 12 | 0xfff;
	return s;
}

/* Linear address of the descriptor's @size bytes, checked against the limit. */
static enum emu_rc desc_address(struct emu_ctxt *c, u16 sel, unsigned int size,
				u64 *linear)
{
	const struct segment *ldt = &c->regs->seg[SEG_LDTR];
	u64 base = c->regs->gdt.base;
	u32 limit = c->regs->gdt.limit, at = sel & ~7U;

	if (sel & 4) {
		if (ldt->unusable)
			return exec_fault_sel(c, VEC_GP, sel);
		base = ldt->base;
		limit = ldt->limit;
	}
	if (at + size - 1 > limit)
		return exec_fault_sel(c, VEC_GP, sel);
	*linear = base + at;
	if (!(c->regs->efer & EFER_LMA_BIT))
		*linear = (u32)*linear;
	return EMU_OK;
}

static enum emu_rc desc_read(struct emu_ctxt *c, u16 sel, u64 *desc)
{
	enum emu_rc rc;
	u64 linear;

	rc = desc_address(c, sel, 8, &linear);
	if (!rc)
		rc = exec_mem_rc(c->ops->read(c, linear, desc, 8,
					      EMU_ACC_IMPLICIT));
	return rc;
}

/*
 * Set @bits in the type of a descriptor, in the table and in @s: locked, as
 * others may set theirs, and only if it still is what was checked.
 */
static enum emu_rc desc_mark(struct emu_ctxt *c, struct segment *s, u8 bits)
{
	u8 old = s->type | s->s << 4 | s->dpl << 5 | s->present << 7;
	u8 new = old | bits;
	const struct emu_swap swap = {
		.old = &old, .new = &new, .size = 1, .acc = EMU_ACC_IMPLICIT,
	};
	enum emu_rc rc;
	u64 linear;

	if (old == new)
		return EMU_OK;
	s->type |= bits;
	rc = desc_address(c, s->selector, 8, &linear);
	return rc ? rc : operand_swap(c, linear + DESC_TYPE_BYTE, &swap);
}

static void seg_commit(struct emu_ctxt *c, enum seg seg,
		       const struct segment *s)
{
	c->regs->seg[seg] = *s;
	regs_touch(c->regs, RG_SEG);
}

/* A null selector: the register cannot be used (SDM vol. 3, 5.4.1). */
static struct segment seg_null(const struct emu_ctxt *c, enum seg seg, u16 sel)
{
	struct segment s = { .selector = sel, .unusable = 1 };

	/* AMD leaves the hidden base as it is */
	if (c->amd && (seg == SEG_FS || seg == SEG_GS))
		s.base = c->regs->seg[seg].base;
	return s;
}

static enum emu_rc load_paragraph(struct emu_ctxt *c, enum seg seg, u16 sel)
{
	struct segment s = c->regs->seg[seg];

	/* real mode keeps the limit that protected mode left behind */
	s.selector = sel;
	s.base = (u32)sel << 4;
	if (c->mode == MODE_VM86) {
		s = (struct segment){
			.selector = sel, .base = (u32)sel << 4,
			.limit = 0xffff, .type = 3, .s = 1, .dpl = 3,
			.present = 1,
		};
	}
	s.unusable = 0;
	seg_commit(c, seg, &s);
	return EMU_OK;
}

static enum emu_rc load_null(struct emu_ctxt *c, enum seg seg, u16 sel)
{
	struct segment s = seg_null(c, seg, sel);

	if (seg == SEG_SS) {
		unsigned int cpl = regs_cpl(c->regs);

		if (!emu_long(c) || cpl == 3 || (sel & 3) != cpl)
			return exec_fault(c, VEC_GP);
		s.dpl = cpl;	/* where the CPL is kept */
	}
	seg_commit(c, seg, &s);
	return EMU_OK;
}

enum emu_rc seg_check_stack(struct emu_ctxt *c, u16 sel, unsigned int cpl,
			    struct segment *out)
{
	enum emu_rc rc;
	u64 desc;

	if (sel_null(sel))
		return exec_fault(c, VEC_GP);
	rc = desc_read(c, sel, &desc);
	if (rc)
		return rc;
	*out = seg_decode(desc, sel);
	if ((sel & 3) != cpl || out->dpl != cpl || !out->s ||
	    out->type & TYPE_CODE || !(out->type & TYPE_RW))
		return exec_fault_sel(c, VEC_GP, sel);
	if (!out->present)
		return exec_fault_sel(c, VEC_SS, sel);
	return desc_mark(c, out, 1);
}

static enum emu_rc check_data(struct emu_ctxt *c, u16 sel, struct segment *out)
{
	unsigned int level = max(regs_cpl(c->regs), sel & 3U);
	bool conforming;
	enum emu_rc rc;
	u64 desc;

	rc = desc_read(c, sel, &desc);
	if (rc)
		return rc;
	*out = seg_decode(desc, sel);
	conforming = out->type & TYPE_CODE && out->type & TYPE_CONFORMING;
	if (!out->s || (out->type & (TYPE_CODE | TYPE_RW)) == TYPE_CODE ||
	    (!conforming && out->dpl < level))
		return exec_fault_sel(c, VEC_GP, sel);
	if (!out->present)
		return exec_fault_sel(c, VEC_NP, sel);
	return desc_mark(c, out, 1);
}

enum emu_rc seg_load(struct emu_ctxt *c, enum seg seg, u16 sel)
{
	struct segment s;
	enum emu_rc rc;

	if (emu_real_segs(c))
		return load_paragraph(c, seg, sel);
	if (sel_null(sel))
		return load_null(c, seg, sel);
	if (seg == SEG_SS)
		rc = seg_check_stack(c, sel, regs_cpl(c->regs), &s);
	else
		rc = check_data(c, sel, &s);
	if (!rc)
		seg_commit(c, seg, &s);
	return rc;
}

enum emu_rc seg_check_code(struct emu_ctxt *c, u16 sel, unsigned int cpl,
			   bool ret, struct segment *out)
{
	unsigned int rpl = sel & 3;
	bool allowed;
	enum emu_rc rc;
	u64 desc;

	if (emu_real_segs(c)) {
		*out = c->regs->seg[SEG_CS];
		out->selector = sel;
		out->base = (u32)sel << 4;
		return EMU_OK;
	}
	if (sel_null(sel))
		return exec_fault(c, VEC_GP);
	rc = desc_read(c, sel, &desc);
	if (rc)
		return rc;
	*out = seg_decode(desc, sel);
	/* gates and task switches are not done here */
	if (!out->s && !ret)
		return EMU_UNHANDLED;
	if (!out->s || !(out->type & TYPE_CODE))
		return exec_fault_sel(c, VEC_GP, sel);
	if (out->type & TYPE_CONFORMING)
		allowed = out->dpl <= (ret ? rpl : cpl);
	else
		allowed = ret ? out->dpl == rpl : rpl <= cpl && out->dpl == cpl;
	if (!allowed)
		return exec_fault_sel(c, VEC_GP, sel);
	if (c->regs->efer & EFER_LMA_BIT && out->l && out->db)
		return exec_fault_sel(c, VEC_GP, sel);
	if (!out->present)
		return exec_fault_sel(c, VEC_NP, sel);
	rc = desc_mark(c, out, 1);
	out->selector = (sel & ~3U) | (ret ? rpl : cpl);
	return rc;
}

enum emu_rc seg_load_system(struct emu_ctxt *c, enum seg seg, u16 sel)
{
	bool wide = c->regs->efer & EFER_LMA_BIT;
	u64 desc[2] = { 0, 0 }, linear;
	struct segment s;
	enum emu_rc rc;
	bool type_ok;

	if (sel_null(sel)) {
		if (seg == SEG_TR)
			return exec_fault(c, VEC_GP);
		s = (struct segment){ .selector = sel, .unusable = 1 };
		seg_commit(c, seg, &s);
		return EMU_OK;
	}
	if (sel & 4)
		return exec_fault_sel(c, VEC_GP, sel);
	rc = desc_address(c, sel, wide ? 16 : 8, &linear);
	if (!rc)
		rc = exec_mem_rc(c->ops->read(c, linear, desc, wide ? 16 : 8,
					      EMU_ACC_IMPLICIT));
	if (rc)
		return rc;
	s = seg_decode(desc[0], sel);
	s.base |= desc[1] << 32;
	if (seg == SEG_TR)	/* an available TSS, of 16 bits outside IA-32e */
		type_ok = s.type == 9 || (s.type == 1 && !wide);
	else
		type_ok = s.type == TYPE_LDT;
	if (s.s || !type_ok)
		return exec_fault_sel(c, VEC_GP, sel);
	if (!s.present)
		return exec_fault_sel(c, VEC_NP, sel);
	if (wide && !is_canonical(s.base, regs_vaddr_bits(c->regs)))
		return exec_fault_sel(c, VEC_GP, sel);
	if (seg == SEG_TR)
		rc = desc_mark(c, &s, TYPE_TSS_BUSY);
	if (!rc)
		seg_commit(c, seg, &s);
	return rc;
}
