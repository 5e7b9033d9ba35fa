/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What run.c and entry.S agree on.
 */
#ifndef VMX_ENTER_H
#define VMX_ENTER_H

/* Flags of vmx_enter(). */
#define ENTER_RESUME_BIT 0	/* VMRESUME, else VMLAUNCH */
#define ENTER_RESUME (1 << ENTER_RESUME_BIT)
#define ENTER_SPEC_CTRL 2	/* the guest has SPEC_CTRL: load and save it */
#define ENTER_IBRS 4		/* write SPEC_CTRL after the exit in any case */

/* Offsets in struct vmx_switch. */
#define SWITCH_HOST_RSP 0
#define SWITCH_SPEC_GUEST 8
#define SWITCH_SPEC_HOST 16
#define SWITCH_FLAGS 24

#ifndef __ASSEMBLER__

#include "base/host.h"

struct regs;

struct vmx_switch {
	u64 host_rsp;		/* as in the VMCS */
	u64 spec_guest;		/* SPEC_CTRL: in and out, ENTER_SPEC_CTRL */
	u64 spec_host;
	u32 flags;		/* as given to vmx_enter() */
};
static_assert(offsetof(struct vmx_switch, host_rsp) == SWITCH_HOST_RSP);
static_assert(offsetof(struct vmx_switch, spec_guest) == SWITCH_SPEC_GUEST);
static_assert(offsetof(struct vmx_switch, spec_host) == SWITCH_SPEC_HOST);
static_assert(offsetof(struct vmx_switch, flags) == SWITCH_FLAGS);

/**
 * vmx_enter() - load the guest's registers, VMLAUNCH or VMRESUME, and back
 * @regs: gpr[] but RSP, which is the VMCS's
 * @sw: what else is switched
 *
 * Interrupts off. False: no entry was made (VMfail, or VMX is off).
 */
bool vmx_enter(struct regs *regs, struct vmx_switch *sw);

/** vmx_exit_point() - where exits arrive: HOST_RIP; never called */
void vmx_exit_point(void);

/** vmx_host_irq() - as if the interrupt of the gate at @handler came now */
void vmx_host_irq(unsigned long handler);

/** vmx_host_nmi() - let the host handle the NMI that ended the guest's run */
void vmx_host_nmi(void);

#endif
#endif
