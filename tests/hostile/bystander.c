// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bystander: a VM that does its own work beside the hostile ones. Its guest
 * adds up a table and reports the sum; sum and table have to stay as they are.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TABLE	0x10000
#define WORDS	0x4000

/*
 * Real mode, DS at the table: BX becomes the sum of WORDS words, EBP counts
 * the turns, and both go out by ports.
 */
static const u8 code[] = {
	0x31, 0xf6,				/* xor	%si, %si */
	0x31, 0xdb,				/* xor	%bx, %bx */
	0xb9, 0x00, 0x40,			/* mov	$WORDS, %cx */
	0xad,					/* 1: lodsw */
	0x01, 0xc3,				/* add	%ax, %bx */
	0xe2, 0xfb,				/* loop	1b */
	0x89, 0xd8,				/* mov	%bx, %ax */
	0xe7, 0x10,				/* out	%ax, $0x10 */
	0x66, 0x45,				/* inc	%ebp */
	0x66, 0x89, 0xe8,			/* mov	%ebp, %eax */
	0x66, 0xe7, 0x11,			/* out	%eax, $0x11 */
	0xeb, 0xe6,				/* jmp	to the beginning */
};

void bystander(void)
{
	int kvm = open("/dev/kvm", O_RDWR), vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	u8 *ram = mmap(NULL, G_RAM, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_run *run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
				   PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	struct kvm_userspace_memory_region m = {
		.memory_size = G_RAM, .userspace_addr = (u64)ram,
	};
	struct rng r = { 1 };
	struct kvm_sregs s;
	u16 sum = 0, word;
	u32 turns = 0, said;
	u32 i;

	for (i = 0; i < WORDS; i++) {
		word = rnd(&r);
		sum += word;
		memcpy(ram + TABLE + 2 * i, &word, 2);
	}
	memcpy(ram + 0x1000, code, sizeof(code));
	if (vcpu < 0 || run == MAP_FAILED ||
	    ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m) ||
	    ioctl(vcpu, KVM_GET_SREGS, &s)) {
		failed("bystander: no VM: %s", strerror(errno));
		return;
	}
	s.cs.base = s.cs.selector = 0;
	s.ds.base = TABLE;
	s.ds.selector = TABLE >> 4;
	ioctl(vcpu, KVM_SET_SREGS, &s);
	ioctl(vcpu, KVM_SET_REGS,
	      &(struct kvm_regs){ .rip = 0x1000, .rflags = 2 });
	for (;;) {
		if (ioctl(vcpu, KVM_RUN, 0)) {
			if (errno == EINTR)
				continue;
			failed("bystander: KVM_RUN: %s", strerror(errno));
			return;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			failed("bystander: exit %u", run->exit_reason);
			return;
		}
		memcpy(&said, (u8 *)run + run->io.data_offset, 4);
		if (run->io.port == 0x10 && (u16)said != sum) {
			failed("bystander: sum %x, not %x", (u16)said, sum);
			return;
		}
		if (run->io.port == 0x11) {
			if (said != ++turns) {
				failed("bystander: turn %u, not %u", said, turns);
				return;
			}
			__atomic_fetch_add(&counts->bystander, 1, __ATOMIC_RELAXED);
		}
	}
}
