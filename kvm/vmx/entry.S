/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch: see enter.h. Interrupts are off throughout; an NMI comes
 * as any other, before the entry or, once inside the guest, as an exit.
 *
 * struct regs begins with gpr[], numbered as in ModRM: run.c asserts it.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/ibt.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#include "core/gpr_asm.h"
#include "vmx/enter.h"

#define FIELD_HOST_RSP 0x6c14

.section .noinstr.text, "ax"

SYM_FUNC_START(vmx_enter)
	CALLEE_PUSH
	push	%rdi			/* regs */
	push	%rsi			/* sw */

	cmp	%rsp, SWITCH_HOST_RSP(%rsi)
	je	.Lrsp_known
	mov	%rsp, SWITCH_HOST_RSP(%rsi)
	mov	$FIELD_HOST_RSP, %eax
.Lwrite_rsp:
	vmwrite	%rsp, %rax
	_ASM_EXTABLE(.Lwrite_rsp, .Lno_entry)
	jna	.Lno_entry
.Lrsp_known:

	testl	$ENTER_SPEC_CTRL, SWITCH_FLAGS(%rsi)
	jz	.Lspec_loaded
	mov	SWITCH_SPEC_GUEST(%rsi), %rax
	cmp	%rax, SWITCH_SPEC_HOST(%rsi)
	je	.Lspec_loaded
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
.Lspec_loaded:

	/* Into CF, which no MOV and no VERW touches. */
	btl	$ENTER_RESUME_BIT, SWITCH_FLAGS(%rsi)

	mov	GPR(0)(%rdi), %rax
	GPRS_LOAD

	/* Which of the two features the kernel sets depends on its age. */
	CLEAR_CPU_BUFFERS
	VM_CLEAR_CPU_BUFFERS

	UNWIND_HINT_SAVE
	jc	.Lresume
.Llaunch:
	vmlaunch
	_ASM_EXTABLE(.Llaunch, .Lno_entry)
	jmp	.Lno_entry
.Lresume:
	vmresume
	_ASM_EXTABLE(.Lresume, .Lno_entry)
	jmp	.Lno_entry

SYM_INNER_LABEL_ALIGN(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rax
	mov	16(%rsp), %rax		/* regs */
	GPRS_STORE
	pop	%rcx
	mov	%rcx, GPR(0)(%rax)
	mov	$1, %ebx

.Lback:
	/* Nor may a guest's number be a speculative address of ours. */
	GPRS_CLEAR

	/* No return may be predicted by what the guest left behind. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, \
		X86_FEATURE_RSB_VMEXIT, X86_FEATURE_RSB_VMEXIT_LITE

	pop	%rsi			/* sw */
	pop	%rdi			/* regs */

	/* SPEC_CTRL before the first return or indirect branch. */
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	testl	$ENTER_SPEC_CTRL, SWITCH_FLAGS(%rsi)
	jz	.Lspec_saved
	rdmsr
	mov	%eax, SWITCH_SPEC_GUEST(%rsi)
	mov	%edx, SWITCH_SPEC_GUEST+4(%rsi)
	shl	$32, %rdx
	or	%rdx, %rax
	cmp	%rax, SWITCH_SPEC_HOST(%rsi)
	jne	.Lspec_restore
.Lspec_saved:
	testl	$ENTER_IBRS, SWITCH_FLAGS(%rsi)
	jz	.Lspec_done
.Lspec_restore:
	mov	SWITCH_SPEC_HOST(%rsi), %eax
	mov	SWITCH_SPEC_HOST+4(%rsi), %edx
	wrmsr
.Lspec_done:
	/* The write, or that there is none to make, is certain from here. */
	lfence
	CLEAR_BRANCH_HISTORY_VMEXIT

	mov	%ebx, %eax
	CALLEE_POP
	RET

.Lno_entry:
	xor	%ebx, %ebx
	xor	%esi, %esi
	xor	%edi, %edi
	jmp	.Lback
SYM_FUNC_END(vmx_enter)

/*
 * The frame an NMI or interrupt pushes, by hand; the handler's IRET comes back
 * here. Its entry is called, with the stack aligned as hardware would.
 */
.macro HOST_FRAME
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
.endm

.macro HOST_FRAME_END
	mov	%rbp, %rsp
	pop	%rbp
	RET
.endm

/* The IRET unblocks NMIs. */
SYM_FUNC_START(vmx_host_nmi)
	HOST_FRAME
	call	asm_exc_nmi_kvm_vmx
	HOST_FRAME_END
SYM_FUNC_END(vmx_host_nmi)

/* The IRET leaves interrupts off, as they were. */
SYM_FUNC_START(vmx_host_irq)
	HOST_FRAME
	CALL_NOSPEC rdi
	HOST_FRAME_END
SYM_FUNC_END(vmx_host_irq)
