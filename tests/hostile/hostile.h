/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the hostile programs share: numbers from a seed, guest code from such
 * numbers, time limits for KVM_RUN.
 *
 * Everything random comes from a struct rng, so the same seed gives the same
 * calls with the same arguments; the order among threads is the scheduler's.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct rng {
	u64 state;
};

static inline u64 rnd(struct rng *r)
{
	u64 z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A number below @n. */
static inline u32 below(struct rng *r, u32 n)
{
	return (rnd(r) >> 32) % n;
}

/* True once in @n times. */
static inline bool once_in(struct rng *r, u32 n)
{
	return below(r, n) == 0;
}

/* Guest-physical layout of the VMs that random guest code runs in. */
#define G_CODE	0x10000		/* to G_CODE + G_CODE_SIZE */
#define G_CODE_SIZE 0x10000
#define G_GDT	0x1000
#define G_IDT	0x2000
#define G_TSS	0x3000
#define G_PML4	0x4000
#define G_PDPT	0x5000
#define G_PD	0x6000		/* four pages */
#define G_PD32	0xa000
#define G_PDPT32 0xb000
#define G_STACK 0x30000
#define G_RAM	0x200000

/* A number of the kind that breaks things: borders, bits, addresses. */
u64 odd_value(struct rng *r);
/* An MSR index, mostly of an MSR that exists. */
u32 odd_msr(struct rng *r);
/* Fills @len bytes at @code with instructions that guests should not use. */
void guest_code(struct rng *r, u8 *code, u32 len);
/* Writes descriptor tables and page tables to @ram, of G_RAM bytes. */
void guest_tables(struct rng *r, u8 *ram);
/* Sets a vCPU to a random mode and level, its RIP in the random code. */
int guest_start(struct rng *r, int vcpu);

/*
 * Arms a timer of the calling thread, whose signal ends KVM_RUN after @us
 * microseconds; 0 disarms it.  kick_init() is called once per thread.
 */
void kick_init(void);
void kick_after(u32 us);

/* Counts for the closing line, shared by all processes of a program. */
struct counts {
	u64 calls;		/* ioctls, KVM_RUN among them */
	u64 runs;		/* KVM_RUN */
	u64 rounds;
	u64 good;		/* calls that returned no error */
	u64 exits[64];		/* exits by reason */
	u64 bystander;		/* turns of the well-behaved VM */
	u32 failed;
	char why[256];
};

extern struct counts *counts;

/* Notes a failure, the first one with its reason. */
void failed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A well-behaved VM that runs until it is killed and checks its own work. */
void bystander(void);
/* The two kinds of hostile process; both run for about two seconds. */
void hostile_vmm(u64 seed);
void hostile_guest(u64 seed);

#endif
