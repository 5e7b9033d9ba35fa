// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads of the VMM take memory away from a guest at once: one changes
 * its slot, the other the host's mapping. When munmap() has returned, no vCPU
 * writes the page any more, whatever the slot's change has got to.
 */
#include "harness.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* So many small pages come first in the slot: taking them away takes a while. */
#define FIRST 8192ul
#define TARGET FIRST		/* the page that a vCPU writes */
#define ABSENT (FIRST + 1)	/* one that the host does not have */
#define PAGES (FIRST + 2)
#define ELSEWHERE (GPA_FREE + (PAGES + 1) * PAGE_SIZE)

/* Read RCX pages from RSI on, and say so. */
PAYLOAD(64, reads_pages,
1:	mov (%rsi), %al;
	add $PAGE_SIZE, %rsi;
	loop 1b;
	out %al, $0x80;
)

/* Store to RDI without a pause, each time one more. */
PAYLOAD(64, stores_always,
	sti;
	xor %eax, %eax;
1:	inc %rax;
	mov %rax, (%rdi);
	jmp 1b;
)

/* Read what RSI points to, again and again. */
PAYLOAD(64, probes,
	sti;
1:	mov (%rsi), %al;
	jmp 1b;
)

static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static void run_until_stopped(struct vcpu *v)
{
	while (!stopped())
		vcpu_try_run(v);
}

static void end_runner(struct runner *r)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		runner_kick(r);
		wait_a_little();
	}
	runner_join(r);
}

static void start_at(struct vcpu *v, const struct payload *p, uint64_t gpa,
		     uint64_t n)
{
	struct kvm_regs regs;

	vcpu_start(v, p);
	regs = get_regs(v);
	regs.rsi = regs.rdi = gpa;
	regs.rcx = n;
	set_regs(v, &regs);
}

static volatile uint64_t *target(uint8_t *memory)
{
	return (uint64_t *)(memory + TARGET * PAGE_SIZE);
}

/* Threads of a test on CPUs of their own, where there are two. */
static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void run_on_cpu_0(struct vcpu *v)
{
	pin(0);
	run_until_stopped(v);
}

/* A slot's change, by a thread that gives way to the one that began it. */
struct change {
	struct vm *vm;
	uint64_t gpa, size;
	uint8_t *memory;
	pthread_t thread;
};

static void *change_slot(void *arg)
{
	const struct sched_param none = { 0 };
	struct change *c = arg;

	CHECK(!sched_setscheduler(0, SCHED_OTHER, &none));
	OK(vm_add_slot(c->vm, SLOT_FREE, c->gpa, c->size, c->memory));
	return NULL;
}

/* What @v is told of @gpa while no page is there; then the slot is there. */
static bool reports_mmio(struct vcpu *v)
{
	long r = vcpu_try_run(v);

	if (r && r != -EFAULT && r != -EINTR)
		fail("KVM_RUN %ld", r);
	if (!r)
		EQ(v->run->exit_reason, KVM_EXIT_MMIO);
	return !r;
}

/*
 * The vCPU @writer stores to the slot's last page. Another thread does
 * @c to the slot, and as soon as @probe can tell, the page is unmapped here.
 */
static void unmap_during(struct vcpu *writer, struct vcpu *probe, int fd,
			 struct change *c)
{
	volatile uint64_t *watch = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED,
					fd, TARGET * PAGE_SIZE);
	const struct sched_param first = { .sched_priority = 1 }, none = { 0 };
	bool moves = c->size;
	struct runner r;
	uint64_t seen;

	CHECK(watch != MAP_FAILED);
	start_at(writer, &reads_pages, GPA_FREE, FIRST);
	expect_exit(writer, KVM_EXIT_IO);
	start_at(writer, &stores_always, GPA_FREE + TARGET * PAGE_SIZE, 0);
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	seen = *watch;
	runner_start(&r, writer, run_on_cpu_0);
	while (*watch == seen)
		sched_yield();

	pin(1);
	CHECK(!sched_setscheduler(0, SCHED_FIFO, &first));
	start_at(probe, &probes, (moves ? c->gpa : GPA_FREE) +
				 ABSENT * PAGE_SIZE, 0);
	CHECK(!pthread_create(&c->thread, NULL, change_slot, c));
	/*
	 * Asleep in between, so that the other thread runs: on Bochs a look takes
	 * longer than 10 us, and the thread would never get there.
	 */
	while (reports_mmio(probe) == moves)
		usleep(on_bochs() ? 1000 : 10);
	CHECK(!munmap((void *)target(c->memory), PAGE_SIZE));
	seen = *watch;
	CHECK(!sched_setscheduler(0, SCHED_OTHER, &none));
	CHECK(!pthread_join(c->thread, NULL));
	EQ(*watch, seen);
	end_runner(&r);
	munmap((void *)watch, PAGE_SIZE);
}

static void unmap_while(uint64_t gpa, uint64_t size)
{
	struct vm *vm = vm_new(0);
	struct vcpu *writer = vcpu_new(vm, 0), *probe = vcpu_new(vm, 1);
	int fd = memfd_create("ram", 0);

	CHECK(fd >= 0 && !ftruncate(fd, PAGES * PAGE_SIZE));
	prctl(PR_SET_TIMERSLACK, 1);
	for (unsigned int i = 0; i < 3; i++) {
		uint8_t *p = mmap(NULL, PAGES * PAGE_SIZE,
				  PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		struct change c = {
			.vm = vm, .gpa = gpa, .size = size, .memory = p,
		};

		CHECK(p != MAP_FAILED);
		CHECK(!mprotect(p + ABSENT * PAGE_SIZE, PAGE_SIZE, PROT_NONE));
		OK(vm_add_slot(vm, SLOT_FREE, GPA_FREE, PAGES * PAGE_SIZE, p));
		unmap_during(writer, probe, fd, &c);
		if (size)
			OK(vm_del_slot(vm, SLOT_FREE));
		munmap(p, PAGES * PAGE_SIZE);
	}
}

TEST(memslot_deleted_while_unmapped)
{
	unmap_while(GPA_FREE, 0);
}

TEST(memslot_moved_while_unmapped)
{
	unmap_while(ELSEWHERE, PAGES * PAGE_SIZE);
}

/* --- many slots -------------------------------------------------------- */

#define ALIASES 16000
/*
 * A walk over the slots takes fewer changes of one of them than that, on any
 * host; one that begins anew after a change would not end before these are over.
 */
#define TOGGLES 20000

static unsigned long toggles, toggles_end;

static unsigned long toggled(void)
{
	return __atomic_load_n(&toggles, __ATOMIC_ACQUIRE);
}

static struct slot alias(unsigned int i, void *page)
{
	return (struct slot){
		.slot = SLOT_FREE + i,
		.gpa = GPA_FREE + i * 2ul * PAGE_SIZE,
		.size = PAGE_SIZE,
		.hva = page,
	};
}

struct toggler {
	struct vm *vm;
	struct slot slot;
};

static void *toggle(void *arg)
{
	struct toggler *t = arg;

	while (!stopped()) {
		if (toggled() >= __atomic_load_n(&toggles_end, __ATOMIC_ACQUIRE)) {
			sched_yield();
			continue;
		}
		t->slot.flags ^= KVM_MEM_LOG_DIRTY_PAGES;
		OK(vm_set_slot(t->vm, &t->slot));
		__atomic_add_fetch(&toggles, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* A page of thousands of slots is unmapped while one of them keeps changing. */
TEST_LIMIT(memslot_aliases_unmapped_beside_changes, 120)
{
	struct vm *vm = vm_new(0);
	struct vcpu *v = vcpu_new(vm, 0);
	uint8_t *p = host_pages(PAGE_SIZE);
	struct toggler t = { .vm = vm, .slot = alias(0, p) };
	pthread_t thread;

	if (need_cap(vm, KVM_CAP_NR_MEMSLOTS) < SLOT_FREE + ALIASES)
		skip("not so many slots");
	for (unsigned int i = 0; i < ALIASES; i++) {
		struct slot s = alias(i, p);

		OK(vm_set_slot(vm, &s));
	}
	CHECK(!pthread_create(&thread, NULL, toggle, &t));
	for (unsigned int i = 1; i <= 4; i++) {
		struct slot last = alias(ALIASES - i, p);
		unsigned long begun = toggled();

		*p = i;
		start_at(v, &reads_pages, last.gpa, 1);
		expect_exit(v, KVM_EXIT_IO);
		EQ(get_regs(v).rax & 0xff, i);
		__atomic_store_n(&toggles_end, begun + TOGGLES,
				 __ATOMIC_RELEASE);
		EVENTUALLY(toggled() > begun);
		OK(madvise(p, PAGE_SIZE, MADV_DONTNEED));
		CHECK(toggled() < begun + TOGGLES);
		start_at(v, &reads_pages, last.gpa, 1);
		expect_exit(v, KVM_EXIT_IO);
		EQ(get_regs(v).rax & 0xff, 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	CHECK(!pthread_join(thread, NULL));
}
