// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time-stamp counter arithmetic, as tsc.h tells. Owns nothing.
 *
 * Frequencies come from the VMM: whatever they are, nothing here faults.
 */
#include "base/div.h"
#include "x86/tsc.h"

void tsc_to_ns_init(struct tsc_to_ns *conv, u32 khz)
{
	u64 num = 1000000, den = max(khz, 1U);
	s8 shift = 0;

	/* 1/2 <= num / den < 1 uses all 32 bits of the multiplier */
	while (num >= den) {
		den <<= 1;
		shift++;
	}
	while (num << 1 < den) {
		num <<= 1;
		shift--;
	}
	conv->mul = div_by(num << 32, den);
	conv->shift = shift;
}

u64 tsc_to_ns(const struct tsc_to_ns *conv, u64 ticks)
{
	if (conv->shift < 0)
		ticks >>= -conv->shift;
	else
		ticks <<= conv->shift;
	return mul_u64_u64_shr(ticks, conv->mul, 32);
}

u64 tsc_from_ns(u32 khz, u64 ns)
{
	u64 ms = ns / 1000000, rest = ns % 1000000;

	return ms * khz + rest * khz / 1000000;
}

bool tsc_khz_close(u32 khz, u32 host_khz, u32 ppm)
{
	u64 slack = (u64)host_khz * ppm / 1000000;

	return khz + slack >= host_khz && khz <= host_khz + slack;
}

u64 tsc_ratio(u32 khz, u32 host_khz, unsigned int frac_bits)
{
	return div_mul(khz, 1ULL << frac_bits, host_khz);
}
