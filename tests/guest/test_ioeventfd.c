// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest writes that end in the kernel: ioeventfd on ports and on memory,
 * and the ring of coalesced MMIO.
 */
#include "harness.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REG (GPA_MMIO + 0x200)

static long assign(struct vm *vm, struct kvm_ioeventfd e)
{
	return IOCTL(vm->fd, KVM_IOEVENTFD, &e);
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static uint64_t take(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

#define PIO   KVM_IOEVENTFD_FLAG_PIO
#define MATCH KVM_IOEVENTFD_FLAG_DATAMATCH
#define GONE  KVM_IOEVENTFD_FLAG_DEASSIGN

PAYLOAD(64, port_writes,
	mov $0xc050, %edx;
	mov $0x1234, %eax;
	out %al, %dx;
	out %ax, %dx;
	out %eax, %dx;
	mov $7, %eax;
	out %ax, %dx;
	in %dx, %ax;
	out %al, $0x80;
)

TEST(ioeventfd_port)
{
	struct vcpu *v = boot(0, &port_writes);
	int fd = new_eventfd();

	OK(assign(v->vm, (struct kvm_ioeventfd){
		.addr = 0xc050, .len = 2, .fd = fd, .flags = PIO }));
	expect_out(v, 0xc050, 1, 0x34);		/* another length */
	expect_out(v, 0xc050, 4, 0x1234);
	EQ(take(fd), 1);
	expect_in(v, 0xc050, 2, 0x55);		/* reads are not its own */
	EQ(take(fd), 1);
	expect_out(v, 0x80, 1, 0x55);
}

TEST(ioeventfd_port_with_datamatch)
{
	struct vcpu *v = boot(0, &port_writes);
	int seven = new_eventfd(), word = new_eventfd();

	OK(assign(v->vm, (struct kvm_ioeventfd){
		.addr = 0xc050, .len = 2, .fd = seven, .datamatch = 7,
		.flags = PIO | MATCH }));
	OK(assign(v->vm, (struct kvm_ioeventfd){
		.addr = 0xc050, .len = 2, .fd = word, .datamatch = 0x1234,
		.flags = PIO | MATCH }));
	expect_out(v, 0xc050, 1, 0x34);
	expect_out(v, 0xc050, 4, 0x1234);
	EQ(take(word), 1);
	EQ(take(seven), 0);
	expect_in(v, 0xc050, 2, 0);
	EQ(take(seven), 1);
}

PAYLOAD(64, memory_writes,
	mov $REG, %ebx;
	mov $0x1122334455667788, %rax;
	mov %al, (%rbx);
	mov %ax, (%rbx);
	mov %eax, (%rbx);
	mov %rax, (%rbx);
	mov %eax, 4(%rbx);
	mov (%rbx), %ecx;
	out %al, $0x80;
)

TEST(ioeventfd_memory_of_any_length)
{
	struct vcpu *v = boot(0, &memory_writes);
	int fd = new_eventfd();

	OK(assign(v->vm, (struct kvm_ioeventfd){ .addr = REG, .fd = fd }));
	expect_write(v, REG + 4, 4, 0x55667788);
	EQ(take(fd), 4);
}

TEST(ioeventfd_memory_of_any_length_read)
{
	struct vcpu *v = boot(0, &memory_writes);
	int fd = new_eventfd();

	skip_on_reference("on VT-x they take a read of it for a write");
	OK(assign(v->vm, (struct kvm_ioeventfd){ .addr = REG, .fd = fd }));
	expect_write(v, REG + 4, 4, 0x55667788);
	expect_read(v, REG, 4, 0);
	expect_out(v, 0x80, 1, 0x88);
	EQ(take(fd), 4);
}

TEST(ioeventfd_memory_by_length)
{
	struct vcpu *v = boot(0, &memory_writes);
	int four = new_eventfd(), eight = new_eventfd();

	OK(assign(v->vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 4, .fd = four, .flags = MATCH,
		.datamatch = 0x55667788 }));
	OK(assign(v->vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 8, .fd = eight }));
	expect_write(v, REG, 1, 0x88);
	expect_write(v, REG, 2, 0x7788);
	expect_write(v, REG + 4, 4, 0x55667788);
	EQ(take(four), 1);
	EQ(take(eight), 1);
}

TEST(ioeventfd_refused)
{
	struct vm *vm = vm_new(0);
	int fd = new_eventfd();

	REFUSED(EINVAL, assign(vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 3, .fd = fd }));
	REFUSED(EINVAL, assign(vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 16, .fd = fd }));
	REFUSED(EINVAL, assign(vm, (struct kvm_ioeventfd){
		.addr = -4ull, .len = 8, .fd = fd }));
	REFUSED(EINVAL, assign(vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 4, .fd = fd, .flags = 1u << 31 }));
	REFUSED(EINVAL, assign(vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 0, .fd = fd, .flags = MATCH }));
	REFUSED(EBADF, assign(vm, (struct kvm_ioeventfd){
		.addr = REG, .len = 4, .fd = -1 }));
}

TEST(ioeventfd_duplicates)
{
	struct vm *vm = vm_new(0);
	struct kvm_ioeventfd e = { .addr = REG, .len = 4,
				   .fd = new_eventfd() };
	struct kvm_ioeventfd match = e;

	OK(assign(vm, e));
	REFUSED(EEXIST, assign(vm, e));
	e.fd = new_eventfd();
	REFUSED(EEXIST, assign(vm, e));
	match.flags = MATCH;
	match.datamatch = 1;
	REFUSED(EEXIST, assign(vm, match));	/* the other takes all */
	match.addr = REG + 8;
	OK(assign(vm, match));
	REFUSED(EEXIST, assign(vm, match));
	match.datamatch = 2;
	OK(assign(vm, match));
	e.flags = PIO;				/* another space */
	OK(assign(vm, e));
}

TEST(ioeventfd_deassign)
{
	struct vcpu *v = boot(0, &port_writes);
	struct kvm_ioeventfd e = { .addr = 0xc050, .len = 1, .flags = PIO,
				   .fd = new_eventfd() };
	struct kvm_ioeventfd other = e;

	OK(assign(v->vm, e));
	other.flags |= GONE;
	other.len = 2;
	REFUSED(ENOENT, assign(v->vm, other));
	other.len = 1;
	other.fd = new_eventfd();
	REFUSED(ENOENT, assign(v->vm, other));
	other.fd = e.fd;
	other.flags &= ~PIO;
	REFUSED(ENOENT, assign(v->vm, other));
	e.flags |= GONE;
	OK(assign(v->vm, e));
	REFUSED(ENOENT, assign(v->vm, e));
	expect_out(v, 0xc050, 1, 0x34);
	EQ(take(e.fd), 0);
}

/* --- coalesced MMIO --------------------------------------------------- */

PAYLOAD(64, coalesced_writes,
	mov $REG, %ebx;
	mov $1, %eax;
	mov %eax, (%rbx);
	inc %eax;
	mov %ax, 4(%rbx);
	inc %eax;
	mov %al, 8(%rbx);
	mov %eax, 0x1000(%rbx);
	mov (%rbx), %ecx;
	hlt;
)

static struct kvm_coalesced_mmio_ring *ring_of(struct vcpu *v)
{
	long page = OK(IOCTL(v->vm->fd, KVM_CHECK_EXTENSION,
			     KVM_CAP_COALESCED_MMIO));

	return (void *)((uint8_t *)v->run + page * PAGE_SIZE);
}

TEST(coalesced_mmio)
{
	struct vcpu *v = boot(0, &coalesced_writes);
	struct kvm_coalesced_mmio_zone zone = { .addr = REG, .size = 0x100 };
	struct kvm_coalesced_mmio_ring *ring = ring_of(v);

	OK(IOCTL(v->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	EQ(ring->first, ring->last);
	expect_write(v, REG + 0x1000, 4, 3);	/* outside it */
	EQ(ring->last - ring->first, 3);
	EQ(ring->coalesced_mmio[0].phys_addr, REG);
	EQ(ring->coalesced_mmio[0].len, 4);
	EQ(ring->coalesced_mmio[0].data[0], 1);
	EQ(ring->coalesced_mmio[1].phys_addr, REG + 4);
	EQ(ring->coalesced_mmio[1].len, 2);
	EQ(ring->coalesced_mmio[2].len, 1);
	EQ(ring->coalesced_mmio[2].data[0], 3);
	expect_read(v, REG, 4, 0);		/* reads exit */
	expect_halt(v);
	OK(IOCTL(v->vm->fd, KVM_UNREGISTER_COALESCED_MMIO, &zone));
	ring->first = ring->last;
	vcpu_start(v, &coalesced_writes);
	expect_write(v, REG, 4, 1);
}

PAYLOAD(64, writes_reg,
	mov $REG, %ebx;
1:	mov %eax, (%rbx);
	mov %eax, 0x80(%rbx);
	out %al, $0x80;
	jmp 1b;
)

static long zone_ioctl(struct vcpu *v, unsigned long cmd, uint64_t addr,
		       uint32_t size)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = size };

	return IOCTL(v->vm->fd, cmd, &zone);
}

/* Zones that have the named range in them go, as a whole, and no others. */
TEST(coalesced_mmio_removed_by_a_part)
{
	struct vcpu *v = boot(0, &writes_reg);

	OK(zone_ioctl(v, KVM_REGISTER_COALESCED_MMIO, REG, 0x40));
	OK(zone_ioctl(v, KVM_REGISTER_COALESCED_MMIO, REG + 0x80, 0x40));
	OK(zone_ioctl(v, KVM_UNREGISTER_COALESCED_MMIO, REG, 0x1000));
	OK(zone_ioctl(v, KVM_UNREGISTER_COALESCED_MMIO, REG + 0x3d, 4));
	OK(zone_ioctl(v, KVM_UNREGISTER_COALESCED_MMIO, REG + 0x3c, -4u));
	OK(zone_ioctl(v, KVM_UNREGISTER_COALESCED_MMIO, -4ull, 8));
	expect_out(v, 0x80, 1, 0);		/* both are there */
	OK(zone_ioctl(v, KVM_UNREGISTER_COALESCED_MMIO, REG + 4, 4));
	expect_write(v, REG, 4, 0);
	expect_out(v, 0x80, 1, 0);
	OK(zone_ioctl(v, KVM_UNREGISTER_COALESCED_MMIO, REG + 0x81, 0));
	expect_write(v, REG, 4, 0);
	expect_write(v, REG + 0x80, 4, 0);
	OK(zone_ioctl(v, KVM_REGISTER_COALESCED_MMIO, REG, 0));
	expect_out(v, 0x80, 1, 0);
	expect_write(v, REG, 4, 0);
}

PAYLOAD(64, fills_ring,
	mov $REG, %ebx;
	xor %eax, %eax;
1:	mov %eax, (%rbx);
	inc %eax;
	jmp 1b;
)

TEST(coalesced_mmio_ring_full)
{
	struct vcpu *v = boot(0, &fills_ring);
	struct kvm_coalesced_mmio_zone zone = { .addr = REG, .size = 4 };
	struct kvm_coalesced_mmio_ring *ring = ring_of(v);
	const unsigned int size = KVM_COALESCED_MMIO_MAX;

	OK(IOCTL(v->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	expect_write(v, REG, 4, size - 1);	/* one place stays free */
	EQ(ring->last, size - 1);
	for (unsigned int i = 0; i < size - 1; i++)
		EQ(*(uint32_t *)ring->coalesced_mmio[i].data, i);
	ring->first = 10;			/* ten taken: ten more fit */
	expect_write(v, REG, 4, size + 10);
	EQ(ring->last, 9);
}

PAYLOAD(64, coalesced_ports,
	mov $0x1234, %eax;
	mov $0xc060, %edx;
	out %ax, %dx;
	out %eax, %dx;
	hlt;
)

TEST(coalesced_pio)
{
	struct vcpu *v = boot(0, &coalesced_ports);
	struct kvm_coalesced_mmio_zone zone = { .addr = 0xc060, .size = 4,
						.pio = 1 };
	struct kvm_coalesced_mmio_ring *ring = ring_of(v);

	need_cap(v->vm, KVM_CAP_COALESCED_PIO);
	OK(IOCTL(v->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	expect_halt(v);
	EQ(ring->last, 2);
	EQ(ring->coalesced_mmio[0].phys_addr, 0xc060);
	EQ(ring->coalesced_mmio[0].len, 2);
	EQ(ring->coalesced_mmio[0].pio, 1);
	EQ(ring->coalesced_mmio[1].len, 4);
}
