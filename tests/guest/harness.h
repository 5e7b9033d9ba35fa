/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest test is written with: a VM with a known memory layout, a vCPU
 * started on a few assembled instructions, and one expectation a line for
 * each exit those instructions must cause.
 *
 *	PAYLOAD(64, say_one,
 *		mov $1, %al;
 *		out %al, $0x80;
 *		hlt;
 *	)
 *
 *	TEST(run_out_byte)
 *	{
 *		struct vcpu *v = boot(0, &say_one);
 *
 *		expect_out(v, 0x80, 1, 1);
 *		expect_halt(v);
 *	}
 *
 * Each test runs in a process of its own under a time limit (main.c), so it
 * frees nothing it need not and a hang is a failure like any other. A failed
 * check ends the process and says where and why.
 *
 * A payload that goes on without exits begins with STI: Bochs, one of the
 * hosts, keeps the interrupts from its own kernel in a guest that it entered
 * with interrupts off, and would run that for ever. Nothing else interrupts it.
 *
 * Interrupts and exceptions: every vector of a new VM leads to a stub that
 * reports the vector on PORT_TRAP and stops, so what a test did not expect
 * shows at once. vm_set_isr() makes a vector report on PORT_IRQ and return.
 */
#ifndef GUEST_HARNESS_H
#define GUEST_HARNESS_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Guest-physical layout; plain numbers, as payloads use them too. */
#define GPA_IVT	   0x0
#define GPA_GDT	   0x1000
#define GPA_IDT	   0x2000
#define GPA_PML4   0x3000
#define GPA_PDPT   0x4000
#define GPA_PD	   0x5000	/* four pages: 4 GiB, identity, user */
#define GPA_TSS	   0x9000
#define GPA_TRAP   0xa000	/* 256 stubs of 8 bytes */
#define GPA_ISR	   0xc000	/* 256 stubs of 32 bytes */
#define GPA_CODE   0x10000	/* one page a vCPU */
#define GPA_SIPI   0x18000	/* vector 0x18 */
#define GPA_DATA   0x20000
#define GPA_STACK  0x40000	/* one page a vCPU, growing down */
#define GPA_HOLE   0xa0000	/* no memory up to GPA_HIGH */
#define GPA_HIGH   0x100000
#define GPA_END	   0x200000
#define GPA_FREE   0x10000000	/* nothing here: for slots of a test's own */
#define GPA_MMIO   0xd0000000	/* nothing here, ever */
#define GPA_IOAPIC 0xfec00000
#define GPA_LAPIC  0xfee00000

#define SEL_CODE   0x08
#define SEL_DATA   0x10
#define SEL_UDATA  0x1b
#define SEL_UCODE  0x23
#define SEL_CODE32 0x28
#define SEL_TSS	   0x30

#define PORT_IRQ   0xf1
#define PORT_TRAP  0xf5

#define SLOT_LOW   0
#define SLOT_HIGH  1
#define SLOT_FREE  8		/* and up: for a test's own slots */

#define PAGE_SIZE  4096
#define MAX_VCPUS  8

/* vm_new() flags. */
#define VM_IRQCHIP 1		/* PIC, IOAPIC and LAPICs in the kernel */
#define VM_PIT	   2		/* and the PIT; implies VM_IRQCHIP */
#define VM_NO_RAM  4		/* no memory slots at all */

struct vm {
	int kvm, fd;
	unsigned int flags;
	uint8_t *ram;		/* GPA 0 to GPA_END, the hole included */
};

struct vcpu {
	struct vm *vm;
	int fd;
	unsigned int id;
	struct kvm_run *run;
	size_t run_size;
	int stats_fd;		/* 0: not asked for yet */
};

struct payload {
	const uint8_t *start, *end;
	unsigned int bits;
};

/*
 * PAYLOAD(bits, name, instructions): assemble the instructions for 16, 32 or
 * 64-bit mode under a struct payload of that name. Constants defined above
 * may be used. A label may be given to the host with PAYLOAD_LABEL().
 */
#define PAYLOAD_TEXT(...) #__VA_ARGS__
#define PAYLOAD(bits, name, ...)					\
	PAYLOAD_(bits, name, PAYLOAD_TEXT(__VA_ARGS__))
#define PAYLOAD_(bits_, name, text)					\
	extern const uint8_t name##_start[], name##_end[];		\
	asm(".pushsection .rodata\n.code" #bits_ "\n" #name "_start:\n"	\
	    text "\n" #name "_end:\n.code64\n.popsection\n");		\
	static const struct payload name = {				\
		.start = name##_start, .end = name##_end, .bits = bits_,\
	};
#define PAYLOAD_LABEL(label) extern const uint8_t label[]
/* Where a label of a payload lies once loaded for vCPU 0. */
#define LABEL_GPA(name, label) (GPA_CODE + ((label) - (name).start))

/* --- tests and checks ------------------------------------------------- */

struct test {
	const char *name;
	void (*fn)(void);
	unsigned int seconds;	/* the limit, when not the usual one */
	struct test *next;
};

void test_register(struct test *t);

#define TEST(n) TEST_LIMIT(n, 0)
#define TEST_LIMIT(n, limit)						\
	static void n(void);						\
	static struct test test_##n = {					\
		.name = #n, .fn = n, .seconds = limit,			\
	};								\
	__attribute__((constructor)) static void register_##n(void)	\
	{								\
		test_register(&test_##n);				\
	}								\
	static void n(void)

void here(const char *file, int line);
void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void skip(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* A condition that must hold. */
#define CHECK(cond)							\
	do {								\
		here(__FILE__, __LINE__);				\
		if (!(cond))						\
			fail("not so: %s", #cond);			\
	} while (0)

/* Two integers that must be equal. */
#define EQ(a, b)							\
	do {								\
		uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);	\
									\
		here(__FILE__, __LINE__);				\
		if (a_ != b_)						\
			fail("%s is %#llx, not %#llx", #a,		\
			     (unsigned long long)a_,			\
			     (unsigned long long)b_);			\
	} while (0)

/* An ioctl whose result is that, or the errno negated. */
long do_ioctl(int fd, unsigned long cmd, unsigned long arg);
#define IOCTL(fd, cmd, arg) do_ioctl(fd, cmd, (unsigned long)(arg))

/* A call that must succeed; gives its result. */
long check_ok(const char *what, long result);
#define OK(expr) (here(__FILE__, __LINE__), check_ok(#expr, (expr)))

/* A call that must be refused with that errno. */
void check_refused(const char *what, long result, int err);
#define REFUSED(err, expr)						\
	(here(__FILE__, __LINE__), check_refused(#expr, (expr), err))

/* Wait, within the test's time limit, for a condition others bring about. */
void wait_a_little(void);
#define EVENTUALLY(cond)						\
	do {								\
		here(__FILE__, __LINE__);				\
		while (!(cond))						\
			wait_a_little();				\
	} while (0)

/* Skip the test when the capability is absent. */
long need_cap(struct vm *vm, unsigned int cap);

/* A yes-or-no parameter of kvm-intel is there and says yes. */
bool intel_parameter(const char *name);

/*
 * Two things a test may not hold the modules to: what the in-tree ones do
 * otherwise, when they are what is loaded, and what QEMU's TCG or Bochs, where
 * they stand in for the CPU, do otherwise than a CPU.
 */
void skip_on_reference(const char *why);
bool on_tcg(void);
bool on_bochs(void);
void skip_on_bochs_svm(const char *why);

/* --- VM and vCPU ------------------------------------------------------ */

struct vm *vm_new(unsigned int flags);
void vm_free(struct vm *vm);	/* closes its fd and unmaps its memory */

/* Set or change a slot; the result of the ioctl. */
struct slot {
	uint32_t slot, flags;
	uint64_t gpa, size;
	void *hva;
};
long vm_set_slot(struct vm *vm, const struct slot *s);
long vm_add_slot(struct vm *vm, uint32_t slot, uint64_t gpa, uint64_t size,
		 void *hva);
long vm_del_slot(struct vm *vm, uint32_t slot);
void *host_pages(size_t size);	/* fresh zeroed anonymous memory */

enum isr {
	ISR_TRAP,		/* report on PORT_TRAP and stop (the default) */
	ISR_PLAIN,		/* report on PORT_IRQ and return, no EOI */
	ISR_LAPIC,		/* the same with an EOI to the LAPIC */
	ISR_X2APIC,		/* by MSR */
	ISR_PIC,		/* EOI to the master PIC, real mode */
	ISR_PIC64,		/* the same in long mode */
};
void vm_set_isr(struct vm *vm, unsigned int vector, enum isr isr);
/* Let a vector lead straight to an address, in long mode. */
void vm_set_gate(struct vm *vm, unsigned int vector, uint64_t rip);

struct vcpu *vcpu_bare(struct vm *vm, unsigned int id); /* CPUID unset */
struct vcpu *vcpu_new(struct vm *vm, unsigned int id);	/* CPUID as supported */
void vcpu_free(struct vcpu *v);
struct kvm_cpuid2 *supported_cpuid(int kvm);
struct kvm_cpuid_entry2 *find_cpuid(struct kvm_cpuid2 *c, uint32_t fn,
				    uint32_t index);

/* Load the payload at the vCPU's code page and point registers at it. */
void vcpu_start(struct vcpu *v, const struct payload *p);
void vcpu_mode(struct vcpu *v, unsigned int bits);	/* sregs only */
void load_at(struct vm *vm, uint64_t gpa, const struct payload *p);

/* A new VM, its vCPU 0 (CPUID set) started on the payload. */
struct vcpu *boot(unsigned int flags, const struct payload *p);

struct kvm_regs get_regs(struct vcpu *v);
void set_regs(struct vcpu *v, const struct kvm_regs *regs);
struct kvm_sregs get_sregs(struct vcpu *v);
uint64_t get_msr(struct vcpu *v, uint32_t index);	/* must exist */
long set_msr(struct vcpu *v, uint32_t index, uint64_t value); /* 1 or 0 */
uint64_t stack_word(struct vcpu *v, unsigned int n);	/* at RSP + 8n */
uint64_t ram64(struct vm *vm, uint64_t gpa);

/*
 * A statistic by its name (KVM_GET_STATS_FD), as "exits"; it must exist. Of a
 * vCPU that runs in another thread only what was asked for once before: the
 * in-tree modules open the file when KVM_RUN is over.
 */
uint64_t vcpu_stat(struct vcpu *v, const char *name);
uint64_t vm_stat(struct vm *vm, const char *name);

/* --- running ---------------------------------------------------------- */

long vcpu_try_run(struct vcpu *v);	/* KVM_RUN: 0 or -errno */
unsigned int vcpu_run(struct vcpu *v);	/* must succeed; the exit reason */
const char *describe_exit(struct vcpu *v);

void expect_exit_(struct vcpu *v, unsigned int reason);
void expect_out_(struct vcpu *v, unsigned int port, unsigned int size,
		 uint32_t value);
void expect_in_(struct vcpu *v, unsigned int port, unsigned int size,
		uint32_t reply);
void expect_write_(struct vcpu *v, uint64_t gpa, unsigned int len,
		   uint64_t value);
void expect_read_(struct vcpu *v, uint64_t gpa, unsigned int len,
		  uint64_t reply);

/* Run, and it must exit for just that; in and read also give the answer. */
#define expect_exit(...) (here(__FILE__, __LINE__), expect_exit_(__VA_ARGS__))
#define expect_out(...)	 (here(__FILE__, __LINE__), expect_out_(__VA_ARGS__))
#define expect_in(...)	 (here(__FILE__, __LINE__), expect_in_(__VA_ARGS__))
#define expect_write(...) (here(__FILE__, __LINE__), expect_write_(__VA_ARGS__))
#define expect_read(...) (here(__FILE__, __LINE__), expect_read_(__VA_ARGS__))
#define expect_halt(v)	 expect_exit(v, KVM_EXIT_HLT)
#define expect_irq(v, vector)  expect_out(v, PORT_IRQ, 1, vector)
#define expect_trap(v, vector) expect_out(v, PORT_TRAP, 1, vector)

/* --- interrupts -------------------------------------------------------- */

/* Pieces of 64-bit payloads. RBP is left at the LAPIC. */
#define LAPIC_ON							\
	mov $GPA_LAPIC, %ebp;						\
	movl $0x1ff, 0xf0(%rbp)
#define PIC_OFF								\
	mov $0xff, %al;							\
	out %al, $0x21;							\
	out %al, $0xa1

/*
 * The usual guest to interrupt: it sends 0 to port 0x80 for ever, with
 * interrupts enabled, so that each run ends either there or in a handler.
 */
extern const struct payload *const ticking;

void expect_quiet_(struct vcpu *v);	/* some runs of it, no interrupt */
#define expect_quiet(v)	(here(__FILE__, __LINE__), expect_quiet_(v))

long irq_line(struct vm *vm, uint32_t gsi, uint32_t level);
long send_msi(struct vm *vm, uint64_t address, uint32_t data);
void set_redirection(struct vm *vm, unsigned int pin, uint64_t entry);
uint64_t get_redirection(struct vm *vm, unsigned int pin);
uint32_t lapic_reg(struct vcpu *v, unsigned int offset);

#define MSI_TO(apic_id) (GPA_LAPIC | (apic_id) << 12)
#define REDIR_LEVEL  0x8000
#define REDIR_MASKED 0x10000

/* Replace the whole table. */
long set_routes(struct vm *vm, const struct kvm_irq_routing_entry *e,
		unsigned int n);
struct kvm_irq_routing_entry route_pin(uint32_t gsi, uint32_t chip,
				       uint32_t pin);
struct kvm_irq_routing_entry route_msi(uint32_t gsi, uint32_t address,
				       uint32_t data);

/* --- a vCPU in a thread ----------------------------------------------- */

struct runner {
	pthread_t thread;
	struct vcpu *v;
	void (*fn)(struct vcpu *v);
	pid_t tid;		/* 0 until it runs */
	bool done;
};

void runner_start(struct runner *r, struct vcpu *v,
		  void (*fn)(struct vcpu *v));
void runner_wait_asleep(struct runner *r);	/* until it blocks in KVM_RUN */
void runner_kick(struct runner *r);		/* a signal it ignores */
void runner_join(struct runner *r);

#endif
