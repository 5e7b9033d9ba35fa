// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory types by MTRRs, as mtrr.h tells. Owns nothing.
 *
 * Values passed mtrr_value_valid() when they were written, except that masks
 * may have holes: those are legal, and such a range is not contiguous.
 */
#include "x86/mtrr.h"

#define MTRR_ADDR GENMASK_ULL(51, 12)
#define MTRR_FIXED_END 0x100000ULL

static_assert(sizeof(struct mtrr_regs) == (16 + 11 + 1) * sizeof(u64),
	      "as the slots of struct msr_file lie");

/* Eight types at once: none above 6, nor 2 or 3. */
static bool mtrr_fixed_valid(u64 val)
{
	const u64 each = 0x0101010101010101ULL;
	u64 bit0 = val & each, bit1 = (val >> 1) & each, bit2 = (val >> 2) & each;

	return !((val & each * 0xf8) | (bit1 & ~bit2) | (bit0 & bit1));
}

bool mtrr_value_valid(u32 index, u64 val, u64 gpa_reserved)
{
	if (index == 0x2ff)
		return mtrr_type_valid(val) &&
		       !(val & ~(MTRR_DEF_E | MTRR_DEF_FE | 0xffULL));
	if (index >= 0x250)
		return mtrr_fixed_valid(val);
	if (index & 1)
		return !(val & (gpa_reserved | 0x7ffULL));
	return mtrr_type_valid(val) && !(val & (gpa_reserved | 0xf00ULL));
}

static enum mem_type mtrr_fixed(const struct mtrr_regs *regs, u64 gpa)
{
	unsigned int n;		/* the byte of fix[] */

	if (gpa < 0x80000)
		n = gpa >> 16;
	else if (gpa < 0xc0000)
		n = 8 + ((gpa - 0x80000) >> 14);
	else
		n = 24 + ((gpa - 0xc0000) >> 12);
	return regs->fix[n / 8] >> (8 * (n % 8)) & 0xff;
}

/* Two ranges that overlap: SDM vol. 3, 12.11.4.1. */
static enum mem_type mtrr_combine(enum mem_type a, enum mem_type b)
{
	if (a == b)
		return a;
	if ((a == MEMTYPE_WT && b == MEMTYPE_WB) ||
	    (a == MEMTYPE_WB && b == MEMTYPE_WT))
		return MEMTYPE_WT;
	return MEMTYPE_UC;
}

enum mem_type mtrr_type(const struct mtrr_regs *regs, struct gpa gpa)
{
	enum mem_type type = MEMTYPE_WB;
	bool found = false;
	int i;

	if (!(regs->def & MTRR_DEF_E))
		return MEMTYPE_UC;
	if ((regs->def & MTRR_DEF_FE) && gpa.v < MTRR_FIXED_END)
		return mtrr_fixed(regs, gpa.v);
	for (i = 0; i < MTRR_VAR_COUNT; i++) {
		const struct mtrr_var *var = &regs->var[i];
		u64 mask = var->mask & MTRR_ADDR;
		enum mem_type own = var->base & 0xff;

		if (!(var->mask & MTRR_MASK_VALID) ||
		    ((gpa.v ^ var->base) & mask))
			continue;
		type = found ? mtrr_combine(type, own) : own;
		found = true;
	}
	return found ? type : (enum mem_type)(regs->def & 0xff);
}

bool mtrr_uniform(const struct mtrr_regs *regs, struct gpa gpa, u64 size)
{
	u64 inside = (size - 1) & MTRR_ADDR;
	int i;

	if (!(regs->def & MTRR_DEF_E))
		return true;
	if ((regs->def & MTRR_DEF_FE) && gpa.v < MTRR_FIXED_END)
		return size == PAGE_SIZE;
	for (i = 0; i < MTRR_VAR_COUNT; i++) {
		const struct mtrr_var *var = &regs->var[i];
		u64 mask = var->mask & MTRR_ADDR;

		/* a range boundary within the page: some of it matches */
		if ((var->mask & MTRR_MASK_VALID) && (mask & inside) &&
		    !((gpa.v ^ var->base) & mask & ~inside))
			return false;
	}
	return true;
}
