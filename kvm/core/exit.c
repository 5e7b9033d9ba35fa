// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit handlers, one per neutral kind, and the table of them.
 *
 * A handler either finishes the instruction (and steps over it), raises a
 * guest exception, hands it to the emulator, or fills in kvm_run. None of
 * them knows a vendor; what hardware did not tell, the decoder finds out.
 */
#include <asm/cpu.h>
#include <asm/cpufeature.h>

#include "core/apic.h"
#include "core/dump.h"
#include "core/emuglue.h"
#include "core/exit.h"
#include "core/halt.h"
#include "core/hypercall.h"
#include "core/io.h"
#include "core/mmio.h"
#include "core/regops.h"
#include "core/vcpu.h"

int exit_result(struct vcpu *vcpu, enum run_next next)
{
	switch (next) {
	case RUN_AGAIN:
		return 1;
	case RUN_USER:
		return 0;
	case RUN_FAULT:
		return -EFAULT;
	case RUN_NOMEM:
		return -ENOMEM;
	case RUN_DEAD:
		return -EIO;
	}
	return -EIO;
}

enum run_next exit_internal(struct vcpu *vcpu, u32 suberror, u32 ndata,
			    const u64 *data)
{
	struct kvm_run *run = vcpu->run;
	u32 i, n = min_t(u32, ndata, ARRAY_SIZE(run->internal.data));

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = n;
	for (i = 0; i < n; i++)
		run->internal.data[i] = data[i];
	return RUN_USER;
}

enum run_next exit_debug(struct vcpu *vcpu, u8 vector, u64 payload)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_DEBUG;
	run->debug.arch.exception = vector;
	run->debug.arch.pc = regs_linear_rip(vcpu_regs(vcpu, RG_SEG | RG_CR));
	run->debug.arch.dr6 = vector == VEC_DB ?
			      dr6_after_db(DR6_INIT, payload) : 0;
	run->debug.arch.dr7 = vcpu_regs(vcpu, RG_DR)->dr7;
	return RUN_USER;
}

/* The end of most handlers: the instruction is done. */
static enum run_next exit_skip(struct vcpu *vcpu)
{
	return emuglue_skip(vcpu);
}

static enum run_next exit_gp(struct vcpu *vcpu)
{
	event_gp(&vcpu->events, 0);
	return RUN_AGAIN;
}

static enum run_next exit_again(struct vcpu *vcpu, struct exit *exit)
{
	return RUN_AGAIN;
}

static enum run_next exit_user(struct vcpu *vcpu, struct exit *exit)
{
	return RUN_USER;
}

static enum run_next exit_cpuid(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = &vcpu->regs;
	u32 out[4];

	if (msr_cpuid_faults(&vcpu->msrs) &&
	    regs_cpl(vcpu_regs(vcpu, RG_CODE | RG_CR)))
		return exit_gp(vcpu);
	cpuid_query(vcpu->cpuid, &vcpu->cpuid_dyn, regs->gpr[R_RAX],
		    regs->gpr[R_RCX], out);
	regs->gpr[R_RAX] = out[OUT_EAX];
	regs->gpr[R_RBX] = out[OUT_EBX];
	regs->gpr[R_RCX] = out[OUT_ECX];
	regs->gpr[R_RDX] = out[OUT_EDX];
	regs_touch(regs, RG_GPR);
	return exit_skip(vcpu);
}

static enum run_next exit_rdmsr(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = &vcpu->regs;
	u64 val;

	if (msr_get(&vcpu->msrs, regs->gpr[R_RCX], false, &val) != MSR_OK)
		return exit_gp(vcpu);
	regs->gpr[R_RAX] = (u32)val;
	regs->gpr[R_RDX] = val >> 32;
	regs_touch(regs, RG_GPR);
	return exit_skip(vcpu);
}

static enum run_next exit_wrmsr(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = &vcpu->regs;
	u64 val = (u32)regs->gpr[R_RAX] | regs->gpr[R_RDX] << 32;

	if (msr_set(&vcpu->msrs, regs->gpr[R_RCX], false, val) != MSR_OK)
		return exit_gp(vcpu);
	return exit_skip(vcpu);
}

static enum run_next exit_in(struct vcpu *vcpu, u16 port, u8 size)
{
	struct regs *regs = &vcpu->regs;
	u64 value = 0;

	if (!io_port_read(vcpu, port, size, &value)) {
		io_ask_pio(vcpu, port, size, NULL);
		exit_skip(vcpu);
		return RUN_USER;
	}
	if (size == 4)
		regs->gpr[R_RAX] = (u32)value;
	else
		regs->gpr[R_RAX] = (regs->gpr[R_RAX] & ~mask_bytes(size)) |
				   (value & mask_bytes(size));
	regs_touch(regs, RG_GPR);
	return exit_skip(vcpu);
}

static enum run_next exit_out(struct vcpu *vcpu, u16 port, u8 size)
{
	u64 value = vcpu->regs.gpr[R_RAX];

	if (io_port_write(vcpu, port, size, &value))
		return exit_skip(vcpu);
	/* Past it at once: an OUT that resets the machine is not repeated. */
	exit_skip(vcpu);
	io_ask_pio(vcpu, port, size, &value);
	return RUN_USER;
}

static enum run_next exit_pio(struct vcpu *vcpu, struct exit *exit)
{
	if (exit->pio.string)
		return emuglue_insn(vcpu);
	if (exit->pio.next_rip && !exit->insn_len)
		exit->insn_len = exit->pio.next_rip - vcpu->regs.rip;
	regops_watch(vcpu, WATCH_PORT, exit->pio.port, exit->pio.size);
	return exit->pio.in ? exit_in(vcpu, exit->pio.port, exit->pio.size) :
			      exit_out(vcpu, exit->pio.port, exit->pio.size);
}

static enum run_next exit_mov_cr(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = &vcpu->regs;
	u64 *gpr = &regs->gpr[exit->cr.gpr & 15];

	if (!exit->cr.decoded)
		return emuglue_insn(vcpu);
	if (exit->cr.write) {
		u64 val = regs_mode(vcpu_regs(vcpu, RG_CODE | RG_CR)) ==
			  MODE_LONG ? *gpr : (u32)*gpr;

		if (!regops_set_cr(vcpu, exit->cr.cr, val))
			return exit_gp(vcpu);
	} else {
		*gpr = regops_get_cr(vcpu, exit->cr.cr);
		regs_touch(regs, RG_GPR);
	}
	return exit_skip(vcpu);
}

static enum run_next exit_cr(struct vcpu *vcpu, struct exit *exit)
{
	u64 old = vcpu->cr8;
	enum run_next next = exit_mov_cr(vcpu, exit);

	/* The VMM's LAPIC, if not here, may have what passes now. */
	if (next != RUN_AGAIN || vcpu->lapic || vcpu->cr8 >= old)
		return next;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return RUN_USER;
}

static enum run_next exit_dr(struct vcpu *vcpu, struct exit *exit)
{
	/* Aliases, general detect and CPL make the emulator the one place. */
	return emuglue_insn(vcpu);
}

/*
 * The instruction at RIP made the access, unless an event was on its way: a
 * descriptor table or a stack that is no memory has no emulation. In a walk of
 * the guest's tables it is not the instruction's own.
 */
static enum run_next exit_device(struct vcpu *vcpu, struct exit *exit)
{
	const u64 data[] = {
		exit->inflight.vector, exit->hw_reason, exit->tdp.gpa.v,
	};

	if (exit->inflight.type != EVENT_NONE)
		return exit_internal(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV,
				     ARRAY_SIZE(data), data);
	return exit->tdp.user_walk ? emuglue_insn(vcpu) :
				     mmio_exit(vcpu, exit);
}

/*
 * The walk of a table is about to set accessed bits in it: a write, where one
 * is possible. EPT without such bits of its own tells of the read alone and
 * exits again for the write, Bochs not even that.
 */
static enum fault_rc exit_walk_fault(struct vcpu *vcpu, struct fault_in in)
{
	enum fault_rc rc;

	in.write = true;
	rc = mmu_fault(&vcpu->vm->mmu, &vcpu->reader, &in);
	if (rc != FAULT_MMIO && rc != FAULT_ERROR)
		return rc;
	in.write = false;
	return mmu_fault(&vcpu->vm->mmu, &vcpu->reader, &in);
}

static enum run_next exit_tdp_fault(struct vcpu *vcpu, struct exit *exit)
{
	const struct fault_in in = exit_fault(exit);
	enum fault_rc rc;

	if (exit->tdp.user_walk && !in.write)
		rc = exit_walk_fault(vcpu, in);
	else
		rc = mmu_fault(&vcpu->vm->mmu, &vcpu->reader, &in);
	switch (rc) {
	case FAULT_FIXED:
		vcpu->stat.pf_fixed++;
		return RUN_AGAIN;
	case FAULT_RETRY:
	case FAULT_SIGNAL:
		return RUN_AGAIN;
	case FAULT_MMIO:
		vcpu->stat.pf_emulate++;
		return apic_map_page(vcpu, in.gpa) ? RUN_AGAIN :
						     exit_device(vcpu, exit);
	case FAULT_ERROR:
		return RUN_FAULT;
	case FAULT_NOMEM:
		return RUN_NOMEM;
	}
	return RUN_DEAD;
}

/*
 * A #AC that the guest has not asked for is the host's search for split locks,
 * which does not end at guests. The kernel makes the thread slower, which
 * sleeps, or gives it a signal.
 */
static enum run_next exit_split_lock(struct vcpu *vcpu, u32 error_code)
{
	bool goes_on;

	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	goes_on = handle_guest_split_lock(vcpu->regs.rip);
	epoch_enter(&vcpu->reader);
	if (goes_on)
		return RUN_AGAIN;
	vcpu->run->exit_reason = KVM_EXIT_EXCEPTION;
	vcpu->run->ex.exception = VEC_AC;
	vcpu->run->ex.error_code = error_code;
	return RUN_USER;
}

static enum run_next exit_exception(struct vcpu *vcpu, struct exit *exit)
{
	struct fault fault = {
		.vector = exit->exc.vector,
		.has_error_code = exit->exc.has_error_code,
		.error_code = exit->exc.error_code,
	};

	switch (exit->exc.vector) {
	case VEC_DB:
		if (vcpu->guest_debug & (KVM_GUESTDBG_SINGLESTEP |
					 KVM_GUESTDBG_USE_HW_BP))
			return exit_debug(vcpu, VEC_DB, exit->exc.payload);
		regops_raise_db(vcpu, exit->exc.payload);
		return RUN_AGAIN;
	case VEC_BP:
		if (vcpu->guest_debug & KVM_GUESTDBG_USE_SW_BP)
			return exit_debug(vcpu, VEC_BP, 0);
		break;
	case VEC_AC:
		if (boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT) &&
		    !regs_checks_alignment(vcpu_regs(vcpu, RG_CODE | RG_CR)))
			return exit_split_lock(vcpu, fault.error_code);
		break;
	case VEC_PF:
		fault.has_cr2 = true;
		fault.cr2 = exit->exc.payload;
		break;
	}
	event_raise(&vcpu->events, &fault);
	return RUN_AGAIN;
}

enum run_next exit_hlt(struct vcpu *vcpu)
{
	if (vcpu->lapic) {
		vcpu->mp_state = MP_HALTED;
		return RUN_AGAIN;
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return RUN_USER;
}

static enum run_next exit_halted(struct vcpu *vcpu, struct exit *exit)
{
	enum run_next next = exit_skip(vcpu);

	return next == RUN_AGAIN ? exit_hlt(vcpu) : next;
}

static enum run_next exit_hypercall(struct vcpu *vcpu, struct exit *exit)
{
	hypercall_run(vcpu);
	return exit_skip(vcpu);
}

static enum run_next exit_nop(struct vcpu *vcpu, struct exit *exit)
{
	return exit_skip(vcpu);
}

static enum run_next exit_pause(struct vcpu *vcpu, struct exit *exit)
{
	/* The run loop lets others run, outside the epoch. */
	return exit_skip(vcpu);
}

static enum run_next exit_invlpg(struct vcpu *vcpu, struct exit *exit)
{
	if (!exit->invlpg.decoded)
		return emuglue_insn(vcpu);
	backend_call(flush)(vcpu, FLUSH_GVA, exit->invlpg.address);
	return exit_skip(vcpu);
}

static enum run_next exit_rdtsc(struct vcpu *vcpu, struct exit *exit)
{
	return emuglue_insn(vcpu);
}

static enum run_next exit_rdpmc(struct vcpu *vcpu, struct exit *exit)
{
	return exit_gp(vcpu);
}

static enum run_next exit_xsetbv(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = vcpu_regs(vcpu, RG_CR | RG_SEG);
	u64 val = (u32)regs->gpr[R_RAX] | regs->gpr[R_RDX] << 32;

	if (!(regs->cr4 & CR4_OSXSAVE)) {
		event_ud(&vcpu->events);
		return RUN_AGAIN;
	}
	if (regs_cpl(regs) ||
	    !xsetbv_check(&vcpu->limits, regs->gpr[R_RCX], val))
		return exit_gp(vcpu);
	regs->xcr0 = val;
	vcpu_dyn_changed(vcpu);
	return exit_skip(vcpu);
}

static enum run_next exit_mwait(struct vcpu *vcpu, struct exit *exit)
{
	if ((vcpu->vm->disabled_quirks & KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS) &&
	    !cpuid_has_mwait(vcpu->cpuid, &vcpu->cpuid_dyn)) {
		event_ud(&vcpu->events);
		return RUN_AGAIN;
	}
	return exit_skip(vcpu);
}

static enum run_next exit_task_switch(struct vcpu *vcpu, struct exit *exit)
{
	return exit_internal(vcpu, KVM_INTERNAL_ERROR_EMULATION, 0, NULL);
}

static enum run_next exit_cr8_write(struct vcpu *vcpu, struct exit *exit)
{
	/* The new value came with the exit; with a LAPIC that is all. */
	if (vcpu->lapic)
		return RUN_AGAIN;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return RUN_USER;
}

static enum run_next exit_apic_eoi(struct vcpu *vcpu, struct exit *exit)
{
	if (vcpu->lapic)
		lapic_hw_ended(vcpu->lapic, exit->apic.vector);
	return RUN_AGAIN;
}

static enum run_next exit_apic_write(struct vcpu *vcpu, struct exit *exit)
{
	if (vcpu->lapic)
		lapic_hw_wrote(vcpu->lapic, exit->apic.offset);
	return RUN_AGAIN;
}

static enum run_next exit_deadline(struct vcpu *vcpu, struct exit *exit)
{
	if (vcpu->lapic)
		lapic_timer_sync(vcpu->lapic);
	return RUN_AGAIN;
}

static enum run_next exit_shutdown(struct vcpu *vcpu, struct exit *exit)
{
	/* VMMs dump the state of a guest that crashed, where there is one. */
	if (backend.caps & BACKEND_SHUTDOWN_LOSES)
		vcpu_reset(vcpu, true);
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return RUN_USER;
}

static enum run_next exit_ud(struct vcpu *vcpu, struct exit *exit)
{
	event_ud(&vcpu->events);
	return RUN_AGAIN;
}

static enum run_next exit_emulate(struct vcpu *vcpu, struct exit *exit)
{
	return emuglue_insn(vcpu);
}

static enum run_next exit_private(struct vcpu *vcpu, struct exit *exit)
{
	return backend.private_exit(vcpu, exit);
}

static enum run_next exit_fail_entry(struct vcpu *vcpu, struct exit *exit)
{
	dump_failure(vcpu, exit);
	/* It was taken from its source for this entry, and not delivered. */
	vcpu->events.reinject = vcpu->entry.inject;
	vcpu->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	vcpu->run->fail_entry.hardware_entry_failure_reason =
		exit->fail.reason;
	vcpu->run->fail_entry.cpu = vcpu->cpu;
	return RUN_USER;
}

static enum run_next (*const exit_handlers[EXIT_KIND_COUNT])(struct vcpu *,
							     struct exit *) = {
	[EXIT_KIND_NONE] = exit_again,
	[EXIT_KIND_USER] = exit_user,
	[EXIT_KIND_HOST_IRQ] = exit_again,
	[EXIT_KIND_HOST_NMI] = exit_again,
	[EXIT_KIND_HOST_MCE] = exit_again,
	[EXIT_KIND_CPUID] = exit_cpuid,
	[EXIT_KIND_RDMSR] = exit_rdmsr,
	[EXIT_KIND_WRMSR] = exit_wrmsr,
	[EXIT_KIND_PIO] = exit_pio,
	[EXIT_KIND_CR] = exit_cr,
	[EXIT_KIND_DR] = exit_dr,
	[EXIT_KIND_TDP_FAULT] = exit_tdp_fault,
	[EXIT_KIND_EXCEPTION] = exit_exception,
	[EXIT_KIND_HLT] = exit_halted,
	[EXIT_KIND_HYPERCALL] = exit_hypercall,
	[EXIT_KIND_PAUSE] = exit_pause,
	[EXIT_KIND_INVD] = exit_nop,
	[EXIT_KIND_WBINVD] = exit_nop,
	[EXIT_KIND_INVLPG] = exit_invlpg,
	[EXIT_KIND_RDTSC] = exit_rdtsc,
	[EXIT_KIND_RDPMC] = exit_rdpmc,
	[EXIT_KIND_XSETBV] = exit_xsetbv,
	[EXIT_KIND_MONITOR] = exit_mwait,
	[EXIT_KIND_MWAIT] = exit_mwait,
	[EXIT_KIND_TASK_SWITCH] = exit_task_switch,
	[EXIT_KIND_CR8_WRITE] = exit_cr8_write,
	[EXIT_KIND_APIC_EOI] = exit_apic_eoi,
	[EXIT_KIND_APIC_WRITE] = exit_apic_write,
	[EXIT_KIND_IRQ_WINDOW] = exit_again,
	[EXIT_KIND_NMI_WINDOW] = exit_again,
	[EXIT_KIND_DEADLINE] = exit_deadline,
	[EXIT_KIND_SHUTDOWN] = exit_shutdown,
	[EXIT_KIND_UD] = exit_ud,
	[EXIT_KIND_EMULATE] = exit_emulate,
	[EXIT_KIND_PRIVATE] = exit_private,
	[EXIT_KIND_FAIL_ENTRY] = exit_fail_entry,
};

enum run_next exit_handle(struct vcpu *vcpu, struct exit *exit)
{
	unsigned int kind = exit->kind;

	if (kind >= EXIT_KIND_COUNT) {
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
		vcpu->run->hw.hardware_exit_reason = exit->hw_reason;
		return RUN_USER;
	}
	kind = array_index_nospec(kind, EXIT_KIND_COUNT);
	vcpu->stat.kind[kind]++;
	return exit_handlers[kind](vcpu, exit);
}
