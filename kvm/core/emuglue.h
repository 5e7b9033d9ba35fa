/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The emulator on a vCPU: its callbacks, and what becomes of its results.
 */
#ifndef CORE_EMUGLUE_H
#define CORE_EMUGLUE_H

#include "base/rc.h"
#include "base/types.h"

struct vcpu;
struct fault;

/* vCPU's thread, loaded, inside its epoch, for all. */

/** emuglue_insn() - emulate the instruction at RIP */
enum run_next emuglue_insn(struct vcpu *vcpu);

/**
 * emuglue_device() - the instruction at RIP accesses @gpa, where no memory is
 * @write: and that is a write
 *
 * As emuglue_insn(), but a plain store that a device in the kernel takes goes
 * there by the address that the hardware found.
 */
enum run_next emuglue_device(struct vcpu *vcpu, struct gpa gpa, bool write);

/** emuglue_again() - execute the decoded instruction again, I/O replayed */
enum run_next emuglue_again(struct vcpu *vcpu);

/**
 * emuglue_skip() - step over the instruction that exited
 *
 * Length from exit->insn_len, or from the decoder. RUN_AGAIN, also when a
 * guest exception was raised instead; RUN_USER for an internal error.
 */
enum run_next emuglue_skip(struct vcpu *vcpu);

/**
 * emuglue_translate() - guest linear to guest physical, for KVM_TRANSLATE
 *
 * False: not mapped.
 */
bool emuglue_translate(struct vcpu *vcpu, u64 linear, struct gpa *gpa);

#endif
