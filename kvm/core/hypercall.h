/* SPDX-License-Identifier: GPL-2.0-only */
/* Paravirtual calls: Documentation/virt/kvm/x86/hypercalls.rst. */
#ifndef CORE_HYPERCALL_H
#define CORE_HYPERCALL_H

struct vcpu;

/**
 * hypercall_run() - serve the call in RAX, result to RAX
 *
 * vCPU's thread, after an EXIT_KIND_HYPERCALL. The caller steps over the
 * instruction.
 */
void hypercall_run(struct vcpu *vcpu);

#endif
