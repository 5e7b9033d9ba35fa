// SPDX-License-Identifier: GPL-2.0-only
/*
 * AMD nested page tables: APM vol. 2, 15.25, "Nested Paging". Their entries
 * are those of the long-mode page tables of the host (5.3.3, "4-Kbyte Page
 * Translation" and following), with accesses made as if from user mode.
 *
 * The PWT, PCD and PAT bits stay 0: the nested type is then the host's PAT0,
 * write-back, and the guest's own PAT decides (15.25.8, combining types).
 */
#include "mmu/pte.h"

#define NPT_P BIT_ULL(0)
#define NPT_RW BIT_ULL(1)
#define NPT_US BIT_ULL(2)	/* 15.25.5: must be 1 in each entry */
#define NPT_A BIT_ULL(5)
#define NPT_D BIT_ULL(6)	/* leaves only */
#define NPT_PS BIT_ULL(7)	/* PDE and PDPE; in a PTE this bit is PAT */
#define NPT_NX BIT_ULL(63)

/* 5.4.1: bits 11:9 and 58:52 (62:52 with CR4.PKE clear) are available. */
#define NPT_AVAILABLE (GENMASK_ULL(11, 9) | GENMASK_ULL(58, 52))

static_assert(NPT_PS == PTE_LARGE, "APM vol. 2, 5.3.4");
static_assert(!((PTE_HOST_WRITABLE | PTE_FROZEN | PTE_UNLINKED) & ~NPT_AVAILABLE),
	      "APM vol. 2, 5.4.1");

const struct pte_format npt_format = {
	.name = "NPT",
	.present = NPT_P,
	.table = NPT_P | NPT_RW | NPT_US | NPT_A,
	.read = NPT_P | NPT_US,
	.write = NPT_RW,
	.exec = 0,
	.noexec = NPT_NX,
	.accessed = NPT_A,
	.dirty = NPT_D,
	.memtype = {
		[PTE_MEM_RAM] = 0,
		[PTE_MEM_MMIO] = 0,
	},
	.max_leaf = PG_1G,
};
