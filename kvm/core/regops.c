// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register writes with consequences: see regops.h.
 */
#include "core/regops.h"
#include "core/vcpu.h"
#include "mem/guest.h"

u64 regops_get_cr(struct vcpu *vcpu, unsigned int nr)
{
	struct regs *regs = vcpu_regs(vcpu, RG_CR | RG_CR2);

	switch (nr) {
	case 0:
		return regs->cr0;
	case 2:
		return regs->cr2;
	case 3:
		return regs->cr3;
	case 4:
		return regs->cr4;
	case 8:
		return vcpu->lapic ? lapic_get_cr8(vcpu->lapic) : vcpu->cr8;
	}
	return 0;
}

void regops_effects(struct vcpu *vcpu, u32 effects)
{
	if (effects & (CR_FLUSH | CR_MODE | CR_FLUSH_PCID))
		vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	if (effects & CR_CPUID)
		vcpu_dyn_changed(vcpu);
}

static bool read_pdptes(struct vcpu *vcpu, u64 pdpte[4])
{
	/* SDM vol. 3, table 4-7 */
	struct gpa gpa = GPA(vcpu->regs.cr3 & GENMASK(31, 5));

	return guest_read(&vcpu->vm->mem, gpa, pdpte, 4 * sizeof(*pdpte)) ==
	       MEM_OK;
}

bool regops_pdptes(struct vcpu *vcpu, u64 pdpte[4])
{
	if (!(backend.caps & BACKEND_PDPTES))
		return read_pdptes(vcpu, pdpte);
	memcpy(pdpte, vcpu->regs.pdpte, sizeof(vcpu->regs.pdpte));
	return true;
}

bool regops_load_pdptes(struct vcpu *vcpu)
{
	u64 pdpte[4];

	if (!read_pdptes(vcpu, pdpte) ||
	    !pdpte_check(pdpte, &vcpu->limits))
		return false;
	memcpy(vcpu->regs.pdpte, pdpte, sizeof(pdpte));
	regs_touch(&vcpu->regs, RG_CR);
	return true;
}

/* A checked write; only what memory holds can still make it #GP. */
static bool commit_cr(struct vcpu *vcpu, u32 (*commit)(struct regs *, u64),
		      u64 val)
{
	struct regs *regs = &vcpu->regs;
	u64 cr0 = regs->cr0, cr3 = regs->cr3, cr4 = regs->cr4;
	u64 efer = regs->efer;
	u32 effects = commit(regs, val);

	if ((effects & CR_PDPTRS) && (backend.caps & BACKEND_PDPTES) &&
	    !regops_load_pdptes(vcpu)) {
		regs->cr0 = cr0;
		regs->cr3 = cr3;
		regs->cr4 = cr4;
		regs->efer = efer;
		return false;
	}
	regops_effects(vcpu, effects);
	return true;
}

bool regops_set_cr(struct vcpu *vcpu, unsigned int nr, u64 val)
{
	struct regs *regs = vcpu_regs(vcpu, RG_ALL);
	const struct cr_limits *limits = &vcpu->limits;

	switch (nr) {
	case 0:
		if (!cr0_check(regs, val) ||
		    !backend.cr_valid(vcpu, val, regs->cr4))
			return false;
		return commit_cr(vcpu, cr0_commit, val);
	case 2:
		regs->cr2 = val;
		regs_touch(regs, RG_CR2);
		return true;
	case 3:
		if (!cr3_check(regs, limits, val))
			return false;
		return commit_cr(vcpu, cr3_commit, val);
	case 4:
		if (!cr4_check(regs, limits, val) ||
		    !backend.cr_valid(vcpu, regs->cr0, val))
			return false;
		return commit_cr(vcpu, cr4_commit, val);
	case 8:
		if (!cr8_check(val))
			return false;
		if (vcpu->lapic)
			lapic_set_cr8(vcpu->lapic, val);
		else
			vcpu->cr8 = val;
		return true;
	}
	return false;
}

u64 regops_get_dr(struct vcpu *vcpu, unsigned int nr)
{
	struct regs *regs = vcpu_regs(vcpu, RG_DR);

	switch (nr) {
	case 6:
		return regs->dr6;
	case 7:
		return regs->dr7;
	}
	return regs->dr[array_index_nospec(nr & 3, 4)];
}

bool regops_set_dr(struct vcpu *vcpu, unsigned int nr, u64 val)
{
	struct regs *regs = vcpu_regs(vcpu, RG_DR);

	switch (nr) {
	case 6:
		if (!dr67_check(val))
			return false;
		regs->dr6 = dr6_fix(&vcpu->limits, val);
		break;
	case 7:
		if (!dr67_check(val))
			return false;
		regs->dr7 = dr7_fix(val);
		break;
	default:
		regs->dr[array_index_nospec(nr & 3, 4)] = val;
		return true;
	}
	regs_touch(regs, RG_DR);
	return true;
}

void regops_raise_db(struct vcpu *vcpu, u64 payload)
{
	event_raise(&vcpu->events, &(struct fault){ .vector = VEC_DB });
	if (vcpu->events.exception.pending &&
	    vcpu->events.exception.vector == VEC_DB) {
		vcpu->events.exception.has_payload = true;
		vcpu->events.exception.payload = payload;
	}
}

void regops_exception_payload(struct vcpu *vcpu, const struct exception *exc)
{
	struct regs *regs;

	if (exc->vector == VEC_PF && exc->has_payload) {
		regs = vcpu_regs(vcpu, RG_CR2);
		regs->cr2 = exc->payload;
		regs_touch(regs, RG_CR2);
	} else if (exc->vector == VEC_DB) {
		regs = vcpu_regs(vcpu, RG_DR);
		if (exc->has_payload)
			regs->dr6 = dr6_after_db(regs->dr6, exc->payload);
		regs->dr7 &= ~DR7_GD;
		regs_touch(regs, RG_DR);
	}
}

void regops_stepped(struct vcpu *vcpu, u8 shadow, bool tf)
{
	u64 dr6 = vcpu->hits;

	vcpu->hits = 0;
	vcpu->events.shadow = shadow;
	if (vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP)
		vcpu->debug_pending = true;
	else if (tf)
		dr6 |= DR6_BS;
	/*
	 * The trap comes before the next instruction; behind MOV SS after it,
	 * where the CPU raises the step's anew.
	 */
	if (dr6 && !(shadow & SHADOW_MOV_SS)) {
		vcpu->events.shadow = 0;
		regops_raise_db(vcpu, dr6);
	}
}

/* While a debugger has the breakpoints, the guest has none. */
void regops_watch(struct vcpu *vcpu, enum watch_kind kind, u64 addr,
		  unsigned int size)
{
	struct regs *regs = vcpu_regs(vcpu, RG_DR);

	if (unlikely(watch_armed(regs)) &&
	    !(vcpu->guest_debug & KVM_GUESTDBG_USE_HW_BP))
		vcpu->hits |= watch_hits(vcpu_regs(vcpu, RG_CR), kind, addr,
					 size);
}
