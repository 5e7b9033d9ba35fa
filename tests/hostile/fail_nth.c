// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets each allocation of each ioctl fail, one after the other: a scene is set
 * up, the first allocation of its call fails, and the call has to succeed
 * anyhow or say ENOMEM; then the same call without a failure has to succeed,
 * and everything is closed. Then the second allocation, and so on, until the
 * call makes fewer allocations than that.
 *
 * Wants a kernel with FAULT_INJECTION, FAILSLAB and FAIL_PAGE_ALLOC, and root.
 * What was leaked is found by whoever looks after it: kmemleak, and modules
 * that do not unload.
 *
 * usage: fail-nth	prints "ok fail_NAME", "not ok fail_NAME: why" or "skip"
 */
#include "hostile.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 400		/* allocations of one call */
#define RAM  (4u << 20)

static int kvm, vm, vcpu, event, resample;
static u8 *ram;
static struct kvm_run *run;
static size_t run_size;
static u8 buf[64 << 10];
static struct kvm_cpuid2 *cpuid;

static int set_slot(u32 id, u64 gpa, u64 size, u32 flags)
{
	struct kvm_userspace_memory_region m = {
		.slot = id, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = (u64)ram,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &m);
}

/* --- set-up ------------------------------------------------------------- */

static void up_nothing(void)
{
}

static void up_vm(void)
{
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
}

static void up_chips(void)
{
	up_vm();
	ioctl(vm, KVM_CREATE_IRQCHIP, 0);
}

static void up_slot(void)
{
	up_vm();
	set_slot(0, 0, RAM, 0);
}

static void up_logged(void)
{
	up_vm();
	set_slot(0, 0, RAM, KVM_MEM_LOG_DIRTY_PAGES);
}

static void up_vcpu(void)
{
	up_chips();
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
}

/* A real-mode guest with @code at 1000h. */
static void guest(const u8 *code, size_t len)
{
	struct kvm_sregs s;

	up_vcpu();
	set_slot(0, 0, RAM, 0);
	memcpy(ram + 0x1000, code, len);
	ioctl(vcpu, KVM_GET_SREGS, &s);
	s.cs.base = s.cs.selector = 0;
	ioctl(vcpu, KVM_SET_SREGS, &s);
	ioctl(vcpu, KVM_SET_REGS,
	      &(struct kvm_regs){ .rip = 0x1000, .rflags = 2 });
}

static void up_guest(void)
{
	static const u8 out[] = { 0xe6, 0x80, 0xeb, 0xfc };

	guest(out, sizeof(out));
}

static void up_mmio(void)
{
	/* lock incl %ds:(0), with a DS where nothing is */
	static const u8 inc[] = { 0xf0, 0x66, 0xff, 0x06, 0, 0, 0xeb, 0xf8 };
	struct kvm_sregs s;

	guest(inc, sizeof(inc));
	ioctl(vcpu, KVM_GET_SREGS, &s);
	s.ds.base = 0xd0000000;
	ioctl(vcpu, KVM_SET_SREGS, &s);
}

static void up_irqfd(void)
{
	up_chips();
	ioctl(vm, KVM_IRQFD, &(struct kvm_irqfd){ .fd = event, .gsi = 5 });
}

static void up_zone(void)
{
	up_vm();
	ioctl(vm, KVM_REGISTER_COALESCED_MMIO,
	      &(struct kvm_coalesced_mmio_zone){ .addr = 0xd0000000, .size = 256 });
}

static void up_bell(void)
{
	up_vm();
	ioctl(vm, KVM_IOEVENTFD,
	      &(struct kvm_ioeventfd){ .addr = 0xd0000000, .len = 4, .fd = event });
}

/* --- calls -------------------------------------------------------------- */

static int do_open(void)
{
	int fd = open("/dev/kvm", O_RDWR);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int do_vm(void)
{
	return vm = ioctl(kvm, KVM_CREATE_VM, 0);
}

static int do_vcpu(void)
{
	return vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
}

static int do_mmap(void)
{
	void *at = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			vcpu, 0);

	return at == MAP_FAILED ? -1 : munmap(at, run_size);
}

static int do_slot(void) { return set_slot(1, 0x10000000, RAM, 0); }
static int do_move(void) { return set_slot(0, 0x10000000, RAM, 0); }
static int do_delete(void) { return set_slot(0, 0, 0, 0); }

static int do_log_on(void)
{
	return set_slot(0, 0, RAM, KVM_MEM_LOG_DIRTY_PAGES);
}

static int do_log(void)
{
	struct kvm_dirty_log d = { .slot = 0, .dirty_bitmap = buf };

	return ioctl(vm, KVM_GET_DIRTY_LOG, &d);
}

static int do_chips(void) { return ioctl(vm, KVM_CREATE_IRQCHIP, 0); }

static int do_pit(void)
{
	return ioctl(vm, KVM_CREATE_PIT2, &(struct kvm_pit_config){ 0 });
}

static int do_routing(void)
{
	struct kvm_irq_routing *t = (void *)buf;
	u32 i;

	memset(buf, 0, sizeof(buf));
	t->nr = 100;
	for (i = 0; i < t->nr; i++) {
		t->entries[i].gsi = i + 24;
		t->entries[i].type = KVM_IRQ_ROUTING_MSI;
		t->entries[i].u.msi.address_lo = 0xfee00000;
		t->entries[i].u.msi.data = 0x40;
	}
	return ioctl(vm, KVM_SET_GSI_ROUTING, t);
}

static int do_irqfd(void)
{
	return ioctl(vm, KVM_IRQFD, &(struct kvm_irqfd){ .fd = event, .gsi = 5 });
}

static int do_irqfd_off(void)
{
	return ioctl(vm, KVM_IRQFD, &(struct kvm_irqfd){
		.fd = event, .gsi = 5, .flags = KVM_IRQFD_FLAG_DEASSIGN });
}

static int do_resample(void)
{
	return ioctl(vm, KVM_IRQFD, &(struct kvm_irqfd){
		.fd = event, .gsi = 5, .flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = resample });
}

static int do_bell(void)
{
	return ioctl(vm, KVM_IOEVENTFD, &(struct kvm_ioeventfd){
		.addr = 0xd0000000, .len = 4, .fd = event });
}

static int do_bell_off(void)
{
	return ioctl(vm, KVM_IOEVENTFD, &(struct kvm_ioeventfd){
		.addr = 0xd0000000, .len = 4, .fd = event,
		.flags = KVM_IOEVENTFD_FLAG_DEASSIGN });
}

static int do_zone(void)
{
	return ioctl(vm, KVM_REGISTER_COALESCED_MMIO,
		     &(struct kvm_coalesced_mmio_zone){
			     .addr = 0xd0000000, .size = 256 });
}

static int do_zone_off(void)
{
	return ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO,
		     &(struct kvm_coalesced_mmio_zone){
			     .addr = 0xd0000000, .size = 256 });
}

static int do_cpuid(void) { return ioctl(vcpu, KVM_SET_CPUID2, cpuid); }

static int do_supported(void)
{
	struct kvm_cpuid2 *c = (void *)buf;

	c->nent = 256;
	return ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c);
}

static int do_msr_list(void)
{
	struct kvm_msr_list *l = (void *)buf;

	l->nmsrs = 4096;
	return ioctl(kvm, KVM_GET_MSR_INDEX_LIST, l);
}

static int do_msrs(void)
{
	struct kvm_msrs *m = (void *)buf;
	u32 i;

	memset(buf, 0, sizeof(buf));
	m->nmsrs = 200;
	for (i = 0; i < m->nmsrs; i++)
		m->entries[i].index = 0x174;
	return ioctl(vcpu, KVM_GET_MSRS, m);
}

static int do_set_msrs(void)
{
	int rc = do_msrs();

	return rc < 0 ? rc : ioctl(vcpu, KVM_SET_MSRS, buf);
}

static int do_lapic(void) { return ioctl(vcpu, KVM_GET_LAPIC, buf); }

static int do_set_lapic(void)
{
	int rc = do_lapic();

	return rc < 0 ? rc : ioctl(vcpu, KVM_SET_LAPIC, buf);
}

static int do_xsave(void) { return ioctl(vcpu, KVM_GET_XSAVE, buf); }

static int do_set_xsave(void)
{
	int rc = do_xsave();

	return rc < 0 ? rc : ioctl(vcpu, KVM_SET_XSAVE, buf);
}

static int do_xsave2(void) { return ioctl(vcpu, KVM_GET_XSAVE2, buf); }
static int do_fpu(void) { return ioctl(vcpu, KVM_GET_FPU, buf); }
static int do_irqchip(void) { return ioctl(vm, KVM_GET_IRQCHIP, buf); }

static int do_signal_mask(void)
{
	struct kvm_signal_mask *m = (void *)buf;

	m->len = 8;
	memset(m->sigset, 0, 8);
	return ioctl(vcpu, KVM_SET_SIGNAL_MASK, m);
}

static int do_stats(void)
{
	int fd = ioctl(vcpu, KVM_GET_STATS_FD, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int do_vm_stats(void)
{
	int fd = ioctl(vm, KVM_GET_STATS_FD, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int do_x2apic(void)
{
	return ioctl(vm, KVM_ENABLE_CAP, &(struct kvm_enable_cap){
		.cap = KVM_CAP_X2APIC_API, .args[0] = 1 });
}

/* Until an exit to this program. */
static int do_run(void) { return ioctl(vcpu, KVM_RUN, 0); }

static int do_run_mmio(void)
{
	int i, rc;

	for (i = 0; i < 4; i++) {
		rc = ioctl(vcpu, KVM_RUN, 0);
		if (rc < 0)
			return rc;
		if (run->exit_reason != KVM_EXIT_MMIO) {
			errno = EPROTO;
			return -1;
		}
	}
	return 0;
}

static const struct scene {
	const char *name;
	void (*up)(void);
	int (*call)(void);
} scenes[] = {
	{ "open", up_nothing, do_open },
	{ "create_vm", up_nothing, do_vm },
	{ "supported_cpuid", up_nothing, do_supported },
	{ "msr_index_list", up_nothing, do_msr_list },
	{ "create_vcpu", up_chips, do_vcpu },
	{ "create_vcpu_without_chips", up_vm, do_vcpu },
	{ "create_irqchip", up_vm, do_chips },
	{ "create_pit", up_chips, do_pit },
	{ "get_irqchip", up_chips, do_irqchip },
	{ "slot_create", up_slot, do_slot },
	{ "slot_move", up_slot, do_move },
	{ "slot_delete", up_slot, do_delete },
	{ "slot_log", up_slot, do_log_on },
	{ "dirty_log", up_logged, do_log },
	{ "gsi_routing", up_chips, do_routing },
	{ "irqfd", up_chips, do_irqfd },
	{ "irqfd_resample", up_chips, do_resample },
	{ "irqfd_deassign", up_irqfd, do_irqfd_off },
	{ "ioeventfd", up_vm, do_bell },
	{ "ioeventfd_deassign", up_bell, do_bell_off },
	{ "coalesced", up_vm, do_zone },
	{ "coalesced_off", up_zone, do_zone_off },
	{ "x2apic_api", up_vm, do_x2apic },
	{ "vm_stats", up_vm, do_vm_stats },
	{ "mmap", up_vcpu, do_mmap },
	{ "set_cpuid", up_vcpu, do_cpuid },
	{ "get_msrs", up_vcpu, do_msrs },
	{ "set_msrs", up_vcpu, do_set_msrs },
	{ "get_lapic", up_vcpu, do_lapic },
	{ "set_lapic", up_vcpu, do_set_lapic },
	{ "get_xsave", up_vcpu, do_xsave },
	{ "set_xsave", up_vcpu, do_set_xsave },
	{ "get_xsave2", up_vcpu, do_xsave2 },
	{ "get_fpu", up_vcpu, do_fpu },
	{ "signal_mask", up_vcpu, do_signal_mask },
	{ "stats", up_vcpu, do_stats },
	{ "run", up_guest, do_run },
	{ "run_mmio", up_mmio, do_run_mmio },
};

static void down(void)
{
	if (run)
		munmap(run, run_size);
	if (vcpu > 0)
		close(vcpu);
	if (vm > 0)
		close(vm);
	run = NULL;
	vcpu = vm = 0;
}

static void arm(int nth)
{
	char text[16];
	int fd = open("/proc/thread-self/fail-nth", O_WRONLY);
	int n = snprintf(text, sizeof(text), "%d", nth);

	if (fd < 0 || write(fd, text, n) != n)
		err(2, "fail-nth");
	close(fd);
}

/* How many allocations the armed one was away still; 0: it has failed. */
static int left(void)
{
	char text[16] = "";
	int fd = open("/proc/thread-self/fail-nth", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		err(2, "fail-nth");
	close(fd);
	return atoi(text);
}

static int wrong(const struct scene *s, int nth, const char *when, int why)
{
	printf("not ok fail_%s: allocation %d%s: %s\n", s->name, nth, when,
	       strerror(why));
	down();
	return -1;
}

/* Returns how many allocations were failed, or -1 after saying why. */
static int play(const struct scene *s)
{
	bool injected = true;
	int nth, rc, why;

	for (nth = 1; injected && nth <= MOST; nth++) {
		s->up();
		arm(nth);
		rc = s->call();
		why = errno;
		injected = !left();
		arm(0);
		if (rc < 0 && !(injected && why == ENOMEM))
			return wrong(s, nth, injected ? "" : ", which did not fail", why);
		if (rc < 0 && s->call() < 0)
			return wrong(s, nth, ", then without a failure", errno);
		down();
	}
	return injected ? nth - 1 : nth - 2;
}

/* Failures by fail-nth are to reach every allocation, those that sleep too. */
static void set_up_injection(void)
{
	static const char *const files[] = {
		"/sys/kernel/debug/failslab/ignore-gfp-wait",
		"/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
		"/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem",
		"/sys/kernel/debug/fail_page_alloc/min-order",
		"/sys/kernel/debug/failslab/verbose",
		"/sys/kernel/debug/fail_page_alloc/verbose",
	};
	u32 i;

	if (access("/proc/thread-self/fail-nth", W_OK)) {
		printf("skip fail_nth: the kernel has no fault injection\n");
		exit(0);
	}
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		int fd = open(files[i], O_WRONLY);

		if (fd < 0 || write(fd, i < 3 ? "N" : "0", 1) != 1)
			err(2, "%s", files[i]);
		close(fd);
	}
}

int main(void)
{
	u32 i, total = 0;
	bool bad = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up_injection();
	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		err(2, "/dev/kvm");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	event = eventfd(0, 0);
	resample = eventfd(0, 0);
	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	memset(ram, 0, RAM);
	cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	cpuid->nent = 256;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
		err(2, "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		int n;

		printf("run fail_%s\n", scenes[i].name);
		n = play(&scenes[i]);
		bad |= n < 0;
		if (n >= 0) {
			total += n;
			printf("ok fail_%s: %d allocations\n", scenes[i].name, n);
		}
	}
	printf("fail-nth: %u allocations failed\n", total);
	return bad;
}
