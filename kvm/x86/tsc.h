/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic of time-stamp counters: frequencies, ratios, offsets, and the
 * multiplier and shift of the pvclock page (KVM documentation, msr.rst).
 *
 * Pure functions. A guest's TSC is tsc_scale(host TSC, ratio) + offset, where
 * ratio is a fixed-point number with the vendor's number of fraction bits:
 * SDM vol. 3, 26.3 (48), APM vol. 2, 15.30.5 (32).
 */
#ifndef X86_TSC_H
#define X86_TSC_H

#include "base/host.h"

/* ns = (ticks << shift) * mul >> 32; a negative shift goes right */
struct tsc_to_ns {
	u32 mul;
	s8 shift;
};

/** tsc_to_ns_init() - for a counter of @khz, 0 counting as 1 */
void tsc_to_ns_init(struct tsc_to_ns *conv, u32 khz);

/** tsc_to_ns() - nanoseconds that @ticks take, as a guest would compute them */
u64 tsc_to_ns(const struct tsc_to_ns *conv, u64 ticks);

/** tsc_from_ns() - how far a counter of @khz gets in @ns, modulo 2^64 as it does */
u64 tsc_from_ns(u32 khz, u64 ns);

/** tsc_khz_close() - is @khz within @ppm parts per million of @host_khz */
bool tsc_khz_close(u32 khz, u32 host_khz, u32 ppm);

/**
 * tsc_ratio() - the factor that turns @host_khz into @khz
 * @frac_bits: fraction bits of the result, at most 63
 *
 * U64_MAX when it does not fit, as for @host_khz 0.
 */
u64 tsc_ratio(u32 khz, u32 host_khz, unsigned int frac_bits);

/** tsc_scale() - @tsc times @ratio, modulo 2^64 */
static inline u64 tsc_scale(u64 tsc, u64 ratio, unsigned int frac_bits)
{
	return mul_u64_u64_shr(tsc, ratio, frac_bits);
}

#endif
