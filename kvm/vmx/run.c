// SPDX-License-Identifier: GPL-2.0-only
/*
 * One entry into the guest: prepare the VMCS, switch, take out what came.
 *
 * What is constant between entries stays in the VMCS; fields that change are
 * compared with what they hold and written if they differ. Of an exit only
 * those fields are read that its reason gives a meaning.
 *
 * All of it runs with interrupts off. Host interrupts end the guest's run and
 * are taken when core enables interrupts; NMIs end it, too, and are handed
 * over in irqoff. SDM vol. 3, chapters 27 and 28.
 */
#include <linux/instrumentation.h>
#include <linux/smp.h>
#include <asm/debugreg.h>
#include <asm/nospec-branch.h>

#include "core/guest_mode.h"
#include "vmx/vmx.h"

static_assert(offsetof(struct regs, gpr) == 0);
static_assert(R_RCX == 1 && R_RDX == 2 && R_RBX == 3 && R_RSP == 4 &&
	      R_RBP == 5 && R_RSI == 6 && R_RDI == 7 && R_R15 == 15);
static_assert(HOST_RSP == 0x6c14, "entry.S");

/* The groups whose fields are compared at each entry, or are none. */
#define REGS_AT_ENTRY (RG_GPR | RG_RIP | RG_CR2)

static __always_inline void write_word(const struct vmx_controls *now,
				       const struct vmx_controls *c,
				       enum vmx_word word,
				       enum vmcs_field field)
{
	if (c->word[word] != now->word[word])
		vmcs_write(field, c->word[word]);
}

/* Not inline: what it has on the stack is cleared. */
static noinline void write_controls(struct vmx_vcpu *vmx, u32 needs)
{
	struct vmx_controls *now = &vmx->controls, c;

	c = vmx_controls(&vmx->vcpu.policy, needs, &vmx_host_caps);
	vmx_apicv_controls(vmx, &c);
	vmx->controls_stale = false;
	vmx->needs = needs;
	write_word(now, &c, WORD_PIN, PIN_CONTROLS);
	write_word(now, &c, WORD_PROC, PROC_CONTROLS);
	write_word(now, &c, WORD_PROC2, PROC2_CONTROLS);
	write_word(now, &c, WORD_PROC3, PROC3_CONTROLS);
	write_word(now, &c, WORD_EXIT, EXIT_CONTROLS);
	write_word(now, &c, WORD_ENTRY, ENTRY_CONTROLS);
	if (c.exceptions != now->exceptions)
		vmcs_write(EXCEPTION_BITMAP, c.exceptions);
	if (c.ple_window != now->ple_window) {
		vmcs_write(PLE_GAP, c.ple_gap);
		vmcs_write(PLE_WINDOW, c.ple_window);
	}
	*now = c;
}

static u32 entry_needs(const struct vmx_vcpu *vmx, const struct entry *entry)
{
	return vmx->cpuid_needs | vmx_event_needs(entry) |
	       (vmx->efer & EFER_LMA_BIT ? NEED_LONG_MODE : 0) |
	       (vmx->vpid ? NEED_VPID : 0) |
	       (vmx->timer.used ? NEED_TIMER : 0) |
	       (READ_ONCE(vmx->vcpu.vm->mmu.logging) ? NEED_PML : 0);
}

/* The three that nearly every handler changes. */
static void write_regs(struct vmx_vcpu *vmx)
{
	const struct regs *regs = &vmx->vcpu.regs;
	u64 rflags = regs->rflags | RFLAGS_FIXED;

	vmx->guest_tf = rflags & RFLAGS_TF;
	if (vmx->vcpu.policy.single_step)
		rflags |= RFLAGS_TF;
	if (regs->rip != vmx->hw_rip)
		vmcs_write(GUEST_RIP, regs->rip);
	if (regs->gpr[R_RSP] != vmx->hw_rsp)
		vmcs_write(GUEST_RSP, regs->gpr[R_RSP]);
	if (rflags != vmx->hw_rflags)
		vmcs_write(GUEST_RFLAGS, rflags);
	vmx->hw_rflags = rflags;
}

static u32 *vapic_tpr(struct vmx_vcpu *vmx)
{
	return vmx->vapic + LAPIC_TPR;
}

/* 25.6.8: a TPR below the threshold makes an exit. */
static void write_tpr(struct vmx_vcpu *vmx, const struct entry *entry)
{
	u32 threshold = entry->cr8_exit ? entry->cr8 : 0;

	if (!vmx->vapic)
		return;
	if (vmx->vcpu.hw_irqs)
		vmx_apicv_enter(vmx, entry);
	if (threshold != vmx->hw_tpr_threshold)
		vmcs_write(TPR_THRESHOLD, threshold);
	vmx->hw_tpr_threshold = threshold;
}

static void write_tsc(struct vmx_vcpu *vmx)
{
	if (!vmx->tsc_stale)
		return;
	vmx->tsc_stale = false;
	vmcs_write(TSC_OFFSET, vmx->vcpu.tsc.offset);
	vmcs_write(TSC_MULTIPLIER, vmx->vcpu.tsc.ratio);
}

/* Calls are for what there is to do: most entries have little. */
static void prepare(struct vmx_vcpu *vmx, const struct entry *entry)
{
	u32 needs;

	if (!vmx->host.away)
		vmx_host_away(vmx);
	if (vmx->vcpu.regs.dirty & ~REGS_AT_ENTRY)
		vmx_regs_flush(vmx);
	vmx->vcpu.regs.dirty = 0;
	write_regs(vmx);
	needs = entry_needs(vmx, entry);
	if (vmx->controls_stale || needs != vmx->needs)
		write_controls(vmx, needs);
	write_tpr(vmx, entry);
	if (vmx->pid_entry)
		vmx_ipiv_enter(vmx);
	write_tsc(vmx);
	if (vmx->timer.used)
		vmx_timer_enter(vmx);
	vmx_event_inject(vmx, entry);
	/* With interrupts off since the last entry, nobody has changed it. */
	if (!entry->again)
		vmx_host_entry(vmx);
	if (vmx->flush_root || vmx->flush_guest || vmx->flush_gva)
		vmx_flush_prepare(vmx);
	vmx_msr_enter(vmx);
	vmx->sw.flags &= ~ENTER_RESUME;
	if (vmx->launched)
		vmx->sw.flags |= ENTER_RESUME;
	/*
	 * Pending at the entry: taken after the injection, as any host
	 * interrupt, and before an instruction.
	 */
	if (entry->exit_at_once)
		arch_smp_send_reschedule(smp_processor_id());
}

static noinstr bool enter(struct vmx_vcpu *vmx, bool flush_l1d)
{
	struct regs *regs = &vmx->vcpu.regs;
	bool entered;

	guest_mode_enter(vmx->vcpu.entry.again);
	if (flush_l1d)
		vmx_l1d_flush();
	else if (static_branch_unlikely(&mmio_stale_data_clear))
		x86_clear_cpu_buffers();
	if (regs->cr2 != native_read_cr2())
		native_write_cr2(regs->cr2);
	entered = vmx_enter(regs, &vmx->sw);
	regs->cr2 = native_read_cr2();
	/* Exits clear it: 28.5.1 */
	if (unlikely(vmx->host.debugctl))
		native_wrmsrl(MSR_IA32_DEBUGCTLMSR, vmx->host.debugctl);
	guest_mode_exit();
	return entered;
}

static void collect_regs(struct vmx_vcpu *vmx)
{
	struct regs *regs = &vmx->vcpu.regs;

	vmx->hw_rip = vmcs_read(GUEST_RIP);
	vmx->hw_rsp = vmcs_read(GUEST_RSP);
	vmx->hw_rflags = vmcs_read(GUEST_RFLAGS);
	regs->rip = vmx->hw_rip;
	regs->gpr[R_RSP] = vmx->hw_rsp;
	regs->rflags = vmx->hw_rflags;
	if (vmx->vcpu.policy.single_step && !vmx->guest_tf)
		regs->rflags &= ~RFLAGS_TF;
	/* At home in the file, see regs.c: CR2 and DR stay. */
	regs->avail = RG_GPR | RG_RIP | RG_CR2 | RG_DR;
	regs->dirty = 0;
}

static void collect_raw(struct vmx_vcpu *vmx, const struct entry *entry)
{
	struct vmx_raw *raw = &vmx->raw;
	u32 needs;

	raw->reason = vmcs_read(EXIT_REASON);
	raw->interruptibility = vmcs_read(GUEST_INTERRUPTIBILITY);
	raw->nmi_was_blocked = vmx->vcpu.events.nmi_blocked;
	raw->cr8 = vmx->vapic ? *vapic_tpr(vmx) >> 4 & 15 : entry->cr8;
	raw->idt_info = 0;
	needs = vmx_exit_needs(raw->reason);
	if (needs & RAW_IDT) {
		raw->idt_info = vmcs_read(IDT_VECTORING_INFO);
		needs |= vmx_idt_needs(raw->idt_info);
	}
	if (needs & RAW_LEN)
		raw->insn_len = vmcs_read(EXIT_INSN_LEN);
	if (needs & RAW_QUAL)
		raw->qualification = vmcs_read(EXIT_QUALIFICATION);
	if (needs & RAW_GPA)
		raw->gpa = vmcs_read(GUEST_PHYS_ADDR);
	if (needs & RAW_INTR) {
		raw->intr_info = vmcs_read(EXIT_INTR_INFO);
		if (raw->intr_info & INTR_INFO_ERROR_CODE)
			raw->intr_error = vmcs_read(EXIT_INTR_ERROR);
	}
	if (needs & RAW_IDT_ERROR)
		raw->idt_error = vmcs_read(IDT_VECTORING_ERROR);
}

static void collect_exit(struct vmx_vcpu *vmx, const struct entry *entry,
			 struct exit *exit)
{
	const struct vmx_raw *raw = &vmx->raw;

	collect_raw(vmx, entry);
	vmx->hw_interruptibility = raw->interruptibility;
	vmx_exit_decode(raw, exit);
	if (exit->kind == EXIT_KIND_EXCEPTION)
		vmx_event_exit(vmx, exit);
	if (vmx->vcpu.hw_irqs)
		vmx_apicv_leave(vmx, entry, exit);
	if (!(raw->reason & EXIT_REASON_ENTRY_FAILURE)) {
		vmx->launched = true;
		return;
	}
	/* Nothing was delivered; the field keeps its valid bit: 27.8 */
	vmcs_write(ENTRY_INTR_INFO, 0);
	exit->inflight = entry->inject;
	exit->shadow = entry->shadow;
}

/* VMfail: not even the guest's state was looked at. */
static void fail(struct vmx_vcpu *vmx, const struct entry *entry,
		 struct exit *exit)
{
	struct regs *regs = &vmx->vcpu.regs;

	*exit = (struct exit){
		.kind = EXIT_KIND_FAIL_ENTRY,
		.cr8 = entry->cr8,
		.shadow = entry->shadow,
		.inflight = entry->inject,
		.fail.reason = vmcs_read(INSN_ERROR),
		.in_service = entry->in_service,
	};
	exit->hw_reason = exit->fail.reason;
	vmcs_write(ENTRY_INTR_INFO, 0);
	vmx->hw_rip = regs->rip;
	vmx->hw_rsp = regs->gpr[R_RSP];
	vmx->hw_interruptibility = vmcs_read(GUEST_INTERRUPTIBILITY);
	regs->avail = RG_GPR | RG_RIP | RG_CR2 | RG_DR;
	regs->dirty = 0;
}

/* After these, nobody but our own code has run: see l1d.c. */
static bool stays_here(const struct exit *exit)
{
	switch (exit->kind) {
	case EXIT_KIND_NONE:
	case EXIT_KIND_CPUID:
	case EXIT_KIND_RDMSR:
	case EXIT_KIND_WRMSR:
	case EXIT_KIND_CR:
	case EXIT_KIND_IRQ_WINDOW:
	case EXIT_KIND_NMI_WINDOW:
	case EXIT_KIND_DEADLINE:
	case EXIT_KIND_HOST_IRQ:
		return true;
	}
	return false;
}

void vmx_run(struct vcpu *vcpu, const struct entry *entry, struct exit *exit)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	bool entered;

	prepare(vmx, entry);
	entered = !vmx->broken && enter(vmx, vmx_l1d_due(vmx));
	vmx_msr_leave(vmx);
	if (!entered) {
		fail(vmx, entry, exit);
		return;
	}
	collect_regs(vmx);
	collect_exit(vmx, entry, exit);
	if (vmx->needs & NEED_PML)
		vmx_pml_drain(vmx);
	if (!stays_here(exit))
		vmx->l1d_flush = true;
	/* Host code that changes it comes by interrupt. */
	if (exit->kind == EXIT_KIND_HOST_IRQ || exit->kind == EXIT_KIND_HOST_NMI)
		vmx->host.debugctl_stale = true;
}

/* ---- what a failed entry looked like ----------------------------------- */

static void dump_row(const struct vcpu *vcpu, const char *name,
		     const u16 *fields, unsigned int n)
{
	char line[160];
	unsigned int i, at = 0;

	for (i = 0; i < n; i++)
		at += scnprintf(line + at, sizeof(line) - at, " %llx",
				vmcs_read_any(fields[i]));
	dump_line(vcpu, "%s%s", name, line);
}

#define DUMP(name, ...) do {						\
	static const u16 fields[] = { __VA_ARGS__ };			\
	dump_row(vcpu, name, fields, ARRAY_SIZE(fields));		\
} while (0)

static void dump_segments(const struct vcpu *vcpu)
{
	static const char *const names[] = {
		"es  ", "cs  ", "ss  ", "ds  ", "fs  ", "gs  ", "ldtr", "tr  ",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		dump_line(vcpu, "%s %04llx ar %05llx limit %08llx base %016llx",
			  names[i], vmcs_read_nth(GUEST_ES_SEL, i),
			  vmcs_read_nth(GUEST_ES_AR, i),
			  vmcs_read_nth(GUEST_ES_LIMIT, i),
			  vmcs_read_nth(GUEST_ES_BASE, i));
}

void vmx_dump(struct vcpu *vcpu)
{
	DUMP("exit reason, qualification, instruction error:", EXIT_REASON,
	     EXIT_QUALIFICATION, INSN_ERROR);
	DUMP("pin, proc, proc2, exit, entry:", PIN_CONTROLS, PROC_CONTROLS,
	     PROC2_CONTROLS, EXIT_CONTROLS, ENTRY_CONTROLS);
	DUMP("proc3:", PROC3_CONTROLS);
	DUMP("inject, error, length, interruptibility, activity:",
	     ENTRY_INTR_INFO, ENTRY_ERROR_CODE, ENTRY_INSN_LEN,
	     GUEST_INTERRUPTIBILITY, GUEST_ACTIVITY);
	DUMP("cr0, shadow, cr3, cr4, shadow:", GUEST_CR0, CR0_SHADOW,
	     GUEST_CR3, GUEST_CR4, CR4_SHADOW);
	DUMP("efer, pat, dr7, debugctl, pending debug:", GUEST_EFER, GUEST_PAT,
	     GUEST_DR7, GUEST_DEBUGCTL, GUEST_PENDING_DEBUG);
	DUMP("rip, rsp, rflags, ept pointer:", GUEST_RIP, GUEST_RSP,
	     GUEST_RFLAGS, EPT_POINTER);
	DUMP("gdtr, idtr:", GUEST_GDTR_BASE, GUEST_GDTR_LIMIT,
	     GUEST_IDTR_BASE, GUEST_IDTR_LIMIT);
	DUMP("host cr0, cr3, cr4, efer, pat:", HOST_CR0, HOST_CR3, HOST_CR4,
	     HOST_EFER, HOST_PAT);
	dump_segments(vcpu);
}
