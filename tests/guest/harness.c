// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM every guest test starts from: two slots of memory over one mapping
 * with a hole between them (GPA_HOLE), descriptor tables, page tables that
 * map the first 4 GiB onto themselves, and a stub behind each vector.
 *
 * Everything a guest sees is laid out as harness.h lists it. The stubs are
 * bytes that mean the same in 16, 32 and 64-bit mode.
 */
#include "harness.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* In here a failure is told by the test's own line, not by ours. */
#undef OK
#define OK(expr) check_ok(#expr, (expr))

#define TRAP_SIZE 8
#define ISR_SIZE  32

/* --- checks ----------------------------------------------------------- */

long do_ioctl(int fd, unsigned long cmd, unsigned long arg)
{
	long r = ioctl(fd, cmd, arg);

	return r < 0 ? -errno : r;
}

long check_ok(const char *what, long result)
{
	if (result < 0)
		fail("%s: %s", what, strerror(-result));
	return result;
}

void check_refused(const char *what, long result, int err)
{
	if (result != -err)
		fail("%s gives %s (%ld), not %s", what,
		     result < 0 ? strerror(-result) : "success", result,
		     strerrorname_np(err));
}

void wait_a_little(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
}

long need_cap(struct vm *vm, unsigned int cap)
{
	long value = IOCTL(vm->fd, KVM_CHECK_EXTENSION, cap);

	if (value <= 0)
		skip("no capability %u", cap);
	return value;
}

/* Modules built outside the kernel's tree taint it, each with an O. */
void skip_on_reference(const char *why)
{
	char taint[16] = "";
	FILE *f = fopen("/sys/module/kvm/taint", "r");

	if (f && !fgets(taint, sizeof(taint), f))
		taint[0] = '\0';
	if (f)
		fclose(f);
	if (!strchr(taint, 'O'))
		skip("the in-tree modules: %s", why);
}

bool intel_parameter(const char *name)
{
	char path[80];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "/sys/module/kvm_intel/parameters/%s",
		 name);
	f = fopen(path, "r");
	c = f ? getc(f) : 'N';
	if (f)
		fclose(f);
	return c == 'Y';
}

bool on_tcg(void)
{
	unsigned int eax, ebx = 0, ecx, edx;

	__cpuid(0x40000000, eax, ebx, ecx, edx);
	return ebx == 0x54474354;	/* TCGT */
}

bool on_bochs(void)
{
	const char *emulator = getenv("LAB_EMULATOR");

	return emulator && strcmp(emulator, "bochs") == 0;
}

void skip_on_bochs_svm(const char *why)
{
	unsigned int eax, ebx, ecx = 0, edx;

	__cpuid(0x80000001, eax, ebx, ecx, edx);
	if (on_bochs() && (ecx & 4))		/* SVM */
		skip("Bochs' SVM %s", why);
}

/* --- VM --------------------------------------------------------------- */

void *host_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("no memory for %zu bytes", size);
	return p;
}

long vm_set_slot(struct vm *vm, const struct slot *s)
{
	struct kvm_userspace_memory_region r = {
		.slot = s->slot,
		.flags = s->flags,
		.guest_phys_addr = s->gpa,
		.memory_size = s->size,
		.userspace_addr = (uintptr_t)s->hva,
	};

	return IOCTL(vm->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

long vm_add_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t size,
		 void *hva)
{
	return vm_set_slot(vm, &(struct slot){ .slot = slot, .gpa = gpa,
					       .size = size, .hva = hva });
}

long vm_del_slot(struct vm *vm, uint32_t slot)
{
	return vm_set_slot(vm, &(struct slot){ .slot = slot });
}

/* The vector's real-mode and long-mode entries lead to that address. */
static void set_vector(struct vm *vm, unsigned int vector, uint64_t rip)
{
	uint32_t *ivt = (uint32_t *)(vm->ram + GPA_IVT) + vector;
	uint64_t *idt = (uint64_t *)(vm->ram + GPA_IDT) + 2 * vector;

	*ivt = (rip >> 4) << 16 | (rip & 0xf);
	/* 64-bit interrupt gate, DPL 3 so that INT n may use it. */
	idt[0] = (rip & 0xffff) | SEL_CODE << 16 | 0xeeULL << 40 |
		 (rip & 0xffff0000) << 32;
	idt[1] = rip >> 32;
}

void vm_set_gate(struct vm *vm, unsigned int vector, uint64_t rip)
{
	set_vector(vm, vector, rip);
}

void vm_set_isr(struct vm *vm, unsigned int vector, enum isr isr)
{
	/* mov $0xfee000b0, %eax; movl $0, (%rax) */
	static const uint8_t eoi_mmio[] = { 0xb8, 0xb0, 0x00, 0xe0, 0xfe, 0xc7,
					    0x00, 0x00, 0x00, 0x00, 0x00 };
	/* mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr */
	static const uint8_t eoi_msr[] = { 0xb9, 0x0b, 0x08, 0x00, 0x00, 0x31,
					   0xc0, 0x31, 0xd2, 0x0f, 0x30 };
	/* mov $0x20, %al; out %al, $0x20 */
	static const uint8_t eoi_pic[] = { 0xb0, 0x20, 0xe6, 0x20 };
	uint64_t gpa = GPA_ISR + vector * ISR_SIZE;
	uint8_t *p = vm->ram + gpa;

	if (isr == ISR_TRAP) {
		set_vector(vm, vector, GPA_TRAP + vector * TRAP_SIZE);
		return;
	}
	*p++ = 0x50;			/* push %rax */
	*p++ = 0xb0;			/* mov $vector, %al */
	*p++ = vector;
	*p++ = 0xe6;			/* out %al, $PORT_IRQ */
	*p++ = PORT_IRQ;
	if (isr == ISR_LAPIC)
		p = mempcpy(p, eoi_mmio, sizeof(eoi_mmio));
	if (isr == ISR_X2APIC) {
		p = mempcpy(p, "\x51\x52", 2);	/* push %rcx; push %rdx */
		p = mempcpy(p, eoi_msr, sizeof(eoi_msr));
		p = mempcpy(p, "\x5a\x59", 2);
	}
	if (isr == ISR_PIC || isr == ISR_PIC64)
		p = mempcpy(p, eoi_pic, sizeof(eoi_pic));
	*p++ = 0x58;			/* pop %rax */
	if (isr != ISR_PIC)
		*p++ = 0x48;		/* iretq rather than iret */
	*p++ = 0xcf;
	set_vector(vm, vector, gpa);
}

static void make_stubs(struct vm *vm)
{
	for (unsigned int v = 0; v < 256; v++) {
		/* mov $v, %al; out %al, $PORT_TRAP; 1: cli; hlt; jmp 1b */
		const uint8_t stub[TRAP_SIZE] = { 0xb0, v, 0xe6, PORT_TRAP,
						  0xfa, 0xf4, 0xeb, 0xfc };

		memcpy(vm->ram + GPA_TRAP + v * TRAP_SIZE, stub, sizeof(stub));
		vm_set_isr(vm, v, ISR_TRAP);
	}
}

static void make_tables(struct vm *vm)
{
	uint64_t *gdt = (uint64_t *)(vm->ram + GPA_GDT);
	uint64_t *pml4 = (uint64_t *)(vm->ram + GPA_PML4);
	uint64_t *pdpt = (uint64_t *)(vm->ram + GPA_PDPT);
	uint64_t *pd = (uint64_t *)(vm->ram + GPA_PD);
	uint64_t rsp0 = GPA_STACK + PAGE_SIZE;

	gdt[SEL_CODE / 8] = 0x00af9b000000ffff;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[SEL_UDATA / 8] = 0x00cff3000000ffff;
	gdt[SEL_UCODE / 8] = 0x00affb000000ffff;
	gdt[SEL_CODE32 / 8] = 0x00cf9b000000ffff;
	gdt[SEL_TSS / 8] = 0x00008b0000000067 | (uint64_t)GPA_TSS << 16;
	memcpy(vm->ram + GPA_TSS + 4, &rsp0, sizeof(rsp0));

	pml4[0] = GPA_PDPT | 0x7;
	for (unsigned int i = 0; i < 4; i++)
		pdpt[i] = (GPA_PD + i * PAGE_SIZE) | 0x7;
	for (uint64_t i = 0; i < 2048; i++)
		pd[i] = i << 21 | 0x87;
}

struct vm *vm_new(unsigned int flags)
{
	const struct kvm_pit_config pit = { .flags = 0 };
	uint64_t identity_map = 0xfffbc000;
	struct vm *vm = calloc(1, sizeof(*vm));

	if (flags & VM_PIT)
		flags |= VM_IRQCHIP;
	vm->flags = flags;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		fail("/dev/kvm: %s", strerror(errno));
	vm->fd = OK(IOCTL(vm->kvm, KVM_CREATE_VM, 0));
	OK(IOCTL(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map));
	OK(IOCTL(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000));
	if (flags & VM_IRQCHIP)
		OK(IOCTL(vm->fd, KVM_CREATE_IRQCHIP, 0));
	if (flags & VM_PIT)
		OK(IOCTL(vm->fd, KVM_CREATE_PIT2, &pit));
	if (flags & VM_NO_RAM)
		return vm;

	vm->ram = host_pages(GPA_END);
	OK(vm_add_slot(vm, SLOT_LOW, 0, GPA_HOLE, vm->ram));
	OK(vm_add_slot(vm, SLOT_HIGH, GPA_HIGH, GPA_END - GPA_HIGH,
		       vm->ram + GPA_HIGH));
	make_stubs(vm);
	make_tables(vm);
	return vm;
}

void vm_free(struct vm *vm)
{
	close(vm->fd);
	close(vm->kvm);
	if (vm->ram)
		munmap(vm->ram, GPA_END);
	free(vm);
}

uint64_t ram64(struct vm *vm, uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, vm->ram + gpa, sizeof(value));
	return value;
}

/* --- vCPU ------------------------------------------------------------- */

struct kvm_cpuid2 *supported_cpuid(int kvm)
{
	const unsigned int room = 256;
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) +
				      room * sizeof(c->entries[0]));

	c->nent = room;
	OK(IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, c));
	return c;
}

struct kvm_cpuid_entry2 *find_cpuid(struct kvm_cpuid2 *c, uint32_t fn,
				    uint32_t index)
{
	for (unsigned int i = 0; i < c->nent; i++)
		if (c->entries[i].function == fn &&
		    c->entries[i].index == index)
			return &c->entries[i];
	return NULL;
}

struct vcpu *vcpu_bare(struct vm *vm, unsigned int id)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	v->vm = vm;
	v->id = id;
	v->fd = OK(IOCTL(vm->fd, KVM_CREATE_VCPU, id));
	v->run_size = OK(IOCTL(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	v->run = mmap(NULL, v->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	if (v->run == MAP_FAILED)
		fail("mmap of the run page: %s", strerror(errno));
	return v;
}

struct vcpu *vcpu_new(struct vm *vm, unsigned int id)
{
	struct vcpu *v = vcpu_bare(vm, id);
	struct kvm_cpuid2 *c = supported_cpuid(vm->kvm);

	for (unsigned int i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 1) {
			e->ebx = (e->ebx & 0x00ffffff) | id << 24;
			/* x2APIC and the TSC deadline are the LAPIC's. */
			if (vm->flags & VM_IRQCHIP)
				e->ecx |= 1u << 21 | 1u << 24;
		}
		if (e->function == 0xb || e->function == 0x1f)
			e->edx = id;
	}
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	free(c);
	return v;
}

void vcpu_free(struct vcpu *v)
{
	munmap(v->run, v->run_size);
	if (v->stats_fd)
		close(v->stats_fd);
	close(v->fd);
	free(v);
}

struct kvm_regs get_regs(struct vcpu *v)
{
	struct kvm_regs regs;

	OK(IOCTL(v->fd, KVM_GET_REGS, &regs));
	return regs;
}

void set_regs(struct vcpu *v, const struct kvm_regs *regs)
{
	OK(IOCTL(v->fd, KVM_SET_REGS, regs));
}

struct kvm_sregs get_sregs(struct vcpu *v)
{
	struct kvm_sregs sregs;

	OK(IOCTL(v->fd, KVM_GET_SREGS, &sregs));
	return sregs;
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

uint64_t get_msr(struct vcpu *v, uint32_t index)
{
	struct one_msr m = { .head.nmsrs = 1, .entry.index = index };

	if (OK(IOCTL(v->fd, KVM_GET_MSRS, &m)) != 1)
		fail("MSR %#x cannot be read", index);
	return m.entry.data;
}

long set_msr(struct vcpu *v, uint32_t index, uint64_t value)
{
	struct one_msr m = { .head.nmsrs = 1, .entry.index = index,
			     .entry.data = value };

	return OK(IOCTL(v->fd, KVM_SET_MSRS, &m));
}

uint64_t stack_word(struct vcpu *v, unsigned int n)
{
	return ram64(v->vm, get_regs(v).rsp + 8 * n);
}

static void real_mode(struct kvm_sregs *s)
{
	struct kvm_segment *data[] = { &s->ds, &s->es, &s->fs, &s->gs };

	s->cs.base = GPA_CODE;
	s->cs.selector = GPA_CODE >> 4;
	for (unsigned int i = 0; i < 4; i++) {
		data[i]->base = GPA_DATA;
		data[i]->selector = GPA_DATA >> 4;
	}
	s->ss.base = GPA_STACK;
	s->ss.selector = GPA_STACK >> 4;
}

static void flat_segments(struct kvm_sregs *s, unsigned int bits)
{
	const struct kvm_segment code = {
		.limit = 0xffffffff, .type = 0xb, .present = 1, .s = 1, .g = 1,
		.selector = bits == 64 ? SEL_CODE : SEL_CODE32,
		.l = bits == 64, .db = bits == 32,
	};
	const struct kvm_segment data = {
		.limit = 0xffffffff, .type = 0x3, .present = 1, .s = 1, .g = 1,
		.selector = SEL_DATA, .db = 1,
	};
	const struct kvm_segment task = {
		.base = GPA_TSS, .limit = 0x67, .type = 0xb, .present = 1,
		.selector = SEL_TSS,
	};

	s->cs = code;
	s->ss = s->ds = s->es = s->fs = s->gs = data;
	s->tr = task;
	s->gdt.base = GPA_GDT;
	s->gdt.limit = SEL_TSS + 15;
	s->idt.base = GPA_IDT;
	s->idt.limit = PAGE_SIZE - 1;
}

void vcpu_mode(struct vcpu *v, unsigned int bits)
{
	struct kvm_sregs s = get_sregs(v);

	if (bits == 16)
		real_mode(&s);
	else
		flat_segments(&s, bits);
	if (bits >= 32)
		s.cr0 = 0x33;		/* PE MP ET NE */
	if (bits == 64) {
		s.cr0 |= 0x80000000;	/* PG */
		s.cr3 = GPA_PML4;
		s.cr4 = 0x620;		/* PAE OSFXSR OSXMMEXCPT */
		s.efer = 0x500;		/* LME LMA */
	}
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
}

void load_at(struct vm *vm, uint64_t gpa, const struct payload *p)
{
	size_t size = p->end - p->start;

	if (size > PAGE_SIZE)
		fail("payload of %zu bytes", size);
	memcpy(vm->ram + gpa, p->start, size);
}

void vcpu_start(struct vcpu *v, const struct payload *p)
{
	uint64_t page = v->id % MAX_VCPUS * PAGE_SIZE;
	struct kvm_regs regs = { .rflags = 0x2 };

	load_at(v->vm, GPA_CODE + page, p);
	vcpu_mode(v, p->bits);
	regs.rip = page + (p->bits == 16 ? 0 : GPA_CODE);
	regs.rsp = page + PAGE_SIZE + (p->bits == 16 ? 0 : GPA_STACK);
	set_regs(v, &regs);
}

struct vcpu *boot(unsigned int flags, const struct payload *p)
{
	struct vcpu *v = vcpu_new(vm_new(flags), 0);

	vcpu_start(v, p);
	return v;
}

/* --- running ---------------------------------------------------------- */

long vcpu_try_run(struct vcpu *v)
{
	return IOCTL(v->fd, KVM_RUN, 0);
}

unsigned int vcpu_run(struct vcpu *v)
{
	long r = vcpu_try_run(v);

	if (r < 0)
		fail("KVM_RUN: %s, exit reason %u, RIP %#llx", strerror(-r),
		     v->run->exit_reason, get_regs(v).rip);
	return v->run->exit_reason;
}

static const void *io_data(struct vcpu *v)
{
	return (const uint8_t *)v->run + v->run->io.data_offset;
}

static uint64_t little(const void *p, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, p, size < 8 ? size : 8);
	return value;
}

static bool is_out(struct vcpu *v, unsigned int port)
{
	return v->run->exit_reason == KVM_EXIT_IO &&
	       v->run->io.direction == KVM_EXIT_IO_OUT &&
	       v->run->io.port == port;
}

const char *describe_exit(struct vcpu *v)
{
	static __thread char text[256];
	const struct kvm_run *run = v->run;
	unsigned long long rip = get_regs(v).rip;

	if (is_out(v, PORT_TRAP))
		snprintf(text, sizeof(text),
			 "vector %llu in the guest, from %#llx or %#llx",
			 (unsigned long long)little(io_data(v), 1),
			 (unsigned long long)stack_word(v, 0),
			 (unsigned long long)stack_word(v, 1));
	else if (run->exit_reason == KVM_EXIT_IO)
		snprintf(text, sizeof(text),
			 "%s port %#x size %u count %u value %#llx at %#llx",
			 run->io.direction == KVM_EXIT_IO_OUT ? "OUT" : "IN",
			 run->io.port, run->io.size, run->io.count,
			 (unsigned long long)little(io_data(v), run->io.size),
			 rip);
	else if (run->exit_reason == KVM_EXIT_MMIO)
		snprintf(text, sizeof(text),
			 "MMIO %s %#llx len %u value %#llx at %#llx",
			 run->mmio.is_write ? "write" : "read",
			 run->mmio.phys_addr, run->mmio.len,
			 (unsigned long long)little(run->mmio.data,
						    run->mmio.len), rip);
	else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		snprintf(text, sizeof(text), "internal error %u at %#llx",
			 run->internal.suberror, rip);
	else
		snprintf(text, sizeof(text), "exit reason %u at %#llx",
			 run->exit_reason, rip);
	return text;
}

void expect_exit_(struct vcpu *v, unsigned int reason)
{
	if (vcpu_run(v) != reason)
		fail("not exit reason %u but %s", reason, describe_exit(v));
}

void expect_out_(struct vcpu *v, unsigned int port, unsigned int size,
		 uint32_t value)
{
	vcpu_run(v);
	if (!is_out(v, port) || v->run->io.size != size ||
	    v->run->io.count != 1 || little(io_data(v), size) != value)
		fail("not OUT port %#x size %u value %#x but %s", port, size,
		     value, describe_exit(v));
}

void expect_in_(struct vcpu *v, unsigned int port, unsigned int size,
		uint32_t reply)
{
	const struct kvm_run *run = v->run;

	if (vcpu_run(v) != KVM_EXIT_IO ||
	    run->io.direction != KVM_EXIT_IO_IN || run->io.port != port ||
	    run->io.size != size || run->io.count != 1)
		fail("not IN port %#x size %u but %s", port, size,
		     describe_exit(v));
	memcpy((void *)io_data(v), &reply, size);
}

void expect_write_(struct vcpu *v, uint64_t gpa, unsigned int len,
		   uint64_t value)
{
	const struct kvm_run *run = v->run;

	if (vcpu_run(v) != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != gpa || run->mmio.len != len ||
	    little(run->mmio.data, len) != value)
		fail("not MMIO write %#llx len %u value %#llx but %s",
		     (unsigned long long)gpa, len, (unsigned long long)value,
		     describe_exit(v));
}

void expect_read_(struct vcpu *v, uint64_t gpa, unsigned int len,
		  uint64_t reply)
{
	struct kvm_run *run = v->run;

	if (vcpu_run(v) != KVM_EXIT_MMIO || run->mmio.is_write ||
	    run->mmio.phys_addr != gpa || run->mmio.len != len)
		fail("not MMIO read %#llx len %u but %s",
		     (unsigned long long)gpa, len, describe_exit(v));
	memcpy(run->mmio.data, &reply, len);
}

/* --- statistics ------------------------------------------------------- */

static uint64_t read_stat(int fd, const char *name)
{
	struct kvm_stats_header h;
	struct kvm_stats_desc *d;
	uint64_t value;
	size_t size;

	if (pread(fd, &h, sizeof(h), 0) != sizeof(h))
		fail("the statistics have no header");
	size = sizeof(*d) + h.name_size;
	d = calloc(1, size);
	for (unsigned int i = 0; i < h.num_desc; i++) {
		if (pread(fd, d, size, h.desc_offset + i * size) != (long)size)
			fail("descriptor %u cannot be read", i);
		if (strcmp(d->name, name))
			continue;
		if (pread(fd, &value, sizeof(value), h.data_offset +
			  d->offset) != sizeof(value))
			fail("the value of %s cannot be read", name);
		free(d);
		return value;
	}
	fail("there is no statistic %s", name);
}

uint64_t vcpu_stat(struct vcpu *v, const char *name)
{
	if (!v->stats_fd)
		v->stats_fd = OK(IOCTL(v->fd, KVM_GET_STATS_FD, 0));
	return read_stat(v->stats_fd, name);
}

uint64_t vm_stat(struct vm *vm, const char *name)
{
	int fd = OK(IOCTL(vm->fd, KVM_GET_STATS_FD, 0));
	uint64_t value = read_stat(fd, name);

	close(fd);
	return value;
}
