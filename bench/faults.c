// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults: what a guest's first touch of a page costs when the host has
 * the page already, so that what is timed is the hypervisor's part alone.
 */
#include "bench.h"

#include <string.h>
#include <sys/mman.h>

#define MIB	   (1ul << 20)
#define LARGE_PAGE (2 * MIB)

/* Populated memory, of large pages or of small ones, aligned to large ones. */
static void *populated(size_t size, bool large)
{
	uint8_t *p = host_pages(size + LARGE_PAGE);

	p += -(uintptr_t)p & (LARGE_PAGE - 1);
	madvise(p, size, large ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (madvise(p, size, MADV_POPULATE_WRITE))
		fail("memory cannot be populated");
	return p;
}

GUEST_LOOP(touch_loop, NO_SETUP,
	mov (%r15), %rsi;
	add $8, %r15;
	movb $1, (%rsi));

/* What to touch: every step bytes, from an offset. */
static void set_list(struct vcpu *v, uint64_t offset, uint64_t step,
		     unsigned int n)
{
	uint64_t *list = (uint64_t *)(v->vm->ram + GPA_DATA);

	for (unsigned int i = 0; i < n; i++)
		list[i] = GPA_FREE + offset + i * step;
}

/* Touch that: the median. */
static uint64_t touch(struct vcpu *v, uint64_t offset, uint64_t step,
		      unsigned int n)
{
	set_list(v, offset, step, n);
	return pass(v, n, NULL);
}

static struct vcpu *with_memory(size_t size, bool large, uint32_t flags)
{
	struct vcpu *v = boot(VM_PIT, &touch_loop);

	OK(vm_set_slot(v->vm, &(struct slot){
		.slot = SLOT_FREE, .gpa = GPA_FREE, .size = size,
		.hva = populated(size, large), .flags = flags }));
	return v;
}

static uint64_t mean(struct vcpu *v, unsigned int n)
{
	const uint64_t *at = (uint64_t *)(v->vm->ram + GPA_SAMPLES);
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += at[i];
	return sum / n;
}

/*
 * 128 pages of distance: more than what a fault may map around itself. The
 * tables are there, by a touch elsewhere in the same 2 MiB.
 */
BENCH(fault_4k, "exits", "page fault, 4 KiB page")
{
	const size_t size = 64 * MIB;
	struct vcpu *v = with_memory(size, false, 0);
	unsigned int n = size / LARGE_PAGE;
	struct samples s = { 0 };

	set_list(v, 0, LARGE_PAGE, n);
	warm_up(v, n);
	for (unsigned int i = 1; i < 4; i++)
		sample(&s, touch(v, i * LARGE_PAGE / 4, LARGE_PAGE, n));
	put(0, samples_median(&s));
}

BENCH(fault_2m, "exits", "page fault, 2 MiB page")
{
	const size_t size = 128 * MIB;

	put(0, touch(with_memory(size, true, 0), 0, LARGE_PAGE,
		     size / LARGE_PAGE));
}

BENCH(fault_around, "exits",
      "first touch of 4 KiB pages in order, mean (fault-around)")
{
	const size_t size = 16 * MIB;
	struct vcpu *v = with_memory(size, false, 0);
	unsigned int n = size / PAGE_SIZE;

	touch(v, 0, PAGE_SIZE, n);
	put(0, mean(v, n));
}

BENCH(fault_dirty, "exits", "write fault under dirty logging, 4 KiB page")
{
	const size_t size = 16 * MIB;
	struct vcpu *v = with_memory(size, false, KVM_MEM_LOG_DIRTY_PAGES);
	static uint64_t bitmap[16 * MIB / PAGE_SIZE / 64];
	struct kvm_dirty_log log = { .slot = SLOT_FREE,
				     .dirty_bitmap = bitmap };
	struct samples s = { 0 };

	set_list(v, 0, PAGE_SIZE, size / PAGE_SIZE);
	warm_up(v, size / PAGE_SIZE);
	for (unsigned int i = 0; i < 2; i++) {
		OK(IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
		sample(&s, touch(v, 0, PAGE_SIZE, size / PAGE_SIZE));
	}
	put(0, samples_median(&s));
}
