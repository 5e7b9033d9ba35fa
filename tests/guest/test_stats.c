// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: the file that KVM_GET_STATS_FD gives, and that each number in it
 * rises by what a guest does and by nothing else.
 */
#include "harness.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- the file ---------------------------------------------------------- */

struct stats {
	int fd;
	struct kvm_stats_header h;
	size_t desc_size;
	char *descs;
};

static struct stats stats_of(int fd)
{
	struct stats s;
	size_t size;

	s.fd = OK(IOCTL(fd, KVM_GET_STATS_FD, 0));
	EQ(read(s.fd, &s.h, sizeof(s.h)), sizeof(s.h));
	s.desc_size = sizeof(struct kvm_stats_desc) + s.h.name_size;
	size = s.desc_size * s.h.num_desc;
	s.descs = malloc(size);
	EQ(pread(s.fd, s.descs, size, s.h.desc_offset), size);
	return s;
}

static const struct kvm_stats_desc *desc(const struct stats *s, unsigned int i)
{
	return (void *)(s->descs + i * s->desc_size);
}

static void check_desc(const struct stats *s, unsigned int i)
{
	const struct kvm_stats_desc *d = desc(s, i);
	unsigned int type = d->flags & KVM_STATS_TYPE_MASK;
	uint64_t values[64];

	CHECK(d->name[0]);
	CHECK(strnlen(d->name, s->h.name_size) < s->h.name_size);
	CHECK(type <= KVM_STATS_TYPE_MAX);
	CHECK((d->flags & KVM_STATS_UNIT_MASK) <= KVM_STATS_UNIT_MAX);
	CHECK((d->flags & KVM_STATS_BASE_MASK) <= KVM_STATS_BASE_MAX);
	CHECK(!(d->flags & ~0xfff));
	CHECK(d->size && d->size <= 64);
	EQ(d->offset % 8, 0);
	EQ(pread(s->fd, values, d->size * 8, s->h.data_offset + d->offset),
	   d->size * 8);
	for (unsigned int j = 0; j < i; j++) {
		const struct kvm_stats_desc *e = desc(s, j);

		CHECK(strcmp(d->name, e->name));
		CHECK(d->offset >= e->offset + e->size * 8u ||
		      e->offset >= d->offset + d->size * 8u);
	}
}

static void check_stats(int fd, const char *want_id)
{
	struct stats s = stats_of(fd);
	char id[256] = "";

	EQ(s.h.flags, 0);
	CHECK(s.h.num_desc);
	CHECK(s.h.name_size && s.h.name_size < sizeof(id));
	CHECK(s.h.id_offset >= sizeof(s.h));
	CHECK(s.h.desc_offset >= s.h.id_offset + s.h.name_size);
	CHECK(s.h.data_offset >= s.h.desc_offset +
	      s.h.num_desc * s.desc_size);
	EQ(pread(s.fd, id, s.h.name_size, s.h.id_offset), s.h.name_size);
	if (strcmp(id, want_id))
		fail("the id is %s, not %s", id, want_id);
	for (unsigned int i = 0; i < s.h.num_desc; i++)
		check_desc(&s, i);
	EQ(fcntl(s.fd, F_GETFD), FD_CLOEXEC);
	EQ(fcntl(s.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(s.fd);
	free(s.descs);
}

TEST(stats_layout)
{
	struct vm *vm = vm_new(0);
	struct vcpu *v = vcpu_new(vm, 3);
	char id[48];

	need_cap(vm, KVM_CAP_BINARY_STATS_FD);
	snprintf(id, sizeof(id), "kvm-%d", getpid());
	check_stats(vm->fd, id);
	strcat(id, "/vcpu-3");
	check_stats(v->fd, id);
}

/* Bytes read one at a time, all at once and by read() are the same. */
TEST(stats_read)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct stats s = stats_of(v->fd);
	char whole[16384], piece[16384];
	void *nowhere = host_pages(PAGE_SIZE);
	long size = pread(s.fd, whole, sizeof(whole), 0);

	CHECK(size > (long)s.h.data_offset);
	CHECK(size < (long)sizeof(whole));
	for (long i = 0; i < size; i++)
		EQ(pread(s.fd, piece + i, 1, i), 1);
	CHECK(!memcmp(whole, piece, size));
	/* The header was read by read(): it goes on behind it. */
	EQ(read(s.fd, piece, 1000), 1000);
	CHECK(!memcmp(whole + sizeof(s.h), piece, 1000));
	EQ(read(s.fd, piece, sizeof(piece)), size - sizeof(s.h) - 1000);
	EQ(read(s.fd, piece, sizeof(piece)), 0);
	EQ(pread(s.fd, piece, 16, size - 3), 3);
	EQ(pread(s.fd, piece, 16, size), 0);
	EQ(pread(s.fd, piece, 16, 1ul << 40), 0);
	OK(munmap(nowhere, PAGE_SIZE));
	EQ(pread(s.fd, nowhere, 16, 0), -1);
	EQ(errno, EFAULT);
	EQ(pread(s.fd, nowhere, 16, s.h.data_offset), -1);
	EQ(errno, EFAULT);
}

TEST(stats_are_read_only)
{
	struct vm *vm = vm_new(0);
	struct stats s = stats_of(vm->fd);

	EQ(write(s.fd, &s.h, 4), -1);
	EQ(errno, EBADF);
	CHECK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, s.fd, 0) ==
	      MAP_FAILED);
	EQ(errno, ENODEV);
	REFUSED(ENOTTY, IOCTL(s.fd, KVM_GET_STATS_FD, 0));
}

PAYLOAD(64, one_out,
	1: out %al, $0x80;
	jmp 1b;
)

TEST(stats_outlive_the_vm)
{
	struct vcpu *v = boot(0, &one_out);
	struct vm *vm = v->vm;
	struct stats of_vm = stats_of(vm->fd), of_vcpu = stats_of(v->fd);
	char whole[16384];

	expect_exit(v, KVM_EXIT_IO);
	vcpu_free(v);
	vm_free(vm);
	CHECK(pread(of_vm.fd, whole, sizeof(whole), 0) >
	      (long)of_vm.h.data_offset);
	close(of_vm.fd);
	CHECK(pread(of_vcpu.fd, whole, sizeof(whole), 0) >
	      (long)of_vcpu.h.data_offset);
	for (unsigned int i = 0; i < of_vcpu.h.num_desc; i++) {
		const struct kvm_stats_desc *d = desc(&of_vcpu, i);
		uint64_t exits;

		if (strcmp(d->name, "exits"))
			continue;
		memcpy(&exits, whole + of_vcpu.h.data_offset + d->offset, 8);
		CHECK(exits);
		return;
	}
	fail("no exits");
}

/* --- what is counted ---------------------------------------------------- */

/* How much a statistic rises in one KVM_RUN to the next OUT of the payload. */
static uint64_t rise(struct vcpu *v, const char *name)
{
	uint64_t before = vcpu_stat(v, name);

	expect_exit(v, KVM_EXIT_IO);
	return vcpu_stat(v, name) - before;
}

#define CPUIDS 100

PAYLOAD(64, cpuids,
	sti;
1:	mov $100, %r8d;
2:	xor %eax, %eax;
	cpuid;
	dec %r8d;
	jnz 2b;
	out %al, $0x80;
	jmp 1b;
)

static uint64_t own_exits(struct vcpu *v)
{
	return vcpu_stat(v, "exits") - vcpu_stat(v, "irq_exits");
}

TEST(stats_exits)
{
	struct vcpu *v = boot(0, &cpuids);
	uint64_t before, after;

	expect_exit(v, KVM_EXIT_IO);
	before = own_exits(v);
	expect_exit(v, KVM_EXIT_IO);
	after = own_exits(v);
	EQ(after - before, CPUIDS + 1);
	EQ(rise(v, "io_exits"), 1);
	EQ(rise(v, "mmio_exits"), 0);
	EQ(rise(v, "pf_taken"), 0);
}

TEST(stats_are_per_vcpu)
{
	struct vm *vm = vm_new(0);
	struct vcpu *a = vcpu_new(vm, 0), *b = vcpu_new(vm, 1);

	vcpu_start(a, &one_out);
	expect_exit(a, KVM_EXIT_IO);
	CHECK(vcpu_stat(a, "exits"));
	EQ(vcpu_stat(b, "exits"), 0);
}

PAYLOAD(64, three_stores,
	mov $GPA_MMIO, %ebx;
1:	movl $1, (%rbx);
	movl $2, 4(%rbx);
	movl $3, 8(%rbx);
	out %al, $0x80;
	jmp 1b;
)

static void run_stores(struct vcpu *v)
{
	for (unsigned int i = 0; i < 3; i++)
		expect_write(v, GPA_MMIO + 4 * i, 4, i + 1);
	expect_exit(v, KVM_EXIT_IO);
}

TEST(stats_mmio)
{
	struct vcpu *v = boot(0, &three_stores);
	uint64_t mmio, emulated;

	run_stores(v);
	mmio = vcpu_stat(v, "mmio_exits");
	emulated = vcpu_stat(v, "insn_emulation");
	run_stores(v);
	EQ(vcpu_stat(v, "mmio_exits") - mmio, 3);
	EQ(vcpu_stat(v, "insn_emulation") - emulated, 3);
	EQ(vcpu_stat(v, "insn_emulation_fail"), 0);
}

#define FRESH_PAGES 16

PAYLOAD(64, touches,
	mov $GPA_FREE, %ebx;
	mov $16, %ecx;
	out %al, $0x80;
1:	movl $1, (%rbx);
	add $0x1000, %ebx;
	dec %ecx;
	jnz 1b;
2:	out %al, $0x80;
	jmp 2b;
)

TEST(stats_faults)
{
	struct vcpu *v = boot(0, &touches);
	void *fresh = host_pages(FRESH_PAGES * PAGE_SIZE);
	uint64_t fixed, taken;

	madvise(fresh, FRESH_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	OK(vm_add_slot(v->vm, SLOT_FREE, GPA_FREE, FRESH_PAGES * PAGE_SIZE,
		       fresh));
	expect_exit(v, KVM_EXIT_IO);
	taken = vcpu_stat(v, "pf_taken");
	fixed = vcpu_stat(v, "pf_fixed");
	expect_exit(v, KVM_EXIT_IO);
	EQ(vcpu_stat(v, "pf_taken") - taken, FRESH_PAGES);
	EQ(vcpu_stat(v, "pf_fixed") - fixed, FRESH_PAGES);
	EQ(rise(v, "pf_taken"), 0);
}

TEST(stats_flushes)
{
	struct vcpu *v = boot(0, &touches);
	void *fresh = host_pages(FRESH_PAGES * PAGE_SIZE);
	uint64_t all, own;

	OK(vm_add_slot(v->vm, SLOT_FREE, GPA_FREE, FRESH_PAGES * PAGE_SIZE,
		       fresh));
	expect_exit(v, KVM_EXIT_IO);
	expect_exit(v, KVM_EXIT_IO);
	all = vm_stat(v->vm, "remote_tlb_flush_requests");
	own = vcpu_stat(v, "tlb_flush");
	/* Mapped pages go away: what vCPUs cached of them has to go, too. */
	OK(madvise(fresh, FRESH_PAGES * PAGE_SIZE, MADV_DONTNEED));
	CHECK(vm_stat(v->vm, "remote_tlb_flush_requests") > all);
	/* But none was in its guest. */
	EQ(vm_stat(v->vm, "remote_tlb_flush"), 0);
	expect_exit(v, KVM_EXIT_IO);
	CHECK(vcpu_stat(v, "tlb_flush") > own);
}

PAYLOAD(64, stores,
	sti;
	mov $GPA_FREE, %ebx;
1:	movl $1, (%rbx);
	jmp 1b;
)

static void run_to_signal(struct vcpu *v)
{
	REFUSED(EINTR, vcpu_try_run(v));
}

TEST(stats_remote_flushes)
{
	struct vcpu *v = boot(0, &stores);
	void *fresh = host_pages(PAGE_SIZE);
	struct runner r;

	OK(vm_add_slot(v->vm, SLOT_FREE, GPA_FREE, PAGE_SIZE, fresh));
	EQ(vm_stat(v->vm, "remote_tlb_flush"), 0);
	runner_start(&r, v, run_to_signal);
	do
		OK(madvise(fresh, PAGE_SIZE, MADV_DONTNEED));
	while (!vm_stat(v->vm, "remote_tlb_flush"));
	runner_kick(&r);
	runner_join(&r);
	CHECK(vm_stat(v->vm, "remote_tlb_flush") <=
	      vm_stat(v->vm, "remote_tlb_flush_requests"));
}

/* --- interrupts, halts, signals ----------------------------------------- */

static void send_both(struct vcpu *v)
{
	OK(IOCTL(v->fd, KVM_NMI, 0));
	expect_irq(v, 2);
	expect_quiet(v);
	OK(send_msi(v->vm, MSI_TO(0), 0x60));
	expect_irq(v, 0x60);
	expect_quiet(v);
}

/*
 * An injection that a fault on the way cuts short is one, and so is the next
 * try: only the second of two interrupts meets no fault.
 */
TEST(stats_injections)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	uint64_t irqs, nmis;

	vm_set_isr(v->vm, 0x60, ISR_LAPIC);
	vm_set_isr(v->vm, 2, ISR_PLAIN);
	expect_quiet(v);
	EQ(vcpu_stat(v, "irq_injections"), 0);
	EQ(vcpu_stat(v, "nmi_injections"), 0);
	send_both(v);
	irqs = vcpu_stat(v, "irq_injections");
	nmis = vcpu_stat(v, "nmi_injections");
	CHECK(nmis);
	send_both(v);
	EQ(vcpu_stat(v, "nmi_injections") - nmis, 1);
	/* None where hardware delivers interrupts by itself. */
	CHECK(vcpu_stat(v, "irq_injections") - irqs <= 1);
}

PAYLOAD(64, opens_late,
	xor %eax, %eax;
	out %al, $0x80;
	cpuid;
	sti;
	nop;
1:	out %al, $0x81;
	jmp 1b;
)

TEST(stats_irq_window)
{
	struct vcpu *v = boot(0, &opens_late);
	struct kvm_interrupt irq = { .irq = 0x60 };

	vm_set_isr(v->vm, 0x60, ISR_PLAIN);
	expect_exit(v, KVM_EXIT_IO);
	EQ(vcpu_stat(v, "request_irq_exits"), 0);
	v->run->request_interrupt_window = 1;
	expect_exit(v, KVM_EXIT_IRQ_WINDOW_OPEN);
	EQ(vcpu_stat(v, "request_irq_exits"), 1);
	EQ(vcpu_stat(v, "irq_window_exits"), 1);
	v->run->request_interrupt_window = 0;
	OK(IOCTL(v->fd, KVM_INTERRUPT, &irq));
	expect_irq(v, 0x60);
	CHECK(vcpu_stat(v, "irq_injections"));
	EQ(vcpu_stat(v, "request_irq_exits"), 1);
}

PAYLOAD(64, halts,
	LAPIC_ON;
	PIC_OFF;
	out %al, $0x80;
	sti;
1:	hlt;
	jmp 1b;
)

static void run_to_irq(struct vcpu *v)
{
	expect_irq(v, 0x60);
}

TEST(stats_halt)
{
	struct vcpu *v = boot(VM_IRQCHIP, &halts);
	struct runner r;
	uint64_t waited;

	vm_set_isr(v->vm, 0x60, ISR_LAPIC);
	do
		expect_exit(v, KVM_EXIT_IO);
	while (v->run->io.port != 0x80);
	EQ(vcpu_stat(v, "halt_exits"), 0);
	waited = vcpu_stat(v, "halt_wait_ns");
	runner_start(&r, v, run_to_irq);
	runner_wait_asleep(&r);
	EVENTUALLY(vcpu_stat(v, "blocking"));
	EQ(vcpu_stat(v, "halt_exits"), 1);
	EQ(vcpu_stat(v, "halt_wakeup"), 0);
	OK(send_msi(v->vm, MSI_TO(0), 0x60));
	runner_join(&r);
	EQ(vcpu_stat(v, "blocking"), 0);
	EQ(vcpu_stat(v, "halt_exits"), 1);
	EQ(vcpu_stat(v, "halt_wakeup"), 1);
	CHECK(vcpu_stat(v, "halt_wait_ns") > waited);
}

PAYLOAD(64, spins,
	sti;
1:	jmp 1b;
)

TEST(stats_signal)
{
	struct vcpu *v = boot(0, &spins);
	struct runner r;

	EQ(vcpu_stat(v, "exits"), 0);
	runner_start(&r, v, run_to_signal);
	/* At least a timer's interrupt: it is in the guest. */
	EVENTUALLY(vcpu_stat(v, "exits"));
	EQ(vcpu_stat(v, "signal_exits"), 0);
	runner_kick(&r);
	runner_join(&r);
	EQ(vcpu_stat(v, "signal_exits"), 1);
	/* What the VMM asks for itself is no signal. */
	v->run->immediate_exit = 1;
	REFUSED(EINTR, vcpu_try_run(v));
	EQ(vcpu_stat(v, "signal_exits"), 1);
}

PAYLOAD(64, calls_intel,
1:	out %al, $0x80;
	mov $1, %eax;
	vmcall;
	jmp 1b;
)

PAYLOAD(64, calls_amd,
1:	out %al, $0x80;
	mov $1, %eax;
	vmmcall;
	jmp 1b;
)

TEST(stats_hypercalls)
{
	unsigned int eax, ebx, ecx = 0, edx;
	struct vcpu *v;

	__cpuid(0x80000001, eax, ebx, ecx, edx);
	v = boot(0, ecx & 1 << 2 ? &calls_amd : &calls_intel);
	expect_exit(v, KVM_EXIT_IO);
	EQ(vcpu_stat(v, "hypercalls"), 0);
	expect_exit(v, KVM_EXIT_IO);
	EQ(vcpu_stat(v, "hypercalls"), 1);
}
