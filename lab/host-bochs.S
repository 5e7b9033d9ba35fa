/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lab/host-bochs.S: option ROM that boots the kernel of the Bochs host.
 *
 * Bochs has no way to boot a kernel file, but can load files to memory before
 * it starts.  lab/host-bochs has it load two:
 *   SETUP	the real-mode part of the kernel's image and the command line,
 *		as the kernel's boot protocol wants them (Documentation/arch/
 *		x86/boot.rst), its code32_start pointing to code32 here
 *   IMAGE	the kernel, uncompressed and where it runs, then the initrd and
 *		file systems; ends with the word MAGIC at IMAGE_END - 4
 * The ROM makes INT 19h, the BIOS's last step, enter the real-mode part; that
 * asks the BIOS what it has to ask and comes back in code32, which enters the
 * kernel at ENTRY in long mode, with memory below 4 GiB mapped one to one.
 *
 * ROM, SETUP, IMAGE, IMAGE_END, MAGIC and ENTRY are given to as.
 */
	.set BLOCK, 8 << 20
	.set IA32_EFER, 0xc0000080

	.code16
	.globl _start
_start:
	.byte	0x55, 0xaa, (end - _start) / 512

	/* Called by the BIOS when it initialises the ROMs. */
	push	%ds
	push	%ax
	xor	%ax, %ax
	mov	%ax, %ds
	movw	$(int19 - _start), 0x19 * 4
	mov	%cs, %ax
	mov	%ax, 0x19 * 4 + 2
	pop	%ax
	pop	%ds
	lret

int19:
	cli
	mov	$(SETUP >> 4), %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss
	mov	$0xe000, %sp
	ljmp	$((SETUP >> 4) + 0x20), $0

	/* Flat protected mode, %esi: boot parameters. */
	.code32
	.balign	16
	.globl	code32
code32:
	/*
	 * Bochs reads a file to host memory in one piece, but gives each 8
	 * MiB of guest memory its piece of host memory when it is first
	 * touched.  Touched in order, they are those of the file.
	 */
	mov	$IMAGE, %eax
touch:
	mov	(%eax), %ecx
	add	$BLOCK, %eax
	cmp	$IMAGE_END, %eax
	jb	touch
	cmpl	$MAGIC, IMAGE_END - 4
	je	loaded
	ud2			/* no handlers yet: Bochs ends */
loaded:
	mov	$(ROM + pml4 - _start), %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax	/* PAE */
	mov	%eax, %cr4
	mov	$IA32_EFER, %ecx
	rdmsr
	or	$0x100, %eax	/* LME */
	wrmsr
	lgdt	ROM + gdtr - _start
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	ljmp	$0x10, $(ROM + code64 - _start)

	.code64
code64:
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$ENTRY, %eax
	jmp	*%rax

	.balign	8
gdt:
	.quad	0, 0
	.quad	0x00af9b000000ffff	/* 0x10: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x18: data */
gdtr:
	.word	. - gdt - 1
	.long	ROM + gdt - _start

	/* In a ROM, so with the accessed and dirty bits set from the start. */
	.balign	4096
pml4:
	.quad	ROM + pdpt - _start + 0x23
	.balign	4096
pdpt:
	.rept	4
	.quad	ROM + pd - _start + (. - pdpt) * 512 + 0x23
	.endr
	.balign	4096
pd:
	.rept	4 * 512
	.quad	((. - pd) << 18) + 0xe3
	.endr
	.balign	4096
end:
