/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AVIC as the manual describes it, in the plainest words that run: APM vol. 2,
 * 15.29. Written apart from kvm/svm/avic*.c, with numbers instead of names.
 */
#ifndef TESTS_AVIC_MODEL_H
#define TESTS_AVIC_MODEL_H

#include "base/host.h"
#include "svm/vmcb.h"

/* ---- registers: what becomes of a guest's access ----------------------- */

enum model_access { MODEL_DONE, MODEL_TRAP, MODEL_FAULT };

/* Registers that stand at @offset, xAPIC mode; reserved ones are none. */
static inline bool model_register(u32 offset)
{
	static const u16 single[] = {
		0x20, 0x30, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0,
		0x280, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370,
		0x380, 0x390, 0x3e0, 0x400, 0x410, 0x420, 0x500, 0x510, 0x520,
		0x530,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(single); i++)
		if (single[i] == offset)
			return true;
	return (offset >= 0x100 && offset < 0x280) ||
	       (offset >= 0x480 && offset < 0x500);
}

static inline enum model_access model_read(u32 offset)
{
	/* Neither the arbitration priority nor the count is in the page. */
	if (offset == 0x90 || offset == 0x390)
		return MODEL_FAULT;
	return model_register(offset) ? MODEL_DONE : MODEL_FAULT;
}

static inline enum model_access model_write(u32 offset)
{
	if (!model_register(offset))
		return MODEL_FAULT;
	/* Read-only: version, APR, PPR, ISR, TMR, IRR, count, features. */
	if (offset == 0x30 || offset == 0x90 || offset == 0xa0 ||
	    (offset >= 0x100 && offset < 0x280) || offset == 0x390 ||
	    offset == 0x400)
		return MODEL_FAULT;
	/* TPR is virtualized, ICR high only waits for ICR low. */
	if (offset == 0x80 || offset == 0x310)
		return MODEL_DONE;
	return MODEL_TRAP;
}

/* Does an x2APIC register stand at MSR 800h + @n (16.11)? */
static inline bool model_x2_register(u32 n)
{
	return n == 0x02 || n == 0x03 || n == 0x08 || n == 0x0a ||
	       n == 0x0b || n == 0x0d || n == 0x0f ||
	       (n >= 0x10 && n <= 0x27) || n == 0x28 || n == 0x30 ||
	       (n >= 0x32 && n <= 0x39) || n == 0x3e || n == 0x3f;
}

/* What hardware does alone: read and write of an x2APIC register. */
static inline bool model_x2_reads(u32 n)
{
	/* Write-only: EOI, self IPI. */
	return model_x2_register(n) && n != 0x0b && n != 0x3f && n != 0x39;
}

static inline bool model_x2_writes(u32 n)
{
	return n == 0x08 || n == 0x0b || n == 0x30 || n == 0x3f;
}

/* ---- VMRUN: the fields it accepts -------------------------------------- */

static inline bool model_vmrun(const struct vmcb_control *c)
{
	bool avic = c->vintr >> 31 & 1, x2 = c->vintr >> 30 & 1;
	u64 high = 0xfffULL << 52, page = 0xfff;

	if (!avic)
		return !x2;
	if (!(c->nested & 1))
		return false;
	if ((c->avic_bar | c->avic_backing_page | c->avic_logical |
	     c->avic_physical) & high)
		return false;
	if ((c->avic_bar | c->avic_backing_page | c->avic_logical) & page)
		return false;
	return (c->avic_physical & page) <= (x2 ? 0x1ff : 0xfe);
}

/* ---- IPIs: what hardware does about a write of the ICR ----------------- */

#define MODEL_MAX 1024		/* vCPUs */

struct model_ipi {
	int cause;		/* -1: done, no exit */
	bool irr[MODEL_MAX];	/* entries whose IRR bit was set */
	bool bell[MODEL_MAX];	/* and that were sent a doorbell */
};

struct model_hw {
	const u64 *physical;
	const u32 *logical;
	u32 max_index;
	bool x2;
	u8 dfr;			/* the sender's */
	u32 self;
};

static inline bool model_valid(const struct model_hw *hw, u64 i)
{
	return i <= hw->max_index && (hw->physical[i] >> 63 & 1);
}

/* Entries of a logical destination; false: one of them is not valid. */
static inline bool model_logical(const struct model_hw *hw, u32 dest,
				 struct model_ipi *ipi)
{
	u32 bits = hw->x2 ? dest & 0xffff : hw->dfr == 15 ? dest : dest & 15;
	u64 base = hw->x2 ? (u64)(dest >> 16) * 16 :
		   hw->dfr == 15 ? 0 : (u64)(dest >> 4) * 4;
	u64 i;

	for (i = 0; i < 16; i++) {
		u64 at = base + i;

		if (!(bits >> i & 1))
			continue;
		if (!hw->x2) {
			/* Cluster 15 is nobody's but with FFh, seen before. */
			if (at >= 60 || !(hw->logical[at] >> 31))
				return false;
			at = hw->logical[at] & 0xff;
		}
		if (!model_valid(hw, at))
			return false;
		ipi->irr[at] = true;
	}
	return true;
}

static inline bool model_targets(const struct model_hw *hw, u32 dest, u32 icr,
				 struct model_ipi *ipi)
{
	u32 all = hw->x2 ? 0xffffffff : 0xff;
	u32 shorthand = icr >> 18 & 3;
	bool broadcast = shorthand >= 2 ||
			 (dest == all && (hw->x2 || !(icr >> 11 & 1) ||
					  hw->dfr != 15));
	u64 i;

	if (shorthand == 1) {
		ipi->irr[hw->self] = true;
		return true;
	}
	for (i = 0; broadcast && i <= hw->max_index; i++)
		ipi->irr[i] = model_valid(hw, i) &&
			      !(shorthand == 3 && i == hw->self);
	if (broadcast)
		return true;
	if (icr >> 11 & 1)
		return model_logical(hw, dest, ipi);
	if (!model_valid(hw, dest))
		return false;
	ipi->irr[dest] = true;
	return true;
}

/* 15.29.6: @icr is the low half, @dest the destination as a number. */
static inline void model_send(const struct model_hw *hw, u32 dest, u32 icr,
			      struct model_ipi *ipi)
{
	unsigned int i;

	memset(ipi, 0, sizeof(*ipi));
	ipi->cause = -1;
	/* Fixed and edge-triggered only. */
	if ((icr >> 8 & 7) || (icr >> 15 & 1)) {
		ipi->cause = 0;
		return;
	}
	if ((icr & 0xff) < 16) {
		ipi->cause = 4;
		return;
	}
	if (!model_targets(hw, dest, icr, ipi)) {
		ipi->cause = 2;
		return;
	}
	for (i = 0; i <= hw->max_index; i++) {
		if (!ipi->irr[i])
			continue;
		if (hw->physical[i] >> 62 & 1)
			ipi->bell[i] = true;
		else if (i != hw->self || (icr >> 18 & 3) != 1)
			ipi->cause = 1;
	}
}

/* ---- the architecture: who a message is meant for (16.6, 16.7, 16.13) -- */

struct model_apic {
	u32 id;
	bool x2, enabled, software_enabled;
	u8 xapic_id, ldr, dfr;
};

static inline bool model_meant_logical(const struct model_apic *a, u32 dest)
{
	if (a->x2)
		return a->id >> 4 == dest >> 16 &&
		       (dest & 0xffff & (1U << (a->id & 15)));
	if (a->dfr == 15)
		return a->ldr & dest;
	return a->ldr >> 4 == dest >> 4 && (a->ldr & dest & 15);
}

static inline bool model_meant(const struct model_apic *a,
			       const struct model_apic *sender, u32 dest,
			       u32 icr)
{
	u32 shorthand = icr >> 18 & 3;

	if (!a->enabled || !a->software_enabled)
		return false;
	if (shorthand == 1)
		return a == sender;
	if (shorthand)
		return shorthand == 2 || a != sender;
	if (dest == (sender->x2 ? 0xffffffff : 0xff))
		return true;
	if (icr >> 11 & 1)
		return model_meant_logical(a, dest);
	return dest == (a->x2 ? a->id : a->xapic_id);
}

#endif
