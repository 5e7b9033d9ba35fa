/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's FPU, vector and XSAVE state, and the registers that go with it
 * (XCR0, PKRU, DR0-3): switched by the kernel's own guest-fpstate functions
 * around KVM_RUN, and by a compare around each entry.
 */
#ifndef CORE_FPU_H
#define CORE_FPU_H

#include <asm/cpufeature.h>

#include "base/host.h"

struct vcpu;

/** fpu_create() - the guest's FPU state, reset; false: no memory */
bool fpu_create(struct vcpu *vcpu);

/** fpu_destroy() - free it; the vCPU does not run */
void fpu_destroy(struct vcpu *vcpu);

/** fpu_swap() - KVM_RUN begins (@in) or ends: exchange with the task's */
void fpu_swap(struct vcpu *vcpu, bool in);

/** fpu_enter() - right before an entry, interrupts off */
void fpu_enter(struct vcpu *vcpu);

/** fpu_leave() - right after it */
void fpu_leave(struct vcpu *vcpu);

/**
 * fpu_host_key0() - between the two: may the VMM's thread use its memory that
 * has no protection key of its own
 */
bool fpu_host_key0(const struct vcpu *vcpu);

/**
 * fpu_xmm() - exchange 16 bytes with XMM register @nr (0 to 15) of the guest;
 * inside KVM_RUN only
 */
void fpu_xmm(unsigned int nr, void *data, bool set);

/**
 * fpu_mmx() - the same for 8 bytes of MMX register @nr (0 to 7), with what an
 * MMX instruction does to x87's state
 *
 * False: an x87 exception waits, #MF; nothing was changed.
 */
bool fpu_mmx(unsigned int nr, void *data, bool set);

/** fpu_x87() - the guest's x87 status word, or else its control word */
u16 fpu_x87(bool status);

/** fpu_uabi_size() - bytes of KVM_GET_XSAVE2 for a new vCPU, at least 4096 */
u32 fpu_uabi_size(void);

/** fpu_xcr0_now() - what XCR0 of this CPU holds */
u64 fpu_xcr0_now(void);

/** fpu_xcr0_host() - the XCR0 components that guests of any process can have */
u64 fpu_xcr0_host(void);

#endif
