/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PID-pointer table, from which the processor learns where to leave an
 * IPI: by the destination's APIC id, the address of that vCPU's posted-
 * interrupt descriptor. Pure; used by ipiv.c. SDM vol. 3, 30.1.6.
 */
#ifndef VMX_PID_TABLE_H
#define VMX_PID_TABLE_H

#include "base/host.h"

#define PID_ENTRY_VALID BIT_ULL(0)

/* In xAPIC mode everybody, and hardware would take it for an id. */
#define PID_BROADCAST 0xff

/** pid_entry() - the entry of the descriptor at @pa, which has 64 bytes */
static inline u64 pid_entry(u64 pa)
{
	return pa | PID_ENTRY_VALID;
}

/** pid_reachable() - can IPIs to @id go by a table of @entries */
static inline bool pid_reachable(u32 id, u32 entries)
{
	return id < entries && id != PID_BROADCAST;
}

/** pid_last() - what the VMCS has to hold for a table of @entries */
static inline u16 pid_last(u32 entries)
{
	return min_t(u32, entries, U16_MAX + 1) - 1;
}

#endif
