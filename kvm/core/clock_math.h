/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic of TSC frequencies: ratios between two TSCs, and the fixed-point
 * factor from TSC ticks to nanoseconds that kvmclock hands to guests
 * (<asm/pvclock-abi.h>). Pure: built and tested in userspace too.
 */
#ifndef CORE_CLOCK_MATH_H
#define CORE_CLOCK_MATH_H

#include "base/host.h"

/**
 * tsc_ratio() - @guest_khz / @host_khz as a fixed-point number
 * @frac_bits: bits behind the point, at most 48
 *
 * 0 if the integer part would not fit in 15 bits.
 */
static inline u64 tsc_ratio(u32 guest_khz, u32 host_khz, unsigned int frac_bits)
{
	if (!host_khz || guest_khz / host_khz >= 1U << 15)
		return 0;
	return mul_u64_u32_div(1ULL << frac_bits, guest_khz, host_khz);
}

/** tsc_scale() - @tsc times a tsc_ratio(), modulo 2^64 */
static inline u64 tsc_scale(u64 tsc, u64 ratio, unsigned int frac_bits)
{
	return mul_u64_u64_shr(tsc, ratio, frac_bits);
}

/* ns = (shift < 0 ? ticks >> -shift : ticks << shift) * mul >> 32 */
struct tsc_to_ns {
	u32 mul;
	s8 shift;
};

/** tsc_to_ns_init() - the factor of a TSC of @khz, 0 counting as 1 */
static inline void tsc_to_ns_init(struct tsc_to_ns *conv, u32 khz)
{
	u64 ns = 1000000, ticks = khz ? khz : 1;

	/* ns / ticks goes to between 1/2 and 1: all bits of mul are used. */
	conv->shift = 0;
	while (ns >= ticks) {
		ticks <<= 1;
		conv->shift++;
	}
	while (ns * 2 < ticks) {
		ns <<= 1;
		conv->shift--;
	}
	conv->mul = mul_u64_u64_div_u64(ns, 1ULL << 32, ticks);
}

/** tsc_to_ns() - @ticks in ns, as the guest computes it */
static inline u64 tsc_to_ns(const struct tsc_to_ns *conv, u64 ticks)
{
	if (conv->shift < 0)
		ticks >>= -conv->shift;
	else
		ticks <<= conv->shift;
	return mul_u64_u64_shr(ticks, conv->mul, 32);
}

#endif
