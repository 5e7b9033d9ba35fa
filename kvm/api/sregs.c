// SPDX-License-Identifier: GPL-2.0-only
/*
 * System registers of a vCPU, to and from the VMM: KVM_GET_SREGS and
 * KVM_SET_SREGS, and their successors, which have PAE's page-directory-pointer
 * entries instead of the bitmap of injected interrupts.
 *
 * Both setters check the whole state, which need not be one that the guest
 * could get to from the present one, and then commit what cannot fail. The
 * vCPU's mutex is held and the vCPU is loaded.
 */
#include "api/dispatch.h"
#include "api/ioctl_rows.h"
#include "core/regops.h"

static struct kvm_segment sregs_segment_out(const struct segment *seg)
{
	return (struct kvm_segment){
		.base = seg->base,
		.limit = seg->limit,
		.selector = seg->selector,
		.type = seg->type,
		.present = seg->present,
		.dpl = seg->dpl,
		.db = seg->db,
		.s = seg->s,
		.l = seg->l,
		.g = seg->g,
		.avl = seg->avl,
		.unusable = seg->unusable,
	};
}

static struct segment sregs_segment_in(const struct kvm_segment *seg)
{
	return (struct segment){
		.base = seg->base,
		.limit = seg->limit,
		.selector = seg->selector,
		.type = seg->type & 15,
		.present = seg->present & 1,
		.dpl = seg->dpl & 3,
		.db = seg->db & 1,
		.s = seg->s & 1,
		.l = seg->l & 1,
		.g = seg->g & 1,
		.avl = seg->avl & 1,
		.unusable = seg->unusable & 1,
	};
}

/* struct kvm_sregs has its segments in another order than the hardware. */
static const u8 sregs_order[SEG_COUNT] = {
	SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS, SEG_TR, SEG_LDTR,
};

static_assert(offsetof(struct kvm_sregs, ldt) ==
	      (SEG_COUNT - 1) * sizeof(struct kvm_segment));

/* The two structs are the same up to what follows apic_base. */
#define SREGS_COMMON offsetofend(struct kvm_sregs, apic_base)
static_assert(SREGS_COMMON == offsetofend(struct kvm_sregs2, apic_base));
static_assert(offsetof(struct kvm_sregs, cr0) ==
	      offsetof(struct kvm_sregs2, cr0));
static_assert(sizeof(struct kvm_sregs2) == SREGS_COMMON + 5 * sizeof(u64));

/* ---- out -------------------------------------------------------------- */

static void sregs_fill(struct vcpu *vcpu, struct kvm_sregs *out)
{
	struct regs *regs = vcpu_regs(vcpu, RG_ALL);
	struct kvm_segment *seg = &out->cs;
	unsigned int i;

	for (i = 0; i < SEG_COUNT; i++)
		seg[i] = sregs_segment_out(&regs->seg[sregs_order[i]]);
	out->gdt.base = regs->gdt.base;
	out->gdt.limit = regs->gdt.limit;
	out->idt.base = regs->idt.base;
	out->idt.limit = regs->idt.limit;
	out->cr0 = regs->cr0;
	out->cr2 = regs->cr2;
	out->cr3 = regs->cr3;
	out->cr4 = regs->cr4;
	out->cr8 = regops_get_cr(vcpu, 8);
	out->efer = regs->efer;
	out->apic_base = vcpu->lapic ? vcpu->lapic->base : vcpu->apic_base;
}

long sregs_get(struct ioctl_ctx *ctx, void *data)
{
	struct vcpu *vcpu = ctx->vcpu;
	struct kvm_sregs *out = data;
	unsigned long *map = (unsigned long *)out->interrupt_bitmap;
	int irq = vcpu_held_irq(vcpu);

	sregs_fill(vcpu, out);
	if (irq >= 0)
		__set_bit(irq, map);
	return 0;
}

long sregs_get2(struct ioctl_ctx *ctx, void *data)
{
	struct vcpu *vcpu = ctx->vcpu;
	struct kvm_sregs2 *out = data;
	struct kvm_sregs common = { };
	u64 pdpte[4];
	bool known;

	sregs_fill(vcpu, &common);
	memcpy(out, &common, SREGS_COMMON);
	if (!regs_pae(&vcpu->regs))
		return 0;
	epoch_enter(&vcpu->reader);
	known = regops_pdptes(vcpu, pdpte);
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	if (known) {
		out->flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
		memcpy(out->pdptrs, pdpte, sizeof(out->pdptrs));
	}
	return 0;
}

/* ---- in --------------------------------------------------------------- */

static bool sregs_check(struct vcpu *vcpu, const struct kvm_sregs *in)
{
	/* What sregs_valid() looks at. */
	const struct regs proposed = {
		.cr0 = in->cr0,
		.cr3 = in->cr3,
		.cr4 = in->cr4,
		.efer = in->efer,
		.seg[SEG_CS] = sregs_segment_in(&in->cs),
	};

	return in->cr8 <= 15 && sregs_valid(&proposed, &vcpu->limits) &&
	       backend.cr_valid(vcpu, in->cr0, in->cr4);
}

/*
 * @pdpte: what the VMM gives; NULL: memory has them. Entries that cannot be
 * read or are not legal are as good as none: the guest's next access faults.
 */
static void sregs_set_pdptes(struct vcpu *vcpu, const u64 *pdpte)
{
	struct regs *regs = vcpu_regs(vcpu, RG_CR);
	bool loaded;

	if (!regs_pae(regs) || !(backend.caps & BACKEND_PDPTES))
		return;
	if (pdpte) {
		memcpy(regs->pdpte, pdpte, sizeof(regs->pdpte));
		return;
	}
	epoch_enter(&vcpu->reader);
	loaded = regops_load_pdptes(vcpu);
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	if (!loaded)
		memset(regs->pdpte, 0, sizeof(regs->pdpte));
}

static void sregs_commit(struct vcpu *vcpu, const struct kvm_sregs *in,
			 const u64 *pdpte)
{
	struct regs *regs = vcpu_regs(vcpu, RG_ALL);
	const struct kvm_segment *seg = &in->cs;
	unsigned int i;

	for (i = 0; i < SEG_COUNT; i++)
		regs->seg[sregs_order[i]] = sregs_segment_in(&seg[i]);
	regs->gdt = (struct dtable){ in->gdt.base, in->gdt.limit };
	regs->idt = (struct dtable){ in->idt.base, in->idt.limit };
	regs->cr0 = in->cr0;
	regs->cr2 = in->cr2;
	regs->cr3 = in->cr3;
	regs->cr4 = in->cr4;
	regs->efer = in->efer;
	sregs_set_pdptes(vcpu, pdpte);
	regs_touch(regs, RG_SEG | RG_CR | RG_CR2);
	if (vcpu->lapic)
		lapic_set_cr8(vcpu->lapic, in->cr8);
	else
		vcpu->cr8 = in->cr8;
	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	vcpu_dyn_changed(vcpu);
}

static long sregs_apply(struct vcpu *vcpu, const struct kvm_sregs *in,
			const u64 *pdpte)
{
	if (!sregs_check(vcpu, in) ||
	    msr_set(&vcpu->msrs, M_APIC_BASE, true, in->apic_base) != MSR_OK)
		return -EINVAL;
	sregs_commit(vcpu, in, pdpte);
	/* VMMs that know no MP states: a BSP put at the reset vector runs. */
	if (vcpu->id == vcpu->vm->bsp_id && vcpu->regs.rip == 0xfff0 &&
	    in->cs.selector == 0xf000 && !(in->cr0 & CR0_PE))
		vcpu->mp_state = MP_RUNNABLE;
	return 0;
}

long sregs_set(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_sregs *in = data;
	unsigned long *map = (unsigned long *)in->interrupt_bitmap;
	unsigned int irq = find_first_bit(map, KVM_NR_INTERRUPTS);
	struct vcpu *vcpu = ctx->vcpu;
	long ret;

	ret = sregs_apply(vcpu, in, NULL);
	if (!ret && irq < KVM_NR_INTERRUPTS)
		vcpu_hold_irq(vcpu, irq);
	return ret;
}

/* Given PDPTEs are PAE paging's, and legal ones. */
static bool sregs_check_pdptrs(struct vcpu *vcpu, const struct kvm_sregs2 *in)
{
	const struct regs proposed = {
		.cr0 = in->cr0, .cr4 = in->cr4, .efer = in->efer,
	};

	if (in->flags & ~(u64)KVM_SREGS2_FLAGS_PDPTRS_VALID)
		return false;
	if (!in->flags)
		return true;
	/* Where they are of no use, nothing is said about them. */
	return regs_pae(&proposed) &&
	       (!(backend.caps & BACKEND_PDPTES) ||
		pdpte_check(in->pdptrs, &vcpu->limits));
}

long sregs_set2(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_sregs2 *in = data;
	struct kvm_sregs common = { };

	if (!sregs_check_pdptrs(ctx->vcpu, in))
		return -EINVAL;
	memcpy(&common, in, SREGS_COMMON);
	return sregs_apply(ctx->vcpu, &common, in->flags ? in->pdptrs : NULL);
}
