/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bit arithmetic shared by the architecture models: operand masks, sign
 * extension, canonical addresses.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include "base/host.h"

/** mask_bytes() - ones in the low @bytes bytes; @bytes is 1 to 8 */
static inline u64 mask_bytes(unsigned int bytes)
{
	return ~0ULL >> (64 - 8 * bytes);
}

/** sign_extend_bytes() - @v as a signed number of @bytes bytes, to 64 bits */
static inline u64 sign_extend_bytes(u64 v, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	return (u64)((s64)(v << shift) >> shift);
}

/** is_canonical() - is @addr a canonical address of @vaddr_bits (48 or 57) */
static inline bool is_canonical(u64 addr, unsigned int vaddr_bits)
{
	unsigned int shift = 64 - vaddr_bits;

	return (u64)((s64)(addr << shift) >> shift) == addr;
}

/** bits_get() - field @hi:@lo of @v, shifted down */
static inline u64 bits_get(u64 v, unsigned int hi, unsigned int lo)
{
	return (v >> lo) & (~0ULL >> (63 - (hi - lo)));
}

#endif
