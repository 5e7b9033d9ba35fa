/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The in-kernel local APIC of a vCPU: what the pure model (dev/lapic.h) needs
 * of the host, namely a page, an hrtimer, and a way to kick. It is part of the
 * vCPU, and its page lies behind it.
 */
#ifndef CORE_APIC_H
#define CORE_APIC_H

#include <linux/hrtimer.h>

#include "base/types.h"
#include "dev/lapic.h"

struct vcpu;
struct vm;

struct vcpu_apic {
	struct lapic lapic;
	struct hrtimer timer;
	bool hardware;			/* [v] the deadline is the backend's */
	bool blocked;			/* [v] it may not be */
};

/** apic_vm_init() - the configuration its LAPICs share; VM creation */
void apic_vm_init(struct vm *vm);

/** apic_create() - vcpu->lapic, if the VM has them; -ENOMEM; may sleep */
int apic_create(struct vcpu *vcpu);

/** apic_destroy() - stop the timer; nobody can reach the vCPU */
void apic_destroy(struct vcpu *vcpu);

/** apic_vm_free() - undo apic_vm_init(); no vCPU is left */
void apic_vm_free(struct vm *vm);

/**
 * apic_update_accel() - what hardware may do of the LAPIC's work has changed,
 * by its mode, its base or guest debugging; the vCPU's thread, loaded
 */
void apic_update_accel(struct vcpu *vcpu);

/** apic_update_eoi_map() - handler of REQ_EOI_MAP */
void apic_update_eoi_map(struct vcpu *vcpu);

/**
 * apic_is_in_front() - is @gpa in the page of @vcpu's LAPIC, and at its default
 * place, where the LAPIC answers whatever memory the VMM has put there
 *
 * A LAPIC that was moved answers only where there is no memory.
 */
bool apic_is_in_front(const struct vcpu *vcpu, struct gpa gpa);

/**
 * apic_map_page() - an access at @gpa, which no memory serves: let hardware
 * recognize those to the LAPIC's page
 *
 * The vCPU's thread; may sleep, for a page table at most. False: not such an access,
 * or not possible; to be emulated.
 */
bool apic_map_page(struct vcpu *vcpu, struct gpa gpa);

/**
 * apic_timer_block() - the vCPU is about to sleep: its timer has to wake it
 * apic_timer_unblock() - it is awake
 *
 * vCPU's thread. The first may raise the timer's interrupt: look for work
 * after it.
 */
void apic_timer_block(struct vcpu *vcpu);
void apic_timer_unblock(struct vcpu *vcpu);

/** apic_cpuid_changed() - let the LAPIC know what its guest's CPUID has */
void apic_cpuid_changed(struct vcpu *vcpu);

#endif
