// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvm-amd.ko lets the administrator choose, under
 * /sys/module/kvm_amd/parameters; what cannot be chosen is told by main.c.
 *
 * Dirty logging: the CPU sets a dirty bit in nested page tables (APM vol. 2,
 * 15.25) but tells nobody. By default the log is read from these bits: a guest
 * is not disturbed by it at all, and each KVM_GET_DIRTY_LOG looks at the entry
 * of each small page of the slot. Where slots are very large and hardly
 * written, a fault for each page that is written may be less.
 */
#include <linux/mem_encrypt.h>
#include <linux/module.h>

#include "mmu/pte.h"
#include "svm/svm.h"

static bool dirty_bits = true;
module_param(dirty_bits, bool, 0444);
MODULE_PARM_DESC(dirty_bits, "Dirty logging by the dirty bits of NPT entries");

static struct pte_format format __ro_after_init;

const struct pte_format *svm_param_tdp(void)
{
	format = npt_format;
	format.log_by_dirty = dirty_bits;
	format.log_in_tables = dirty_bits;
	/* The kernel encrypts all memory, or none. */
	format.encrypted = sme_me_mask;
	return &format;
}
