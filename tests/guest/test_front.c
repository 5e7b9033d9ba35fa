// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory where the LAPIC's page is: the LAPIC is in front of it (SDM vol. 3,
 * 11.4.1), in whatever order the two came, and whatever page size the memory
 * around it is mapped with. Where a LAPIC is in x2APIC mode there is no page, and
 * memory is seen.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define AREA   0xfec00000	/* 4 MiB: both halves are large pages */
#define SIZE   0x400000
#define MEMORY 0xeeeeeeee

PAYLOAD(64, looks_around,
	mov $GPA_LAPIC, %ebp;
1:	mov 0x30(%rbp), %eax;
	out %eax, $0x80;
	mov -0x1000(%rbp), %eax;
	out %eax, $0x81;
	mov 0x1000(%rbp), %eax;
	out %eax, $0x82;
	movl $0x50, 0x80(%rbp);
	movl $0x1234, 0x1080(%rbp);
	orl $0x1ff, 0xf0(%rbp);
	movq %xmm0, 0x80(%rbp);
	jmp 1b;
)

static uint8_t *area;

/* Memory over the page and around it. In-tree modules refuse, or let it win. */
static void put_memory(struct vm *vm)
{
	uint8_t *map = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(map != MAP_FAILED);
	area = map + (SIZE - (uintptr_t)map % SIZE) % SIZE;
	madvise(area, SIZE, MADV_HUGEPAGE);
	memset(area + SIZE / 2, 0xee, SIZE / 2);
	memset(area + SIZE / 2 - PAGE_SIZE, 0xee, PAGE_SIZE);
	OK(vm_add_slot(vm, SLOT_FREE, AREA, SIZE, area));
}

static uint32_t said(struct vcpu *v, unsigned int port)
{
	uint32_t value;

	expect_exit(v, KVM_EXIT_IO);
	EQ(v->run->io.port, port);
	memcpy(&value, (uint8_t *)v->run + v->run->io.data_offset, 4);
	return value;
}

static void check_lapic(struct vcpu *v)
{
	EQ(said(v, 0x80) & 0xff, 0x14);
	EQ(said(v, 0x81), MEMORY);
	EQ(said(v, 0x82), MEMORY);
	EQ(said(v, 0x80) & 0xff, 0x14);
	EQ(lapic_reg(v, 0x80), 0);	/* by the MOVQ, after 50h */
	EQ(lapic_reg(v, 0xf0) & 0x1ff, 0x1ff);
	/* None of that is in the memory. */
	EQ(area[SIZE / 2 + 0x80], 0xee);
	EQ(area[SIZE / 2 + 0xf1], 0xee);
	EQ(*(uint32_t *)(area + SIZE / 2 + 0x1080), 0x1234);
}

TEST(front_lapic_before_memory)
{
	struct vcpu *v = boot(VM_IRQCHIP, &looks_around);

	skip_on_reference("they refuse the slot, or memory hides the LAPIC");
	put_memory(v->vm);
	check_lapic(v);
}

/* The guest has used the page already, and uses it when the slot has gone. */
TEST(front_memory_that_comes_later)
{
	struct vcpu *v = boot(VM_IRQCHIP, &looks_around);

	skip_on_reference("they refuse the slot, or memory hides the LAPIC");
	EQ(said(v, 0x80) & 0xff, 0x14);
	vcpu_start(v, &looks_around);
	put_memory(v->vm);
	check_lapic(v);
	OK(vm_del_slot(v->vm, SLOT_FREE));
	vcpu_start(v, &looks_around);
	EQ(said(v, 0x80) & 0xff, 0x14);
	expect_exit(v, KVM_EXIT_MMIO);
	EQ(v->run->mmio.phys_addr, GPA_LAPIC - 0x1000);
}

/* Large pages first: what is mapped around leaves the page out. */
PAYLOAD(64, neighbours_first,
	mov $GPA_LAPIC, %ebp;
	movl $1, 0x1000(%rbp);
	movl $1, 0x3000(%rbp);
	movl $1, -0x1000(%rbp);
	mov 0x30(%rbp), %eax;
	out %eax, $0x80;
)

TEST(front_neighbours_first)
{
	struct vcpu *v = boot(VM_IRQCHIP, &neighbours_first);

	skip_on_reference("they refuse the slot, or memory hides the LAPIC");
	put_memory(v->vm);
	EQ(said(v, 0x80) & 0xff, 0x14);
}

/* Without LAPICs in the kernel it is memory like any other. */
TEST(front_without_lapic)
{
	struct vcpu *v = boot(0, &looks_around);

	put_memory(v->vm);
	EQ(said(v, 0x80), MEMORY);
}

PAYLOAD(64, x2apic_looks,
	mov $0x1b, %ecx;
	rdmsr;
	or $0xc00, %eax;
	wrmsr;
	mov $GPA_LAPIC, %ebp;
	mov 0x30(%rbp), %eax;
	out %eax, $0x80;
	movl $0x77, 0x40(%rbp);
	incl 0x44(%rbp);
	mov 0x40(%rbp), %eax;
	out %eax, $0x81;
)

TEST(front_x2apic)
{
	struct vcpu *v = boot(VM_IRQCHIP, &x2apic_looks);

	skip_on_reference("where they have an access page, they refuse the slot");
	put_memory(v->vm);
	EQ(said(v, 0x80), MEMORY);
	EQ(said(v, 0x81), 0x77);
	EQ(*(uint32_t *)(area + SIZE / 2 + 0x40), 0x77);
	EQ(*(uint32_t *)(area + SIZE / 2 + 0x44), MEMORY + 1);
}
