// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushing the L1 data cache before an entry, on CPUs with L1TF: a guest may
 * otherwise read what the host left there.
 *
 * The administrator chooses by l1tf=; what was chosen goes back to the kernel,
 * which shows it in sysfs. "Conditional" flushes unless nothing but this
 * module's short handlers ran since the exit: entries after a load, after an
 * exit that went further, and after a host interrupt that the kernel marked.
 *
 * Documentation/admin-guide/hw-vuln/l1tf.rst. Called by main.c and run.c.
 */
#include <linux/gfp.h>
#include <linux/hardirq.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "vmx/vmx.h"

/* The kernel's interface, which it exports for this module. */
enum {
	MITIGATION_AUTO,
	MITIGATION_NEVER,
	MITIGATION_COND,
	MITIGATION_ALWAYS,
	MITIGATION_EPT_DISABLED,
	MITIGATION_NOT_REQUIRED,
};
extern unsigned int l1tf_vmx_mitigation;

/* Twice the largest L1 data cache of an affected CPU. */
#define FLUSH_ORDER 4
#define FLUSH_SIZE (PAGE_SIZE << FLUSH_ORDER)
#define LINE 64

static unsigned int how __ro_after_init = MITIGATION_NEVER;
static unsigned long flush_pages;	/* without the MSR: read these */

static unsigned int choose(void)
{
	u64 msr = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF))
		return MITIGATION_NOT_REQUIRED;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES)) {
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, msr);
		if (msr & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
			return MITIGATION_NOT_REQUIRED;
	}
	switch (l1tf_mitigation) {
	case L1TF_MITIGATION_OFF:
		return MITIGATION_NEVER;
	case L1TF_MITIGATION_FULL:
	case L1TF_MITIGATION_FULL_FORCE:
		return MITIGATION_ALWAYS;
	default:
		return MITIGATION_COND;
	}
}

int vmx_l1d_setup(void)
{
	how = choose();
	l1tf_vmx_mitigation = how;
	if ((how != MITIGATION_COND && how != MITIGATION_ALWAYS) ||
	    boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		return 0;
	flush_pages = __get_free_pages(GFP_KERNEL | __GFP_ZERO, FLUSH_ORDER);
	return flush_pages ? 0 : -ENOMEM;
}

void vmx_l1d_teardown(void)
{
	l1tf_vmx_mitigation = MITIGATION_AUTO;
	free_pages(flush_pages, FLUSH_ORDER);
	flush_pages = 0;
}

bool vmx_l1d_due(struct vmx_vcpu *vmx)
{
	bool due = vmx->l1d_flush;

	if (likely(how != MITIGATION_COND))
		return how == MITIGATION_ALWAYS;
	due |= kvm_get_cpu_l1tf_flush_l1d();
	kvm_clear_cpu_l1tf_flush_l1d();
	vmx->l1d_flush = false;
	return due;
}

noinstr void vmx_l1d_flush(void)
{
	unsigned int i;

	if (static_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		native_wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	/* Translations first, so that the second round does nothing but load. */
	for (i = 0; i < FLUSH_SIZE; i += PAGE_SIZE)
		READ_ONCE(*(u8 *)(flush_pages + i));
	asm volatile("lfence" : : : "memory");
	for (i = 0; i < FLUSH_SIZE; i += LINE)
		READ_ONCE(*(u8 *)(flush_pages + i));
	asm volatile("lfence" : : : "memory");
}
