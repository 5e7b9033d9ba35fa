// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register file and the VMCB's save area.
 *
 * The hardware's value differs from the guest's in three registers, and the
 * guest's is kept in struct svm_vcpu: CR0 without CD and NW, which would make
 * the guest's memory uncached; CR4 with the host's MCE, without which a
 * machine check in the guest is a shutdown, and without PCIDE outside long
 * mode; EFER with SVME, which VMRUN requires. Reading CR0 and CR4 is
 * intercepted while they differ; writing them, and EFER altogether, always is:
 * so only CR3 is ever read back. DR6 has its home in the register file; the
 * save area's is DR6_INIT at each entry, so that after a #DB, which always
 * exits, it tells of this #DB alone.
 *
 * Called by core for the groups it lacks, by run.c before an entry. The
 * second half of the save area (FS, GS, LDTR, TR, the syscall MSRs) is filled
 * in by VMSAVE at each exit, so it is as current as the first.
 * APM vol. 2, 15.5.1.
 */
#include <linux/mm.h>
#include <asm/tlbflush.h>

#include "svm/svm.h"
#include "x86/cr.h"

#define S(field) offsetof(struct vmcb_save, field)

static const u16 seg_offset[SEG_COUNT] = {
	[SEG_ES] = S(es), [SEG_CS] = S(cs), [SEG_SS] = S(ss), [SEG_DS] = S(ds),
	[SEG_FS] = S(fs), [SEG_GS] = S(gs), [SEG_LDTR] = S(ldtr),
	[SEG_TR] = S(tr),
};

static struct vmcb_seg *save_seg(struct vmcb_save *save, unsigned int i)
{
	return (void *)save + seg_offset[i];
}

static void seg_load(struct segment *seg, const struct vmcb_seg *from)
{
	u16 attr = from->attr;

	*seg = (struct segment){
		.base = from->base,
		.limit = from->limit,
		.selector = from->selector,
		.type = attr & SEG_ATTR_TYPE,
		.s = !!(attr & SEG_ATTR_S),
		.dpl = (attr >> SEG_ATTR_DPL_SHIFT) & 3,
		.present = !!(attr & SEG_ATTR_P),
		.avl = !!(attr & SEG_ATTR_AVL),
		.l = !!(attr & SEG_ATTR_L),
		.db = !!(attr & SEG_ATTR_DB),
		/* What hardware keeps of G is not reliable; the limit is. */
		.g = from->limit > 0xfffff || (attr & SEG_ATTR_G),
		.unusable = !(attr & SEG_ATTR_P),
	};
}

static void seg_flush(struct vmcb_seg *to, const struct segment *seg)
{
	to->base = seg->base;
	to->limit = seg->limit;
	to->selector = seg->selector;
	to->attr = (seg->type & SEG_ATTR_TYPE) |
		   (seg->s ? SEG_ATTR_S : 0) |
		   (seg->dpl & 3) << SEG_ATTR_DPL_SHIFT |
		   (seg->present && !seg->unusable ? SEG_ATTR_P : 0) |
		   (seg->avl ? SEG_ATTR_AVL : 0) |
		   (seg->l ? SEG_ATTR_L : 0) |
		   (seg->db ? SEG_ATTR_DB : 0) |
		   (seg->g ? SEG_ATTR_G : 0);
}

static __always_inline bool seg_same(const struct vmcb_seg *a,
				     const struct vmcb_seg *b)
{
	static_assert(sizeof(*a) == 2 * sizeof(u64));
	return !memcmp(a, b, sizeof(*a));
}

/*
 * Load segment @i unless it has not changed since it was last loaded. Who
 * changes the register file's writes it back, and that forgets what was seen.
 */
static __always_inline void seg_update(struct svm_vcpu *svm, unsigned int i)
{
	struct vmcb_seg *seen = &svm->seg_seen[i];
	const struct vmcb_seg *seg = save_seg(&svm->vmcb->save, i);
	struct segment *to = &svm->vcpu.regs.seg[i];

	if (likely(seg_same(seen, seg)))
		return;
	*seen = *seg;
	seg_load(to, seg);
	/*
	 * Null selectors load no attributes, and the task register may come
	 * back as available: both would not load elsewhere.
	 */
	if (i < SEG_LDTR && i != SEG_CS && !to->unusable)
		to->type |= 1;
	if (i == SEG_TR)
		to->type |= 2;
}

static void code_load(struct svm_vcpu *svm)
{
	seg_update(svm, SEG_CS);
	seg_update(svm, SEG_SS);
	/* SS.DPL is not CPL after SYSCALL and the like: 15.5.1 */
	svm->vcpu.regs.seg[SEG_SS].dpl = svm->vmcb->save.cpl & 3;
}

static void segs_load(struct svm_vcpu *svm)
{
	const struct vmcb_save *save = &svm->vmcb->save;
	struct regs *regs = &svm->vcpu.regs;
	unsigned int i;

	for (i = 0; i < SEG_COUNT; i++)
		seg_update(svm, i);
	regs->gdt.base = save->gdtr.base;
	regs->gdt.limit = save->gdtr.limit;
	regs->idt.base = save->idtr.base;
	regs->idt.limit = save->idtr.limit;
}

static void segs_flush(struct svm_vcpu *svm)
{
	const struct regs *regs = &svm->vcpu.regs;
	struct vmcb_save *save = &svm->vmcb->save;
	unsigned int i;

	for (i = 0; i < SEG_COUNT; i++)
		seg_flush(save_seg(save, i), &regs->seg[i]);
	memset(svm->seg_seen, 0xff, sizeof(svm->seg_seen));
	save->cpl = regs->seg[SEG_SS].dpl & 3;
	save->gdtr.base = regs->gdt.base;
	save->gdtr.limit = regs->gdt.limit;
	save->idtr.base = regs->idt.base;
	save->idtr.limit = regs->idt.limit;
}

static void cr_flush(struct svm_vcpu *svm)
{
	const struct regs *regs = &svm->vcpu.regs;
	struct vmcb_save *save = &svm->vmcb->save;

	svm->cr0 = regs->cr0;
	svm->cr4 = regs->cr4;
	svm->efer = regs->efer;
	save->cr0 = regs->cr0 & ~(CR0_CD | CR0_NW);
	save->cr3 = regs->cr3;
	save->cr4 = cr4_loadable(regs) | (cr4_read_shadow() & CR4_MCE);
	save->efer = regs->efer | EFER_SVME_BIT;
	save->g_pat = regs->pat;
	svm->cr_needs = (save->cr0 != regs->cr0 ? NEED_CR0_READ : 0) |
			(save->cr4 != regs->cr4 ? NEED_CR4_READ : 0);
	svm_dirty(svm, CLEAN_CRX | CLEAN_NP);
}

static void cr_load(struct svm_vcpu *svm)
{
	struct regs *regs = &svm->vcpu.regs;

	regs->cr0 = svm->cr0;
	regs->cr3 = svm->vmcb->save.cr3;
	regs->cr4 = svm->cr4;
	regs->efer = svm->efer;
	regs->pat = svm->vmcb->save.g_pat;
}

static void syscall_load(struct regs *regs, const struct vmcb_save *save)
{
	regs->star = save->star;
	regs->lstar = save->lstar;
	regs->cstar = save->cstar;
	regs->sfmask = save->sfmask;
	regs->kernel_gs_base = save->kernel_gs_base;
	regs->sysenter_cs = save->sysenter_cs;
	regs->sysenter_esp = save->sysenter_esp;
	regs->sysenter_eip = save->sysenter_eip;
}

static void syscall_flush(const struct regs *regs, struct vmcb_save *save)
{
	save->star = regs->star;
	save->lstar = regs->lstar;
	save->cstar = regs->cstar;
	save->sfmask = regs->sfmask;
	save->kernel_gs_base = regs->kernel_gs_base;
	save->sysenter_cs = regs->sysenter_cs;
	save->sysenter_esp = regs->sysenter_esp;
	save->sysenter_eip = regs->sysenter_eip;
}

static noinline void groups_load(struct svm_vcpu *svm, u32 groups)
{
	const struct vmcb_save *save = &svm->vmcb->save;
	struct regs *regs = &svm->vcpu.regs;

	if (groups & (RG_SEG & ~RG_CODE))
		segs_load(svm);
	if (groups & RG_CR)
		cr_load(svm);
	if (groups & RG_CR2)
		regs->cr2 = save->cr2;
	if ((groups & RG_DR) && !svm->vcpu.policy.debug_dr7)
		regs->dr7 = save->dr7;
	if (groups & RG_SYSCALL)
		syscall_load(regs, save);
}

void svm_regs_load(struct vcpu *vcpu, u32 groups)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	vcpu->regs.avail |= groups;
	if (groups & RG_CODE)
		code_load(svm);
	/* run.c takes RG_GPR and RG_RIP out of the VMCB at each exit. */
	if (unlikely(groups & ~(RG_CODE | RG_GPR | RG_RIP)))
		groups_load(svm, groups);
}

void svm_regs_flush(struct svm_vcpu *svm)
{
	struct regs *regs = &svm->vcpu.regs;
	struct vmcb_save *save = &svm->vmcb->save;
	u32 groups = regs->dirty;

	regs->dirty = 0;
	if (!(groups & ~(RG_GPR | RG_RIP)))
		return;
	if (groups & RG_SEG) {
		segs_flush(svm);
		svm_dirty(svm, CLEAN_SEG | CLEAN_DT);
	}
	if (groups & RG_CR)
		cr_flush(svm);
	if (groups & RG_CR2) {
		save->cr2 = regs->cr2;
		svm_dirty(svm, CLEAN_CR2);
	}
	if (groups & RG_DR) {
		save->dr7 = svm->vcpu.policy.debug_dr7 ? : regs->dr7;
		svm_dirty(svm, CLEAN_DRX);
	}
	/* VMLOAD has no clean bit. */
	if (groups & RG_SYSCALL)
		syscall_flush(regs, save);
}
