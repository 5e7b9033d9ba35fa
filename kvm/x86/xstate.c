// SPDX-License-Identifier: GPL-2.0-only
/*
 * XSAVE area arithmetic, as xstate.h tells. Owns nothing.
 *
 * Sizes and offsets may come from a VMM's CPUID and be nonsense: sums are
 * cut to 32 bits and never used to address memory here.
 */
#include "x86/xstate.h"

#define XSTATE_BV 512
#define XCOMP_BV 520
#define XSTATE_RESERVED 528
#define XSTATE_MXCSR 24

void xstate_layout_set(struct xstate_layout *layout, u32 index,
		       const u32 out[4])
{
	if (index < 2 || index >= XSTATE_COMPONENTS)
		return;
	index = array_index_nospec(index, XSTATE_COMPONENTS);
	layout->comp[index] = (struct xstate_comp){
		.size = out[0],
		.offset = out[1],
		.supervisor = out[2] & BIT(0),
		.align = out[2] & BIT(1),
	};
}

u32 xstate_size(const struct xstate_layout *layout, u64 components)
{
	u32 size = XSTATE_MIN;
	int i;

	for (i = 2; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_comp *comp = &layout->comp[i];

		if ((components >> i & 1) && comp->size && !comp->supervisor)
			size = max(size, comp->offset + comp->size);
	}
	return size;
}

u32 xstate_size_compact(const struct xstate_layout *layout, u64 components)
{
	u32 size = XSTATE_MIN;
	int i;

	for (i = 2; i < XSTATE_COMPONENTS; i++) {
		const struct xstate_comp *comp = &layout->comp[i];

		if (!(components >> i & 1))
			continue;
		if (comp->align)
			size = ALIGN(size, 64);
		size += comp->size;
	}
	return size;
}

static u64 xstate_u64(const u8 *area, u32 offset)
{
	u64 val;

	memcpy(&val, area + offset, sizeof(val));
	return val;
}

bool xstate_image_ok(const u8 *area, u32 size, u64 supported, u32 mxcsr_mask)
{
	u32 i, mxcsr;

	if (size < XSTATE_MIN)
		return false;
	memcpy(&mxcsr, area + XSTATE_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~mxcsr_mask)
		return false;
	if ((xstate_u64(area, XSTATE_BV) & ~supported) ||
	    xstate_u64(area, XCOMP_BV))
		return false;
	for (i = XSTATE_RESERVED; i < XSTATE_MIN; i += 8)
		if (xstate_u64(area, i))
			return false;
	return true;
}
