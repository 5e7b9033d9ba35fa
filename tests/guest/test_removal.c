// SPDX-License-Identifier: GPL-2.0-only
/*
 * Once an ioctl has taken a slot, an ioeventfd or a route away, no vCPU uses
 * it any more, however busy it is with it just then.
 *
 * In each test vCPUs use the thing without a pause while it comes and goes.
 * What they did with it is looked at right after the ioctl has returned, and
 * again when each of them has been seen to meet its absence: nothing may have
 * been added. Guests run with interrupts enabled.
 */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define USERS 2
#define DOORBELL (GPA_MMIO + 0x200)
#define PORT	 0xc050
#define GSI	 30

static bool stop;

/* Of each vCPU: exits to the VMM for lack of the thing, and interrupts. */
static unsigned long missed[USERS], interrupts[USERS];

static unsigned long now(const unsigned long *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static void count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELEASE);
}

/* Wait for others, within the test's time limit, without giving them time. */
#define SOON(cond)							\
	do {								\
		here(__FILE__, __LINE__);				\
		while (!(cond))						\
			sched_yield();					\
	} while (0)

static void run_user(struct vcpu *v)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		long r = vcpu_try_run(v);

		if (r == -EINTR)
			continue;
		if (r)
			fail("KVM_RUN %ld", r);
		if (v->run->exit_reason == KVM_EXIT_IO &&
		    v->run->io.port == PORT_IRQ)
			count(&interrupts[v->id]);
		else if (v->run->exit_reason == KVM_EXIT_MMIO ||
			 (v->run->exit_reason == KVM_EXIT_IO &&
			  v->run->io.port != PORT_TRAP))
			count(&missed[v->id]);
		else
			fail("unexpected exit, %s", describe_exit(v));
	}
}

static void start_users(struct runner *r, struct vm *vm,
			const struct payload *const *p)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };

	for (unsigned int i = 0; i < USERS; i++) {
		struct vcpu *v = vcpu_new(vm, i);
		struct kvm_regs regs;

		vcpu_start(v, p[i]);
		regs = get_regs(v);
		regs.rdi = GPA_FREE + i * PAGE_SIZE;
		set_regs(v, &regs);
		if (vm->flags & VM_IRQCHIP)
			OK(IOCTL(v->fd, KVM_SET_MP_STATE, &mp));
		runner_start(&r[i], v, run_user);
	}
}

static void end_users(struct runner *r)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < USERS; i++) {
		while (!__atomic_load_n(&r[i].done, __ATOMIC_ACQUIRE)) {
			runner_kick(&r[i]);
			wait_a_little();
		}
		runner_join(&r[i]);
	}
}

/* All of them have met the absence of the thing @times since now. */
static void expect_missed(unsigned int times)
{
	unsigned long seen[USERS];

	for (unsigned int i = 0; i < USERS; i++)
		seen[i] = now(&missed[i]);
	for (unsigned int i = 0; i < USERS; i++)
		SOON(now(&missed[i]) >= seen[i] + times);
}

/* --- slots ------------------------------------------------------------ */

/* RDI: where to; each store is one more than the one before. */
PAYLOAD(64, stores,
	sti;
	xor %eax, %eax;
1:	inc %rax;
	mov %rax, (%rdi);
	jmp 1b;
)

static const struct payload *const storing[USERS] = { &stores, &stores };

static volatile uint64_t *stored(void *memory, unsigned int i)
{
	return (uint64_t *)((uint8_t *)memory + i * PAGE_SIZE);
}

/* The slot is there: each of them stores to it. */
static void expect_stores(void *memory)
{
	uint64_t seen[USERS];

	for (unsigned int i = 0; i < USERS; i++)
		seen[i] = *stored(memory, i);
	for (unsigned int i = 0; i < USERS; i++)
		SOON(*stored(memory, i) > seen[i]);
}

static void expect_no_stores(void *memory)
{
	uint64_t seen[USERS];

	for (unsigned int i = 0; i < USERS; i++)
		seen[i] = *stored(memory, i);
	expect_missed(2);
	for (unsigned int i = 0; i < USERS; i++)
		EQ(*stored(memory, i), seen[i]);
}

TEST(removal_of_slot_in_use)
{
	struct vm *vm = vm_new(0);
	void *memory = host_pages(USERS * PAGE_SIZE);
	struct runner r[USERS];

	start_users(r, vm, storing);
	for (unsigned int i = 0; i < 100; i++) {
		OK(vm_add_slot(vm, SLOT_FREE, GPA_FREE, USERS * PAGE_SIZE,
			       memory));
		expect_stores(memory);
		OK(vm_del_slot(vm, SLOT_FREE));
		expect_no_stores(memory);
	}
	end_users(r);
}

TEST(removal_of_slot_by_moving_it)
{
	struct vm *vm = vm_new(0);
	void *memory = host_pages(USERS * PAGE_SIZE);
	struct runner r[USERS];

	OK(vm_add_slot(vm, SLOT_FREE, GPA_FREE, USERS * PAGE_SIZE, memory));
	start_users(r, vm, storing);
	for (unsigned int i = 0; i < 50; i++) {
		expect_stores(memory);
		OK(vm_add_slot(vm, SLOT_FREE, GPA_FREE + 0x200000,
			       USERS * PAGE_SIZE, memory));
		expect_no_stores(memory);
		OK(vm_add_slot(vm, SLOT_FREE, GPA_FREE, USERS * PAGE_SIZE,
			       memory));
	}
	end_users(r);
}

/* The slot comes back with other memory: the old one is not written. */
TEST(removal_of_slot_for_other_memory)
{
	struct vm *vm = vm_new(0);
	void *memory[2] = { host_pages(USERS * PAGE_SIZE),
			    host_pages(USERS * PAGE_SIZE) };
	struct runner r[USERS];

	start_users(r, vm, storing);
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t seen[USERS];

		OK(vm_add_slot(vm, SLOT_FREE, GPA_FREE, USERS * PAGE_SIZE,
			       memory[i % 2]));
		for (unsigned int j = 0; j < USERS; j++)
			seen[j] = *stored(memory[!(i % 2)], j);
		expect_stores(memory[i % 2]);
		for (unsigned int j = 0; j < USERS; j++)
			EQ(*stored(memory[!(i % 2)], j), seen[j]);
		OK(vm_del_slot(vm, SLOT_FREE));
	}
	end_users(r);
}

/* --- ioeventfds ------------------------------------------------------- */

PAYLOAD(64, rings_port,
	sti;
	mov $PORT, %edx;
	mov $7, %eax;
1:	out %ax, %dx;
	jmp 1b;
)

PAYLOAD(64, rings_memory,
	sti;
	mov $DOORBELL, %ebx;
	mov $7, %eax;
1:	mov %eax, (%rbx);
	jmp 1b;
)

static const struct payload *const ringing[USERS] = {
	&rings_port, &rings_memory,
};

static uint64_t take(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

TEST(removal_of_ioeventfd_in_use)
{
	struct kvm_ioeventfd bell[USERS] = {
		{ .addr = PORT, .len = 2, .datamatch = 7,
		  .flags = KVM_IOEVENTFD_FLAG_PIO },
		{ .addr = DOORBELL, .len = 4, .datamatch = 7 },
	};
	struct vm *vm = vm_new(0);
	struct runner r[USERS];

	for (unsigned int i = 0; i < USERS; i++)
		CHECK((bell[i].fd = eventfd(0, EFD_NONBLOCK)) >= 0);
	start_users(r, vm, ringing);
	for (unsigned int round = 0; round < 100; round++) {
		for (unsigned int i = 0; i < USERS; i++) {
			bell[i].flags &= KVM_IOEVENTFD_FLAG_PIO;
			if (round % 2)
				bell[i].flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
			OK(IOCTL(vm->fd, KVM_IOEVENTFD, &bell[i]));
		}
		for (unsigned int i = 0; i < USERS; i++)
			SOON(take(bell[i].fd));
		for (unsigned int i = 0; i < USERS; i++) {
			unsigned long seen;

			bell[i].flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
			OK(IOCTL(vm->fd, KVM_IOEVENTFD, &bell[i]));
			take(bell[i].fd);
			seen = now(&missed[i]);
			SOON(now(&missed[i]) > seen + 1);
			EQ(take(bell[i].fd), 0);
		}
	}
	end_users(r);
}

/* --- routes ----------------------------------------------------------- */

static void *signal_always(void *fd)
{
	const uint64_t one = 1;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		if (write(*(int *)fd, &one, sizeof(one)) < 0)
			EQ(errno, EAGAIN);
	return NULL;
}

/*
 * An irqfd that fires without a pause, routed to one vCPU, then to the other.
 * An interrupt that was on its way arrives at the next entry: two loops of the
 * guest later there can be no more.
 */
TEST(removal_of_route_in_use)
{
	const struct payload *const spinning[USERS] = { ticking, ticking };
	struct kvm_irqfd irqfd = { .gsi = GSI };
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct runner r[USERS];
	pthread_t signals;
	int fd = eventfd(0, EFD_NONBLOCK);

	/* On either modules the host's CPUs serve nothing but interrupts. */
	if (on_bochs())
		skip("Bochs: the flood of interrupts starves the host");
	for (unsigned int i = 0; i < USERS; i++)
		vm_set_isr(vm, 0x41 + i, ISR_LAPIC);
	start_users(r, vm, spinning);
	irqfd.fd = fd;
	OK(IOCTL(vm->fd, KVM_IRQFD, &irqfd));
	pthread_create(&signals, NULL, signal_always, &fd);
	for (unsigned int round = 0; round < 100; round++) {
		unsigned int to = round % USERS, from = !to;
		struct kvm_irq_routing_entry e =
			route_msi(GSI, MSI_TO(to), 0x41 + to);
		unsigned long old, new;

		OK(set_routes(vm, &e, 1));
		expect_missed(3);
		old = now(&interrupts[from]);
		new = now(&interrupts[to]);
		SOON(now(&interrupts[to]) > new + 1);
		expect_missed(2);
		EQ(now(&interrupts[from]), old);
	}
	OK(set_routes(vm, &(struct kvm_irq_routing_entry){ 0 }, 0));
	expect_missed(3);
	for (unsigned int i = 0; i < USERS; i++) {
		unsigned long old = now(&interrupts[i]);

		expect_missed(2);
		EQ(now(&interrupts[i]), old);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(signals, NULL);
	end_users(r);
}

/* The same for the irqfd itself. */
TEST(removal_of_irqfd_in_use)
{
	const struct payload *const spinning[USERS] = { ticking, ticking };
	struct kvm_irq_routing_entry e = route_msi(GSI, MSI_TO(0), 0x41);
	struct kvm_irqfd irqfd = { .gsi = GSI };
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct runner r[USERS];
	pthread_t signals;
	int fd = eventfd(0, EFD_NONBLOCK);

	vm_set_isr(vm, 0x41, ISR_LAPIC);
	OK(set_routes(vm, &e, 1));
	start_users(r, vm, spinning);
	irqfd.fd = fd;
	pthread_create(&signals, NULL, signal_always, &fd);
	for (unsigned int round = 0; round < 100; round++) {
		unsigned long seen = now(&interrupts[0]);

		irqfd.flags = 0;
		OK(IOCTL(vm->fd, KVM_IRQFD, &irqfd));
		SOON(now(&interrupts[0]) > seen);
		irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
		OK(IOCTL(vm->fd, KVM_IRQFD, &irqfd));
		expect_missed(3);
		seen = now(&interrupts[0]);
		expect_missed(2);
		EQ(now(&interrupts[0]), seen);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	pthread_join(signals, NULL);
	end_users(r);
}
