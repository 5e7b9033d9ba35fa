/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the vendors' assembly: a guest's general registers to and from struct
 * regs, which begins with gpr[], numbered as in ModRM. RAX and RSP are left to
 * the vendor: what VMRUN or the VMCS makes of them differs.
 */
#ifndef CORE_GPR_ASM_H
#define CORE_GPR_ASM_H

#define GPR(n) (8 * (n))

/* All but RAX and RSP from the struct regs at RDI. */
.macro GPRS_LOAD
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
.endm

/* All but RAX and RSP to the struct regs at RAX. */
.macro GPRS_STORE
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
.endm

/*
 * A guest's number may not be a speculative address of ours. RBX, RSI and RDI
 * are left: they hold the vendor's own or are cleared by it.
 */
.macro GPRS_CLEAR
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
.endm

/* What vmx_enter() and svm_enter() save for their caller, and give back. */
.macro CALLEE_PUSH
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
.endm

.macro CALLEE_POP
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
.endm

#endif
