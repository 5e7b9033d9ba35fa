// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a virtual machine, start to end, with nothing left out.
 *
 * A guest of a few instructions writes a message to the serial port and
 * halts; the host prints each exit in words. No interrupt controller is
 * created, so HLT comes back to us instead of waiting for an interrupt.
 *
 *	cc -o lifecycle lifecycle.c && ./lifecycle
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define GUEST_START 0x100000
#define GUEST_SIZE  0x1000
#define SERIAL	    0x3f8

/* 32-bit code: send each byte of the string after it, then halt. */
static const uint8_t guest_code[] = {
	0xba, 0xf8, 0x03, 0x00, 0x00,	/*	mov  $0x3f8, %edx	*/
	0xbe, 0x13, 0x00, 0x10, 0x00,	/*	mov  $0x100013, %esi	*/
	0xac,				/* 1:	lodsb			*/
	0x84, 0xc0,			/*	test %al, %al		*/
	0x74, 0x03,			/*	jz   2f			*/
	0xee,				/*	out  %al, %dx		*/
	0xeb, 0xf8,			/*	jmp  1b			*/
	0xf4,				/* 2:	hlt			*/
};

static const char guest_text[] = "hello\n";

/* Flat 32-bit protected mode: every segment is the whole 4 GiB. */
static void set_protected_mode(int vcpu)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff, .selector = 0x08, .type = 0xb,
		.present = 1, .db = 1, .s = 1, .g = 1,
	};
	struct kvm_segment data = code;
	struct kvm_sregs sregs;

	data.selector = 0x10;
	data.type = 0x3;
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		err(1, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 |= 1;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
		err(1, "KVM_SET_SREGS");
}

/* Returns non-zero when the guest is done. */
static int explain_exit(const struct kvm_run *run)
{
	const uint8_t *io = (const uint8_t *)run + run->io.data_offset;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		printf("exit: the guest sends 0x%02x to port 0x%x\n", *io,
		       run->io.port);
		return run->io.port != SERIAL;
	case KVM_EXIT_HLT:
		printf("exit: the guest halts\n");
		return 1;
	default:
		printf("exit: reason %u, not expected\n", run->exit_reason);
		return 1;
	}
}

int main(void)
{
	int kvm, vm, vcpu, run_size;
	struct kvm_run *run;
	uint8_t *memory;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		err(1, "/dev/kvm");
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		errx(1, "this is not KVM API version %d", KVM_API_VERSION);

	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		err(1, "KVM_CREATE_VM");

	/* Guest memory is memory of ours, shown at a guest address. */
	memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	struct kvm_userspace_memory_region region = {
		.slot = 0,
		.guest_phys_addr = GUEST_START,
		.memory_size = GUEST_SIZE,
		.userspace_addr = (uintptr_t)memory,
	};
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		err(1, "KVM_SET_USER_MEMORY_REGION");
	memcpy(memory, guest_code, sizeof(guest_code));
	memcpy(memory + sizeof(guest_code), guest_text, sizeof(guest_text));

	/* The vCPU, and the page through which it tells why it stopped. */
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		err(1, "KVM_CREATE_VCPU");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		err(1, "mmap of the run page");

	set_protected_mode(vcpu);
	struct kvm_regs regs = { .rip = GUEST_START, .rflags = 0x2 };
	if (ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		err(1, "KVM_SET_REGS");

	do {
		if (ioctl(vcpu, KVM_RUN, 0) < 0)
			err(1, "KVM_RUN");
	} while (!explain_exit(run));
	return run->exit_reason != KVM_EXIT_HLT;
}
