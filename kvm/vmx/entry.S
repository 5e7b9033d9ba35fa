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

#include "vmx/enter.h"

#define GPR(n) (8 * (n))
#define FIELD_HOST_RSP 0x6c14

.section .noinstr.text, "ax"

SYM_FUNC_START(vmx_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
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
	mov	GPR(1)(%rdi), %rcx
	mov	GPR(2)(%rdi), %rdx
	mov	GPR(3)(%rdi), %rbx
	mov	GPR(5)(%rdi), %rbp
	mov	GPR(6)(%rdi), %rsi
	mov	GPR(8)(%rdi), %r8
	mov	GPR(9)(%rdi), %r9
	mov	GPR(10)(%rdi), %r10
	mov	GPR(11)(%rdi), %r11
	mov	GPR(12)(%rdi), %r12
	mov	GPR(13)(%rdi), %r13
	mov	GPR(14)(%rdi), %r14
	mov	GPR(15)(%rdi), %r15
	mov	GPR(7)(%rdi), %rdi

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
	mov	%rcx, GPR(1)(%rax)
	mov	%rdx, GPR(2)(%rax)
	mov	%rbx, GPR(3)(%rax)
	mov	%rbp, GPR(5)(%rax)
	mov	%rsi, GPR(6)(%rax)
	mov	%rdi, GPR(7)(%rax)
	mov	%r8, GPR(8)(%rax)
	mov	%r9, GPR(9)(%rax)
	mov	%r10, GPR(10)(%rax)
	mov	%r11, GPR(11)(%rax)
	mov	%r12, GPR(12)(%rax)
	mov	%r13, GPR(13)(%rax)
	mov	%r14, GPR(14)(%rax)
	mov	%r15, GPR(15)(%rax)
	pop	%rcx
	mov	%rcx, GPR(0)(%rax)
	mov	$1, %ebx

.Lback:
	/* Nor may a guest's number be a speculative address of ours. */
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

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
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

.Lno_entry:
	xor	%ebx, %ebx
	xor	%esi, %esi
	xor	%edi, %edi
	jmp	.Lback
SYM_FUNC_END(vmx_enter)

/*
 * The frame an NMI pushes, by hand; the handler's IRET unblocks NMIs and
 * comes back here. Without an IDT vector of its own the entry wants to be
 * called, with the stack aligned as hardware would.
 */
SYM_FUNC_START(vmx_host_nmi)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
	call	asm_exc_nmi_kvm_vmx
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(vmx_host_nmi)

/* The same for an interrupt; its IRET leaves interrupts off, as they were. */
SYM_FUNC_START(vmx_host_irq)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	push	$__KERNEL_DS
	push	%rbp
	pushf
	push	$__KERNEL_CS
	CALL_NOSPEC rdi
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(vmx_host_irq)
