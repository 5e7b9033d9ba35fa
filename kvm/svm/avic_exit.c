// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVIC's two exits, and what it does about each register of the local APIC:
 * see avic.h. APM vol. 2, 15.29.3.1, 15.29.9, 16.3.2; x2APIC MSRs: 16.11.
 *
 * What the exits report is the guest's choice but for its form: nothing of it
 * is an index here.
 *
 * Registers from 400h on are AMD's extended ones. Guests are not told of them
 * (the version register has no such bit), but hardware has them all the same:
 * a write that reached the page is taken back.
 */
#include "svm/avic.h"
#include "svm/controls.h"

#define R MSRPM_READ
#define W MSRPM_WRITE

/* Ascending. { first, last, read, write, act, x2 } */
const struct avic_reg avic_regs[] = {
	{ 0x020, 0x020, AVIC_DONE, AVIC_TRAP, AVIC_SURVEY, R },	/* ID */
	{ 0x030, 0x030, AVIC_DONE, AVIC_FAULT, AVIC_EMULATE, R }, /* version */
	{ 0x080, 0x080, AVIC_DONE, AVIC_DONE, AVIC_EMULATE, R | W }, /* TPR */
	{ 0x090, 0x090, AVIC_FAULT, AVIC_FAULT, AVIC_EMULATE, 0 }, /* APR */
	{ 0x0a0, 0x0a0, AVIC_DONE, AVIC_FAULT, AVIC_EMULATE, R }, /* PPR */
	{ 0x0b0, 0x0b0, AVIC_DONE, AVIC_TRAP, AVIC_EOI, W },
	{ 0x0c0, 0x0c0, AVIC_DONE, AVIC_TRAP, AVIC_UNDO, 0 },	/* RRD */
	{ 0x0d0, 0x0d0, AVIC_DONE, AVIC_TRAP, AVIC_SURVEY, R },	/* LDR */
	{ 0x0e0, 0x0e0, AVIC_DONE, AVIC_TRAP, AVIC_SURVEY, 0 },	/* DFR */
	{ 0x0f0, 0x0f0, AVIC_DONE, AVIC_TRAP, AVIC_SURVEY, R },	/* SVR */
	/* ISR, TMR, IRR */
	{ 0x100, 0x270, AVIC_DONE, AVIC_FAULT, AVIC_EMULATE, R },
	{ 0x280, 0x280, AVIC_DONE, AVIC_TRAP, AVIC_WRITTEN, R }, /* ESR */
	{ 0x300, 0x300, AVIC_DONE, AVIC_TRAP, AVIC_WRITTEN, R | W }, /* ICR */
	{ 0x310, 0x310, AVIC_DONE, AVIC_DONE, AVIC_EMULATE, 0 },
	/* LVT, initial count */
	{ 0x320, 0x380, AVIC_DONE, AVIC_TRAP, AVIC_WRITTEN, R },
	/* current count */
	{ 0x390, 0x390, AVIC_FAULT, AVIC_FAULT, AVIC_EMULATE, 0 },
	/* divide */
	{ 0x3e0, 0x3e0, AVIC_DONE, AVIC_TRAP, AVIC_WRITTEN, R },
	/* self IPI, of x2APIC mode only */
	{ 0x3f0, 0x3f0, AVIC_FAULT, AVIC_FAULT, AVIC_EMULATE, W },
	/* extended: features, control, specific EOI, IER, LVT */
	{ 0x400, 0x400, AVIC_DONE, AVIC_FAULT, AVIC_EMULATE, 0 },
	{ 0x410, 0x420, AVIC_DONE, AVIC_TRAP, AVIC_UNDO, 0 },
	{ 0x480, 0x530, AVIC_DONE, AVIC_TRAP, AVIC_UNDO, 0 },
};
const unsigned int avic_reg_count = ARRAY_SIZE(avic_regs);

/* The row of @offset; NULL for a reserved one, which faults. */
static const struct avic_reg *find_reg(u32 offset)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(avic_regs); i++)
		if (offset >= avic_regs[i].first && offset <= avic_regs[i].last)
			return &avic_regs[i];
	return NULL;
}

#define NOACCEL_OFFSET GENMASK_ULL(11, 4)	/* EXITINFO1 */
#define NOACCEL_WRITE BIT_ULL(32)
#define NOACCEL_VECTOR GENMASK_ULL(7, 0)	/* EXITINFO2 */

struct avic_noaccel avic_noaccel(u64 info1, u64 info2)
{
	struct avic_noaccel n = {
		.offset = info1 & NOACCEL_OFFSET,
		.write = info1 & NOACCEL_WRITE,
		.act = AVIC_EMULATE,
	};
	const struct avic_reg *reg = find_reg(n.offset);

	n.trap = reg && n.write && reg->write == AVIC_TRAP;
	if (n.trap)
		n.act = reg->act;
	if (n.act == AVIC_EOI)
		n.vector = info2 & NOACCEL_VECTOR;
	return n;
}

#define IPI_INDEX GENMASK_ULL(11, 0)		/* EXITINFO2 */
#define IPI_CAUSE_SHIFT 32

/*
 * A target that is in no table may be one that only software knows, and of
 * several, hardware may have served some: sent again, an interrupt at worst
 * comes twice, and none is lost. So is one of a cause that is not known.
 */
static enum avic_ipi_act ipi_act(u32 cause)
{
	switch (cause) {
	case 1:				/* a target is not running */
		return AVIC_IPI_KICK;
	case 3:				/* its backing page is not one */
		return AVIC_IPI_BROKEN;
	case 0:				/* not fixed, or level */
	case 2:				/* no such target */
	case 4:				/* vector below 16: an APIC error */
	default:
		return AVIC_IPI_SEND;
	}
}

struct avic_ipi avic_ipi(u64 info1, u64 info2)
{
	u32 cause = info2 >> IPI_CAUSE_SHIFT;

	return (struct avic_ipi){
		.icr = info1,
		.cause = cause,
		.index = info2 & IPI_INDEX,
		.act = ipi_act(cause),
	};
}

#define X2APIC_MSR 0x800
#define X2APIC_MSR_COUNT 0x100

void avic_msrpm(unsigned long *map, enum avic_mode mode)
{
	unsigned int i;

	for (i = 0; i < X2APIC_MSR_COUNT; i++) {
		const struct avic_reg *reg = find_reg(i << 4);
		bool open = mode == AVIC_X2APIC && reg;

		msrpm_allow(map, X2APIC_MSR + i, open ? reg->x2 : 0);
	}
}
