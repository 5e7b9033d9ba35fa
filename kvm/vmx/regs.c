// SPDX-License-Identifier: GPL-2.0-only
/*
 * The register file and the VMCS's guest-state area.
 *
 * Where the hardware's value differs from the guest's, the guest's is kept in
 * struct vmx_vcpu: CR0 without CD and NW, which would make the guest's memory
 * uncached, and with NE; CR4 with VMXE and the host's MCE, and without PCIDE
 * outside long mode; EFER, whose writes exit. Every bit of CR0 and CR4 is the
 * host's (the guest/host masks are all ones), so that reads show the shadows,
 * writes that change anything exit, and only CR3 is ever read back.
 *
 * Other registers have their home in the file: DR6 and DR7, as MOV DR and #DB
 * exit; CR2, taken at each exit; the SYSCALL MSRs, whose writes exit and which
 * msr.c loads. These groups stay available. KERNEL_GS_BASE is the guest's to
 * swap: it is in the CPU while vmx->host.away.
 *
 * Called by core for the groups it lacks, by run.c before an entry.
 * SDM vol. 3, 25.4.1, 27.3.1.
 */
#include <asm/msr.h>
#include <asm/tlbflush.h>

#include "vmx/vmx.h"
#include "x86/cr.h"
#include "x86/segment.h"

static const u8 seg_order[SEG_COUNT] = {
	[SEG_ES] = 0, [SEG_CS] = 1, [SEG_SS] = 2, [SEG_DS] = 3,
	[SEG_FS] = 4, [SEG_GS] = 5, [SEG_LDTR] = 6, [SEG_TR] = 7,
};

static void seg_load(struct segment *seg, unsigned int i)
{
	unsigned int n = seg_order[i];

	seg->selector = vmcs_read_nth(GUEST_ES_SEL, n);
	seg->limit = vmcs_read_nth(GUEST_ES_LIMIT, n);
	seg->base = vmcs_read_nth(GUEST_ES_BASE, n);
	segment_set_ar(seg, vmcs_read_nth(GUEST_ES_AR, n));
	/* Of an unusable one most bits are undefined: 25.4.1 */
	if (seg->unusable)
		seg->present = 0;
}

/*
 * Rights as VM entry wants them, 27.3.1.2: what a descriptor in memory need
 * not have but a loaded one always has.
 */
static u32 seg_rights(const struct segment *seg, unsigned int i)
{
	struct segment s = *seg;

	if (!s.present)
		s.unusable = 1;
	if (s.s)
		s.type |= SEGTYPE_ACCESSED;
	if (i == SEG_TR)
		s.type |= 2;		/* busy */
	if (s.limit & 0xfff00000)
		s.g = 1;
	else if ((s.limit & 0xfff) != 0xfff)
		s.g = 0;
	return segment_ar(&s);
}

static void seg_flush(const struct segment *seg, unsigned int i)
{
	unsigned int n = seg_order[i];

	vmcs_write_nth(GUEST_ES_SEL, n, seg->selector);
	vmcs_write_nth(GUEST_ES_LIMIT, n, seg->limit);
	vmcs_write_nth(GUEST_ES_BASE, n, seg->base);
	vmcs_write_nth(GUEST_ES_AR, n, seg_rights(seg, i));
}

static void segs_load(struct regs *regs)
{
	unsigned int i;

	for (i = 0; i < SEG_COUNT; i++)
		seg_load(&regs->seg[i], i);
	regs->gdt.base = vmcs_read(GUEST_GDTR_BASE);
	regs->gdt.limit = vmcs_read(GUEST_GDTR_LIMIT);
	regs->idt.base = vmcs_read(GUEST_IDTR_BASE);
	regs->idt.limit = vmcs_read(GUEST_IDTR_LIMIT);
}

static void segs_flush(const struct regs *regs)
{
	unsigned int i;

	for (i = 0; i < SEG_COUNT; i++)
		seg_flush(&regs->seg[i], i);
	vmcs_write(GUEST_GDTR_BASE, regs->gdt.base);
	vmcs_write(GUEST_GDTR_LIMIT, regs->gdt.limit);
	vmcs_write(GUEST_IDTR_BASE, regs->idt.base);
	vmcs_write(GUEST_IDTR_LIMIT, regs->idt.limit);
}

/* Loaded at entries, saved at exits, whoever changed them: 27.3.2.4, 28.3.1 */
static void pdptes_load(struct regs *regs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs->pdpte); i++)
		regs->pdpte[i] = vmcs_read_nth(GUEST_PDPTE0, i);
}

static void pdptes_flush(const struct regs *regs)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs->pdpte); i++)
		vmcs_write_nth(GUEST_PDPTE0, i, regs->pdpte[i]);
}

static void cr_load(struct vmx_vcpu *vmx)
{
	struct regs *regs = &vmx->vcpu.regs;

	regs->cr0 = vmx->cr0;
	regs->cr3 = vmcs_read(GUEST_CR3);
	regs->cr4 = vmx->cr4;
	regs->efer = vmx->efer;
	if (regs_pae(regs))
		pdptes_load(regs);
}

static void cr_flush(struct vmx_vcpu *vmx)
{
	const struct vmx_caps *caps = &vmx_host_caps;
	const struct regs *regs = &vmx->vcpu.regs;

	vmx->cr0 = regs->cr0;
	vmx->cr4 = regs->cr4;
	if ((vmx->efer ^ regs->efer) & EFER_LMA_BIT)
		vmx->controls_stale = true;
	vmx->efer = regs->efer;
	vmcs_write(CR0_SHADOW, regs->cr0);
	vmcs_write(GUEST_CR0, (regs->cr0 & ~(CR0_CD | CR0_NW)) |
			      caps->cr0_ones);
	vmcs_write(GUEST_CR3, regs->cr3);
	vmcs_write(CR4_SHADOW, regs->cr4);
	vmcs_write(GUEST_CR4, cr4_loadable(regs) | caps->cr4_ones |
			      (cr4_read_shadow() & CR4_MCE));
	vmcs_write(GUEST_EFER, regs->efer);
	vmcs_write(GUEST_PAT, regs->pat);
	if (regs_pae(regs))
		pdptes_flush(regs);
}

static void syscall_load(struct vmx_vcpu *vmx)
{
	struct regs *regs = &vmx->vcpu.regs;

	/* A put in between would take it out of the CPU. */
	preempt_disable();
	if (vmx->host.away)
		rdmsrl(MSR_KERNEL_GS_BASE, regs->kernel_gs_base);
	else
		regs->kernel_gs_base = vmx->kernel_gs_base;
	preempt_enable();
	regs->sysenter_cs = vmcs_read(GUEST_SYSENTER_CS);
	regs->sysenter_esp = vmcs_read(GUEST_SYSENTER_ESP);
	regs->sysenter_eip = vmcs_read(GUEST_SYSENTER_EIP);
}

static void syscall_flush(struct vmx_vcpu *vmx)
{
	const struct regs *regs = &vmx->vcpu.regs;

	vmx->kernel_gs_base = regs->kernel_gs_base;
	if (vmx->host.away) {
		vmx_msr_load(MSR_KERNEL_GS_BASE, regs->kernel_gs_base);
		vmx_msr_user(vmx);
	}
	vmcs_write(GUEST_SYSENTER_CS, regs->sysenter_cs);
	vmcs_write(GUEST_SYSENTER_ESP, regs->sysenter_esp);
	vmcs_write(GUEST_SYSENTER_EIP, regs->sysenter_eip);
}

void vmx_regs_load(struct vcpu *vcpu, u32 groups)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct regs *regs = &vcpu->regs;

	/* The other groups are always available. */
	if (groups & (RG_SEG & ~RG_CODE)) {
		segs_load(regs);
	} else if (groups & RG_CODE) {
		seg_load(&regs->seg[SEG_CS], SEG_CS);
		seg_load(&regs->seg[SEG_SS], SEG_SS);
	}
	if (groups & RG_CR)
		cr_load(vmx);
	if (groups & RG_SYSCALL)
		syscall_load(vmx);
	regs->avail |= groups;
}

void vmx_regs_flush(struct vmx_vcpu *vmx)
{
	const struct regs *regs = &vmx->vcpu.regs;
	u32 groups = regs->dirty;

	if (groups & RG_SEG)
		segs_flush(regs);
	if (groups & RG_CR)
		cr_flush(vmx);
	if (groups & RG_DR)
		vmcs_write(GUEST_DR7, vmx->vcpu.policy.debug_dr7 ? :
				      regs->dr7);
	if (groups & RG_SYSCALL)
		syscall_flush(vmx);
}
