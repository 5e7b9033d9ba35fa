// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: what is refused, what a change means to a guest that uses
 * the memory, and that the guest follows the host's own mapping.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BIG 0x10000

/* Report the byte at GPA_FREE, again and again. */
PAYLOAD(64, reader,
1:	mov GPA_FREE, %al;
	out %al, $0x80;
	jmp 1b;
)

/* Write RBX's low byte there, say so, again and again with the next. */
PAYLOAD(64, writer,
1:	mov %bl, GPA_FREE;
	mov %bl, %al;
	out %al, $0x80;
	inc %bl;
	jmp 1b;
)

static long set(struct vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		uint64_t size, void *hva)
{
	return vm_set_slot(vm, &(struct slot){ slot, flags, gpa, size, hva });
}

TEST(memslot_bad_arguments)
{
	struct vm *vm = vm_new(0);
	uint8_t *p = host_pages(BIG);
	long slots = OK(IOCTL(vm->fd, KVM_CHECK_EXTENSION,
			      KVM_CAP_NR_MEMSLOTS));

	REFUSED(EINVAL, set(vm, 9, 1u << 31, GPA_FREE, BIG, p));
	REFUSED(EINVAL, set(vm, 9, 1u << 3, GPA_FREE, BIG, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE + 8, BIG, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE, BIG + 8, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE, BIG, p + 8));
	REFUSED(EINVAL, set(vm, 9, 0, -(uint64_t)PAGE_SIZE, BIG, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE, 1ull << 62, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE, BIG,
			    (void *)(1ul << 63)));
	REFUSED(EINVAL, set(vm, slots, 0, GPA_FREE, BIG, p));
	REFUSED(EINVAL, set(vm, 0xffff, 0, GPA_FREE, BIG, p));
	REFUSED(EINVAL, set(vm, 7 << 16, 0, GPA_FREE, BIG, p));
	REFUSED(EINVAL, vm_del_slot(vm, 9));	/* was never there */
	OK(set(vm, slots - 1, 0, GPA_FREE, BIG, p));
}

TEST(memslot_overlap)
{
	struct vm *vm = vm_new(0);
	uint8_t *p = host_pages(4 * BIG);

	OK(vm_add_slot(vm, 9, GPA_FREE, BIG, p));
	REFUSED(EEXIST, vm_add_slot(vm, 10, GPA_FREE, BIG, p + BIG));
	REFUSED(EEXIST, vm_add_slot(vm, 10, GPA_FREE + BIG - PAGE_SIZE, BIG,
				    p));
	REFUSED(EEXIST, vm_add_slot(vm, 10, GPA_FREE - PAGE_SIZE,
				    2 * PAGE_SIZE, p));
	REFUSED(EEXIST, vm_add_slot(vm, 10, GPA_FREE - BIG, 3 * BIG, p));
	OK(vm_add_slot(vm, 10, GPA_FREE + BIG, BIG, p + BIG)); /* adjacent */
	OK(vm_add_slot(vm, 11, GPA_FREE - BIG, BIG, p)); /* the same memory */
}

TEST(memslot_change_in_place)
{
	struct vm *vm = vm_new(0);
	uint8_t *p = host_pages(2 * BIG);

	OK(vm_add_slot(vm, 9, GPA_FREE, BIG, p));
	OK(set(vm, 9, KVM_MEM_LOG_DIRTY_PAGES, GPA_FREE, BIG, p));
	OK(set(vm, 9, 0, GPA_FREE, BIG, p));
	OK(set(vm, 9, 0, GPA_FREE, BIG, p));		/* no change */
	REFUSED(EINVAL, set(vm, 9, KVM_MEM_READONLY, GPA_FREE, BIG, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE, 2 * BIG, p));
	REFUSED(EINVAL, set(vm, 9, 0, GPA_FREE, BIG, p + BIG));
}

TEST(memslot_delete_and_add_again)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(BIG), *q = host_pages(BIG);

	p[0] = 11;
	q[0] = 22;
	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	expect_out(v, 0x80, 1, 11);
	OK(vm_del_slot(v->vm, 9));
	expect_read(v, GPA_FREE, 1, 33);
	expect_out(v, 0x80, 1, 33);
	OK(vm_add_slot(v->vm, 9, GPA_FREE, 2 * PAGE_SIZE, q));
	expect_out(v, 0x80, 1, 22);
}

TEST(memslot_move)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(BIG), *q = host_pages(BIG);

	p[0] = 11;
	q[0] = 22;
	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	OK(vm_add_slot(v->vm, 10, GPA_FREE + 4 * BIG, BIG, q));
	expect_out(v, 0x80, 1, 11);
	REFUSED(EEXIST, vm_add_slot(v->vm, 9, GPA_FREE + 4 * BIG, BIG, p));
	OK(vm_add_slot(v->vm, 9, GPA_FREE + 2 * BIG, BIG, p));
	expect_read(v, GPA_FREE, 1, 33);
	expect_out(v, 0x80, 1, 33);
	OK(vm_add_slot(v->vm, 10, GPA_FREE, BIG, q));
	expect_out(v, 0x80, 1, 22);
}

TEST(memslot_guest_writes_reach_host)
{
	struct vcpu *v = boot(0, &writer);
	uint8_t *p = host_pages(BIG);

	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	for (unsigned int i = 0; i < 5; i++) {
		expect_out(v, 0x80, 1, i);
		EQ(p[0], i);
	}
}

TEST(memslot_readonly_write_exits)
{
	struct vcpu *v = boot(0, &writer);
	uint8_t *p = host_pages(BIG);

	p[0] = 99;
	OK(set(v->vm, 9, KVM_MEM_READONLY, GPA_FREE, BIG, p));
	expect_write(v, GPA_FREE, 1, 0);
	expect_out(v, 0x80, 1, 0);
	expect_write(v, GPA_FREE, 1, 1);
	EQ(p[0], 99);
}

TEST(memslot_readonly_read)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(BIG);

	p[0] = 99;
	OK(set(v->vm, 9, KVM_MEM_READONLY, GPA_FREE, BIG, p));
	expect_out(v, 0x80, 1, 99);
	p[0] = 98;			/* the host may write all the same */
	expect_out(v, 0x80, 1, 98);
}

/* A slot over memory the host itself may only read. */
TEST(memslot_readonly_host_mapping)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(BIG);

	p[0] = 99;
	mprotect(p, BIG, PROT_READ);
	OK(set(v->vm, 9, KVM_MEM_READONLY, GPA_FREE, BIG, p));
	expect_out(v, 0x80, 1, 99);
}

TEST(memslot_unbacked_is_efault)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = mmap(NULL, 1ul << 33, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	OK(vm_add_slot(v->vm, 9, GPA_FREE, 1ul << 30, p));
	REFUSED(EFAULT, vcpu_try_run(v));
	REFUSED(EFAULT, vcpu_try_run(v));
	mprotect(p, PAGE_SIZE, PROT_READ | PROT_WRITE);
	p[0] = 7;
	expect_out(v, 0x80, 1, 7);
}

TEST(memslot_host_write_protection_is_efault)
{
	struct vcpu *v = boot(0, &writer);
	uint8_t *p = host_pages(BIG);

	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	expect_out(v, 0x80, 1, 0);
	mprotect(p, BIG, PROT_READ);
	REFUSED(EFAULT, vcpu_try_run(v));
	EQ(p[0], 0);
	mprotect(p, BIG, PROT_READ | PROT_WRITE);
	expect_out(v, 0x80, 1, 1);
	EQ(p[0], 1);
}

TEST(memslot_follows_remap)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(BIG), *q;

	p[0] = 11;
	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	expect_out(v, 0x80, 1, 11);
	q = mmap(p, BIG, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(q == p);
	expect_out(v, 0x80, 1, 0);
	p[0] = 22;
	expect_out(v, 0x80, 1, 22);
	madvise(p, BIG, MADV_DONTNEED);
	expect_out(v, 0x80, 1, 0);
	munmap(p, BIG);
	REFUSED(EFAULT, vcpu_try_run(v));
}

/* Reading memory never written must not keep the page of zeros mapped. */
TEST(memslot_host_write_after_guest_read)
{
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(BIG);

	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	expect_out(v, 0x80, 1, 0);
	p[0] = 5;
	expect_out(v, 0x80, 1, 5);
}

TEST(memslot_alias)
{
	struct vcpu *v = boot(0, &writer);
	uint8_t *p = host_pages(BIG);

	OK(vm_add_slot(v->vm, 9, GPA_FREE, BIG, p));
	OK(vm_add_slot(v->vm, 10, GPA_FREE + BIG, BIG, p));
	expect_out(v, 0x80, 1, 0);
	OK(vm_del_slot(v->vm, 10));
	expect_out(v, 0x80, 1, 1);
	EQ(p[0], 1);
}

PAYLOAD(64, write_across,
	mov $0x1122334455667788, %rax;
	mov $GPA_FREE + PAGE_SIZE - 4, %ebx;
	mov %rax, (%rbx);
	mov (%rbx), %rcx;
	cmp %rax, %rcx;
	sete %al;
	out %al, $0x80;
	hlt;
)

TEST(memslot_access_across_two_slots)
{
	struct vcpu *v = boot(0, &write_across);
	uint8_t *p = host_pages(PAGE_SIZE), *q = host_pages(PAGE_SIZE);

	OK(vm_add_slot(v->vm, 9, GPA_FREE, PAGE_SIZE, p));
	OK(vm_add_slot(v->vm, 10, GPA_FREE + PAGE_SIZE, PAGE_SIZE, q));
	expect_out(v, 0x80, 1, 1);
	EQ(*(uint32_t *)(p + PAGE_SIZE - 4), 0x55667788);
	EQ(*(uint32_t *)q, 0x11223344);
}

/* Large pages of the host, and a slot that begins amid one. */
TEST(memslot_large_pages)
{
	const uint64_t size = 8ul << 20, large = 2ul << 20;
	struct vcpu *v = boot(0, &writer);
	uint8_t *p = host_pages(size + large);

	p += -(uintptr_t)p % large;
	madvise(p, size, MADV_HUGEPAGE);
	memset(p, 0xee, size);
	OK(vm_add_slot(v->vm, 9, GPA_FREE, size, p));
	expect_out(v, 0x80, 1, 0);
	EQ(p[0], 0);
	EQ(p[1], 0xee);
	OK(vm_del_slot(v->vm, 9));
	OK(vm_add_slot(v->vm, 9, GPA_FREE - PAGE_SIZE, size, p));
	expect_out(v, 0x80, 1, 1);
	EQ(p[0], 0);
	EQ(p[PAGE_SIZE], 1);
}

TEST(memslot_hundreds)
{
	enum { SLOTS = 400 };
	struct vcpu *v = boot(0, &reader);
	uint8_t *p = host_pages(SLOTS * PAGE_SIZE);

	p[0] = 1;
	for (unsigned int i = SLOTS; i-- > 0;)
		OK(vm_add_slot(v->vm, 10 + i, GPA_FREE + 2ul * i * PAGE_SIZE,
			       PAGE_SIZE, p + i * PAGE_SIZE));
	expect_out(v, 0x80, 1, 1);
	for (unsigned int i = 0; i < SLOTS; i++)
		OK(vm_del_slot(v->vm, 10 + i));
	expect_read(v, GPA_FREE, 1, 2);
}

PAYLOAD(64, counter,
	sti;
1:	incq GPA_FREE;
	jmp 1b;
)

static void run_until_mmio(struct vcpu *v)
{
	while (vcpu_run(v) != KVM_EXIT_MMIO)
		;
}

/* Once the ioctl has returned, the vCPU cannot write the memory any more. */
TEST(memslot_delete_under_a_running_vcpu)
{
	struct vcpu *v = boot(0, &counter);
	volatile uint64_t *p = host_pages(PAGE_SIZE);
	struct runner r;
	uint64_t last;

	OK(vm_add_slot(v->vm, 9, GPA_FREE, PAGE_SIZE, (void *)p));
	runner_start(&r, v, run_until_mmio);
	EVENTUALLY(*p > 1000);
	OK(vm_del_slot(v->vm, 9));
	last = *p;
	runner_join(&r);
	EQ(*p, last);
	EQ(v->run->mmio.phys_addr, GPA_FREE);
}

TEST(memslot_address_spaces)
{
	struct vm *vm = vm_new(0);
	uint8_t *p = host_pages(BIG);
	long spaces = IOCTL(vm->fd, KVM_CHECK_EXTENSION,
			    KVM_CAP_MULTI_ADDRESS_SPACE);

	if (spaces < 2) {
		REFUSED(EINVAL, set(vm, 1 << 16, 0, GPA_FREE, BIG, p));
		return;
	}
	/* The same address in both spaces is no overlap. */
	OK(set(vm, 9, 0, GPA_FREE, BIG, p));
	OK(set(vm, 1 << 16 | 9, 0, GPA_FREE, BIG, p));
}
