/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic of the VMX-preemption timer. Pure; used by timer.c.
 *
 * The timer goes down by one whenever bit `shift` of the host's TSC changes,
 * while the guest runs: SDM vol. 3, 26.5.1, A.6. So what is left is counted
 * in edges of that bit, and the count is exact; rounding is up, as an exit
 * too early would only lead to another.
 */
#ifndef VMX_TIMER_MATH_H
#define VMX_TIMER_MATH_H

#include "base/div.h"

/* Longer ones would have the guest exit on the way. */
#define TIMER_MAX_TICKS U32_MAX

/**
 * timer_host_ticks() - how long @guest ticks of the guest's TSC take
 * @ratio: of the guest's TSC to the host's, @frac_bits of fraction; if these
 *	are 0 both tick alike
 *
 * In ticks of the host's TSC, rounded up; U64_MAX if that does not fit.
 */
static inline u64 timer_host_ticks(u64 guest, u64 ratio, unsigned int frac_bits)
{
	u64 host;

	if (!frac_bits || ratio == 1ULL << frac_bits)
		return guest;
	host = div_mul(guest, 1ULL << frac_bits, ratio);
	if (host == U64_MAX)
		return host;
	return host + (mul_u64_u64_shr(host, ratio, frac_bits) < guest);
}

/** timer_edges() - the timer's ticks from @now to @deadline, host TSC */
static inline u64 timer_edges(u64 now, u64 deadline, unsigned int shift)
{
	u64 rest = deadline & ((1ULL << shift) - 1);

	if (now >= deadline)
		return 0;
	return (deadline >> shift) - (now >> shift) + !!rest;
}

/** timer_fits() - can the timer count that far without an exit on the way */
static inline bool timer_fits(u64 now, u64 deadline, unsigned int shift)
{
	return timer_edges(now, deadline, shift) <= TIMER_MAX_TICKS;
}

#endif
