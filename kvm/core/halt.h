/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU with nothing to run: HLT, waiting for INIT or SIPI.
 */
#ifndef CORE_HALT_H
#define CORE_HALT_H

struct vcpu;

/**
 * halt_block() - sleep until the vCPU has work or the thread a signal
 *
 * vCPU loaded, inside its epoch once; both are so again on return. Moves
 * mp_state on: HALTED becomes RUNNABLE, INIT and SIPI are taken.
 * Returns 1: go on. -EINTR: a signal. -EAGAIN: woken, but still not runnable.
 */
int halt_block(struct vcpu *vcpu);

/**
 * halt_take_mp_events() - act on INIT and SIPI waiting in the LAPIC
 *
 * vCPU loaded. SDM vol. 3, 9.4.4.1: INIT in any state resets; STARTUP counts
 * only in the wait for it.
 */
void halt_take_mp_events(struct vcpu *vcpu);

#endif
