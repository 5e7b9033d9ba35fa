// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens at once: vCPUs running while the VM changes under them, VMs
 * coming and going, and processes that end in the middle.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static void stop_and_join(struct runner *r, unsigned int n)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < n; i++) {
		while (!__atomic_load_n(&r[i].done, __ATOMIC_ACQUIRE)) {
			runner_kick(&r[i]);
			wait_a_little();
		}
		runner_join(&r[i]);
	}
}

/* RDI: whose counter. */
PAYLOAD(64, counts,
	sti;
1:	incq (%rdi);
	lock incq GPA_DATA;
	jmp 1b;
)

static void run_through_mmio(struct vcpu *v)
{
	while (!stopped()) {
		long r = vcpu_try_run(v);

		if (r != -EINTR && (r || v->run->exit_reason != KVM_EXIT_MMIO))
			fail("KVM_RUN %ld, %s", r, describe_exit(v));
		v->run->exit_reason = KVM_EXIT_UNKNOWN;
	}
}

TEST(threads_slots_change_under_vcpus)
{
	struct vm *vm = vm_new(0);
	uint8_t *p = host_pages(2 * PAGE_SIZE);
	volatile uint64_t *both = (uint64_t *)(vm->ram + GPA_DATA);
	struct runner r[2];

	OK(vm_add_slot(vm, 9, GPA_FREE, 2 * PAGE_SIZE, p));
	for (unsigned int i = 0; i < 2; i++) {
		struct vcpu *v = vcpu_new(vm, i);
		struct kvm_regs regs;

		vcpu_start(v, &counts);
		regs = get_regs(v);
		regs.rdi = GPA_FREE + i * PAGE_SIZE;
		set_regs(v, &regs);
		runner_start(&r[i], v, run_through_mmio);
	}
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t seen = *both;

		OK(vm_del_slot(vm, 9));
		OK(vm_add_slot(vm, 9, GPA_FREE, 2 * PAGE_SIZE, p));
		EVENTUALLY(*both > seen);
	}
	stop_and_join(r, 2);
	CHECK(*(uint64_t *)p && *(uint64_t *)(p + PAGE_SIZE));
}

static void run_until_stopped(struct vcpu *v)
{
	while (!stopped())
		REFUSED(EINTR, vcpu_try_run(v));
}

PAYLOAD(64, adds,
	sti;
	mov $20000, %ecx;
1:	lock incq GPA_DATA;
	dec %ecx;
	jnz 1b;
	hlt;
)

static void expect_halts(struct vcpu *v)
{
	expect_halt(v);
}

TEST(threads_atomic_memory)
{
	struct vm *vm = vm_new(0);
	struct runner r[4];

	for (unsigned int i = 0; i < 4; i++) {
		struct vcpu *v = vcpu_new(vm, i);

		vcpu_start(v, &adds);
		runner_start(&r[i], v, expect_halts);
	}
	for (unsigned int i = 0; i < 4; i++)
		runner_join(&r[i]);
	EQ(ram64(vm, GPA_DATA), 80000);
}

PAYLOAD(64, copies,
	sti;
1:	mov GPA_FREE, %rax;
	mov %rax, GPA_DATA;
	jmp 1b;
)

/* The host's mapping changes while the guest reads through it. */
TEST(threads_host_remaps_under_a_vcpu)
{
	struct vcpu *v = boot(0, &copies);
	uint8_t *p = host_pages(PAGE_SIZE);
	volatile uint64_t *copy = (uint64_t *)(v->vm->ram + GPA_DATA);
	struct runner r;

	*(uint64_t *)p = 1;
	OK(vm_add_slot(v->vm, 9, GPA_FREE, PAGE_SIZE, p));
	runner_start(&r, v, run_until_stopped);
	for (uint64_t i = 2; i < 200; i++) {
		uint64_t *q = host_pages(PAGE_SIZE);

		*q = i;
		CHECK(mremap(q, PAGE_SIZE, PAGE_SIZE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
		EVENTUALLY(*copy == i);
	}
	stop_and_join(&r, 1);
}

TEST(threads_host_protects_under_a_vcpu)
{
	struct vcpu *v = boot(0, &copies);
	uint64_t *p = host_pages(PAGE_SIZE);
	volatile uint64_t *copy = (uint64_t *)(v->vm->ram + GPA_DATA);
	struct runner r;

	OK(vm_add_slot(v->vm, 9, GPA_FREE, PAGE_SIZE, p));
	runner_start(&r, v, run_until_stopped);
	for (uint64_t i = 1; i < 200; i++) {
		mprotect(p, PAGE_SIZE, PROT_READ);
		mprotect(p, PAGE_SIZE, PROT_READ | PROT_WRITE);
		*p = i;
		EVENTUALLY(*copy == i);
		madvise(p, PAGE_SIZE, MADV_DONTNEED);
		EVENTUALLY(*copy == 0);
	}
	stop_and_join(&r, 1);
}

PAYLOAD(64, just_halt,
	hlt;
)

static void dismantle(struct vcpu *v)
{
	struct vm *vm = v->vm;

	vcpu_free(v);
	vm_free(vm);
}

TEST_LIMIT(threads_vms_one_after_another, 120)
{
	for (unsigned int i = 0; i < 60; i++) {
		struct vcpu *v = boot(i % 2 ? VM_PIT : 0, &just_halt);

		if (!(i % 2))
			expect_halt(v);
		dismantle(v);
	}
}

TEST(threads_many_vms_at_once)
{
	struct vcpu *v[30];

	for (unsigned int i = 0; i < 30; i++)
		v[i] = boot(0, &just_halt);
	for (unsigned int i = 0; i < 30; i++)
		expect_halt(v[i]);
}

static int winners;

static void *create_vcpu_three(void *vm)
{
	long r = IOCTL(((struct vm *)vm)->fd, KVM_CREATE_VCPU, 3);

	if (r >= 0)
		__atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
	else
		EQ(r, -EEXIST);
	return NULL;
}

TEST(threads_same_vcpu_id)
{
	pthread_t t[4];

	for (unsigned int round = 0; round < 10; round++) {
		struct vm *vm = vm_new(0);

		winners = 0;
		for (unsigned int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, create_vcpu_three, vm);
		for (unsigned int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		EQ(winners, 1);
	}
}

static void *write_eventfd(void *arg)
{
	uint64_t one = 1;

	while (!stopped())
		if (write(*(int *)arg, &one, sizeof(one)) < 0)
			EQ(errno, EAGAIN);
	return NULL;
}

static void run_ticking(struct vcpu *v)
{
	while (!stopped())
		EQ(vcpu_run(v), KVM_EXIT_IO);
}

/* An eventfd signalled all the while it is assigned, routed and taken off. */
TEST(threads_irqfd_under_fire)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	int fd = eventfd(0, EFD_NONBLOCK);
	struct kvm_irqfd on = { .fd = fd, .gsi = 30 };
	struct kvm_irqfd off = on;
	struct runner r;
	pthread_t t;

	off.flags = KVM_IRQFD_FLAG_DEASSIGN;
	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	vm_set_isr(v->vm, 0x42, ISR_LAPIC);
	pthread_create(&t, NULL, write_eventfd, &fd);
	runner_start(&r, v, run_ticking);
	for (unsigned int i = 0; i < 100; i++) {
		struct kvm_irq_routing_entry e =
			route_msi(30, MSI_TO(0), 0x41 + i % 2);

		OK(IOCTL(v->vm->fd, KVM_IRQFD, &on));
		OK(set_routes(v->vm, &e, i % 3 ? 1 : 0));
		OK(IOCTL(v->vm->fd, KVM_IRQFD, &off));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	runner_join(&r);
}

TEST(threads_vm_dies_under_fire)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	struct kvm_irqfd on = { .fd = fd, .gsi = 30 };
	struct kvm_irq_routing_entry e = route_msi(30, MSI_TO(0), 0x41);
	pthread_t t;

	pthread_create(&t, NULL, write_eventfd, &fd);
	for (unsigned int i = 0; i < 20; i++) {
		struct vcpu *v = boot(VM_IRQCHIP, ticking);

		OK(set_routes(v->vm, &e, 1));
		OK(IOCTL(v->vm->fd, KVM_IRQFD, &on));
		dismantle(v);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
}

static void run_for_ever(struct vcpu *v)
{
	vcpu_try_run(v);
}

/* The process ends, or is ended, with all its vCPUs in the guest. */
TEST(threads_process_ends_inside)
{
	for (unsigned int round = 0; round < 4; round++) {
		volatile bool *up = mmap(NULL, PAGE_SIZE,
					 PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			struct vm *vm = vm_new(0);
			struct runner r[3];

			for (unsigned int i = 0; i < 3; i++) {
				struct vcpu *v = vcpu_new(vm, i);
				struct kvm_regs regs;

				vcpu_start(v, &counts);
				regs = get_regs(v);
				regs.rdi = GPA_DATA + 64;
				set_regs(v, &regs);
				runner_start(&r[i], v, run_for_ever);
			}
			EVENTUALLY(ram64(vm, GPA_DATA) > 1000);
			*up = true;
			if (round % 2)
				_exit(0);
			for (;;)
				pause();
		}
		EVENTUALLY(*up);
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid);
	}
}
