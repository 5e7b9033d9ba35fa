// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifecycle: creating and destroying VMs of growing content, and each ioctl
 * of that path alone. Destroying is closing the descriptors, the VM's last;
 * where the kernel waits meanwhile, the idle time is in it.
 */
#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROUNDS	   50
#define MANY	   64
#define SOME_EVENTS 16

static int kvm(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = OK(open("/dev/kvm", O_RDWR | O_CLOEXEC));
	return fd;
}

/* What a VM is made of; as in the order of the rows. */
struct content {
	bool slot, irqchip, pit;
	unsigned int vcpus, ioeventfds, irqfds;
};

struct made {
	int vm, vcpu[MANY];
	void *run[MANY];
};

static int event_fds[SOME_EVENTS];
static void *memory;
static size_t run_size;

static void add_slot(int vm, unsigned int slot, uint64_t gpa, uint64_t size)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)memory,
	};

	OK(IOCTL(vm, KVM_SET_USER_MEMORY_REGION, &r));
}

static void make(struct made *m, const struct content *c)
{
	const struct kvm_pit_config pit = { .flags = 0 };

	m->vm = OK(IOCTL(kvm(), KVM_CREATE_VM, 0));
	if (c->slot)
		add_slot(m->vm, 0, 0, 1 << 20);
	if (c->irqchip)
		OK(IOCTL(m->vm, KVM_CREATE_IRQCHIP, 0));
	if (c->pit)
		OK(IOCTL(m->vm, KVM_CREATE_PIT2, &pit));
	for (unsigned int i = 0; i < c->vcpus; i++) {
		m->vcpu[i] = OK(IOCTL(m->vm, KVM_CREATE_VCPU, i));
		m->run[i] = mmap(NULL, run_size, PROT_READ | PROT_WRITE,
				 MAP_SHARED, m->vcpu[i], 0);
	}
	for (unsigned int i = 0; i < c->ioeventfds; i++) {
		struct kvm_ioeventfd e = { .addr = 0xd0000000 + 8 * i,
					   .len = 4, .fd = event_fds[i] };

		OK(IOCTL(m->vm, KVM_IOEVENTFD, &e));
	}
	for (unsigned int i = 0; i < c->irqfds; i++) {
		struct kvm_irqfd e = { .gsi = i, .fd = event_fds[i] };

		OK(IOCTL(m->vm, KVM_IRQFD, &e));
	}
}

static void unmake(struct made *m, const struct content *c)
{
	for (unsigned int i = 0; i < c->vcpus; i++) {
		munmap(m->run[i], run_size);
		close(m->vcpu[i]);
	}
	close(m->vm);
}

static void prepare(void)
{
	memory = host_pages(1 << 20);
	run_size = OK(IOCTL(kvm(), KVM_GET_VCPU_MMAP_SIZE, 0));
	for (unsigned int i = 0; i < SOME_EVENTS; i++)
		event_fds[i] = OK(eventfd(0, EFD_CLOEXEC));
}

/* Row: creation; row + 1: destruction. */
static void both(unsigned int row, struct content c)
{
	struct samples up = { 0 }, down = { 0 };
	unsigned int n = rounds(c.vcpus > 8 ? 12 : ROUNDS);
	struct made m;

	for (unsigned int i = 0; i < n; i++) {
		TIMED(&up, make(&m, &c));
		TIMED(&down, unmake(&m, &c));
	}
	put(row, samples_median(&up));
	put(row + 1, samples_median(&down));
}

BENCH(vm_bare, "lifecycle", "create: bare VM", "destroy: bare VM")
{
	prepare();
	both(0, (struct content){ 0 });
}

BENCH(vm_slot, "lifecycle", "create: with a slot", "destroy: with a slot")
{
	prepare();
	both(0, (struct content){ .slot = true });
}

BENCH(vm_irqchip, "lifecycle", "create: and irqchip", "destroy: and irqchip")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true });
}

BENCH(vm_pit, "lifecycle", "create: and PIT", "destroy: and PIT")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true, .pit = true });
}

BENCH(vm_1, "lifecycle", "create: and 1 vCPU", "destroy: and 1 vCPU")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true, .pit = true,
				  .vcpus = 1 });
}

BENCH(vm_4, "lifecycle", "create: and 4 vCPUs", "destroy: and 4 vCPUs")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true, .pit = true,
				  .vcpus = 4 });
}

BENCH(vm_64, "lifecycle", "create: and 64 vCPUs", "destroy: and 64 vCPUs")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true, .pit = true,
				  .vcpus = 64 });
}

BENCH(vm_ioeventfds, "lifecycle", "create: 1 vCPU and 16 ioeventfds",
      "destroy: 1 vCPU and 16 ioeventfds")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true, .pit = true,
				  .vcpus = 1, .ioeventfds = SOME_EVENTS });
}

BENCH(vm_irqfds, "lifecycle", "create: 1 vCPU and 16 irqfds",
      "destroy: 1 vCPU and 16 irqfds")
{
	prepare();
	both(0, (struct content){ .slot = true, .irqchip = true, .pit = true,
				  .vcpus = 1, .irqfds = SOME_EVENTS });
}

/*
 * What a VM's end costs by itself: all other descriptors and mappings are gone
 * when the last is closed.
 */
static uint64_t last_close(unsigned int slots, unsigned int events)
{
	struct content c = { .slot = true, .irqchip = true, .pit = true,
			     .vcpus = MANY };
	unsigned int n = rounds(12);
	struct samples s = { 0 };
	int fds[100];
	struct made m;

	for (unsigned int i = 0; i < events; i++)
		fds[i] = OK(eventfd(0, EFD_CLOEXEC));
	for (unsigned int round = 0; round < n; round++) {
		make(&m, &c);
		for (unsigned int i = 0; i < slots; i++)
			add_slot(m.vm, 1 + i, (1 + i) << 20, 1 << 20);
		for (unsigned int i = 0; i < events; i++) {
			struct kvm_ioeventfd io = { .addr = 0xd0000000 + 8 * i,
						    .len = 4, .fd = fds[i] };
			struct kvm_irqfd irq = { .gsi = i % 24, .fd = fds[i] };

			OK(IOCTL(m.vm, KVM_IOEVENTFD, &io));
			OK(IOCTL(m.vm, KVM_IRQFD, &irq));
		}
		for (unsigned int i = 0; i < c.vcpus; i++) {
			munmap(m.run[i], run_size);
			close(m.vcpu[i]);
		}
		TIMED(&s, close(m.vm));
	}
	for (unsigned int i = 0; i < events; i++)
		close(fds[i]);
	return samples_median(&s);
}

BENCH(vm_last, "lifecycle", "the last close: 64 vCPUs",
      "the last close: 64 vCPUs, 500 slots, 100 irqfds, 100 ioeventfds")
{
	prepare();
	put(0, last_close(0, 0));
	put(1, last_close(500, 100));
}

/* --- each ioctl alone -------------------------------------------------- */

enum step {
	CREATE_VM, SET_TSS, SET_IDENTITY, CREATE_IRQCHIP, CREATE_PIT,
	ADD_SLOT, CREATE_VCPU, MAP_RUN, SET_CPUID, IOEVENTFD, NO_IOEVENTFD,
	IRQFD, NO_IRQFD, FIRST_RUN, LATER_RUN, CLOSE_VCPU, CLOSE_VM, STEPS,
};

static struct samples steps[STEPS];

static void one_by_one(const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_pit_config pit = { .flags = 0 };
	uint64_t identity_map = 0xfffbc000;
	struct kvm_ioeventfd io = { .addr = 0xd0000000, .len = 4,
				    .fd = event_fds[0] };
	struct kvm_irqfd irq = { .gsi = 10, .fd = event_fds[1] };
	struct kvm_run *run;
	int vm, vcpu;

	TIMED(&steps[CREATE_VM], vm = OK(IOCTL(kvm(), KVM_CREATE_VM, 0)));
	TIMED(&steps[SET_TSS], OK(IOCTL(vm, KVM_SET_TSS_ADDR, 0xfffbd000)));
	TIMED(&steps[SET_IDENTITY],
	      OK(IOCTL(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map)));
	TIMED(&steps[CREATE_IRQCHIP], OK(IOCTL(vm, KVM_CREATE_IRQCHIP, 0)));
	TIMED(&steps[CREATE_PIT], OK(IOCTL(vm, KVM_CREATE_PIT2, &pit)));
	/* The page at the top holds the reset vector: OUT to port 0x80. */
	TIMED(&steps[ADD_SLOT], add_slot(vm, 0, 0xffff0000, 1 << 16));
	TIMED(&steps[CREATE_VCPU], vcpu = OK(IOCTL(vm, KVM_CREATE_VCPU, 0)));
	TIMED(&steps[MAP_RUN],
	      run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu, 0));
	TIMED(&steps[SET_CPUID], OK(IOCTL(vcpu, KVM_SET_CPUID2, cpuid)));
	TIMED(&steps[IOEVENTFD], OK(IOCTL(vm, KVM_IOEVENTFD, &io)));
	io.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
	TIMED(&steps[NO_IOEVENTFD], OK(IOCTL(vm, KVM_IOEVENTFD, &io)));
	TIMED(&steps[IRQFD], OK(IOCTL(vm, KVM_IRQFD, &irq)));
	irq.flags = KVM_IRQFD_FLAG_DEASSIGN;
	TIMED(&steps[NO_IRQFD], OK(IOCTL(vm, KVM_IRQFD, &irq)));
	TIMED(&steps[FIRST_RUN], OK(IOCTL(vcpu, KVM_RUN, 0)));
	EQ(run->exit_reason, KVM_EXIT_IO);
	TIMED(&steps[LATER_RUN], OK(IOCTL(vcpu, KVM_RUN, 0)));
	munmap(run, run_size);
	TIMED(&steps[CLOSE_VCPU], close(vcpu));
	TIMED(&steps[CLOSE_VM], close(vm));
}

BENCH(ioctls, "lifecycle", "KVM_CREATE_VM", "KVM_SET_TSS_ADDR",
      "KVM_SET_IDENTITY_MAP_ADDR", "KVM_CREATE_IRQCHIP", "KVM_CREATE_PIT2",
      "KVM_SET_USER_MEMORY_REGION, the first", "KVM_CREATE_VCPU",
      "mmap of the run page", "KVM_SET_CPUID2", "KVM_IOEVENTFD assign",
      "KVM_IOEVENTFD deassign", "KVM_IRQFD assign", "KVM_IRQFD deassign",
      "KVM_RUN, the first, with two page faults", "KVM_RUN of one PIO",
      "close of the vCPU", "close of the VM")
{
	/* At the reset vector: out %al, $0x80; jmp back. */
	static const uint8_t reset[] = { 0xe6, 0x80, 0xeb, 0xfc };
	struct kvm_cpuid2 *cpuid = supported_cpuid(kvm());

	prepare();
	memcpy((uint8_t *)memory + 0xfff0, reset, sizeof(reset));
	for (unsigned int i = 0; i < rounds(2 * ROUNDS); i++)
		one_by_one(cpuid);
	for (unsigned int i = 0; i < STEPS; i++)
		put(i, samples_median(&steps[i]));
}

/* --- memory slots ------------------------------------------------------ */

static void set_region(int vm, uint64_t gpa, uint64_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = 501, .guest_phys_addr = gpa, .memory_size = size,
		.flags = flags, .userspace_addr = (uintptr_t)memory,
	};

	OK(IOCTL(vm, KVM_SET_USER_MEMORY_REGION, &r));
}

static void slot_changes(unsigned int others)
{
	const uint64_t gpa = 0x40000000, size = 1 << 20;
	struct samples add = { 0 }, move = { 0 }, log = { 0 }, plain = { 0 },
		       gone = { 0 };
	int vm = OK(IOCTL(kvm(), KVM_CREATE_VM, 0));

	prepare();
	for (unsigned int i = 0; i < others; i++)
		add_slot(vm, i, i * 0x10000ull, 0x8000);
	for (unsigned int i = 0; i < rounds(ROUNDS); i++) {
		TIMED(&add, set_region(vm, gpa, size, 0));
		TIMED(&move, set_region(vm, 2 * gpa, size, 0));
		TIMED(&log, set_region(vm, 2 * gpa, size,
				       KVM_MEM_LOG_DIRTY_PAGES));
		TIMED(&plain, set_region(vm, 2 * gpa, size, 0));
		TIMED(&gone, set_region(vm, 2 * gpa, 0, 0));
	}
	put(0, samples_median(&add));
	put(1, samples_median(&move));
	put(2, samples_median(&log));
	put(3, samples_median(&plain));
	put(4, samples_median(&gone));
}

BENCH(slots_1, "memslots", "add beside 1 slot", "move beside 1 slot",
      "dirty logging on beside 1 slot", "dirty logging off beside 1 slot",
      "delete beside 1 slot")
{
	slot_changes(1);
}

BENCH(slots_500, "memslots", "add beside 500 slots", "move beside 500 slots",
      "dirty logging on beside 500 slots", "dirty logging off beside 500 slots",
      "delete beside 500 slots")
{
	slot_changes(500);
}

/* --- routes ------------------------------------------------------------ */

static uint64_t routing(unsigned int n)
{
	static struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry e[1000];
	} table;
	struct vm *vm = vm_new(VM_PIT);
	struct samples s = { 0 };

	table.head.nr = n;
	for (unsigned int i = 0; i < n; i++)
		table.e[i] = i < 24 ? route_pin(i, KVM_IRQCHIP_IOAPIC, i) :
				      route_msi(i, MSI_TO(0), 0x40);
	for (unsigned int i = 0; i < rounds(ROUNDS); i++)
		TIMED(&s, OK(IOCTL(vm->fd, KVM_SET_GSI_ROUTING, &table)));
	return samples_median(&s);
}

BENCH(routes, "routes", "KVM_SET_GSI_ROUTING, 24 entries",
      "KVM_SET_GSI_ROUTING, 1000 entries")
{
	put(0, routing(24));
	put(1, routing(1000));
}
