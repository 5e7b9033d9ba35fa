/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch: see svm_enter() in svm.h.
 *
 * GIF is clear throughout, so nothing at all interrupts: that is what allows
 * running here with the guest's GS base between VMLOAD and VMLOAD. The host's
 * interrupt flag is set across VMRUN because with V_INTR_MASKING it decides
 * whether the host's interrupts end the guest's run; APM vol. 2, 15.21.1. An
 * instruction stands between STI and VMRUN, or the shadow of STI would pass for
 * the guest's.
 *
 * SPEC_CTRL is switched here for want of hardware that does: the host's has to
 * be back before the returns are untrained, and before the first of them. The
 * VMM chooses the guest's value, and the CPU may not have all of its bits.
 *
 * struct regs begins with gpr[], numbered as in ModRM: run.c asserts it.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "core/gpr_asm.h"

.section .noinstr.text, "ax"

SYM_FUNC_START(svm_enter)
	CALLEE_PUSH
	push	%r8			/* host_spec_ctrl */
	push	%rcx			/* spec_ctrl */
	push	%rdi			/* regs */
	push	%rdx			/* host_area_pa */

	test	%rcx, %rcx
	jz	.Lspec_loaded
	mov	(%rcx), %rax
	cmp	%rax, %r8
	je	.Lspec_loaded
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
.Lspec_load:
	wrmsr
	_ASM_EXTABLE(.Lspec_load, .Lspec_loaded)
.Lspec_loaded:

	mov	%rsi, %rax		/* vmcb_pa: VMRUN's operand, kept by it */
	GPRS_LOAD

	VM_CLEAR_CPU_BUFFERS

	sti
	vmload	%rax
	vmrun	%rax
	cli
	vmsave	%rax

	mov	8(%rsp), %rax		/* regs */
	GPRS_STORE

	/* From here on per-CPU data is reachable. */
	mov	(%rsp), %rax
	vmload	%rax

	/* No return may be predicted by what the guest left behind. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, \
		X86_FEATURE_RSB_VMEXIT, X86_FEATURE_RSB_VMEXIT_LITE

	mov	16(%rsp), %rbx		/* spec_ctrl */
	test	%rbx, %rbx
	jz	.Lspec_restored
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	mov	%eax, (%rbx)
	mov	%edx, 4(%rbx)
	mov	24(%rsp), %rdx		/* host_spec_ctrl */
	cmp	%rdx, (%rbx)
	je	.Lspec_restored
	mov	%edx, %eax
	shr	$32, %rdx
.Lspec_restore:
	wrmsr
	_ASM_EXTABLE(.Lspec_restore, .Lspec_restored)
.Lspec_restored:

	UNTRAIN_RET_VM

	/* Nor may a guest's number be a speculative address of ours. */
	GPRS_CLEAR
	xor	%ebx, %ebx
	xor	%esi, %esi
	xor	%edi, %edi

	add	$32, %rsp
	CALLEE_POP
	RET
SYM_FUNC_END(svm_enter)
