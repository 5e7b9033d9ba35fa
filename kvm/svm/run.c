// SPDX-License-Identifier: GPL-2.0-only
/*
 * One entry into the guest: prepare the VMCB, switch, take out what came.
 *
 * What is constant between entries stays in the VMCB; what changed is written
 * and loses its clean bit. The host's half of the state that VMRUN does not
 * switch is saved once per load, except while the task uses an LDT, which
 * another thread may change in between.
 *
 * All of it runs with interrupts off, the switch itself with GIF clear: host
 * NMIs and machine checks wait until STGI.
 * APM vol. 2, 15.5, 15.17, 15.21.
 */
#include <linux/instrumentation.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/msr.h>

#include "core/guest_mode.h"
#include "svm/switch.h"

static_assert(offsetof(struct regs, gpr) == 0);
static_assert(R_RCX == 1 && R_RDX == 2 && R_RBX == 3 && R_RSP == 4 &&
	      R_RBP == 5 && R_RSI == 6 && R_RDI == 7 && R_R15 == 15);

/* False: SVM is off, as it is when the machine is going down. */
static bool gif_clear(void)
{
	asm goto("1: clgi\n\t" _ASM_EXTABLE(1b, %l[off])
		 : : : "memory" : off);
	return true;
off:
	return false;
}

static void gif_set(void)
{
	asm volatile("stgi" : : : "memory");
}

static u16 host_ldt(void)
{
	u16 ldt;

	asm volatile("sldt %0" : "=r"(ldt));
	return ldt;
}

static void host_save(struct svm_vcpu *svm, struct svm_cpu *sc)
{
	u16 ldt = host_ldt();

	if (!svm->host_stale && !ldt && !sc->host_ldt)
		return;
	asm volatile("vmsave %%rax" : : "a"(sc->host_area_pa) : "memory");
	sc->host_ldt = ldt;
	svm->host_stale = false;
}

static noinline void change_controls(struct svm_vcpu *svm, u32 needs)
{
	struct vmcb_control *control = &svm->vmcb->control;
	struct svm_controls c;

	c = svm_controls(&svm->vcpu.policy, needs, &svm_host_caps);
	svm->controls_stale = false;
	svm->needs = needs;
	if (!memcmp(&c, &svm->controls, sizeof(c)))
		return;
	svm->controls = c;
	control->icpt_cr = c.cr;
	control->icpt_dr = c.dr;
	control->icpt_exceptions = c.exceptions;
	control->icpt_3 = c.word3;
	control->icpt_4 = c.word4;
	control->icpt_5 = c.word5;
	control->pause_count = c.pause_count;
	control->pause_threshold = c.pause_threshold;
	svm_dirty(svm, CLEAN_INTERCEPTS);
}

static void write_controls(struct svm_vcpu *svm, u32 needs)
{
	if (unlikely(svm->controls_stale || needs != svm->needs))
		change_controls(svm, needs);
}

static void write_vintr(struct svm_vcpu *svm, const struct entry *entry)
{
	struct vmcb_control *control = &svm->vmcb->control;
	u64 vintr = V_INTR_MASKING | (entry->cr8 & V_TPR);

	/* A virtual interrupt above every TPR: its intercept is the window. */
	if (entry->windows & WINDOW_IRQ)
		vintr |= V_IRQ | V_INTR_PRIO_MAX | V_IGN_TPR;
	if (control->vintr != vintr) {
		control->vintr = vintr;
		svm_dirty(svm, CLEAN_TPR);
	}
}

static void write_asid(struct svm_vcpu *svm, struct svm_cpu *sc)
{
	struct vmcb_control *control = &svm->vmcb->control;

	if (likely(asid_current(&svm->asid, &sc->asids))) {
		control->tlb_control = VMCB_TLB_KEEP;
		return;
	}
	control->tlb_control = asid_enter(&svm->asid, &sc->asids,
					  svm_host_caps.flush_by_asid);
	if (control->asid != svm->asid.number) {
		control->asid = svm->asid.number;
		svm_dirty(svm, CLEAN_ASID);
	}
}

static __always_inline void write_regs(struct svm_vcpu *svm)
{
	const struct regs *regs = &svm->vcpu.regs;
	struct vmcb_save *save = &svm->vmcb->save;

	save->rax = regs->gpr[R_RAX];
	save->rsp = regs->gpr[R_RSP];
	save->rip = regs->rip;
	save->rflags = regs->rflags;
}

/* What differs from the last entry is in the general registers and RIP. */
static __always_inline void prepare_same(struct svm_vcpu *svm)
{
	struct vmcb_control *control = &svm->vmcb->control;

	svm->vcpu.regs.dirty = 0;
	write_regs(svm);
	control->shadow = 0;
	control->tlb_control = VMCB_TLB_KEEP;
}

static __always_inline bool is_same(const struct svm_vcpu *svm,
				    const struct entry *entry)
{
	return entry->same && svm->quiet && !svm->controls_stale &&
	       !(svm->vcpu.regs.dirty & ~(RG_GPR | RG_RIP));
}

/* See regs.c. It is another after a #DB, and none comes without an exit. */
static void write_dr6(struct svm_vcpu *svm)
{
	struct vmcb_save *save = &svm->vmcb->save;

	if (likely(save->dr6 == DR6_INIT))
		return;
	save->dr6 = DR6_INIT;
	svm_dirty(svm, CLEAN_DRX);
}

static noinline void prepare(struct svm_vcpu *svm, struct svm_cpu *sc,
			     const struct entry *entry)
{
	struct vmcb_control *control = &svm->vmcb->control;
	bool at_once = entry->exit_at_once;
	/* Without V_IRQ it costs nothing, and so it need not come and go. */
	u32 needs = NEED_VINTR;

	svm->quiet = svm_event_quiet(svm, entry);
	if (unlikely(!svm->quiet))
		needs |= svm_event_needs(svm, entry, &at_once);
	if (svm->vcpu.regs.dirty & ~(RG_GPR | RG_RIP))
		svm_regs_flush(svm);
	svm->vcpu.regs.dirty = 0;
	needs |= svm->cr_needs;
	if (entry->cr8_exit)
		needs |= NEED_CR8_WRITE;
	write_controls(svm, needs);
	write_vintr(svm, entry);
	write_dr6(svm);
	write_regs(svm);
	svm->guest_tf = svm->vcpu.regs.rflags & RFLAGS_TF;
	if (svm->stepping || svm->vcpu.policy.single_step)
		svm->vmcb->save.rflags |= RFLAGS_TF;
	control->event_inj = 0;
	if (unlikely(!svm->quiet))
		svm_event_inject(svm, entry);
	control->shadow = entry->shadow ? VMCB_SHADOW : 0;
	write_asid(svm, sc);
	/*
	 * Pending when VMRUN opens interrupts: taken after the injection, as
	 * any host interrupt, and before an instruction.
	 */
	if (at_once)
		arch_smp_send_reschedule(smp_processor_id());
}

static noinstr void enter(struct svm_vcpu *svm, u64 host_area_pa)
{
	u64 *spec_ctrl = svm_spec_ctrl_place(svm);
	u64 host_spec_ctrl = __this_cpu_read(x86_spec_ctrl_current);

	guest_mode_enter(svm->vcpu.entry.again);
	svm_enter(&svm->vcpu.regs, svm->vmcb_pa, host_area_pa, spec_ctrl,
		  host_spec_ctrl);
	guest_mode_exit();
}

/* Was TF, if it was not the guest's, left behind by the step? */
static bool tf_is_ours(const struct svm_vcpu *svm)
{
	if (svm->guest_tf)
		return false;
	/* An executed IRET has loaded what the guest wants. */
	if (svm->stepping && svm->iret_seen)
		return svm->vmcb->save.rip == svm->iret_rip;
	return svm->stepping || svm->vcpu.policy.single_step;
}

static __always_inline void collect_regs(struct svm_vcpu *svm)
{
	struct regs *regs = &svm->vcpu.regs;
	const struct vmcb_save *save = &svm->vmcb->save;

	regs->gpr[R_RAX] = save->rax;
	regs->gpr[R_RSP] = save->rsp;
	regs->rip = save->rip;
	regs->rflags = save->rflags;
	if (unlikely(svm->stepping | svm->vcpu.policy.single_step) &&
	    tf_is_ours(svm))
		regs->rflags &= ~RFLAGS_TF;
	/* The guest changes no other control register by itself. */
	regs->cr3 = save->cr3;
	if (likely(!svm->vcpu.policy.debug_dr7))
		regs->dr7 = save->dr7;
	regs->avail = RG_GPR | RG_RIP | RG_CR | RG_DR;
}

/*
 * There was no entry: all that it was to do is still to be done, and the
 * registers are as they were handed over.
 */
static noinline void refused(struct svm_vcpu *svm, struct svm_cpu *sc,
			     const struct entry *entry, struct exit *exit)
{
	asid_refused(&svm->asid, &sc->asids, svm->vmcb->control.tlb_control);
	svm->vmcb->control.clean = 0;
	*exit = (struct exit){
		.kind = EXIT_KIND_FAIL_ENTRY,
		.hw_reason = VMEXIT_INVALID,
		.cr8 = entry->cr8,
		.shadow = entry->shadow,
		.fail.reason = VMEXIT_INVALID,
	};
}

void svm_run(struct vcpu *vcpu, const struct entry *entry, struct exit *exit)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpu);
	bool same = is_same(svm, entry);

	if (same)
		prepare_same(svm);
	else
		prepare(svm, sc, entry);
	if (!gif_clear()) {
		refused(svm, sc, entry, exit);
		return;
	}
	if (!same)
		host_save(svm, sc);
	svm_msr_enter(svm, sc);
	enter(svm, sc->host_area_pa);
	svm_msr_leave(svm);
	gif_set();

	if (unlikely(vmcb_refused(svm->vmcb->control.exit_code))) {
		refused(svm, sc, entry, exit);
		return;
	}
	svm->vmcb->control.clean = svm_clean;
	collect_regs(svm);
	svm_exit_decode(svm->vmcb, &svm_host_caps, exit);
	if (unlikely(!svm->quiet || exit->inflight.type != EVENT_NONE))
		svm_event_exit(svm, exit);
}
