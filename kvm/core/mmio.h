/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest accesses to addresses that no memory backs.
 *
 * Nearly all of them are plain MOVs. The hardware has translated the operand's
 * address, so such an instruction needs no walk, and is done in one go, also
 * when the VMM does the access: then it is finished, but for the register that
 * a read goes to. The emulator does all others.
 */
#ifndef CORE_MMIO_H
#define CORE_MMIO_H

#include "base/host.h"
#include "base/rc.h"
#include "base/types.h"

struct exit;
struct memslot;
struct memslots;
struct vcpu;

/** mmio_slot() - what of @slots backs @gfn; NULL: no memory */
const struct memslot *mmio_slot(struct vcpu *vcpu,
				const struct memslots *slots, struct gfn gfn);

/*
 * vCPU's thread, loaded, inside its epoch. @exit is EXIT_KIND_TDP_FAULT, for an
 * access of the instruction itself: not one of the guest's page tables, nor of
 * the delivery of an event.
 */

/**
 * mmio_fast() - a MOV to or from a device that is no LAPIC
 *
 * No slot backs the page. Interrupts may be off. RUN_AGAIN or RUN_USER: done,
 * and exit->insn_len tells how far to step. RUN_FAULT: it is for mmio_exit().
 */
enum run_next mmio_fast(struct vcpu *vcpu, struct exit *exit);

/** mmio_exit() - whatever instruction it is, wherever it leads */
enum run_next mmio_exit(struct vcpu *vcpu, struct exit *exit);

/** mmio_complete() - the VMM has answered the read of a MOV */
void mmio_complete(struct vcpu *vcpu);

#endif
