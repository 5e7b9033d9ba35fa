/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's breakpoints on data and ports, for accesses that the CPU does
 * not make itself: SDM vol. 3, 18.2.4 and 18.2.5.
 *
 * Pure. Breakpoints on instructions are the CPU's in any case: it looks for
 * them before an instruction can exit.
 */
#ifndef X86_WATCH_H
#define X86_WATCH_H

#include "base/host.h"
#include "x86/regs.h"

enum watch_kind {
	WATCH_READ,
	WATCH_WRITE,
	WATCH_PORT,
};

/** watch_armed() - is any breakpoint enabled; needs RG_DR */
static inline bool watch_armed(const struct regs *regs)
{
	return regs->dr7 & DR7_ENABLES;
}

/**
 * watch_hits() - the breakpoints that an access meets, as bits 3:0 of DR6
 * @regs: needs RG_DR, and RG_CR for ports
 * @addr: linear, or the port
 * @size: bytes, at least one
 */
u8 watch_hits(const struct regs *regs, enum watch_kind kind, u64 addr,
	      unsigned int size);

#endif
