/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory types by MTRRs: SDM vol. 3, 12.11; APM vol. 2, 7.7.
 *
 * Pure functions. The registers live in the vCPU's struct msr_file, which
 * hands them out as a struct mtrr_regs (msr_mtrrs()). They decide nothing
 * while guest memory is ordinary host memory; with a device assigned whose DMA
 * is not coherent the second-level tables follow them.
 */
#ifndef X86_MTRR_H
#define X86_MTRR_H

#include "base/host.h"
#include "base/types.h"

#define MTRR_VAR_COUNT 8

enum mem_type {
	MEMTYPE_UC = 0,
	MEMTYPE_WC = 1,
	MEMTYPE_WT = 4,
	MEMTYPE_WP = 5,
	MEMTYPE_WB = 6,
};

/* IA32_MTRR_DEF_TYPE; bit 11 of an IA32_MTRR_PHYSMASK: valid */
#define MTRR_DEF_FE BIT_ULL(10)
#define MTRR_DEF_E BIT_ULL(11)
#define MTRR_MASK_VALID BIT_ULL(11)

struct mtrr_var {
	u64 base;
	u64 mask;
};

struct mtrr_regs {
	struct mtrr_var var[MTRR_VAR_COUNT];
	u64 fix[11];		/* 64K; 16K, two; 4K, eight */
	u64 def;
};

/** mtrr_type_valid() - is @type one of the five that MTRRs may name */
static inline bool mtrr_type_valid(u8 type)
{
	return type == MEMTYPE_UC || type == MEMTYPE_WC || type == MEMTYPE_WT ||
	       type == MEMTYPE_WP || type == MEMTYPE_WB;
}

/**
 * mtrr_value_valid() - may MSR @index be written with @val
 * @index: one of the MTRRs' (0x200-0x20f, 0x250-0x26f, 0x2ff)
 * @gpa_reserved: struct cr_limits' field
 */
bool mtrr_value_valid(u32 index, u64 val, u64 gpa_reserved);

/** mtrr_type() - the memory type of @gpa */
enum mem_type mtrr_type(const struct mtrr_regs *regs, struct gpa gpa);

/**
 * mtrr_uniform() - has the whole of a page one type
 * @gpa: aligned to @size, a power of two of at least 4 KiB
 */
bool mtrr_uniform(const struct mtrr_regs *regs, struct gpa gpa, u64 size);

#endif
