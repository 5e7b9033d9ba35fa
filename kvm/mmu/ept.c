// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel extended page tables: SDM vol. 3, 29.3.2, tables 29-1 to 29-7.
 *
 * Memory is write-back whatever the guest's PAT says (bit 6, "ignore PAT"):
 * its caches are coherent and the guest's MTRRs describe a machine that is
 * not there. Device memory is uncached with the guest's PAT in force, so that
 * write-combining remains possible (table 29-8 with 13-7 of vol. 3).
 *
 * Bit 63 (suppress #VE) matters only with the VM-execution control
 * "EPT-violation #VE", which is never set; it stays 0.
 */
#include "mmu/pte.h"

#define EPT_R BIT_ULL(0)
#define EPT_W BIT_ULL(1)
#define EPT_X BIT_ULL(2)
#define EPT_MEMTYPE(type) ((u64)(type) << 3)	/* leaves: bits 5:3 */
#define EPT_IPAT BIT_ULL(6)			/* leaves */
#define EPT_PS BIT_ULL(7)
#define EPT_A BIT_ULL(8)			/* if EPTP bit 6 is 1 */
#define EPT_D BIT_ULL(9)			/* leaves, if EPTP bit 6 is 1 */

#define EPT_MEMTYPE_UC 0
#define EPT_MEMTYPE_WB 6

/* Tables 29-3 to 29-7: ignored in each kind of entry, present or not. */
#define EPT_IGNORED (BIT_ULL(11) | GENMASK_ULL(56, 52))

static_assert(EPT_PS == PTE_LARGE, "SDM vol. 3, table 29-5");
static_assert(!((PTE_HOST_WRITABLE | PTE_FROZEN | PTE_UNLINKED) & ~EPT_IGNORED),
	      "SDM vol. 3, table 29-7");

#define EPT_COMMON						\
	.present = EPT_R | EPT_W | EPT_X,			\
	.read = EPT_R,						\
	.write = EPT_W,						\
	.exec = EPT_X,						\
	.memtype = {						\
		[PTE_MEM_RAM] = EPT_MEMTYPE(EPT_MEMTYPE_WB) |	\
				EPT_IPAT,			\
		[PTE_MEM_MMIO] = EPT_MEMTYPE(EPT_MEMTYPE_UC),	\
	},							\
	.max_leaf = PG_1G

const struct pte_format ept_format = {
	.name = "EPT",
	.table = EPT_R | EPT_W | EPT_X | EPT_A,
	.accessed = EPT_A,
	.dirty = EPT_D,
	EPT_COMMON,
};

const struct pte_format ept_format_no_ad = {
	.name = "EPT without A/D",
	.table = EPT_R | EPT_W | EPT_X,
	EPT_COMMON,
};
