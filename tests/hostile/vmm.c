// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hostile VMM: a process whose threads share VMs, vCPUs and memory and
 * call every ioctl on them, in any order, with arguments that are half right,
 * while one thread unmaps, protects, merges and replaces the memory under the
 * vCPUs, writes rubbish to the shared run pages, and closes descriptors.
 *
 * Guest memory is a memfd mapped twice: `arena` is what slots lie on and what
 * is unmapped; `shadow` always stays, and is what this process writes to.
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

#define ARENA	(16u << 20)
#define THREADS 3
#define BUF	(80u << 10)

enum kind { SYS, VM, VCPU, EVENT, KINDS };
#define POOL 8

static atomic_int pool[KINDS][POOL];
static u8 *arena, *shadow;
static u8 *run_page[POOL];
static size_t run_size;
static atomic_bool over;
static struct kvm_cpuid2 *cpuid;

static int pick(struct rng *r, enum kind kind)
{
	return atomic_load(&pool[kind][below(r, POOL)]);
}

/* Puts a descriptor into the pool and closes the one that was in its place. */
static void keep(struct rng *r, enum kind kind, int fd)
{
	u32 i = below(r, POOL);
	int old;

	if (fd < 0)
		return;
	if (kind == VCPU) {
		void *page = mmap(NULL, run_size, PROT_READ | PROT_WRITE,
				  MAP_SHARED, fd, 0);

		if (page != MAP_FAILED)
			run_page[i] = page;	/* the old one stays mapped */
	}
	old = atomic_exchange(&pool[kind][i], fd);
	if (old > 2)
		close(old);
}

static u64 arena_address(struct rng *r)
{
	u64 a = (u64)arena + ((u64)below(r, ARENA >> 12) << 12);

	if (once_in(r, 16))
		a += below(r, 4096);
	if (once_in(r, 64))
		a = odd_value(r);
	return a;
}

static u64 guest_address(struct rng *r)
{
	switch (below(r, 6)) {
	case 0:
		return odd_value(r);
	case 1:
		return 0xfee00000 + (below(r, 4) << 12);
	case 2:
		return (u64)below(r, 0x1000) << 21;
	}
	return (u64)below(r, G_RAM >> 12) << 12;
}

/* A few bytes or words of @buf become odd. */
static void spoil(struct rng *r, void *buf, u32 size)
{
	u32 n = below(r, 4), at;
	u64 v;

	while (n--) {
		v = odd_value(r);
		if (once_in(r, 2)) {
			((u8 *)buf)[below(r, size)] ^= 1 << below(r, 8);
			continue;
		}
		at = below(r, size) & ~7u;
		memcpy((u8 *)buf + at, &v, size - at < 8 ? size - at : 8);
	}
}

/* --- arguments that need more than a struct to be taken from GET and spoilt */

static void fill_memory(struct rng *r, u8 *buf)
{
	struct kvm_userspace_memory_region2 *m = (void *)buf;

	m->slot = below(r, 12) | (once_in(r, 8) ? below(r, 3) << 16 : 0);
	m->flags = once_in(r, 3) ? below(r, 4) : 0;
	m->guest_phys_addr = once_in(r, 2) ? 0 : guest_address(r);
	m->memory_size = once_in(r, 5) ? 0 : (u64)(1 + below(r, 512)) << 12;
	if (once_in(r, 16))
		m->memory_size = odd_value(r);
	m->userspace_addr = once_in(r, 2) ? (u64)arena : arena_address(r);
}

static void fill_msrs(struct rng *r, u8 *buf)
{
	struct kvm_msrs *m = (void *)buf;
	u32 i;

	m->nmsrs = 1 + below(r, 32);
	for (i = 0; i < m->nmsrs; i++) {
		m->entries[i].index = odd_msr(r);
		m->entries[i].reserved = 0;
		m->entries[i].data = odd_value(r);
	}
	if (once_in(r, 32))
		m->nmsrs = odd_value(r);
}

static void fill_cpuid(struct rng *r, u8 *buf)
{
	memcpy(buf, cpuid, sizeof(*cpuid) + cpuid->nent * sizeof(cpuid->entries[0]));
	if (once_in(r, 2))
		spoil(r, buf + sizeof(*cpuid),
		      cpuid->nent * sizeof(cpuid->entries[0]));
	if (once_in(r, 8))
		memset(buf + sizeof(*cpuid), 0xff,
		       cpuid->nent * sizeof(cpuid->entries[0]));
	if (once_in(r, 8))
		((struct kvm_cpuid2 *)buf)->nent = below(r, 300);
}

static void fill_events(struct rng *r, u8 *buf)
{
	spoil(r, buf, sizeof(struct kvm_vcpu_events));
	((struct kvm_vcpu_events *)buf)->flags &= 0x3f;
}

static void fill_irqfd(struct rng *r, u8 *buf)
{
	struct kvm_irqfd *f = (void *)buf;

	f->fd = pick(r, EVENT);
	f->gsi = below(r, 28);
	f->flags = below(r, 4);
	f->resamplefd = pick(r, EVENT);
	if (once_in(r, 16))
		spoil(r, buf, sizeof(*f));
}

static void fill_ioeventfd(struct rng *r, u8 *buf)
{
	struct kvm_ioeventfd *f = (void *)buf;

	f->datamatch = below(r, 4);
	f->addr = once_in(r, 2) ? odd_value(r) : 0xd0000000 + below(r, 64);
	f->len = once_in(r, 8) ? rnd(r) : below(r, 4) ? 1u << below(r, 4) : 0;
	f->fd = pick(r, EVENT);
	f->flags = below(r, 8);
	if (once_in(r, 16))
		spoil(r, buf, sizeof(*f));
}

static void fill_routing(struct rng *r, u8 *buf)
{
	struct kvm_irq_routing *t = (void *)buf;
	u32 i;

	t->nr = below(r, 40);
	t->flags = 0;
	for (i = 0; i < t->nr; i++) {
		struct kvm_irq_routing_entry *e = &t->entries[i];

		memset(e, 0, sizeof(*e));
		e->gsi = below(r, 30);
		e->type = 1 + below(r, once_in(r, 8) ? 8 : 2);
		if (e->type == KVM_IRQ_ROUTING_IRQCHIP) {
			e->u.irqchip.irqchip = below(r, 3);
			e->u.irqchip.pin = below(r, 24);
		} else {
			e->u.msi.address_lo = 0xfee00000 | below(r, 1 << 20);
			e->u.msi.data = below(r, 0x10000);
		}
		if (once_in(r, 32))
			spoil(r, (u8 *)e, sizeof(*e));
	}
	if (once_in(r, 16))
		t->nr = odd_value(r);
}

static void fill_debug(struct rng *r, u8 *buf)
{
	struct kvm_guest_debug *d = (void *)buf;
	u32 i;

	d->control = below(r, 8) | below(r, 8) << 16;
	for (i = 0; i < 8; i++)
		d->arch.debugreg[i] = odd_value(r);
	if (once_in(r, 2)) {
		d->arch.debugreg[7] = 0x401 | below(r, 256) << 16;
		d->arch.debugreg[0] = G_CODE + below(r, G_CODE_SIZE);
	}
}

static void fill_log(struct rng *r, u8 *buf)
{
	struct kvm_clear_dirty_log *d = (void *)buf;

	memset(d, 0, sizeof(*d));
	d->slot = below(r, 12);
	d->num_pages = below(r, 512);
	d->first_page = below(r, 8) * 64;
	d->dirty_bitmap = (void *)(once_in(r, 4) ? arena_address(r) :
				   (u64)shadow + G_RAM);
}

static void fill_odd(struct rng *r, u8 *buf)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		u64 v = odd_value(r);

		memcpy(buf + 8 * i, &v, 8);
	}
}

static void fill_small(struct rng *r, u8 *buf)
{
	u32 i;

	for (i = 0; i < 8; i++) {
		u32 v = below(r, 32);

		memcpy(buf + 4 * i, &v, 4);
	}
	memset(buf + 32, 0, 64);
}

static void fill_cap(struct rng *r, u8 *buf)
{
	struct kvm_enable_cap *c = (void *)buf;

	memset(c, 0, sizeof(*c));
	c->cap = below(r, 245);
	c->args[0] = once_in(r, 2) ? below(r, 32) : odd_value(r);
	if (once_in(r, 16))
		spoil(r, buf, sizeof(*c));
}

/*
 * One ioctl: where it goes, and where its argument comes from: `from`, another
 * ioctl that reads what this one writes, then spoilt; or `fill`; or `value`,
 * no struct but a number; or nothing, rubbish.
 */
static const struct call {
	enum kind kind;
	unsigned long nr, from;
	void (*fill)(struct rng *r, u8 *buf);
	bool value;
	u8 weight;
} calls[] = {
	{ SYS, KVM_CREATE_VM, .value = true, .weight = 4 },
	{ SYS, KVM_CHECK_EXTENSION, .value = true },
	{ SYS, KVM_GET_API_VERSION, .value = true },
	{ SYS, KVM_GET_VCPU_MMAP_SIZE, .value = true },
	{ SYS, KVM_GET_MSR_INDEX_LIST, .fill = fill_small },
	{ SYS, KVM_GET_MSR_FEATURE_INDEX_LIST, .fill = fill_small },
	{ SYS, KVM_GET_SUPPORTED_CPUID, .fill = fill_small },
	{ SYS, KVM_GET_EMULATED_CPUID, .fill = fill_small },
	{ SYS, KVM_GET_MSRS, .fill = fill_msrs },
	{ SYS, KVM_GET_DEVICE_ATTR, .fill = fill_small },

	{ VM, KVM_CREATE_VCPU, .value = true, .weight = 8 },
	{ VM, KVM_SET_USER_MEMORY_REGION, .fill = fill_memory, .weight = 24 },
	{ VM, KVM_SET_USER_MEMORY_REGION2, .fill = fill_memory },
	{ VM, KVM_GET_DIRTY_LOG, .fill = fill_log, .weight = 8 },
	{ VM, KVM_CLEAR_DIRTY_LOG, .fill = fill_log, .weight = 4 },
	{ VM, KVM_SET_NR_MMU_PAGES, .value = true },
	{ VM, KVM_SET_TSS_ADDR, .value = true },
	{ VM, KVM_SET_IDENTITY_MAP_ADDR, .fill = fill_odd },
	{ VM, KVM_CREATE_IRQCHIP, .value = true, .weight = 4 },
	{ VM, KVM_SET_IRQCHIP, KVM_GET_IRQCHIP, .weight = 4 },
	{ VM, KVM_CREATE_PIT2, .fill = fill_small, .weight = 2 },
	{ VM, KVM_SET_PIT2, KVM_GET_PIT2, .weight = 4 },
	{ VM, KVM_SET_PIT, KVM_GET_PIT },
	{ VM, KVM_REINJECT_CONTROL, .fill = fill_small },
	{ VM, KVM_IRQ_LINE, .fill = fill_small, .weight = 8 },
	{ VM, KVM_IRQ_LINE_STATUS, .fill = fill_small },
	{ VM, KVM_SET_GSI_ROUTING, .fill = fill_routing, .weight = 8 },
	{ VM, KVM_SIGNAL_MSI, .fill = fill_odd, .weight = 4 },
	{ VM, KVM_IRQFD, .fill = fill_irqfd, .weight = 12 },
	{ VM, KVM_IOEVENTFD, .fill = fill_ioeventfd, .weight = 12 },
	{ VM, KVM_REGISTER_COALESCED_MMIO, .fill = fill_odd, .weight = 2 },
	{ VM, KVM_UNREGISTER_COALESCED_MMIO, .fill = fill_odd, .weight = 2 },
	{ VM, KVM_SET_CLOCK, KVM_GET_CLOCK, .weight = 2 },
	{ VM, KVM_SET_BOOT_CPU_ID, .value = true },
	{ VM, KVM_SET_TSC_KHZ, .value = true },
	{ VM, KVM_GET_TSC_KHZ, .value = true },
	{ VM, KVM_ENABLE_CAP, .fill = fill_cap, .weight = 4 },
	{ VM, KVM_CHECK_EXTENSION, .value = true },
	{ VM, KVM_CREATE_DEVICE, .fill = fill_small },
	{ VM, KVM_X86_SET_MSR_FILTER, .fill = fill_small },
	{ VM, KVM_SET_PMU_EVENT_FILTER, .fill = fill_small },
	{ VM, KVM_GET_STATS_FD, .value = true },
	{ VM, KVM_MEMORY_ENCRYPT_OP, .fill = fill_small },
	{ VM, KVM_SET_MEMORY_ATTRIBUTES, .fill = fill_odd },
	{ VM, KVM_CREATE_GUEST_MEMFD, .fill = fill_small },
	{ VM, KVM_RESET_DIRTY_RINGS, .value = true },
	{ VM, KVM_XEN_HVM_CONFIG, .fill = fill_small },
	{ VM, KVM_GET_NR_MMU_PAGES, .value = true },

	{ VCPU, KVM_RUN, .value = true, .weight = 60 },
	{ VCPU, KVM_SET_REGS, KVM_GET_REGS, .weight = 4 },
	{ VCPU, KVM_SET_SREGS, KVM_GET_SREGS, .weight = 8 },
	{ VCPU, KVM_SET_SREGS2, KVM_GET_SREGS2, .weight = 4 },
	{ VCPU, KVM_SET_FPU, KVM_GET_FPU },
	{ VCPU, KVM_SET_XSAVE, KVM_GET_XSAVE, .weight = 2 },
	{ VCPU, KVM_GET_XSAVE2, .fill = fill_small },
	{ VCPU, KVM_SET_XCRS, KVM_GET_XCRS, .weight = 2 },
	{ VCPU, KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS, .weight = 4 },
	{ VCPU, KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS, fill_events, .weight = 8 },
	{ VCPU, KVM_SET_MP_STATE, KVM_GET_MP_STATE, fill_small, .weight = 4 },
	{ VCPU, KVM_SET_LAPIC, KVM_GET_LAPIC, .weight = 8 },
	{ VCPU, KVM_SET_MSRS, .fill = fill_msrs, .weight = 12 },
	{ VCPU, KVM_GET_MSRS, .fill = fill_msrs, .weight = 2 },
	{ VCPU, KVM_SET_CPUID2, .fill = fill_cpuid, .weight = 6 },
	{ VCPU, KVM_SET_CPUID, .fill = fill_small },
	{ VCPU, KVM_GET_CPUID2, .fill = fill_small },
	{ VCPU, KVM_INTERRUPT, .fill = fill_small, .weight = 4 },
	{ VCPU, KVM_NMI, .value = true, .weight = 4 },
	{ VCPU, KVM_SMI, .value = true },
	{ VCPU, KVM_TRANSLATE, .fill = fill_odd, .weight = 2 },
	{ VCPU, KVM_SET_GUEST_DEBUG, .fill = fill_debug, .weight = 8 },
	{ VCPU, KVM_SET_SIGNAL_MASK, .fill = fill_small },
	{ VCPU, KVM_TPR_ACCESS_REPORTING, .fill = fill_small },
	{ VCPU, KVM_SET_VAPIC_ADDR, .fill = fill_odd },
	{ VCPU, KVM_X86_SETUP_MCE, .fill = fill_odd },
	{ VCPU, KVM_X86_SET_MCE, .fill = fill_odd },
	{ VCPU, KVM_KVMCLOCK_CTRL, .value = true },
	{ VCPU, KVM_SET_TSC_KHZ, .value = true },
	{ VCPU, KVM_GET_TSC_KHZ, .value = true },
	{ VCPU, KVM_ENABLE_CAP, .fill = fill_cap },
	{ VCPU, KVM_GET_STATS_FD, .value = true },
	{ VCPU, KVM_SET_DEVICE_ATTR, .fill = fill_odd },
	{ VCPU, KVM_GET_DEVICE_ATTR, .fill = fill_odd },
	{ VCPU, KVM_HAS_DEVICE_ATTR, .fill = fill_odd },
	{ VCPU, KVM_GET_NESTED_STATE, .fill = fill_small },
	{ VCPU, KVM_SET_NESTED_STATE, .fill = fill_small },
	{ VCPU, KVM_GET_REG_LIST, .fill = fill_small },
};

static long call(int fd, unsigned long nr, u64 arg)
{
	long rc = ioctl(fd, nr, arg);

	__atomic_fetch_add(&counts->calls, 1, __ATOMIC_RELAXED);
	if (rc >= 0)
		__atomic_fetch_add(&counts->good, 1, __ATOMIC_RELAXED);
	return rc;
}

static u64 number(struct rng *r, unsigned long nr)
{
	if (nr == KVM_CREATE_VCPU)
		return once_in(r, 8) ? odd_value(r) : below(r, 6);
	if (nr == KVM_CREATE_VM)
		return once_in(r, 16) ? odd_value(r) : 0;
	if (nr == KVM_SET_TSS_ADDR)
		return once_in(r, 2) ? 0xfffbd000 : odd_value(r);
	return once_in(r, 3) ? 0 : once_in(r, 2) ? below(r, 300) : odd_value(r);
}

static void make_new(struct rng *r, unsigned long nr, long rc)
{
	if (rc <= 2)
		return;
	if (nr == KVM_CREATE_VM)
		keep(r, VM, rc);
	else if (nr == KVM_CREATE_VCPU)
		keep(r, VCPU, rc);
	else if (nr == KVM_GET_STATS_FD || nr == KVM_CREATE_GUEST_MEMFD)
		close(rc);
}

static void run(struct rng *r, int fd)
{
	u32 turns = 1 + below(r, 8);

	__atomic_fetch_add(&counts->runs, 1, __ATOMIC_RELAXED);
	if (once_in(r, 4))
		guest_start(r, fd);
	while (turns--) {
		kick_after(300 + below(r, 3000));
		call(fd, KVM_RUN, once_in(r, 64) ? odd_value(r) : 0);
	}
	kick_after(0);
}

static void one_call(struct rng *r, u8 *buf)
{
	static u32 total;
	const struct call *c = calls;
	u32 size, at;
	long rc;
	int fd;

	if (!total)
		for (at = 0; at < ARRAY_SIZE(calls); at++)
			total += 1 + calls[at].weight;
	at = below(r, total);
	while (at >= 1u + c->weight)
		at -= 1 + c++->weight;
	fd = pick(r, once_in(r, 64) ? below(r, KINDS) : c->kind);
	if (c->nr == KVM_RUN) {
		run(r, fd);
		return;
	}
	if (once_in(r, 100)) {		/* any number at all */
		fill_odd(r, buf);
		call(fd, _IOC(below(r, 4), KVMIO, below(r, 256), below(r, 4096)),
		     once_in(r, 2) ? (u64)buf : odd_value(r));
		return;
	}
	if (c->value) {
		make_new(r, c->nr, call(fd, c->nr, number(r, c->nr)));
		return;
	}
	size = _IOC_SIZE(c->nr);
	if (c->from && below(r, 8)) {
		fill_small(r, buf);
		call(fd, c->from, (u64)buf);
		if (c->fill)
			c->fill(r, buf);
		else
			spoil(r, buf, size);
	} else if (c->fill) {
		c->fill(r, buf);
	} else {
		fill_odd(r, buf);
	}
	rc = call(fd, c->nr, once_in(r, 100) ? arena_address(r) : (u64)buf);
	make_new(r, c->nr, rc);
}

/* What happens to the memory, the run pages and the descriptors. */
static void disturb(struct rng *r)
{
	u8 *at = arena + ((u64)below(r, ARENA >> 12) << 12);
	size_t len = (size_t)(1 + below(r, once_in(r, 4) ? 1024 : 16)) << 12;
	u64 v = odd_value(r);
	static int memfd_flags[] = { MAP_SHARED, MAP_PRIVATE };
	u8 *page;

	if (at + len > arena + ARENA)
		len = arena + ARENA - at;
	switch (below(r, 14)) {
	case 0:
		munmap(at, len);
		break;
	case 1:
	case 2:
		mmap(at, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 3:
		mprotect(at, len, below(r, 8));
		break;
	case 4:
		madvise(at, len, MADV_DONTNEED);
		break;
	case 5: {
		static const int advice[] = {
			MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
			MADV_NOHUGEPAGE, MADV_FREE, MADV_COLD, MADV_PAGEOUT,
			MADV_COLLAPSE, MADV_REMOVE, MADV_POPULATE_WRITE,
		};

		madvise(at, len, advice[below(r, ARRAY_SIZE(advice))]);
		break;
	}
	case 6:
		mmap(at, len, PROT_READ | PROT_WRITE,
		     memfd_flags[below(r, 2)] | MAP_FIXED,
		     atomic_load(&pool[EVENT][0]), at - arena);
		break;
	case 7:
		mremap(at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
		       arena + ((u64)below(r, ARENA >> 13) << 12));
		break;
	case 8 ... 10:
		page = run_page[below(r, POOL)];
		if (page)
			memcpy(page + (below(r, 320) * 8), &v, 8);
		break;
	case 11:
		write(atomic_load(&pool[EVENT][1 + below(r, POOL - 1)]), &v, 8);
		break;
	case 12:
		keep(r, EVENT, -1);
		if (once_in(r, 4)) {
			enum kind kind = 1 + below(r, 2);
			int old = atomic_exchange(&pool[kind][below(r, POOL)], -1);

			if (old > 2)
				close(old);
		}
		break;
	default:
		guest_code(r, shadow + G_CODE + below(r, G_CODE_SIZE - 256), 256);
	}
}

static void *thread(void *seed)
{
	struct rng r = { (u64)seed };
	u8 *buf = calloc(1, BUF);

	kick_init();
	while (!atomic_load(&over))
		one_call(&r, buf);
	return NULL;
}

static void *disturber(void *seed)
{
	struct rng r = { (u64)seed };

	while (!atomic_load(&over)) {
		disturb(&r);
		if (once_in(&r, 8))
			usleep(100);
	}
	return NULL;
}

static int new_vm(struct rng *r)
{
	struct kvm_userspace_memory_region m = {
		.memory_size = G_RAM, .userspace_addr = (u64)arena,
	};
	struct kvm_pit_config pit = { 0 };
	int vm = ioctl(atomic_load(&pool[SYS][0]), KVM_CREATE_VM, 0), vcpu;
	u32 i, n = 1 + below(r, 4);

	if (vm < 0)
		return -1;
	ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m);
	if (below(r, 4)) {
		ioctl(vm, KVM_CREATE_IRQCHIP, 0);
		ioctl(vm, KVM_CREATE_PIT2, &pit);
	}
	for (i = 0; i < n; i++) {
		vcpu = ioctl(vm, KVM_CREATE_VCPU, i);
		if (vcpu < 0)
			continue;
		ioctl(vcpu, KVM_SET_CPUID2, cpuid);
		guest_start(r, vcpu);
		keep(r, VCPU, vcpu);
	}
	return vm;
}

void hostile_vmm(u64 seed)
{
	struct rng r = { seed };
	const struct timespec two = { .tv_sec = 2 };
	int memfd = memfd_create("arena", 0), kvm = open("/dev/kvm", O_RDWR);
	pthread_t t[THREADS + 1];
	u32 i, k;

	if (kvm < 0 || memfd < 0 || ftruncate(memfd, ARENA)) {
		failed("no /dev/kvm or no memory");
		return;
	}
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	shadow = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	cpuid->nent = 256;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid)) {
		failed("no supported CPUID");
		return;
	}
	for (k = 0; k < KINDS; k++)
		for (i = 0; i < POOL; i++)
			pool[k][i] = -1;
	for (i = 0; i < POOL; i++) {
		pool[SYS][i] = i % 2 ? kvm : dup(kvm);
		pool[EVENT][i] = i ? eventfd(0, EFD_NONBLOCK) : memfd;
	}
	guest_tables(&r, shadow);
	for (i = 0; i < 3; i++)
		keep(&r, VM, new_vm(&r));
	for (i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, thread, (void *)rnd(&r));
	pthread_create(&t[i], NULL, disturber, (void *)rnd(&r));
	nanosleep(&two, NULL);
	if (once_in(&r, 2))
		_exit(0);		/* in the middle of everything */
	atomic_store(&over, true);
	for (i = 0; i <= THREADS; i++)
		pthread_join(t[i], NULL);
}
