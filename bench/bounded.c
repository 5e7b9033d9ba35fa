// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a CPU can be kept from an interrupt, or from the thread that an
 * interrupt wakes, by VMs that have as many vCPUs and irqfds as there can be.
 *
 * A thread of the highest priority sleeps until a time, again and again; how
 * late it is at worst is the longest section with interrupts or preemption off,
 * and what its own wake-up takes, which is the first row. The kernel has to be
 * preemptible for that, which preemptible() sees to.
 *
 * These rows are run only when they are named: make bench T="bounded_*".
 */
#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define VCPUS	4096
#define IRQFDS	100000
#define STEP_NS	20000
#define EDGE_TO_ALL (0xffull << 56)

/* --- the thread that is late ------------------------------------------- */

static pthread_t watcher;
static volatile bool watching;
static uint64_t worst;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void *watch(void *arg)
{
	uint64_t next = now(), late;

	while (watching) {
		struct timespec until;

		next += STEP_NS;
		until.tv_sec = next / 1000000000;
		until.tv_nsec = next % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		late = now() - next;
		if (late > worst)
			worst = late;
		next += late;
	}
	return NULL;
}

static void preemptible(void)
{
	int fd = open("/sys/kernel/debug/sched/preempt", O_WRONLY);

	if (fd < 0 || write(fd, "full", 4) != 4)
		skip("the kernel's preemption cannot be chosen");
	close(fd);
}

static void watch_start(void)
{
	struct sched_param top = { .sched_priority = 90 };
	pthread_attr_t attr;

	preemptible();
	worst = 0;
	watching = true;
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &top);
	CHECK(!pthread_create(&watcher, &attr, watch, NULL));
	usleep(10000);
	worst = 0;
}

static uint64_t watch_stop(void)
{
	watching = false;
	pthread_join(watcher, NULL);
	return worst;
}

/* --- a large VM -------------------------------------------------------- */

static void allow_files(void)
{
	struct rlimit many = { 2 * IRQFDS, 2 * IRQFDS };

	CHECK(!setrlimit(RLIMIT_NOFILE, &many));
}

/* @v's VM gets vCPUs that never run, but whose LAPICs take interrupts. */
static void add_vcpus(struct vcpu *v)
{
	struct kvm_lapic_state lapic;
	unsigned int i;
	int fd;

	allow_files();
	for (i = 1; i < VCPUS; i++) {
		fd = OK(IOCTL(v->vm->fd, KVM_CREATE_VCPU, i));
		OK(IOCTL(fd, KVM_GET_LAPIC, &lapic));
		*(uint32_t *)(lapic.regs + 0xf0) = 0x1ff;
		*(uint32_t *)(lapic.regs + 0x350) = 0x10000;
		OK(IOCTL(fd, KVM_SET_LAPIC, &lapic));
	}
}

static struct vcpu *boot_large(unsigned int flags, const struct payload *p)
{
	struct vcpu *v = boot(flags, p);

	add_vcpus(v);
	return v;
}

static void irqfd(struct vm *vm, uint32_t gsi, int fd, int resamplefd)
{
	struct kvm_irqfd i = { .fd = fd, .gsi = gsi };

	if (resamplefd >= 0) {
		i.flags = KVM_IRQFD_FLAG_RESAMPLE;
		i.resamplefd = resamplefd;
	}
	OK(IOCTL(vm->fd, KVM_IRQFD, &i));
}

static int new_eventfd(void)
{
	return OK(eventfd(0, EFD_NONBLOCK));
}

/* The last one, which may be signalled */
static int add_resamplers(struct vm *vm, uint32_t gsi)
{
	int resamplefd, fd = -1;
	unsigned int i;

	allow_files();
	resamplefd = new_eventfd();
	for (i = 0; i < IRQFDS; i++) {
		fd = new_eventfd();
		irqfd(vm, gsi, fd, resamplefd);
	}
	return fd;
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	CHECK(write(fd, &one, sizeof(one)) == sizeof(one));
}

static void run_some(struct vcpu *v, unsigned int n)
{
	while (n--)
		vcpu_run(v);
}

/* --- rows -------------------------------------------------------------- */

BENCH(bounded_nothing, "bounded", "nothing: the wake-up itself")
{
	watch_start();
	usleep(100000);
	put(0, watch_stop());
}

/* Channel 0 as fast as it goes: every 200 microseconds */
BENCH(bounded_pit, "bounded", "PIT ticks to all of 4,096 vCPUs")
{
	struct vcpu *v = boot_large(VM_PIT, ticking);
	struct kvm_pit_state2 s;

	set_redirection(v->vm, 0, 0x30 | EDGE_TO_ALL);
	OK(IOCTL(v->vm->fd, KVM_GET_PIT2, &s));
	s.channels[0].mode = 2;
	s.channels[0].count = 200;
	watch_start();
	OK(IOCTL(v->vm->fd, KVM_SET_PIT2, &s));
	usleep(100000);
	put(0, watch_stop());
}

BENCH(bounded_line, "bounded", "KVM_IRQ_LINE to all of 4,096 vCPUs",
      "KVM_IRQ_LINE to an MSI to all of them")
{
	struct vcpu *v = boot_large(VM_IRQCHIP, ticking);
	struct kvm_irq_routing_entry e[] = {
		route_pin(5, KVM_IRQCHIP_IOAPIC, 5),
		route_msi(30, MSI_TO(0xff), 0x41),
	};
	unsigned int row, i;

	OK(set_routes(v->vm, e, 2));
	set_redirection(v->vm, 5, 0x35 | EDGE_TO_ALL);
	for (row = 0; row < 2; row++) {
		watch_start();
		for (i = 0; i < 20; i++) {
			OK(irq_line(v->vm, e[row].gsi, 1));
			OK(irq_line(v->vm, e[row].gsi, 0));
		}
		put(row, watch_stop());
	}
}

BENCH(bounded_irqfd, "bounded", "an irqfd to all of 4,096 vCPUs, by a pin",
      "an irqfd to all of 4,096 vCPUs, by an MSI")
{
	struct vcpu *v = boot_large(VM_IRQCHIP, ticking);
	struct kvm_irq_routing_entry e[] = {
		route_pin(5, KVM_IRQCHIP_IOAPIC, 5),
		route_msi(30, MSI_TO(0xff), 0x41),
	};
	unsigned int row, i;

	OK(set_routes(v->vm, e, 2));
	set_redirection(v->vm, 5, 0x35 | EDGE_TO_ALL);
	for (row = 0; row < 2; row++) {
		int fd = new_eventfd();

		irqfd(v->vm, e[row].gsi, fd, -1);
		watch_start();
		for (i = 0; i < 20; i++) {
			signal_fd(fd);
			usleep(100);
		}
		put(row, watch_stop());
	}
}

PAYLOAD(64, remaps_pin_0,
	LAPIC_ON;
	PIC_OFF;
	mov $GPA_IOAPIC, %ebx;
	mov $0x31, %edx;
	sti;
1:	movl $0x10, (%rbx);
	mov %edx, 0x10(%rbx);
	xor $1, %edx;
	dec %esi;
	jnz 1b;
	out %al, $0x80;
)

BENCH(bounded_ioapic, "bounded",
      "IOAPIC writes that change a watched vector, 4,096 vCPUs",
      "KVM_SET_IRQCHIP with all pins due, to all of 4,096 vCPUs")
{
	struct vcpu *v = boot_large(VM_PIT, &remaps_pin_0);
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_regs regs = get_regs(v);
	unsigned int i;

	regs.rsi = 100;
	set_regs(v, &regs);
	watch_start();
	expect_out(v, 0x80, 1, 0xff);
	put(0, watch_stop());

	OK(IOCTL(v->vm->fd, KVM_GET_IRQCHIP, &chip));
	for (i = 0; i < 24; i++)
		chip.chip.ioapic.redirtbl[i].bits =
			(0x30 + i) | REDIR_LEVEL | EDGE_TO_ALL;
	chip.chip.ioapic.irr = 0xffffff;
	watch_start();
	OK(IOCTL(v->vm->fd, KVM_SET_IRQCHIP, &chip));
	put(1, watch_stop());
}

/* None of the vCPUs takes what the PIC asks for. */
PAYLOAD(64, takes_no_extint,
	LAPIC_ON;
	movl $0x10000, 0x350(%rbp);
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

BENCH(bounded_extint, "bounded", "the PIC asks, none of 4,096 vCPUs takes it")
{
	struct vcpu *v = boot_large(VM_IRQCHIP, &takes_no_extint);
	unsigned int i;

	run_some(v, 5);
	watch_start();
	for (i = 0; i < 20; i++) {
		OK(irq_line(v->vm, 4, 1));
		OK(irq_line(v->vm, 4, 0));
	}
	put(0, watch_stop());
}

PAYLOAD(64, sends_to_all,
	LAPIC_ON;
	PIC_OFF;
	sti;
1:	movl $0xc4041, 0x300(%rbp);
	dec %esi;
	jnz 1b;
	out %al, $0x80;
)

BENCH(bounded_ipi, "bounded", "an IPI to all others of 4,096 vCPUs")
{
	struct vcpu *v = boot_large(VM_IRQCHIP, &sends_to_all);
	struct kvm_regs regs = get_regs(v);

	regs.rsi = 20;
	set_regs(v, &regs);
	watch_start();
	expect_out(v, 0x80, 1, 0xff);
	put(0, watch_stop());
}

/* It ends each interrupt by MSR, which is the shortest way. */
PAYLOAD(64, x2apic_level,
	mov $0x1b, %ecx;
	rdmsr;
	or $0xc00, %eax;
	wrmsr;
	PIC_OFF;
	mov $0x80f, %ecx;
	mov $0x1ff, %eax;
	xor %edx, %edx;
	wrmsr;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

BENCH(bounded_resample, "bounded",
      "the end of an interrupt of 100,000 resampling irqfds")
{
	struct vcpu *v = boot(VM_IRQCHIP, &x2apic_level);
	unsigned int i;
	int fd;

	vm_set_isr(v->vm, 0x3a, ISR_X2APIC);
	set_redirection(v->vm, 10, 0x3a | REDIR_LEVEL);
	run_some(v, 5);
	fd = add_resamplers(v->vm, 10);
	watch_start();
	for (i = 0; i < 3; i++) {
		signal_fd(fd);
		run_some(v, 5);
	}
	put(0, watch_stop());
}

/* In mode of automatic end each poll that finds something is an end. */
PAYLOAD(64, polls_pic,
	mov $0x11, %al;
	out %al, $0x20;
	mov $0x20, %al;
	out %al, $0x21;
	mov $4, %al;
	out %al, $0x21;
	mov $3, %al;
	out %al, $0x21;
	mov $0xef, %al;
	out %al, $0x21;
	mov $0x10, %al;
	mov $0x4d0, %dx;
	out %al, %dx;
	out %al, $0x80;
1:	mov $0xc, %al;
	out %al, $0x20;
	in $0x20, %al;
	dec %esi;
	jnz 1b;
	out %al, $0x81;
)

BENCH(bounded_poll, "bounded",
      "ends by reads of the PIC with 100,000 resampling irqfds")
{
	struct vcpu *v = boot(VM_IRQCHIP, &polls_pic);
	struct kvm_regs regs;

	expect_out(v, 0x80, 1, 0x10);
	add_resamplers(v->vm, 4);
	OK(irq_line(v->vm, 4, 1));
	regs = get_regs(v);
	regs.rsi = 20;
	set_regs(v, &regs);
	watch_start();
	expect_out(v, 0x81, 1, 0x84);
	put(0, watch_stop());
}
