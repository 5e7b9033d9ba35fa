// SPDX-License-Identifier: GPL-2.0-only
/*
 * First touches: pages that the host has ready, those that it has not, and
 * memory that changes hands while the guest comes to it.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 64
#define SIZE (PAGES * PAGE_SIZE)

/* Write BL to each page from RSI on, RCX of them, and say so. */
PAYLOAD(64, writes_each,
1:	movb %bl, (%rsi);
	add $PAGE_SIZE, %rsi;
	loop 1b;
	out %al, $0x80;
)

/* The same, reading, with the sum in AL. */
PAYLOAD(64, reads_each,
	xor %eax, %eax;
1:	add (%rsi), %al;
	add $PAGE_SIZE, %rsi;
	loop 1b;
	out %al, $0x80;
)

static void start(struct vcpu *v, const struct payload *p, uint64_t first,
		  uint64_t n)
{
	struct kvm_regs regs;

	vcpu_start(v, p);
	regs = get_regs(v);
	regs.rsi = GPA_FREE + first * PAGE_SIZE;
	regs.rcx = n;
	regs.rax = 0;
	regs.rbx = 7;
	set_regs(v, &regs);
}

static void write_pages(struct vcpu *v, uint64_t first, uint64_t n)
{
	start(v, &writes_each, first, n);
	expect_out(v, 0x80, 1, 0);
}

static struct vcpu *with_pages(uint8_t *p)
{
	struct vcpu *v = boot(0, &writes_each);

	OK(vm_add_slot(v->vm, 9, GPA_FREE, SIZE, p));
	return v;
}

/* Pages of all kinds side by side. */
TEST(fault_in_order)
{
	uint8_t *p = host_pages(SIZE);
	struct vcpu *v = with_pages(p);
	unsigned int sum = 0;

	for (unsigned int i = 0; i < PAGES; i++) {
		volatile uint8_t *page = p + i * PAGE_SIZE;

		if (i % 5 == 0)
			continue;		/* the host has none */
		if (i % 7 == 0)
			(void)*page;		/* the page of zeros */
		else
			page[1] = i;
	}
	write_pages(v, 0, PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		bool written = i % 5 && i % 7;

		EQ(p[i * PAGE_SIZE], 7);
		EQ(p[i * PAGE_SIZE + 1], written ? i : 0);
		p[i * PAGE_SIZE] = i;
		sum += i;
	}
	start(v, &reads_each, 0, PAGES);
	expect_out(v, 0x80, 1, sum & 0xff);
}

/* In order up to what the host does not let the guest have. */
TEST(fault_in_order_up_to_a_hole)
{
	uint8_t *p = host_pages(SIZE);
	struct vcpu *v = with_pages(p);

	memset(p, 1, SIZE);
	mprotect(p + 8 * PAGE_SIZE, 8 * PAGE_SIZE, PROT_READ);
	munmap(p + 16 * PAGE_SIZE, PAGE_SIZE);
	write_pages(v, 0, 8);
	start(v, &writes_each, 8, 1);
	REFUSED(EFAULT, vcpu_try_run(v));
	start(v, &reads_each, 0, 16);
	expect_out(v, 0x80, 1, 8 * 7 + 8);
	start(v, &reads_each, 16, 1);
	REFUSED(EFAULT, vcpu_try_run(v));
	write_pages(v, 17, PAGES - 17);
	EQ(p[8 * PAGE_SIZE], 1);
	EQ(p[17 * PAGE_SIZE], 7);
}

/* After a fork parent and child share pages, until one of them writes. */
TEST(fault_write_after_fork)
{
	uint8_t *p = host_pages(SIZE), ready;
	struct vcpu *v = with_pages(p);
	int to_child[2], status;
	pid_t child;

	memset(p, 1, SIZE);
	write_pages(v, 0, PAGES / 2);
	CHECK(!pipe(to_child));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		bool same = read(to_child[0], &ready, 1) == 1;

		for (unsigned int i = 0; i < PAGES; i++)
			same &= p[i * PAGE_SIZE] == (i < PAGES / 2 ? 7 : 1);
		_exit(!same);
	}
	start(v, &reads_each, 0, PAGES);
	expect_out(v, 0x80, 1, (7 * (PAGES / 2) + PAGES / 2) & 0xff);
	for (unsigned int i = 0; i < PAGES / 2; i++)
		p[i * PAGE_SIZE] = 9;
	start(v, &reads_each, 0, PAGES);
	expect_out(v, 0x80, 1, (9 * (PAGES / 2) + PAGES / 2) & 0xff);
	write_pages(v, 0, PAGES);
	for (unsigned int i = 0; i < PAGES; i++)
		EQ(p[i * PAGE_SIZE], 7);
	CHECK(write(to_child[1], "", 1) == 1);
	CHECK(waitpid(child, &status, 0) == child);
	EQ(status, 0);
}

/*
 * A page that the VMM gave up is dropped when memory runs short, unless it was
 * written to since: the guest's writes count.
 */
TEST(fault_write_after_free)
{
	uint8_t *p = host_pages(SIZE);
	struct vcpu *v = with_pages(p);

	madvise(p, SIZE, MADV_NOHUGEPAGE);
	memset(p, 1, SIZE);
	write_pages(v, 0, PAGES);
	if (madvise(p, SIZE, MADV_FREE))
		skip("no MADV_FREE");
	write_pages(v, 0, PAGES);
	if (madvise(p, SIZE, MADV_PAGEOUT))
		skip("no MADV_PAGEOUT");
	for (unsigned int i = 0; i < PAGES; i++)
		EQ(p[i * PAGE_SIZE], 7);
}

/* Memory of a file: what the guest writes is in the file. */
TEST(fault_shared_file)
{
	int fd = memfd_create("ram", 0);
	uint8_t byte, *p;
	struct vcpu *v;

	CHECK(fd >= 0 && !ftruncate(fd, SIZE));
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	v = with_pages(p);
	for (unsigned int i = 0; i < PAGES; i += 2)
		p[i * PAGE_SIZE] = 1;
	write_pages(v, 0, PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		CHECK(pread(fd, &byte, 1, i * PAGE_SIZE) == 1);
		EQ(byte, 7);
	}
	CHECK(!ftruncate(fd, SIZE / 2));
	start(v, &reads_each, 0, PAGES / 2);
	expect_out(v, 0x80, 1, 7 * (PAGES / 2) & 0xff);
	start(v, &writes_each, PAGES / 2, 1);
	CHECK(vcpu_try_run(v) < 0);
}

/* Not even the kernel may reach such memory, and so no guest. */
TEST(fault_secret_memory)
{
	int fd = syscall(SYS_memfd_secret, 0);
	struct vcpu *v;
	uint8_t *p;

	if (fd < 0)
		skip("no memfd_secret");
	CHECK(!ftruncate(fd, SIZE));
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	v = with_pages(p);
	memset(p, 1, SIZE);
	/* Its neighbour is plain memory. */
	OK(vm_add_slot(v->vm, 10, GPA_FREE + SIZE, PAGE_SIZE,
		       host_pages(PAGE_SIZE)));
	write_pages(v, PAGES, 1);
	start(v, &writes_each, 0, 1);
	REFUSED(EFAULT, vcpu_try_run(v));
	start(v, &reads_each, 1, 1);
	REFUSED(EFAULT, vcpu_try_run(v));
}

/* The guest reaches what the VMM's thread may reach with its keys. */
TEST(fault_protection_key)
{
	uint8_t *p = host_pages(SIZE);
	struct vcpu *v;
	int key = pkey_alloc(0, 0);

	if (key < 0)
		skip("no protection keys");
	memset(p, 1, SIZE);
	CHECK(!pkey_mprotect(p, SIZE, PROT_READ | PROT_WRITE, key));
	v = with_pages(p);
	write_pages(v, 0, 4);
	CHECK(!pkey_set(key, PKEY_DISABLE_ACCESS));
	start(v, &writes_each, 20, 1);
	REFUSED(EFAULT, vcpu_try_run(v));
	CHECK(!pkey_set(key, 0));
	write_pages(v, 20, 4);
	EQ(p[20 * PAGE_SIZE], 7);
}

/* The instruction after STI is not interrupted, if it has to be run twice. */
PAYLOAD(64, store_after_sti,
	LAPIC_ON;
	movb $1, GPA_FREE + PAGE_SIZE;
	movl $0x40040, 0x300(%rbp);
	sti;
	movb $2, GPA_FREE;
	out %al, $0x80;
)

TEST(fault_after_sti)
{
	struct vcpu *v = boot(VM_IRQCHIP, &store_after_sti);
	uint8_t *p = host_pages(SIZE);

	memset(p, 1, SIZE);
	vm_set_isr(v->vm, 0x40, ISR_LAPIC);
	OK(vm_add_slot(v->vm, 9, GPA_FREE, SIZE, p));
	expect_irq(v, 0x40);
	EQ(p[0], 2);
	expect_exit(v, KVM_EXIT_IO);
}

/* Copy a word of each page to GPA_DATA on, for ever. */
PAYLOAD(64, mirrors,
	sti;
1:	mov $GPA_FREE, %esi;
	mov $GPA_DATA, %edi;
	mov $PAGES, %ecx;
2:	mov (%rsi), %rax;
	mov %rax, (%rdi);
	add $PAGE_SIZE, %rsi;
	add $8, %rdi;
	loop 2b;
	jmp 1b;
)

static bool stop;

static void mirror(struct vcpu *v)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		vcpu_try_run(v);
}

static void give(uint8_t *page, uint64_t value)
{
	uint64_t *q;

	switch (value % 3) {
	case 0:
		q = host_pages(PAGE_SIZE);
		*q = value;
		CHECK(mremap(q, PAGE_SIZE, PAGE_SIZE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, page) == page);
		return;
	case 1:
		madvise(page, PAGE_SIZE, MADV_DONTNEED);
		break;
	default:
		mprotect(page, PAGE_SIZE, PROT_READ);
		mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
		break;
	}
	*(uint64_t *)page = value;
}

/* Pages come and go under a guest that uses them in order. */
TEST(fault_in_order_under_the_host)
{
	struct vcpu *v = boot(0, &mirrors);
	volatile uint64_t *copy = (uint64_t *)(v->vm->ram + GPA_DATA);
	uint8_t *p = host_pages(SIZE);
	struct runner r;

	madvise(p, SIZE, MADV_NOHUGEPAGE);
	memset(p, 1, SIZE);
	OK(vm_add_slot(v->vm, 9, GPA_FREE, SIZE, p));
	runner_start(&r, v, mirror);
	for (uint64_t i = 2; i < 400; i++) {
		unsigned int page = i * 37 % PAGES;

		give(p + page * PAGE_SIZE, i);
		EVENTUALLY(copy[page] == i);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE)) {
		runner_kick(&r);
		wait_a_little();
	}
	runner_join(&r);
}
