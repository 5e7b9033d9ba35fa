// SPDX-License-Identifier: GPL-2.0-only
/*
 * System instructions: control and debug registers, descriptor tables, MSRs,
 * CPUID, time stamps, caches.
 *
 * Rights that depend on CPL alone are checked by the row (PV); what depends
 * on CR4 is checked here; whether a value is legal is for the owner of the
 * register to say, through the callbacks. No locks.
 */
#include "emu/exec.h"

#define MSR_TSC 0x10
#define MSR_TSC_AUX 0xc0000103
#define MSR_KERNEL_GS_BASE 0xc0000102

enum emu_rc exec_ud(struct emu_ctxt *c)
{
	return exec_fault(c, VEC_UD);
}

enum emu_rc exec_hlt(struct emu_ctxt *c)
{
	c->halted = true;
	return EMU_OK;
}

static bool cr_exists(const struct emu_ctxt *c)
{
	unsigned int nr = c->insn.reg;

	return nr == 0 || (nr >= 2 && nr <= 4) ||
	       (nr == 8 && (emu_long(c) || c->amd));
}

enum emu_rc exec_mov_from_cr(struct emu_ctxt *c)
{
	if (!cr_exists(c))
		return exec_fault(c, VEC_UD);
	return c->ops->cr_get(c, c->insn.reg, &c->dst);
}

enum emu_rc exec_mov_to_cr(struct emu_ctxt *c)
{
	if (!cr_exists(c))
		return exec_fault(c, VEC_UD);
	return c->ops->cr_set(c, c->insn.reg, gpr_get(c, c->insn.rm, c->size));
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE is set, SDM vol. 3, 18.2.2. */
static enum emu_rc dr_number(struct emu_ctxt *c, unsigned int *nr)
{
	*nr = c->insn.reg;
	if (*nr > 7)
		return exec_fault(c, VEC_UD);
	if (*nr == 4 || *nr == 5) {
		if (c->regs->cr4 & CR4_DE)
			return exec_fault(c, VEC_UD);
		*nr += 2;
	}
	return EMU_OK;
}

enum emu_rc exec_mov_from_dr(struct emu_ctxt *c)
{
	unsigned int nr;
	enum emu_rc rc = dr_number(c, &nr);

	return rc ? rc : c->ops->dr_get(c, nr, &c->dst);
}

enum emu_rc exec_mov_to_dr(struct emu_ctxt *c)
{
	unsigned int nr;
	enum emu_rc rc = dr_number(c, &nr);

	return rc ? rc : c->ops->dr_set(c, nr, gpr_get(c, c->insn.rm, c->size));
}

enum emu_rc exec_clts(struct emu_ctxt *c)
{
	return c->ops->cr_set(c, 0, c->regs->cr0 & ~CR0_TS);
}

#define LMSW_BITS (CR0_PE | CR0_MP | CR0_EM | CR0_TS)

/* LMSW can set PE and cannot clear it. */
enum emu_rc exec_lmsw(struct emu_ctxt *c)
{
	u64 cr0 = c->regs->cr0;

	cr0 = (cr0 & ~(LMSW_BITS & ~CR0_PE)) | (c->dst & LMSW_BITS);
	return c->ops->cr_set(c, 0, cr0);
}

/* User-mode instruction prevention, SDM vol. 3, 2.5. */
static enum emu_rc umip(struct emu_ctxt *c)
{
	if (c->regs->cr4 & CR4_UMIP && regs_cpl(c->regs))
		return exec_fault(c, VEC_GP);
	return EMU_OK;
}

enum emu_rc exec_smsw(struct emu_ctxt *c)
{
	c->dst = c->regs->cr0;
	return umip(c);
}

/* Bytes of the base in LGDT and SGDT. */
static unsigned int dt_base_bytes(const struct emu_ctxt *c)
{
	return emu_long(c) ? 8 : 4;
}

static enum emu_rc load_table(struct emu_ctxt *c, struct dtable *dt)
{
	unsigned int size = dt_base_bytes(c);
	enum emu_rc rc;
	u64 base = 0;
	u8 buf[10];

	rc = operand_read_mem(c, OPERAND_MODRM(c), buf, 2 + size, 0);
	if (rc)
		return rc;
	memcpy(&base, buf + 2, size);
	if (!emu_long(c) && c->insn.op_size == 2)
		base &= 0xffffff;
	if (emu_long(c) && !is_canonical(base, regs_vaddr_bits(c->regs)))
		return exec_fault(c, VEC_GP);
	dt->base = base;
	memcpy(&dt->limit, buf, 2);
	regs_touch(c->regs, RG_SEG);
	return EMU_OK;
}

enum emu_rc exec_lgdt(struct emu_ctxt *c)
{
	return load_table(c, &c->regs->gdt);
}

enum emu_rc exec_lidt(struct emu_ctxt *c)
{
	return load_table(c, &c->regs->idt);
}

static enum emu_rc store_table(struct emu_ctxt *c, const struct dtable *dt)
{
	unsigned int size = dt_base_bytes(c);
	enum emu_rc rc = umip(c);
	u8 buf[10];

	if (rc)
		return rc;
	memcpy(buf, &dt->limit, 2);
	memcpy(buf + 2, &dt->base, size);
	return operand_write_mem(c, OPERAND_MODRM(c), buf, 2 + size);
}

enum emu_rc exec_sgdt(struct emu_ctxt *c)
{
	return store_table(c, &c->regs->gdt);
}

enum emu_rc exec_sidt(struct emu_ctxt *c)
{
	return store_table(c, &c->regs->idt);
}

enum emu_rc exec_lldt(struct emu_ctxt *c)
{
	return seg_load_system(c, SEG_LDTR, c->dst);
}

enum emu_rc exec_ltr(struct emu_ctxt *c)
{
	return seg_load_system(c, SEG_TR, c->dst);
}

enum emu_rc exec_sldt(struct emu_ctxt *c)
{
	c->dst = c->regs->seg[SEG_LDTR].selector;
	return umip(c);
}

enum emu_rc exec_str(struct emu_ctxt *c)
{
	c->dst = c->regs->seg[SEG_TR].selector;
	return umip(c);
}

/* The operand is an address only: no limit is checked. */
enum emu_rc exec_invlpg(struct emu_ctxt *c)
{
	u8 seg = c->insn.seg;
	u64 linear = c->ea;

	if (!emu_long(c))
		linear = (u32)(linear + c->regs->seg[seg].base);
	else if (seg == SEG_FS || seg == SEG_GS)
		linear += c->regs->seg[seg].base;
	return c->ops->system(c, EMU_SYS_INVLPG, &linear);
}

enum emu_rc exec_invd(struct emu_ctxt *c)
{
	u64 none = 0;

	return c->ops->system(c, EMU_SYS_INVD, &none);
}

enum emu_rc exec_wbinvd(struct emu_ctxt *c)
{
	u64 none = 0;

	return c->ops->system(c, EMU_SYS_WBINVD, &none);
}

/* A value that an instruction returns in EDX:EAX. */
static void set_edx_eax(struct emu_ctxt *c, u64 v)
{
	c->gpr[R_RAX] = (u32)v;
	c->gpr[R_RDX] = v >> 32;
}

static u64 get_edx_eax(const struct emu_ctxt *c)
{
	return (u32)c->gpr[R_RAX] | c->gpr[R_RDX] << 32;
}

static enum emu_rc msr_result(struct emu_ctxt *c, enum msr_rc rc)
{
	return rc == MSR_OK ? EMU_OK : exec_fault(c, VEC_GP);
}

enum emu_rc exec_rdmsr(struct emu_ctxt *c)
{
	u64 v = 0;
	enum emu_rc rc = msr_result(c, c->ops->msr_get(c, c->gpr[R_RCX], &v));

	if (!rc)
		set_edx_eax(c, v);
	return rc;
}

enum emu_rc exec_wrmsr(struct emu_ctxt *c)
{
	return msr_result(c, c->ops->msr_set(c, c->gpr[R_RCX], get_edx_eax(c)));
}

enum emu_rc exec_cpuid(struct emu_ctxt *c)
{
	u32 r[4] = { c->gpr[R_RAX], c->gpr[R_RBX], c->gpr[R_RCX],
		     c->gpr[R_RDX] };
	enum emu_rc rc = c->ops->cpuid(c, r);

	if (rc)
		return rc;
	c->gpr[R_RAX] = r[0];
	c->gpr[R_RBX] = r[1];
	c->gpr[R_RCX] = r[2];
	c->gpr[R_RDX] = r[3];
	return EMU_OK;
}

enum emu_rc exec_rdtsc(struct emu_ctxt *c)
{
	enum emu_rc rc;
	u64 v = 0;

	if (c->regs->cr4 & CR4_TSD && regs_cpl(c->regs))
		return exec_fault(c, VEC_GP);
	rc = msr_result(c, c->ops->msr_get(c, MSR_TSC, &v));
	if (!rc)
		set_edx_eax(c, v);
	return rc;
}

enum emu_rc exec_rdtscp(struct emu_ctxt *c)
{
	enum emu_rc rc;
	u64 aux = 0;

	if (c->ops->msr_get(c, MSR_TSC_AUX, &aux) != MSR_OK)
		return exec_fault(c, VEC_UD);
	rc = exec_rdtsc(c);
	if (!rc)
		c->gpr[R_RCX] = (u32)aux;
	return rc;
}

enum emu_rc exec_rdpmc(struct emu_ctxt *c)
{
	u64 v = (u32)c->gpr[R_RCX];
	enum emu_rc rc;

	if (!(c->regs->cr4 & CR4_PCE) && regs_cpl(c->regs))
		return exec_fault(c, VEC_GP);
	rc = c->ops->system(c, EMU_SYS_RDPMC, &v);
	if (!rc)
		set_edx_eax(c, v);
	return rc;
}

enum emu_rc exec_xgetbv(struct emu_ctxt *c)
{
	if (!(c->regs->cr4 & CR4_OSXSAVE))
		return exec_fault(c, VEC_UD);
	if ((u32)c->gpr[R_RCX])		/* 1, XINUSE, is not known here */
		return EMU_UNHANDLED;
	set_edx_eax(c, c->regs->xcr0);
	return EMU_OK;
}

enum emu_rc exec_xsetbv(struct emu_ctxt *c)
{
	u64 v = get_edx_eax(c);

	if (!(c->regs->cr4 & CR4_OSXSAVE))
		return exec_fault(c, VEC_UD);
	if ((u32)c->gpr[R_RCX])
		return exec_fault(c, VEC_GP);
	return c->ops->system(c, EMU_SYS_XSETBV, &v);
}

static enum emu_rc set_ac(struct emu_ctxt *c, bool on)
{
	if (!(c->regs->cr4 & CR4_SMAP) || regs_cpl(c->regs))
		return exec_fault(c, VEC_UD);
	c->rflags = on ? c->rflags | RFLAGS_AC : c->rflags & ~RFLAGS_AC;
	return EMU_OK;
}

enum emu_rc exec_clac(struct emu_ctxt *c)
{
	return set_ac(c, false);
}

enum emu_rc exec_stac(struct emu_ctxt *c)
{
	return set_ac(c, true);
}

enum emu_rc exec_swapgs(struct emu_ctxt *c)
{
	struct segment *gs = &c->regs->seg[SEG_GS];
	u64 base;

	if (!emu_long(c))
		return exec_fault(c, VEC_UD);
	if (c->ops->msr_get(c, MSR_KERNEL_GS_BASE, &base) != MSR_OK ||
	    c->ops->msr_set(c, MSR_KERNEL_GS_BASE, gs->base) != MSR_OK)
		return exec_fault(c, VEC_GP);
	gs->base = base;
	regs_touch(c->regs, RG_SEG);
	return EMU_OK;
}
