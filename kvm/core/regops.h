/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes to control and debug registers by a guest instruction, with what
 * follows from them. Used by exit handlers and by the emulator's callbacks.
 */
#ifndef CORE_REGOPS_H
#define CORE_REGOPS_H

#include "base/host.h"
#include "x86/watch.h"

struct exception;
struct vcpu;

/* vCPU's thread, loaded, for all. */

/** regops_get_cr() - MOV from CR @nr (0, 2, 3, 4, 8) */
u64 regops_get_cr(struct vcpu *vcpu, unsigned int nr);

/** regops_set_cr() - MOV to CR @nr; false: #GP(0), nothing changed */
bool regops_set_cr(struct vcpu *vcpu, unsigned int nr, u64 val);

/**
 * regops_pdptes() - PAE's four entries as the next walk will find them
 *
 * Where hardware keeps them apart from memory (BACKEND_PDPTES) a write to CR0,
 * CR3 or CR4 loads them; elsewhere they are read at each walk. Needs RG_CR;
 * inside the epoch. False: the memory cannot be read, @pdpte is undefined.
 */
bool regops_pdptes(struct vcpu *vcpu, u64 pdpte[4]);

/**
 * regops_load_pdptes() - read regs.pdpte[] anew from where CR3 points
 *
 * Of use with BACKEND_PDPTES and PAE paging only. Needs RG_CR; inside the
 * epoch. False: they cannot be read or have reserved bits set; nothing changed.
 */
bool regops_load_pdptes(struct vcpu *vcpu);

/** regops_get_dr() / regops_set_dr() - DR @nr (0-3, 6, 7), checks done */
u64 regops_get_dr(struct vcpu *vcpu, unsigned int nr);
bool regops_set_dr(struct vcpu *vcpu, unsigned int nr, u64 val);

/** regops_effects() - act on enum cr_effect */
void regops_effects(struct vcpu *vcpu, u32 effects);

/** regops_raise_db() - raise #DB; @payload: see dr6_after_db() */
void regops_raise_db(struct vcpu *vcpu, u64 payload);

/**
 * regops_exception_payload() - put an exception's payload where it belongs
 *
 * #DB and #PF change DR6 and CR2 only when they are really delivered.
 */
void regops_exception_payload(struct vcpu *vcpu, const struct exception *exc);

/**
 * regops_stepped() - an instruction was completed by us instead of the CPU:
 * shadows end, a trap flag and the breakpoints it met trap, a debugging VMM
 * hears of it before the next entry (behind an I/O that is still under way).
 */
void regops_stepped(struct vcpu *vcpu, u8 shadow, bool tf);

/**
 * regops_watch() - the instruction that will be regops_stepped() makes an
 * access: note the guest's breakpoints that it meets
 */
void regops_watch(struct vcpu *vcpu, enum watch_kind kind, u64 addr,
		  unsigned int size);

#endif
