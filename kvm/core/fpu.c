// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest FPU state: see fpu.h.
 *
 * Between fpu_swap(in) and fpu_swap(out) the task's current fpstate is the
 * guest's, so a context switch saves and restores it like any task's. The
 * registers may be lazily absent before an entry (TIF_NEED_FPU_LOAD).
 */
#include <linux/hw_breakpoint.h>
#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/special_insns.h>

#include "core/fpu.h"
#include "core/vcpu.h"
#include "x86/xstate.h"

/* DR7: any of the four enable pairs, SDM vol. 3, 18.2.4 */

bool fpu_create(struct vcpu *vcpu)
{
	return fpu_alloc_guest_fpstate(&vcpu->fpu);
}

void fpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->fpu.fpstate)
		fpu_free_guest_fpstate(&vcpu->fpu);
}

u64 fpu_xcr0_now(void)
{
	return xgetbv(XCR_XFEATURE_ENABLED_MASK);
}

u64 fpu_xcr0_host(void)
{
	return boot_cpu_has(X86_FEATURE_OSXSAVE) ?
		fpu_xcr0_now() & XCR0_OFFERED : 0;
}

u32 fpu_uabi_size(void)
{
	/* The kernel's choice for the process: fpu_alloc_guest_fpstate() */
	u64 xcr0 = boot_cpu_has(X86_FEATURE_OSXSAVE) ?
		fpu_xcr0_now() & xstate_get_guest_group_perm() : 0;
	u32 size = sizeof(struct kvm_xsave);
	u32 eax, ebx, ecx, edx;
	unsigned int i;

	/* Bits 0 and 1 are the legacy area: SDM vol. 1, 13.4.1 */
	for (i = 2; i < 63; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		size = max(size, eax + ebx);
	}
	return size;
}

void fpu_swap(struct vcpu *vcpu, bool in)
{
	/* Fails only for an fpstate in use, which vcpu->mutex rules out. */
	fpu_swap_kvm_fpstate(&vcpu->fpu, in);
}

static void fpu_switch_xcr0(struct vcpu *vcpu, bool in)
{
	if (!cpu_feature_enabled(X86_FEATURE_XSAVE) ||
	    !(vcpu->regs.cr4 & CR4_OSXSAVE) ||
	    vcpu->regs.xcr0 == vcpu->host_xcr0)
		return;
	xsetbv(XCR_XFEATURE_ENABLED_MASK,
	       in ? vcpu->regs.xcr0 : vcpu->host_xcr0);
}

/* XRSTOR reaches PKRU by XCR0 alone, WRPKRU by CR4.PKE. */
static __always_inline bool fpu_has_pkru(const struct vcpu *vcpu)
{
	return cpu_feature_enabled(X86_FEATURE_OSPKE) &&
	       ((vcpu->regs.xcr0 & XCR0_PKRU) || (vcpu->regs.cr4 & CR4_PKE));
}

bool fpu_host_key0(const struct vcpu *vcpu)
{
	u32 pkru;

	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return true;
	pkru = fpu_has_pkru(vcpu) ? vcpu->host_pkru : rdpkru();
	/* SDM vol. 3, 4.6.2: access and write disable of key 0 */
	return !(pkru & 3);
}

static void fpu_switch_pkru(struct vcpu *vcpu, bool in)
{
	if (!fpu_has_pkru(vcpu))
		return;
	if (in) {
		vcpu->host_pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->pkru);
	} else {
		vcpu->pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->host_pkru);
	}
}

static void fpu_load_breakpoints(struct vcpu *vcpu)
{
	const u64 *dr = vcpu->guest_debug & KVM_GUESTDBG_USE_HW_BP ?
		vcpu->work->guest_debug_dr : vcpu->regs.dr;

	set_debugreg(0, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

void fpu_enter(struct vcpu *vcpu)
{
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	/* CR4 and DR7 decide what follows; they are needed at no other time. */
	vcpu_regs(vcpu, RG_CR | RG_DR);
	fpu_switch_xcr0(vcpu, true);
	fpu_switch_pkru(vcpu, true);
	if (unlikely((vcpu->regs.dr7 & DR7_ENABLES) ||
		     (vcpu->guest_debug & KVM_GUESTDBG_USE_HW_BP)))
		fpu_load_breakpoints(vcpu);
	else if (unlikely(hw_breakpoint_active()))
		set_debugreg(0, 7);
}

void fpu_leave(struct vcpu *vcpu)
{
	fpu_switch_pkru(vcpu, false);
	fpu_switch_xcr0(vcpu, false);
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
}

/* The guest's registers are in the CPU, until fpregs_unlock(). */
static void fpu_hold(void)
{
	fpregs_lock();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

void fpu_xmm(unsigned int nr, void *data, bool set)
{
	fpu_hold();
	switch (nr & 15) {
#define X(n)								\
	case n:								\
		if (set)						\
			asm volatile("movdqu %0, %%xmm" #n		\
				     : : "m"(*(const u8 (*)[16])data));	\
		else							\
			asm volatile("movdqu %%xmm" #n ", %0"		\
				     : "=m"(*(u8 (*)[16])data));	\
		break;
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#undef X
	}
	fpregs_unlock();
}

#define FSW_ES BIT(7)		/* an unmasked exception waits */

static u16 fpu_status(void)
{
	u16 word;

	asm volatile("fnstsw %0" : "=m"(word));
	return word;
}

bool fpu_mmx(unsigned int nr, void *data, bool set)
{
	bool ok;

	fpu_hold();
	/* MMX instructions raise it, and the kernel dies of that. */
	ok = !(fpu_status() & FSW_ES);
	switch (ok ? nr & 7 : 8) {
#define X(n)								\
	case n:								\
		if (set)						\
			asm volatile("movq %0, %%mm" #n			\
				     : : "m"(*(const u64 *)data));	\
		else							\
			asm volatile("movq %%mm" #n ", %0"		\
				     : "=m"(*(u64 *)data));		\
		break;
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#undef X
	}
	fpregs_unlock();
	return ok;
}

u16 fpu_x87(bool status)
{
	u16 word;

	fpu_hold();
	if (status)
		word = fpu_status();
	else
		asm volatile("fnstcw %0" : "=m"(word));
	fpregs_unlock();
	return word;
}
