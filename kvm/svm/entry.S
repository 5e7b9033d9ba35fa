/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch: see svm_enter() in svm.h.
 *
 * GIF is clear throughout, so nothing at all interrupts: that is what allows
 * running here with the guest's GS base between VMLOAD and VMLOAD. The host's
 * interrupt flag is set across VMRUN because with V_INTR_MASKING it decides
 * whether the host's interrupts end the guest's run; APM vol. 2, 15.21.1.
 *
 * struct regs begins with gpr[], numbered as in ModRM: run.c asserts it.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>

#include "core/gpr_asm.h"

.section .noinstr.text, "ax"

SYM_FUNC_START(svm_enter)
	CALLEE_PUSH
	push	%rdi			/* regs */
	push	%rdx			/* host_area_pa */
	mov	%rsi, %rax		/* vmcb_pa: VMRUN's operand, kept by it */

	GPRS_LOAD

	VM_CLEAR_CPU_BUFFERS

	vmload	%rax
	sti
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
	UNTRAIN_RET_VM

	/* Nor may a guest's number be a speculative address of ours. */
	GPRS_CLEAR
	xor	%ebx, %ebx
	xor	%esi, %esi
	xor	%edi, %edi

	add	$16, %rsp
	CALLEE_POP
	RET
SYM_INNER_LABEL(svm_enter_end, SYM_L_GLOBAL)
SYM_FUNC_END(svm_enter)
