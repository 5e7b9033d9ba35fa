// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hostile guest under a well-behaved VMM: vCPUs that execute random code
 * at every privilege level, over random tables, with chips and memory slots as
 * VMMs have them. Whatever the guest does, KVM_RUN returns an exit or EINTR;
 * any other errno would be the guest's way to end its VMM.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define VCPUS 3

static u8 *ram;
static atomic_bool over;
static size_t run_size;
static u64 round_seed;

struct one {
	pthread_t thread;
	u64 seed;
	int fd;
	struct kvm_run *run;
};

/* Answers an exit as devices that are not there would: with anything. */
static void answer(struct rng *r, struct kvm_run *run)
{
	u64 v = rnd(r);

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			memcpy(run->mmio.data, &v, 8);
		break;
	case KVM_EXIT_IO:
		if (run->io.direction == KVM_EXIT_IO_IN &&
		    run->io.data_offset < run_size)
			memcpy((u8 *)run + run->io.data_offset, &v, 4);
		break;
	}
}

static void turn(struct rng *r, struct one *o, int *since)
{
	u32 reason;
	int rc;

	kick_after(2000);
	rc = ioctl(o->fd, KVM_RUN, 0);
	__atomic_fetch_add(&counts->runs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&counts->calls, 1, __ATOMIC_RELAXED);
	if (rc && errno != EINTR && errno != EAGAIN) {
		struct kvm_regs regs;
		struct kvm_sregs sregs;

		memset(&regs, 0, sizeof(regs));
		memset(&sregs, 0, sizeof(sregs));
		rc = errno;
		ioctl(o->fd, KVM_GET_REGS, &regs);
		ioctl(o->fd, KVM_GET_SREGS, &sregs);
		failed("seed %llu: KVM_RUN: %s; exit %u rip %llx cs %x cr0 %llx "
		       "cr3 %llx cr4 %llx efer %llx rsp %llx",
		       (unsigned long long)round_seed, strerror(rc),
		       o->run->exit_reason, regs.rip, sregs.cs.selector,
		       sregs.cr0, sregs.cr3, sregs.cr4, sregs.efer, regs.rsp);
		atomic_store(&over, true);
		return;
	}
	reason = rc ? KVM_EXIT_INTR : o->run->exit_reason;
	__atomic_fetch_add(&counts->exits[reason & 63], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&counts->good, !rc, __ATOMIC_RELAXED);
	answer(r, o->run);
	/* A guest that cannot go on, or goes on too long, gets a new start. */
	if (reason == KVM_EXIT_INTR || reason == KVM_EXIT_SHUTDOWN ||
	    reason == KVM_EXIT_INTERNAL_ERROR || reason == KVM_EXIT_HLT ||
	    reason == KVM_EXIT_FAIL_ENTRY || ++*since > 200) {
		*since = 0;
		if (once_in(r, 4))
			guest_code(r, ram + G_CODE, G_CODE_SIZE);
		if (once_in(r, 16))
			guest_tables(r, ram);
		guest_start(r, o->fd);
	}
}

static void *thread(void *arg)
{
	struct one *o = arg;
	struct rng r = { o->seed };
	int since = 0;

	kick_init();
	guest_start(&r, o->fd);
	while (!atomic_load(&over))
		turn(&r, o, &since);
	return NULL;
}

static void slot(int vm, u32 id, u64 gpa, u64 size, u8 *at, u32 flags)
{
	struct kvm_userspace_memory_region m = {
		.slot = id, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = (u64)at,
	};

	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m))
		failed("no memory slot: %s", strerror(errno));
}

static void devices(struct rng *r, int vm)
{
	struct kvm_pit_config pit = { 0 };
	struct kvm_irqfd irqfd = { .gsi = below(r, 24) };
	struct kvm_ioeventfd port = { .addr = 0x80, .len = 1,
		.flags = KVM_IOEVENTFD_FLAG_PIO };
	struct kvm_ioeventfd bell = { .addr = 0xd0000000, .len = 4 };
	struct kvm_coalesced_mmio_zone zone = { .addr = 0xd0001000, .size = 256 };

	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	ioctl(vm, KVM_CREATE_PIT2, &pit);
	irqfd.fd = bell.fd = port.fd = eventfd(0, EFD_NONBLOCK);
	ioctl(vm, KVM_IRQFD, &irqfd);
	ioctl(vm, KVM_IOEVENTFD, &port);
	ioctl(vm, KVM_IOEVENTFD, &bell);
	ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone);
}

void hostile_guest(u64 seed)
{
	struct rng r = { seed };
	const struct timespec two = { .tv_sec = 2 };
	int kvm = open("/dev/kvm", O_RDWR), vm, i;
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  256 * sizeof(cpuid->entries[0]));
	struct one o[VCPUS] = { 0 };

	round_seed = seed;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	cpuid->nent = 256;
	if (vm < 0 || ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid)) {
		failed("no VM: %s", strerror(errno));
		return;
	}
	ram = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	guest_tables(&r, ram);
	slot(vm, 0, 0, 0xa0000, ram, once_in(&r, 2));
	slot(vm, 1, 0x100000, 0x100000, ram + 0x100000, 0);
	slot(vm, 2, 0xe0000, 0x10000, ram + G_RAM, KVM_MEM_READONLY);
	if (below(&r, 4))
		devices(&r, vm);
	for (i = 0; i < VCPUS; i++) {
		o[i].seed = rnd(&r);
		o[i].fd = ioctl(vm, KVM_CREATE_VCPU, i);
		o[i].run = mmap(NULL, run_size, PROT_READ | PROT_WRITE,
				MAP_SHARED, o[i].fd, 0);
		ioctl(o[i].fd, KVM_SET_CPUID2, cpuid);
		ioctl(o[i].fd, KVM_SET_MP_STATE, &(struct kvm_mp_state){ 0 });
	}
	for (i = 0; i < VCPUS; i++)
		pthread_create(&o[i].thread, NULL, thread, &o[i]);
	nanosleep(&two, NULL);
	atomic_store(&over, true);
	for (i = 0; i < VCPUS; i++)
		pthread_join(o[i].thread, NULL);
}
