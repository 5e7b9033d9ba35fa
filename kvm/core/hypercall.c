// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paravirtual calls: see hypercall.h. Those whose feature bit is not offered
 * do not exist.
 */
#include <uapi/linux/kvm_para.h>

#include "core/hypercall.h"
#include "core/vcpu.h"

void hypercall_run(struct vcpu *vcpu)
{
	struct regs *regs = vcpu_regs(vcpu, RG_GPR | RG_CODE | RG_CR);
	u64 nr = regs->gpr[R_RAX];
	long ret = -KVM_ENOSYS;

	vcpu->stat.hypercalls++;
	if (regs_mode(regs) != MODE_LONG)
		nr = (u32)nr;
	if (regs_cpl(regs))
		ret = -KVM_EPERM;
	else if (nr == KVM_HC_VAPIC_POLL_IRQ)
		ret = 0;

	regs->gpr[R_RAX] = regs_mode(regs) == MODE_LONG ? ret : (u32)ret;
	regs_touch(regs, RG_GPR);
}
