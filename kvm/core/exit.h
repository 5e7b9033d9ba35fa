/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What core does about each kind of exit.
 */
#ifndef CORE_EXIT_H
#define CORE_EXIT_H

#include "base/rc.h"
#include "core/backend.h"
#include "core/entry.h"
#include "mmu/mmu.h"

struct vcpu;

/** exit_fault() - EXIT_KIND_TDP_FAULT, as the tables see it */
static inline struct fault_in exit_fault(const struct exit *exit)
{
	return (struct fault_in){
		.gpa = exit->tdp.gpa,
		.read = exit->tdp.read,
		.write = exit->tdp.write,
		.fetch = exit->tdp.fetch,
		.present = exit->tdp.present,
	};
}

/** exit_handle() - act on @exit; vCPU's thread, loaded, in its epoch */
enum run_next exit_handle(struct vcpu *vcpu, struct exit *exit);

/** exit_result() - KVM_RUN's view: 1 to go on, 0 or an errno to return */
int exit_result(struct vcpu *vcpu, enum run_next next);

/**
 * exit_internal() - fill kvm_run with KVM_EXIT_INTERNAL_ERROR
 * @suberror: KVM_INTERNAL_ERROR_*
 * @data: up to 16 words for the VMM's log
 */
enum run_next exit_internal(struct vcpu *vcpu, u32 suberror, u32 ndata,
			    const u64 *data);

/**
 * exit_debug() - fill kvm_run with KVM_EXIT_DEBUG
 * @payload: #DB's, as dr6_after_db() takes it; 0 for #BP
 */
enum run_next exit_debug(struct vcpu *vcpu, u8 vector, u64 payload);

/** exit_hlt() - the guest executed HLT, RIP is behind it */
enum run_next exit_hlt(struct vcpu *vcpu);

#endif
