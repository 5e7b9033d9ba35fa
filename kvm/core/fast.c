// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits that are answered at once: see fast.h.
 *
 * The mode stays VCPU_IN_GUEST, so whoever kicks the vCPU meanwhile sends an
 * interrupt, and the next entry ends before it has begun. What this CPU brings
 * about itself comes with no interrupt: that is looked for after each handler.
 */
#include "core/emuglue.h"
#include "core/exit.h"
#include "core/fast.h"
#include "core/fetch.h"
#include "core/fpu.h"
#include "core/hostwork.h"
#include "core/hypercall.h"
#include "core/io.h"
#include "core/mmio.h"
#include "core/vcpu.h"
#include "irq/chip.h"
#include "x86/watch.h"

static enum fast_rc fast_skip(struct vcpu *vcpu, struct exit *exit)
{
	return FAST_AGAIN;
}

static noinline enum fast_rc fast_cpuid_query(struct vcpu *vcpu)
{
	struct regs *regs = &vcpu->regs;
	u32 out[4];

	cpuid_query(vcpu->cpuid, &vcpu->cpuid_dyn, regs->gpr[R_RAX],
		    regs->gpr[R_RCX], out);
	regs->gpr[R_RAX] = out[OUT_EAX];
	regs->gpr[R_RBX] = out[OUT_EBX];
	regs->gpr[R_RCX] = out[OUT_ECX];
	regs->gpr[R_RDX] = out[OUT_EDX];
	return FAST_AGAIN;
}

static enum fast_rc fast_cpuid(struct vcpu *vcpu, struct exit *exit)
{
	const struct kvm_cpuid_entry2 *entry;
	struct regs *regs = &vcpu->regs;

	if (msr_cpuid_faults(&vcpu->msrs))
		return FAST_NO;
	entry = cpuid_plain(vcpu->cpuid, regs->gpr[R_RAX], regs->gpr[R_RCX]);
	if (!entry)
		return fast_cpuid_query(vcpu);
	regs->gpr[R_RAX] = entry->eax;
	regs->gpr[R_RBX] = entry->ebx;
	regs->gpr[R_RCX] = entry->ecx;
	regs->gpr[R_RDX] = entry->edx;
	return FAST_AGAIN;
}

static enum fast_rc fast_rdmsr(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = &vcpu->regs;
	u64 val;

	if (msr_get(&vcpu->msrs, regs->gpr[R_RCX], false, &val) != MSR_OK)
		return FAST_NO;
	regs->gpr[R_RAX] = (u32)val;
	regs->gpr[R_RDX] = val >> 32;
	return FAST_AGAIN;
}

#define X2APIC_MSR(reg) (LAPIC_MSR_BASE + ((reg) >> 4))

/* Shorthand, logical destination, delivery mode: SDM vol. 3, figure 11-28 */
#define ICR_UNUSUAL (GENMASK(19, 18) | BIT(11) | GENMASK(10, 8))

/* A fixed interrupt for at most one vCPU */
static bool icr_is_short(u64 icr)
{
	return !(icr & ICR_UNUSUAL) && icr >> 32 != U32_MAX;
}

/* The APIC's registers were written: is there something to inject now? */
static enum fast_rc fast_apic_done(const struct vcpu *vcpu)
{
	const struct lapic *lapic = vcpu->lapic;

	return vcpu->entry.windows || READ_ONCE(lapic->timer.hint) ||
	       lapic_maybe_requested(lapic) ? FAST_PICK : FAST_AGAIN;
}

/* The mode, which it asks for, is there only with CPUID's X2APIC bit. */
static bool fast_x2apic(struct vcpu *vcpu, u32 index, u64 val)
{
	return vcpu->lapic &&
	       lapic_msr_write(vcpu->lapic, index, val) == MSR_OK;
}

static enum fast_rc fast_deadline(struct vcpu *vcpu, u64 val)
{
	if (!vcpu->lapic ||
	    msr_set(&vcpu->msrs, M_TSC_DEADLINE, false, val) != MSR_OK)
		return FAST_NO;
	return fast_apic_done(vcpu);
}

static enum fast_rc fast_wrmsr(struct vcpu *vcpu, struct exit *exit)
{
	struct regs *regs = &vcpu->regs;
	u64 val = (u32)regs->gpr[R_RAX] | regs->gpr[R_RDX] << 32;
	u32 index = regs->gpr[R_RCX];

	switch (index) {
	case X2APIC_MSR(LAPIC_ICR):
		if (!icr_is_short(val))
			return FAST_NO;
		fallthrough;
	case X2APIC_MSR(LAPIC_EOI):
	case X2APIC_MSR(LAPIC_SELF_IPI):
		return fast_x2apic(vcpu, index, val) ? fast_apic_done(vcpu) :
						       FAST_NO;
	case X2APIC_MSR(LAPIC_TPR):
		/* The entry has it, too. */
		return fast_x2apic(vcpu, index, val) ? FAST_PICK : FAST_NO;
	case M_TSC_DEADLINE:
		return fast_deadline(vcpu, val);
	default:
		return msr_set_plain(&vcpu->msrs, index, val) == MSR_OK ?
			FAST_AGAIN : FAST_NO;
	}
}

/* What the VMM is asked for here is all that is left to do. */
static enum fast_rc fast_user(struct vcpu *vcpu)
{
	vcpu->exit.kind = EXIT_KIND_USER;
	return FAST_AGAIN;
}

/* A hint: who changes it does not wait, and one such access does no harm. */
static __always_inline bool fast_too_long(const struct vcpu *vcpu,
					  enum vm_slow bus, bool chip)
{
	unsigned long slow = READ_ONCE(vcpu->vm->slow);

	return unlikely(slow) &&
	       ((slow & BIT(bus)) || (chip && (slow & BIT(VM_SLOW_CHIPS))));
}

static enum fast_rc fast_out(struct vcpu *vcpu, u16 port, unsigned int size)
{
	const u64 *rax = &vcpu->regs.gpr[R_RAX];

	if (io_port_write(vcpu, port, size, rax))
		return FAST_AGAIN;
	io_ask_pio(vcpu, port, size, rax);
	return fast_user(vcpu);
}

static enum fast_rc fast_pio(struct vcpu *vcpu, struct exit *exit)
{
	unsigned int size = exit->pio.size;
	u64 *rax = &vcpu->regs.gpr[R_RAX], value = 0;

	if (exit->pio.string || watch_armed(&vcpu->regs) ||
	    fast_too_long(vcpu, VM_SLOW_PIO, chip_is_port(exit->pio.port)))
		return FAST_NO;
	if (!exit->pio.in)
		return fast_out(vcpu, exit->pio.port, size);
	if (!io_port_read(vcpu, exit->pio.port, size, &value)) {
		io_ask_pio(vcpu, exit->pio.port, size, NULL);
		return fast_user(vcpu);
	}
	*rax = size == 4 ? (u32)value :
			   (*rax & ~mask_bytes(size)) | (value & mask_bytes(size));
	return FAST_AGAIN;
}

static enum fast_rc fast_fault(struct vcpu *vcpu, const struct exit *exit,
			       const struct memslots *slots,
			       const struct memslot *slot)
{
	const struct fault_in in = exit_fault(exit);

	if (exit->shadow || !fpu_host_key0(vcpu) ||
	    !mmu_fault_quick(&vcpu->vm->mmu, slots, slot, &in))
		return FAST_NO;
	vcpu->stat.pf_fixed++;
	return FAST_RETRY;
}

static enum fast_rc fast_tdp(struct vcpu *vcpu, struct exit *exit)
{
	const struct memslots *slots = mem_slots(&vcpu->vm->mem);
	const struct memslot *slot;

	slot = mmio_slot(vcpu, slots, gpa_to_gfn(exit->tdp.gpa));
	if (slot)
		return fast_fault(vcpu, exit, slots, slot);
	if (exit->tdp.user_walk ||
	    fast_too_long(vcpu, VM_SLOW_MMIO, chip_is_page(exit->tdp.gpa.v)))
		return FAST_NO;
	switch (mmio_fast(vcpu, exit)) {
	case RUN_AGAIN:
		return FAST_AGAIN;
	case RUN_USER:
		return fast_user(vcpu);
	default:
		return FAST_NO;
	}
}

static enum fast_rc fast_hypercall(struct vcpu *vcpu, struct exit *exit)
{
	hypercall_run(vcpu);
	return FAST_AGAIN;
}

struct fast_row {
	enum fast_rc (*handle)(struct vcpu *vcpu, struct exit *exit);
	u8 len;			/* of the instruction without prefixes; or */
	bool finds_len;		/* the handler sets exit->insn_len */
	u32 opcode, mask;	/* its bytes; those that count */
};

#define FAST_OPCODE(bytes, value) \
	.len = (bytes), .opcode = (value), .mask = GENMASK(8 * (bytes) - 1, 0)

static const struct fast_row fast_rows[EXIT_KIND_COUNT] = {
	[EXIT_KIND_CPUID] = { fast_cpuid, FAST_OPCODE(2, 0xa20f) },
	[EXIT_KIND_RDMSR] = { fast_rdmsr, FAST_OPCODE(2, 0x320f) },
	[EXIT_KIND_WRMSR] = { fast_wrmsr, FAST_OPCODE(2, 0x300f) },
	[EXIT_KIND_PIO] = { fast_pio },
	[EXIT_KIND_HYPERCALL] = { fast_hypercall, FAST_OPCODE(3, 0) },
	[EXIT_KIND_INVD] = { fast_skip, FAST_OPCODE(2, 0x080f) },
	[EXIT_KIND_WBINVD] = { fast_skip, FAST_OPCODE(2, 0x090f) },
	[EXIT_KIND_TDP_FAULT] = { fast_tdp, .finds_len = true },
};

/* Is it the plain form of what we expect? */
static bool fast_fetch(struct vcpu *vcpu, const struct fast_row *row)
{
	u32 opcode = row->opcode;

	if (!row->len)
		return false;
	if (!opcode)
		memcpy(&opcode, backend.hypercall, sizeof(backend.hypercall));
	if (!fetch_is(vcpu, opcode, row->mask))
		return false;
	vcpu->exit.insn_len = row->len;
	return true;
}

/* Nothing but the instruction has to be looked at. */
static __always_inline bool fast_plain(const struct vcpu *vcpu)
{
	const struct exit *exit = &vcpu->exit;

	static_assert(EVENT_NONE == 0);
	return !(exit->inflight.type | exit->nmi_unblocked |
		 (exit->cr8 ^ vcpu->entry.cr8) |
		 (vcpu->regs.rflags & RFLAGS_TF)) &&
	       vcpu->fast_left &&
	       /* Outside 64-bit code RIP might wrap. */
	       (u32)vcpu->regs.rip < U32_MAX - EMU_MAX_LEN;
}

/* The instruction is done. */
static void fast_done(struct vcpu *vcpu)
{
	struct regs *regs = &vcpu->regs;

	regs->rip += vcpu->exit.insn_len;
	regs->rflags &= ~RFLAGS_RF;
	regs_touch(regs, RG_GPR | RG_RIP);
	vcpu->events.shadow = 0;
	vcpu->exit.shadow = 0;
}

/* Has this CPU brought about something that has to be looked at? */
static bool fast_undisturbed(const struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->mode) == VCPU_IN_GUEST &&
	       !request_pending(vcpu) && !hostwork_pending();
}

enum fast_rc fast_exit(struct vcpu *vcpu)
{
	struct exit *exit = &vcpu->exit;
	unsigned int kind = exit->kind;
	const struct fast_row *row = &fast_rows[kind];
	enum fast_rc rc = FAST_NO;

	if (kind >= EXIT_KIND_COUNT || !row->handle || !fast_plain(vcpu))
		return FAST_NO;
	epoch_begin(&vcpu->reader);
	if ((exit->insn_len | row->finds_len) || fast_fetch(vcpu, row))
		rc = row->handle(vcpu, exit);
	epoch_end(&vcpu->vm->mem.epoch, &vcpu->reader);
	if (rc == FAST_NO)
		return FAST_NO;
	vcpu->stat.kind[kind]++;
	vcpu->fast_left--;
	if (rc == FAST_RETRY)
		rc = FAST_AGAIN;
	else
		fast_done(vcpu);
	vcpu->entry.shadow = 0;
	vcpu->entry.inject.type = EVENT_NONE;
	if (exit->kind == EXIT_KIND_USER)
		return FAST_NO;
	if (rc == FAST_PICK || fast_undisturbed(vcpu))
		return rc;
	/* The rest goes the long way, but for this exit. */
	exit->kind = EXIT_KIND_NONE;
	return FAST_NO;
}
