/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM-execution, VM-exit and VM-entry controls as a function of what is
 * wanted: policy, what the next entry needs, and the host's features. And the
 * arithmetic of the MSR bitmaps.
 *
 * Pure. run.c computes the controls when an input changed, compares them with
 * what the VMCS has and writes the difference; nobody else sets a control.
 */
#ifndef VMX_CONTROLS_H
#define VMX_CONTROLS_H

#include "base/host.h"
#include "core/entry.h"
#include "vmx/caps.h"

/* What changes from entry to entry, or with the guest's CPUID. */
#define NEED_IRQ_WINDOW BIT(0)
#define NEED_NMI_WINDOW BIT(1)
#define NEED_LONG_MODE BIT(2)	/* EFER.LMA */
#define NEED_RDTSCP BIT(3)	/* the guest has the instruction */
#define NEED_INVPCID BIT(4)
#define NEED_VPID BIT(5)	/* one was allocated */
#define NEED_TIMER BIT(6)	/* a deadline was set once */
#define NEED_PML BIT(7)		/* the VM's dirty logging has begun */

struct vmx_controls {
	u32 word[WORD_COUNT];
	u32 exceptions;
	u32 ple_gap, ple_window;	/* with PAUSE-loop exiting */
};

/** vmx_controls() - what the VMCS's control fields have to hold */
struct vmx_controls vmx_controls(const struct policy *policy, u32 needs,
				 const struct vmx_caps *caps);

/** vmx_control_is() - is this control 1 */
static inline bool vmx_control_is(const struct vmx_controls *c,
				  enum vmx_control control)
{
	return c->word[vmx_control_places[control].word] & vmx_bit(control);
}

/* The MSR bitmaps: what the guest may do without an exit. */
#define MSR_ALLOW_READ BIT(0)
#define MSR_ALLOW_WRITE BIT(1)

/**
 * vmx_msr_allow() - let the guest do @what (MSR_ALLOW_*) to @index, no more
 * @bitmap: the page of 25.6.9
 *
 * An MSR outside both ranges always exits: nothing happens.
 */
void vmx_msr_allow(unsigned long *bitmap, u32 index, u32 what);

#endif
