// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register state of a vCPU, to and from the VMM: general registers, FPU and
 * XSAVE, LAPIC, MP state, events, debug registers; the system registers are in
 * sregs.c.
 *
 * Each setter checks everything first and then commits what cannot fail. The
 * vCPU's mutex is held, and it is loaded where ioctl_rows.h says so.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "api/dispatch.h"
#include "api/ioctl_rows.h"
#include "core/clock.h"
#include "core/halt.h"
#include "core/hostinfo.h"
#include "core/regops.h"

/* ---- general registers ------------------------------------------------ */

static const u8 state_gpr_order[] = {
	R_RAX, R_RBX, R_RCX, R_RDX, R_RSI, R_RDI, R_RSP, R_RBP,
	R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15,
};

/* struct kvm_regs: sixteen registers in that order, then RIP and RFLAGS. */
static_assert(sizeof(struct kvm_regs) == 18 * 8);
static_assert(offsetof(struct kvm_regs, rip) == 16 * 8);

long state_get_regs(struct ioctl_ctx *ctx, void *data)
{
	struct regs *regs = vcpu_regs(ctx->vcpu, RG_GPR | RG_RIP);
	struct kvm_regs *out = data;
	u64 *slot = data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(state_gpr_order); i++)
		slot[i] = regs->gpr[state_gpr_order[i]];
	out->rip = regs->rip;
	out->rflags = regs->rflags;
	if (ctx->vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP)
		out->rflags &= ~RFLAGS_TF;
	return 0;
}

long state_set_regs(struct ioctl_ctx *ctx, void *data)
{
	struct regs *regs = &ctx->vcpu->regs;
	const struct kvm_regs *in = data;
	const u64 *slot = data;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(state_gpr_order); i++)
		regs->gpr[state_gpr_order[i]] = slot[i];
	regs->rip = in->rip;
	regs->rflags = in->rflags | RFLAGS_FIXED;
	regs_touch(regs, RG_GPR | RG_RIP);
	/* What was to be raised belonged to the old registers. */
	ctx->vcpu->events.exception.pending = false;
	return 0;
}

/* MXCSR, SDM vol. 1, 10.2.3: what every 64-bit processor has. */
#define MXCSR_WRITABLE 0xffff

/* ---- FPU -------------------------------------------------------------- */

static_assert(sizeof_field(struct kvm_fpu, fpr) ==
	      sizeof_field(struct fxregs_state, st_space));
static_assert(sizeof_field(struct kvm_fpu, xmm) ==
	      sizeof_field(struct fxregs_state, xmm_space));

long state_get_fpu(struct ioctl_ctx *ctx, void *data)
{
	const struct fxregs_state *fx =
		&ctx->vcpu->fpu.fpstate->regs.fxsave;
	struct kvm_fpu *out = data;

	memcpy(out->fpr, fx->st_space, sizeof(out->fpr));
	out->fcw = fx->cwd;
	out->fsw = fx->swd;
	out->ftwx = fx->twd;
	out->last_opcode = fx->fop;
	out->last_ip = fx->rip;
	out->last_dp = fx->rdp;
	memcpy(out->xmm, fx->xmm_space, sizeof(out->xmm));
	out->mxcsr = fx->mxcsr;
	return 0;
}

long state_set_fpu(struct ioctl_ctx *ctx, void *data)
{
	struct fxregs_state *fx = &ctx->vcpu->fpu.fpstate->regs.fxsave;
	struct xstate_header *header =
		&ctx->vcpu->fpu.fpstate->regs.xsave.header;
	const struct kvm_fpu *in = data;

	memcpy(fx->st_space, in->fpr, sizeof(fx->st_space));
	fx->cwd = in->fcw;
	fx->swd = in->fsw;
	fx->twd = in->ftwx;
	fx->fop = in->last_opcode;
	fx->rip = in->last_ip;
	fx->rdp = in->last_dp;
	memcpy(fx->xmm_space, in->xmm, sizeof(fx->xmm_space));
	/* The kernel loads it with XRSTOR, which faults on reserved bits. */
	fx->mxcsr = in->mxcsr & MXCSR_WRITABLE;
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		header->xfeatures |= XFEATURE_MASK_FPSSE;
	return 0;
}

/* What the guest cannot have is left out: another host may not know it. */
static void state_xsave_out(struct vcpu *vcpu, void *out, u32 size)
{
	u64 components = vcpu->limits.xcr0 | XFEATURE_MASK_FPSSE;

	fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, out, size,
				       vcpu->fpu.fpstate->user_xfeatures &
				       components, vcpu->pkru);
}

long state_get_xsave(struct ioctl_ctx *ctx, void *data)
{
	if (ctx->vcpu->fpu.uabi_size > sizeof(struct kvm_xsave))
		return -EINVAL;
	state_xsave_out(ctx->vcpu, data, sizeof(struct kvm_xsave));
	return 0;
}

long state_get_xsave2(struct ioctl_ctx *ctx, void *data)
{
	u32 size = max_t(u32, ctx->vcpu->fpu.uabi_size,
			 sizeof(struct kvm_xsave));
	void *out = kzalloc(size, GFP_KERNEL_ACCOUNT);
	long ret;

	if (!out)
		return -ENOMEM;
	state_xsave_out(ctx->vcpu, out, size);
	ret = copy_to_user(ctx->user, out, size) ? -EFAULT : 0;
	kfree(out);
	return ret;
}

long state_set_xsave(struct ioctl_ctx *ctx, void *data)
{
	struct vcpu *vcpu = ctx->vcpu;
	void *in = memdup_user(ctx->user,
			       max_t(u32, vcpu->fpu.uabi_size,
				     sizeof(struct kvm_xsave)));
	int err;

	if (IS_ERR(in))
		return PTR_ERR(in);
	/* Against what the host has, not XCR0: it may be set later. */
	err = fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, in,
					     hostinfo_cr()->xcr0,
					     &vcpu->pkru);
	kfree(in);
	return err;
}

long state_get_xcrs(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_xcrs *out = data;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return -EINVAL;
	out->nr_xcrs = 1;
	out->xcrs[0].value = ctx->vcpu->regs.xcr0;
	return 0;
}

long state_set_xcrs(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_xcrs *in = data;
	struct vcpu *vcpu = ctx->vcpu;
	u32 i;

	if (!boot_cpu_has(X86_FEATURE_XSAVE) || in->flags ||
	    in->nr_xcrs > KVM_MAX_XCRS)
		return -EINVAL;
	for (i = 0; i < in->nr_xcrs; i++) {
		if (in->xcrs[i].xcr)
			continue;
		if (!xsetbv_check(&vcpu->limits, 0, in->xcrs[i].value))
			return -EINVAL;
		vcpu->regs.xcr0 = in->xcrs[i].value;
		vcpu_dyn_changed(vcpu);
		break;
	}
	return 0;
}

/* ---- LAPIC and MP state ----------------------------------------------- */

long state_get_lapic(struct ioctl_ctx *ctx, void *data)
{
	if (!ctx->vcpu->lapic)
		return -EINVAL;
	/* What is on its way to it is part of its state. */
	if (ctx->vm->later.crowd)
		irq_later_finish(&ctx->vm->later);
	lapic_get_state(ctx->vcpu->lapic, data);
	return 0;
}

long state_set_lapic(struct ioctl_ctx *ctx, void *data)
{
	struct lapic *lapic = ctx->vcpu->lapic;

	if (!lapic || !lapic_check_state(lapic, data))
		return -EINVAL;
	lapic_set_state(lapic, data);
	return 0;
}

long state_get_mp(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_mp_state *out = data;

	halt_take_mp_events(ctx->vcpu);
	out->mp_state = ctx->vcpu->mp_state;
	return 0;
}

long state_set_mp(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_mp_state *in = data;
	struct vcpu *vcpu = ctx->vcpu;

	switch (in->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		break;
	case KVM_MP_STATE_UNINITIALIZED:
	case KVM_MP_STATE_HALTED:
	case KVM_MP_STATE_INIT_RECEIVED:
		if (!vcpu->lapic)
			return -EINVAL;
		break;
	case KVM_MP_STATE_SIPI_RECEIVED:
		if (!vcpu->lapic)
			return -EINVAL;
		vcpu->mp_state = MP_INIT_RECEIVED;
		set_bit(LAPIC_EV_SIPI, &vcpu->lapic->events);
		return 0;
	default:
		return -EINVAL;
	}
	vcpu->mp_state = in->mp_state;
	return 0;
}

/* ---- events ----------------------------------------------------------- */

static void state_exception_out(struct vcpu *vcpu,
				struct kvm_vcpu_events *out)
{
	struct exception *exc = &vcpu->events.exception;
	const struct event *in_flight = &vcpu->events.reinject;

	if (in_flight->type == EVENT_EXCEPTION ||
	    in_flight->type == EVENT_SOFT_EXCEPTION) {
		out->exception.injected = 1;
		out->exception.nr = in_flight->vector;
		out->exception.has_error_code = in_flight->has_error_code;
		out->exception.error_code = in_flight->error_code;
		return;
	}
	if (!exc->pending)
		return;
	out->exception.nr = exc->vector;
	out->exception.has_error_code = exc->has_error_code;
	out->exception.error_code = exc->error_code;
	if (vcpu->vm->exception_payload) {
		out->exception.pending = 1;
		out->exception_has_payload = exc->has_payload;
		out->exception_payload = exc->payload;
		return;
	}
	/* The VMM cannot carry a payload: deliver that half now. */
	out->exception.injected = 1;
	regops_exception_payload(vcpu, exc);
	exc->has_payload = false;
}

/* A software interrupt in flight gives way: its INT is executed again. */
static void state_interrupt_out(struct vcpu *vcpu, struct kvm_vcpu_events *out)
{
	const struct event *in_flight = &vcpu->events.reinject;
	int irq = vcpu_held_irq(vcpu);

	if (irq >= 0) {
		out->interrupt.injected = 1;
		out->interrupt.nr = irq;
	} else if (in_flight->type == EVENT_SOFT_IRQ) {
		out->interrupt.injected = 1;
		out->interrupt.nr = in_flight->vector;
		out->interrupt.soft = 1;
	}
}

long state_get_events(struct ioctl_ctx *ctx, void *data)
{
	struct vcpu *vcpu = ctx->vcpu;
	struct events *ev = &vcpu->events;
	struct kvm_vcpu_events *out = data;

	vcpu_take_nmis(vcpu);
	state_exception_out(vcpu, out);
	state_interrupt_out(vcpu, out);
	out->interrupt.shadow =
		(ev->shadow & SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0) |
		(ev->shadow & SHADOW_MOV_SS ? KVM_X86_SHADOW_INT_MOV_SS : 0);
	out->nmi.injected = ev->reinject.type == EVENT_NMI;
	out->nmi.pending = ev->nmi_pending;
	out->nmi.masked = ev->nmi_blocked;
	out->flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		     KVM_VCPUEVENT_VALID_SHADOW;
	if (vcpu->vm->exception_payload)
		out->flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	if (vcpu->vm->triple_fault_event) {
		out->triple_fault.pending = ev->triple_fault;
		out->flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
	return 0;
}

static bool state_check_events(struct vcpu *vcpu,
			       const struct kvm_vcpu_events *in)
{
	u32 known = KVM_VCPUEVENT_VALID_NMI_PENDING |
		    KVM_VCPUEVENT_VALID_SIPI_VECTOR |
		    KVM_VCPUEVENT_VALID_SHADOW;

	if (vcpu->vm->exception_payload)
		known |= KVM_VCPUEVENT_VALID_PAYLOAD;
	if (vcpu->vm->triple_fault_event)
		known |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	if (in->flags & ~known)
		return false;
	if ((in->flags & KVM_VCPUEVENT_VALID_PAYLOAD) &&
	    in->exception.pending && in->exception.injected)
		return false;
	return !(in->exception.injected || in->exception.pending) ||
	       event_is_exception_vector(in->exception.nr);
}

/*
 * One event at most can be in flight: the first that the VMM names. Interrupts
 * of a controller are vcpu_hold_irq()'s.
 */
static struct event state_in_flight(const struct kvm_vcpu_events *in,
				    bool injected)
{
	if (injected)
		return event_exception(in->exception.nr,
				       in->exception.has_error_code,
				       in->exception.error_code &
				       EVENT_ERROR_CODE_MASK);
	if (in->nmi.injected)
		return (struct event){ .type = EVENT_NMI, .vector = VEC_NMI };
	if (in->interrupt.injected && in->interrupt.soft)
		return (struct event){
			.type = EVENT_SOFT_IRQ, .vector = in->interrupt.nr,
		};
	return (struct event){ .type = EVENT_NONE };
}

long state_set_events(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_vcpu_events *in = data;
	struct vcpu *vcpu = ctx->vcpu;
	struct events *ev = &vcpu->events;
	bool payload = in->flags & KVM_VCPUEVENT_VALID_PAYLOAD;

	if (!state_check_events(vcpu, in))
		return -EINVAL;
	ev->reinject = state_in_flight(in, in->exception.injected);
	if (!vcpu->lapic || ev->reinject.type == EVENT_NONE)
		vcpu_hold_irq(vcpu, in->interrupt.injected &&
				    !in->interrupt.soft ? in->interrupt.nr : -1);
	ev->exception = (struct exception){
		.pending = payload && in->exception.pending,
		.vector = in->exception.nr,
		.has_error_code = in->exception.has_error_code,
		.error_code = in->exception.error_code & EVENT_ERROR_CODE_MASK,
		.has_payload = payload && in->exception_has_payload,
		.payload = in->exception_payload,
	};
	ev->nmi_blocked = in->nmi.masked;
	if (in->flags & KVM_VCPUEVENT_VALID_NMI_PENDING) {
		atomic_set(&vcpu->nmi_inbox, 0);
		ev->nmi_pending = min_t(u8, in->nmi.pending, 2);
	}
	if (in->flags & KVM_VCPUEVENT_VALID_SHADOW)
		ev->shadow = (in->interrupt.shadow & KVM_X86_SHADOW_INT_STI ?
			      SHADOW_STI : 0) |
			     (in->interrupt.shadow &
			      KVM_X86_SHADOW_INT_MOV_SS ? SHADOW_MOV_SS : 0);
	if ((in->flags & KVM_VCPUEVENT_VALID_SIPI_VECTOR) && vcpu->lapic)
		vcpu->lapic->sipi_vector = in->sipi_vector;
	if (in->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		ev->triple_fault = in->triple_fault.pending;
	return 0;
}

/* ---- debug registers -------------------------------------------------- */

long state_get_debugregs(struct ioctl_ctx *ctx, void *data)
{
	struct regs *regs = vcpu_regs(ctx->vcpu, RG_DR);
	struct kvm_debugregs *out = data;

	memcpy(out->db, regs->dr, sizeof(out->db));
	out->dr6 = regs->dr6;
	out->dr7 = regs->dr7;
	return 0;
}

long state_set_debugregs(struct ioctl_ctx *ctx, void *data)
{
	struct regs *regs = vcpu_regs(ctx->vcpu, RG_DR);
	const struct kvm_debugregs *in = data;

	if (in->flags || !dr67_check(in->dr6) || !dr67_check(in->dr7))
		return -EINVAL;
	memcpy(regs->dr, in->db, sizeof(regs->dr));
	regs->dr6 = dr6_fix(&ctx->vcpu->limits, in->dr6);
	regs->dr7 = dr7_fix(in->dr7);
	regs_touch(regs, RG_DR);
	return 0;
}
