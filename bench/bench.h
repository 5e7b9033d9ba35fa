/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a benchmark is written with: rows it fills with numbers, and a guest
 * loop that times one operation in the guest many times over.
 *
 *	BENCH(cpuid, "exits", "CPUID")
 *	{
 *		put(0, in_guest(VM_IRQCHIP, &cpuid_loop, 1000));
 *	}
 *
 * Every number is a difference of the TSC. In a host that counts instructions
 * (lab/host --icount) it is a number of instructions, idle time included as
 * the virtual nanoseconds it took. Numbers are medians, so that a timer tick
 * in a round does not count.
 *
 * Each benchmark runs in a process of its own (main.c). A row it leaves empty
 * is printed as absent, all its rows as failed when a check fails. VMs, vCPUs
 * and payloads are those of the guest tests (tests/guest/harness.h).
 */
#ifndef BENCH_H
#define BENCH_H

#include "../tests/guest/harness.h"

#define MAX_ROWS 32

struct bench {
	const char *name, *group;
	void (*fn)(void);
	const char *const *rows;	/* titles, up to a NULL */
	struct bench *next;
};

void bench_register(struct bench *b);

#define BENCH(n, group_, ...)						\
	static void n(void);						\
	static const char *const rows_##n[] = { __VA_ARGS__, NULL };	\
	static struct bench bench_##n = {				\
		.name = #n, .group = group_, .fn = n, .rows = rows_##n,	\
	};								\
	__attribute__((constructor)) static void register_##n(void)	\
	{								\
		bench_register(&bench_##n);				\
	}								\
	static void n(void)

/* The value of the benchmark's row of that index. */
void put(unsigned int row, double value);

/* --- samples ---------------------------------------------------------- */

static inline uint64_t tsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence\n\trdtsc" : "=a" (lo), "=d" (hi) : : "memory");
	return lo | (uint64_t)hi << 32;
}

uint64_t median(uint64_t *samples, size_t n);	/* sorts them */
unsigned int rounds(unsigned int wanted);	/* fewer in a slow host */

struct samples {
	size_t n, room;
	uint64_t *at;
};
void sample(struct samples *s, uint64_t value);
uint64_t samples_median(struct samples *s);	/* and forget them */

/*
 * Time one expression of the host. The TSC reads themselves, about six
 * instructions, are in it.
 */
#define TIMED(s, expr)							\
	do {								\
		uint64_t start_;					\
									\
		profile_start(s, 1);					\
		start_ = tsc();						\
		expr;							\
		sample(s, tsc() - start_);				\
		profile_stop(s);					\
	} while (0)

/*
 * What runs between the two is what the profiler (profile.c) counts, where it
 * was asked for this row (-p of main.c): n rounds. Rows are told apart by what
 * their samples go to, and have to be timed in the order they are printed in.
 */
void profile_start(const void *what, unsigned int n);
void profile_stop(const void *what);

/* --- the guest's loop -------------------------------------------------- */

#define GPA_ROUNDS  0x1f000
#define GPA_SAMPLES GPA_HIGH
#define MAX_SAMPLES ((GPA_END - GPA_SAMPLES) / 8)
#define PORT_DONE   0xf7

/*
 * GUEST_LOOP(name, setup, operation): a payload that does setup once, and then
 * for every round stores at GPA_SAMPLES how long the operation took. R12 to
 * R14 are the loop's own. R15 points at a list at GPA_DATA when a pass begins.
 * Setup that has commas is a macro.
 */
#define GUEST_STAMP							\
	rdtsc;								\
	shl $32, %rdx;							\
	or %rdx, %rax
#define GUEST_LOOP(name, setup, ...)					\
	PAYLOAD(64, name,						\
		setup;							\
	90:;								\
		mov GPA_ROUNDS, %r12;					\
		mov $GPA_SAMPLES, %r14d;				\
		mov $GPA_DATA, %r15d;					\
	91:;								\
		GUEST_STAMP;						\
		mov %rax, %r13;						\
		__VA_ARGS__;						\
		GUEST_STAMP;						\
		sub %r13, %rax;						\
		mov %rax, (%r14);					\
		add $8, %r14;						\
		dec %r12;						\
		jnz 91b;						\
		out %al, $PORT_DONE;					\
		jmp 90b;						\
	)
#define NO_SETUP nop
#define X2APIC_ON							\
	mov $0x1b, %ecx;						\
	rdmsr;								\
	or $0xc00, %eax;						\
	wrmsr;								\
	mov $0x80f, %ecx;						\
	mov $0x1ff, %eax;						\
	xor %edx, %edx;							\
	wrmsr

/*
 * Let the vCPU do a pass of n rounds: the median of the samples less the
 * loop's own cost. Exits to user space go straight back in; where user is
 * given, it gets the time each spent outside KVM_RUN.
 */
uint64_t pass(struct vcpu *v, unsigned int n, struct samples *user);
/* The same; what stands for the row to the profiler, NULL for none. */
uint64_t pass_for(struct vcpu *v, unsigned int n, struct samples *user,
		  const void *what);
/* Rounds that are not timed or profiled. */
void warm_up(struct vcpu *v, unsigned int n);
/* A pass of a new VM, warmed up. */
uint64_t in_guest(unsigned int flags, const struct payload *p, unsigned int n);
/* KVM_RUN until PORT_DONE. */
void run_until_done(struct vcpu *v);
uint64_t guest_median(struct vcpu *v, unsigned int n);

#endif
