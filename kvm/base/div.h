/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Division by values that are not constants: the only place where the
 * processor's DIV is reached with one.
 *
 * DIV faults (#DE) when the divisor is 0 and when the quotient does not fit
 * 64 bits. Frequencies, periods and times come from the VMM and from the
 * guest, so that such a fault would be the host kernel's. These functions
 * never fault: what has no quotient, or too large a one, gives U64_MAX.
 * scripts/check.py refuses such divisions elsewhere in kvm/. Pure.
 */
#ifndef BASE_DIV_H
#define BASE_DIV_H

#include "base/host.h"

/** div_by() - @a / @b, rounded down; U64_MAX for @b 0 */
static inline u64 div_by(u64 a, u64 b)
{
	return b ? a / b : U64_MAX;
}

/** div_up() - @a / @b, rounded up; U64_MAX for @b 0 */
static inline u64 div_up(u64 a, u64 b)
{
	return b ? a / b + !!(a % b) : U64_MAX;
}

/** div_mod() - @a modulo @b; 0 for @b 0 */
static inline u64 div_mod(u64 a, u64 b)
{
	return b ? a % b : 0;
}

/**
 * div_mul() - @a * @mul / @b, rounded down, without loss in between
 *
 * U64_MAX if that does not fit 64 bits, as for @b 0.
 */
static inline u64 div_mul(u64 a, u64 mul, u64 b)
{
	if (mul_u64_u64_shr(a, mul, 64) >= b)
		return U64_MAX;
	return mul_u64_u64_div_u64(a, mul, b);
}

#endif
