// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: exactly the pages that were written, whoever wrote them,
 * and each only once.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SLOT  9
#define PAGES 70		/* more than one word of the bitmap */

/* Write RBX to the address in RDI, tell, and again as the host sets it. */
PAYLOAD(64, poke,
1:	mov %rbx, (%rdi);
	out %al, $0x80;
	jmp 1b;
)

PAYLOAD(64, peek,
1:	mov (%rdi), %rbx;
	out %al, $0x80;
	jmp 1b;
)

static struct vcpu *boot_logged(const struct payload *p, uint32_t flags,
				uint64_t pages)
{
	struct vcpu *v = boot(0, p);

	OK(vm_set_slot(v->vm, &(struct slot){
		.slot = SLOT, .flags = flags, .gpa = GPA_FREE,
		.size = pages * PAGE_SIZE,
		.hva = host_pages(pages * PAGE_SIZE) }));
	return v;
}

static void touch(struct vcpu *v, uint64_t page)
{
	struct kvm_regs regs = get_regs(v);

	regs.rdi = GPA_FREE + page * PAGE_SIZE;
	set_regs(v, &regs);
	expect_out(v, 0x80, 1, 0);
}

static long get_log(struct vm *vm, uint64_t *bits)
{
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bits };

	return IOCTL(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static void check_log_(struct vm *vm, uint64_t low, uint64_t high)
{
	uint64_t bits[3] = { -1ull, -1ull, 0x5a5a5a5a };

	check_ok("KVM_GET_DIRTY_LOG", get_log(vm, bits));
	if (bits[0] != low || bits[1] != high || bits[2] != 0x5a5a5a5a)
		fail("dirty pages %#llx %#llx and then %#llx, not %#llx %#llx",
		     (unsigned long long)bits[0], (unsigned long long)bits[1],
		     (unsigned long long)bits[2], (unsigned long long)low,
		     (unsigned long long)high);
}

#define check_log(...) (here(__FILE__, __LINE__), check_log_(__VA_ARGS__))

/* ioctl as a 32-bit program calls it: the number is i386's. */
static long ioctl32(int fd, uint32_t cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54), "b" (fd), "c" (cmd), "d" (arg) : "memory");
	return ret;
}

/* Pointers of 32 bits: what lies in the other half of theirs is no part. */
TEST(dirty_log_of_a_32_bit_vmm)
{
	struct vcpu *v = boot_logged(&poke, KVM_MEM_LOG_DIRTY_PAGES, 1);
	struct kvm_dirty_log *log =
		mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uint64_t *bits = (uint64_t *)(log + 1);

	CHECK(log != MAP_FAILED);
	if (ioctl32(v->vm->kvm, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION)
		skip("this kernel runs no 32-bit programs");
	touch(v, 0);
	log->slot = SLOT;
	log->padding2 = (uintptr_t)bits | 0xdeadbeefull << 32;
	OK(ioctl32(v->vm->fd, KVM_GET_DIRTY_LOG, log));
	EQ(bits[0], 1);
}

TEST(dirty_log_needs_the_flag)
{
	struct vcpu *v = boot_logged(&poke, 0, PAGES);
	struct kvm_dirty_log absent = { .slot = SLOT + 1 };
	uint64_t bits[2];

	REFUSED(ENOENT, get_log(v->vm, bits));
	absent.dirty_bitmap = bits;
	REFUSED(ENOENT, IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &absent));
	absent.slot = 0xffff;
	REFUSED(EINVAL, IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &absent));
}

TEST(dirty_log_has_what_was_written)
{
	struct vcpu *v = boot_logged(&poke, KVM_MEM_LOG_DIRTY_PAGES, PAGES);

	check_log(v->vm, 0, 0);
	touch(v, 1);
	touch(v, 3);
	touch(v, 3);
	touch(v, 69);
	check_log(v->vm, 1 << 1 | 1 << 3, 1 << 5);
	check_log(v->vm, 0, 0);
	touch(v, 3);
	touch(v, 0);
	check_log(v->vm, 1 << 3 | 1 << 0, 0);
}

TEST(dirty_log_ignores_reads)
{
	struct vcpu *v = boot_logged(&peek, KVM_MEM_LOG_DIRTY_PAGES, PAGES);

	touch(v, 1);
	touch(v, 2);
	check_log(v->vm, 0, 0);
}

TEST(dirty_log_read_then_write)
{
	struct vcpu *v = boot_logged(&peek, KVM_MEM_LOG_DIRTY_PAGES, PAGES);

	touch(v, 5);
	vcpu_start(v, &poke);
	touch(v, 5);
	check_log(v->vm, 1 << 5, 0);
}

static long set_flags(struct vcpu *v, uint32_t flags, void *hva)
{
	return vm_set_slot(v->vm, &(struct slot){
		.slot = SLOT, .flags = flags, .gpa = GPA_FREE,
		.size = PAGES * PAGE_SIZE, .hva = hva });
}

/* Pages the guest could already write when logging began. */
TEST(dirty_log_switched_on_later)
{
	struct vcpu *v = boot(0, &poke);
	uint8_t *p = host_pages(PAGES * PAGE_SIZE);
	uint64_t bits[2];

	OK(set_flags(v, 0, p));
	for (unsigned int i = 0; i < PAGES; i++)
		touch(v, i);
	OK(set_flags(v, KVM_MEM_LOG_DIRTY_PAGES, p));
	check_log(v->vm, 0, 0);
	touch(v, 7);
	check_log(v->vm, 1 << 7, 0);
	touch(v, 8);
	OK(set_flags(v, 0, p));
	REFUSED(ENOENT, get_log(v->vm, bits));
	touch(v, 9);
	OK(set_flags(v, KVM_MEM_LOG_DIRTY_PAGES, p));
	check_log(v->vm, 0, 0);
	touch(v, 10);
	check_log(v->vm, 1 << 10, 0);
}

/* The guest has written, and then the host takes its translation away. */
TEST(dirty_log_survives_the_host)
{
	struct vcpu *v = boot(0, &poke);
	uint8_t *p = host_pages(PAGES * PAGE_SIZE);
	uint8_t *page = p + 3 * PAGE_SIZE;

	OK(set_flags(v, KVM_MEM_LOG_DIRTY_PAGES, p));
	touch(v, 3);
	touch(v, 4);
	OK(mprotect(page, PAGE_SIZE, PROT_READ));
	OK(mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE));
	check_log(v->vm, 1 << 3 | 1 << 4, 0);
	OK(mprotect(page, PAGE_SIZE, PROT_READ));
	OK(mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE));
	check_log(v->vm, 0, 0);

	/* All of it, and another page in the place of the one. */
	touch(v, 3);
	OK(madvise(p, PAGES * PAGE_SIZE, MADV_DONTNEED));
	check_log(v->vm, 1 << 3, 0);
	vcpu_start(v, &peek);
	touch(v, 3);
	check_log(v->vm, 0, 0);
	vcpu_start(v, &poke);
	touch(v, 3);
	check_log(v->vm, 1 << 3, 0);
}

TEST(dirty_log_of_large_pages)
{
	const uint64_t large = 2ul << 20;
	struct vcpu *v = boot(0, &poke);
	struct slot s = { .slot = SLOT, .gpa = GPA_FREE, .size = large };
	static uint64_t bits[512 / 64];
	uint8_t *p = host_pages(2 * large);

	p += -(uintptr_t)p % large;
	madvise(p, large, MADV_HUGEPAGE);
	memset(p, 1, large);
	s.hva = p;
	OK(vm_set_slot(v->vm, &s));
	touch(v, 0);			/* mapped, maybe as one */
	s.flags = KVM_MEM_LOG_DIRTY_PAGES;
	OK(vm_set_slot(v->vm, &s));
	touch(v, 130);
	OK(get_log(v->vm, bits));
	for (unsigned int i = 0; i < 8; i++)
		EQ(bits[i], i == 2 ? 1 << 2 : 0);
	touch(v, 131);
	OK(get_log(v->vm, bits));
	EQ(bits[2], 1 << 3);
}

PAYLOAD(64, string_in,
	mov $0x80, %edx;
	mov $8, %ecx;
	rep insb;
	hlt;
)

/* Memory KVM itself writes for the guest. */
TEST(dirty_log_of_string_input)
{
	struct vcpu *v = boot_logged(&string_in, KVM_MEM_LOG_DIRTY_PAGES,
				     PAGES);
	struct kvm_regs regs = get_regs(v);

	regs.rdi = GPA_FREE + 12 * PAGE_SIZE;
	set_regs(v, &regs);
	while (vcpu_run(v) == KVM_EXIT_IO)
		;
	EQ(v->run->exit_reason, KVM_EXIT_HLT);
	check_log(v->vm, 1 << 12, 0);
}

/* CPU-written bits in the guest's own page tables are writes, too. */
TEST(dirty_log_of_page_table_walks)
{
	struct vcpu *v = boot(0, &poke);
	struct kvm_dirty_log log = { .slot = SLOT_LOW };
	static uint64_t bits[3];
	const unsigned int pd = (GPA_PD >> 12);
	struct slot s = { .slot = SLOT_LOW, .size = GPA_HOLE,
			  .hva = v->vm->ram };

	OK(vm_add_slot(v->vm, SLOT, GPA_FREE, PAGE_SIZE,
		       host_pages(PAGE_SIZE)));
	s.flags = KVM_MEM_LOG_DIRTY_PAGES;
	OK(vm_set_slot(v->vm, &s));
	touch(v, 0);
	log.dirty_bitmap = bits;
	OK(IOCTL(v->vm->fd, KVM_GET_DIRTY_LOG, &log));
	CHECK(bits[0] & 1ull << pd);	/* accessed and dirty were set */
	CHECK(*(uint64_t *)(v->vm->ram + GPA_PD + 128 * 8) & 0x60);
}

static long clear_log(struct vm *vm, uint64_t first, uint32_t n, void *bits)
{
	struct kvm_clear_dirty_log c = {
		.slot = SLOT, .first_page = first, .num_pages = n,
		.dirty_bitmap = bits,
	};

	return IOCTL(vm->fd, KVM_CLEAR_DIRTY_LOG, &c);
}

static struct vcpu *boot_manual(uint64_t mode)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args[0] = mode,
	};
	struct vcpu *v = boot(0, &poke);

	if ((need_cap(v->vm, cap.cap) & mode) != mode)
		skip("no such mode of clearing");
	OK(IOCTL(v->vm->fd, KVM_ENABLE_CAP, &cap));
	OK(set_flags(v, KVM_MEM_LOG_DIRTY_PAGES,
		     host_pages(PAGES * PAGE_SIZE)));
	return v;
}

TEST(dirty_log_cleared_by_hand)
{
	struct vcpu *v = boot_manual(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	uint64_t bits[2] = { 1 << 4, 0 };

	touch(v, 4);
	touch(v, 5);
	check_log(v->vm, 3 << 4, 0);
	check_log(v->vm, 3 << 4, 0);	/* reading does not clear */
	OK(clear_log(v->vm, 0, PAGES, bits));
	check_log(v->vm, 1 << 5, 0);
	touch(v, 4);
	check_log(v->vm, 3 << 4, 0);
}

TEST(dirty_log_clear_ranges)
{
	struct vcpu *v = boot_manual(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	uint64_t bits[2] = { -1ull, -1ull };

	REFUSED(EINVAL, clear_log(v->vm, 1, 64, bits));
	REFUSED(EINVAL, clear_log(v->vm, 0, 63, bits));
	REFUSED(EINVAL, clear_log(v->vm, 64, 64, bits));
	REFUSED(EINVAL, clear_log(v->vm, 128, 64, bits));
	OK(clear_log(v->vm, 64, PAGES - 64, bits));
	OK(clear_log(v->vm, 0, 64, bits));
}

TEST(dirty_log_initially_all_set)
{
	struct vcpu *v = boot_manual(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE |
				     KVM_DIRTY_LOG_INITIALLY_SET);
	uint64_t bits[2] = { -1ull, (1 << 6) - 1 };

	check_log(v->vm, -1ull, (1 << 6) - 1);
	OK(clear_log(v->vm, 0, PAGES, bits));
	check_log(v->vm, 0, 0);
	touch(v, 66);
	check_log(v->vm, 0, 1 << 2);
}

PAYLOAD(64, sweep,
	sti;
1:	mov $GPA_FREE, %edi;
	mov $70, %ecx;
2:	incq (%rdi);
	add $PAGE_SIZE, %rdi;
	dec %ecx;
	jnz 2b;
	incq GPA_DATA;
	jmp 1b;
)

static void run_interrupted(struct vcpu *v)
{
	REFUSED(EINTR, vcpu_try_run(v));
}

/*
 * While the guest writes, each log is taken and the pages copied as it says;
 * a write lost from the log would leave the copy different at the end.
 */
TEST(dirty_log_loses_no_write)
{
	struct vcpu *v = boot(0, &sweep);
	uint8_t *p = host_pages(PAGES * PAGE_SIZE);
	uint8_t *copy = host_pages(PAGES * PAGE_SIZE);
	volatile uint64_t *rounds = (uint64_t *)(v->vm->ram + GPA_DATA);
	uint64_t bits[2], seen;
	struct runner r;

	OK(set_flags(v, KVM_MEM_LOG_DIRTY_PAGES, p));
	runner_start(&r, v, run_interrupted);
	for (unsigned int i = 0; i <= 20; i++) {
		seen = *rounds;
		if (i < 20)
			EVENTUALLY(*rounds > seen);
		if (i == 20) {
			runner_kick(&r);
			runner_join(&r);
		}
		OK(get_log(v->vm, bits));
		for (unsigned int n = 0; n < PAGES; n++)
			if (bits[n / 64] >> n % 64 & 1)
				memcpy(copy + n * PAGE_SIZE,
				       p + n * PAGE_SIZE, 8);
	}
	EQ(memcmp(copy, p, PAGES * PAGE_SIZE), 0);
}
