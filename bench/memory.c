// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: what the host has less of for each VM, each vCPU and each GiB of a
 * guest's memory that is mapped, the difference over many of them.
 *
 * The whole is the difference of free memory, what the page allocator keeps in
 * its per-CPU lists counted as free. Files and their inodes are in it, alike
 * on all modules. Slab and per-CPU data are those /proc/meminfo tells;
 * the rest are whole pages.
 *
 * And dirty logging of 1 GiB in small pages. The guest's stall is how much
 * longer it takes to write to the pages than without logging.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MIB	   (1ul << 20)
#define GIB	   (1ul << 30)
#define LARGE_PAGE (2 * MIB)

struct usage {
	int64_t used, slab, percpu;
};

/* The sum of the numbers in the lines that start so. */
static int64_t numbers(const char *file, const char *start)
{
	char line[256], *p;
	int64_t sum = 0;
	FILE *f = fopen(file, "r");

	if (!f)
		fail("there is no %s", file);
	while (fgets(line, sizeof(line), f)) {
		p = line + strspn(line, " ");
		if (!strncmp(p, start, strlen(start)))
			sum += atoll(p + strlen(start));
	}
	fclose(f);
	return sum;
}

static struct usage usage(void)
{
	const struct timespec while_freed = { .tv_nsec = 200000000 };
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	struct usage u;

	/* What was freed a grace period ago is to be free. */
	nanosleep(&while_freed, NULL);
	if (fd < 0 || write(fd, "3", 1) != 1)
		fail("the caches cannot be dropped");
	close(fd);
	u.used = -1024 * numbers("/proc/meminfo", "MemFree:") -
		 PAGE_SIZE * numbers("/proc/zoneinfo", "count:");
	u.slab = 1024 * numbers("/proc/meminfo", "Slab:");
	u.percpu = 1024 * numbers("/proc/meminfo", "Percpu:");
	return u;
}

/* Rows: all, slab, per-CPU, the rest; for one of n. */
static void put_usage(unsigned int row, struct usage before,
		      struct usage after, unsigned int n)
{
	double used = after.used - before.used;
	double slab = after.slab - before.slab;
	double percpu = after.percpu - before.percpu;

	put(row, used / n);
	put(row + 1, slab / n);
	put(row + 2, percpu / n);
	put(row + 3, (used - slab - percpu) / n);
}

static void many_files(void)
{
	const struct rlimit many = { 4096, 4096 };

	OK(setrlimit(RLIMIT_NOFILE, &many));
}

static int new_vm(int kvm, bool chips)
{
	const struct kvm_pit_config pit = { .flags = 0 };
	int vm = OK(IOCTL(kvm, KVM_CREATE_VM, 0));

	if (chips) {
		OK(IOCTL(vm, KVM_CREATE_IRQCHIP, 0));
		OK(IOCTL(vm, KVM_CREATE_PIT2, &pit));
	}
	return vm;
}

static void vms(bool chips)
{
	enum { N = 128 };
	int kvm = OK(open("/dev/kvm", O_RDWR));
	struct usage before;

	many_files();
	for (unsigned int i = 0; i < 8; i++)	/* caches fill */
		new_vm(kvm, chips);
	usage();
	before = usage();
	for (unsigned int i = 0; i < N; i++)
		new_vm(kvm, chips);
	put_usage(0, before, usage(), N);
}

BENCH(memory_vm, "memory", "an empty VM", "an empty VM: slab",
      "an empty VM: per-CPU", "an empty VM: pages")
{
	vms(false);
}

BENCH(memory_chips, "memory", "a VM with irqchip and PIT",
      "a VM with irqchip and PIT: slab", "a VM with irqchip and PIT: per-CPU",
      "a VM with irqchip and PIT: pages")
{
	vms(true);
}

/* The run page, which user space maps, is in it. */
BENCH(memory_vcpu, "memory", "a vCPU", "a vCPU: slab", "a vCPU: per-CPU",
      "a vCPU: pages")
{
	enum { VMS = 4, VCPUS = 32 };
	int kvm = OK(open("/dev/kvm", O_RDWR)), vm[VMS + 1], vcpu;
	struct usage before;

	many_files();
	for (unsigned int i = 0; i <= VMS; i++)
		vm[i] = new_vm(kvm, true);
	for (unsigned int i = 0; i <= VMS; i++) {
		if (i == 1) {
			usage();
			before = usage();
		}
		for (unsigned int n = 0; n < VCPUS; n++) {
			vcpu = OK(IOCTL(vm[i], KVM_CREATE_VCPU, n));
			/* The others wait for a SIPI. No memory: it exits. */
			if (n == 0)
				IOCTL(vcpu, KVM_RUN, 0);
		}
	}
	put_usage(0, before, usage(), VMS * VCPUS);
}

/* --- mapped memory ----------------------------------------------------- */

/* The list at R15: where to write first, how far apart, how often. */
GUEST_LOOP(sweep_loop, NO_SETUP,
	mov (%r15), %rsi;
	mov 8(%r15), %rdi;
	mov 16(%r15), %rcx;
1:;
	movb $1, (%rsi);
	add %rdi, %rsi;
	dec %rcx;
	jnz 1b);

/* Let the guest write every step bytes of so many: how long it took. */
static uint64_t sweep(struct vcpu *v, uint64_t gpa, uint64_t size,
		      uint64_t step, const void *what)
{
	uint64_t *list = (uint64_t *)(v->vm->ram + GPA_DATA);

	list[0] = gpa;
	list[1] = step;
	list[2] = size / step;
	return pass_for(v, 1, NULL, what);
}

static void set_slot(struct vcpu *v, void *memory, size_t size, uint32_t flags)
{
	OK(vm_set_slot(v->vm, &(struct slot){
		.slot = SLOT_FREE, .gpa = GPA_FREE, .size = size,
		.hva = memory, .flags = flags }));
}

static void *large_pages(size_t size)
{
	uint8_t *p = host_pages(size + LARGE_PAGE);

	p += -(uintptr_t)p & (LARGE_PAGE - 1);
	madvise(p, size, MADV_HUGEPAGE);
	if (madvise(p, size, MADV_POPULATE_WRITE))
		fail("memory cannot be populated");
	return p;
}

/* The same few pages over and over: to clear so many takes a host long. */
static void *small_pages(size_t size)
{
	const size_t some = 16 * MIB;
	int fd = OK(memfd_create("bench", MFD_CLOEXEC));
	uint8_t *p = host_pages(size);

	OK(ftruncate(fd, some));
	for (size_t at = 0; at < size; at += some) {
		if (mmap(p + at, some, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			fail("no memory");
		if (madvise(p + at, some, MADV_POPULATE_WRITE))
			fail("memory cannot be populated");
	}
	return p;
}

static double mapped(void *memory, size_t size, uint64_t step)
{
	struct vcpu *v = boot(VM_PIT, &sweep_loop);
	struct usage before;

	set_slot(v, memory, size, 0);
	/* Whatever else a first fault allocates. */
	sweep(v, GPA_HIGH, PAGE_SIZE, PAGE_SIZE, NULL);
	usage();
	before = usage();
	sweep(v, GPA_FREE, size, step, NULL);
	return usage().used - before.used;
}

/* One table of large pages serves a GiB, of which any part needs it. */
BENCH(memory_mapped, "memory", "a GiB mapped with 4 KiB pages",
      "a GiB mapped with 2 MiB pages")
{
	const size_t small = 512 * MIB, large = 64 * MIB;

	put(0, mapped(small_pages(small), small, PAGE_SIZE) * (GIB / small));
	put(1, mapped(large_pages(large), large, LARGE_PAGE));
}

static unsigned int dirty_pages(const uint64_t *bitmap, size_t size)
{
	unsigned int n = 0;

	for (size_t i = 0; i < size / PAGE_SIZE / 64; i++)
		n += __builtin_popcountl(bitmap[i]);
	return n;
}

/* None: what else the host did may have been less by chance. */
static double longer(uint64_t took, uint64_t than)
{
	return took > than ? took - than : 0;
}

/* Less of it where the host is small: all rows are for a GiB. */
BENCH(dirty, "dirty", "start", "the guest's stall, 1 % dirty",
      "one pass, 1 % dirty", "the guest's stall, 100 % dirty",
      "one pass, 100 % dirty", "stop")
{
	const size_t size = rounds(1024) < 1024 ? 128 * MIB : GIB;
	const double scale = (double)GIB / size;
	const uint64_t few = 100 * PAGE_SIZE, all = PAGE_SIZE;
	struct vcpu *v = boot(VM_PIT, &sweep_loop);
	void *memory = small_pages(size);
	uint64_t *bitmap = calloc(1, size / PAGE_SIZE / 8);
	struct kvm_dirty_log log = { .slot = SLOT_FREE,
				     .dirty_bitmap = bitmap };
	struct samples start = { 0 }, pass_few = { 0 }, pass_all = { 0 },
		       stop = { 0 };
	uint64_t clean_few, clean_all, few_took, all_took;

	set_slot(v, memory, size, 0);
	sweep(v, GPA_FREE, size, all, NULL);
	clean_few = sweep(v, GPA_FREE, size, few, NULL);
	clean_all = sweep(v, GPA_FREE, size, all, NULL);
	TIMED(&start, set_slot(v, memory, size, KVM_MEM_LOG_DIRTY_PAGES));
	OK(IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
	few_took = sweep(v, GPA_FREE, size, few, &few_took);
	TIMED(&pass_few, OK(IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &log)));
	EQ(dirty_pages(bitmap, size), size / few);
	all_took = sweep(v, GPA_FREE, size, all, &all_took);
	TIMED(&pass_all, OK(IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &log)));
	EQ(dirty_pages(bitmap, size), size / PAGE_SIZE);
	TIMED(&stop, set_slot(v, memory, size, 0));
	put(0, scale * samples_median(&start));
	put(1, scale * longer(few_took, clean_few));
	put(2, scale * samples_median(&pass_few));
	put(3, scale * longer(all_took, clean_all));
	put(4, scale * samples_median(&pass_all));
	put(5, scale * samples_median(&stop));
}
