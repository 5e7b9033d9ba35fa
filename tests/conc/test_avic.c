// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVIC's is-running bit under threads: no interrupt is lost between those who
 * deliver and a vCPU that runs, moves, is preempted, and sleeps in HLT.
 *
 * The vCPU does as hardware does: it looks at the IRR at each VMRUN and when a
 * doorbell rings on the host CPU it is on, at no other time. Each sender waits
 * until its interrupt was taken: one that is lost stops the test, and the
 * alarm ends it. Run under TSan.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "base/host.h"

/* Each step of the code under test may be late, so that steps interleave. */
static void stumble(void)
{
	static __thread unsigned int seed = 1;
	unsigned int n = rand_r(&seed) % 256;

	if (n < 16)
		sched_yield();
	for (; n > 192; n--)
		cpu_relax();
}

#define LATE(op) ({ u64 _r; stumble(); _r = (op); stumble(); _r; })
#undef xchg
#define xchg(p, v) LATE(__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#undef READ_ONCE
#define READ_ONCE(x) LATE(__atomic_load_n(&(x), __ATOMIC_RELAXED))

#include "svm/avic_tables.c"

#define SENDERS 1		/* a second would wake whom the first lost */
#define ROUNDS 100000
#define HOSTS 4
#define TIME_LIMIT 240		/* seconds */
#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
	abort(); } } while (0)

static const struct avic_features features = {
	.avic = true, .x2avic = true, .host_max = AVIC_PHYS_HOST,
};

static u64 entry;
static u8 page[4096] __aligned(16);
static struct avic_vcpu vcpu = { .entry = &entry, .page = page, .on = true };

static int bells[HOSTS];
static sem_t kicks;
static int senders_left = SENDERS;
static u64 taken[SENDERS];
static u64 rung, kicked, slept;
static unsigned int dice = 1;

static u32 *irr_word(u8 vector)
{
	return (u32 *)(page + 0x200 + vector / 32 * 16);
}

static u8 vector_of(unsigned int sender)
{
	return 0x31 + 0x45 * sender;
}

static void *sender(void *arg)
{
	unsigned int self = (long)arg;
	u8 vector = vector_of(self);
	u64 round;
	u32 host;

	for (round = 1; round <= ROUNDS; round++) {
		__atomic_fetch_or(irr_word(vector), 1U << (vector % 32),
				  __ATOMIC_SEQ_CST);
		if (avic_doorbell(&entry, &host)) {
			CHECK(host < HOSTS);
			__atomic_store_n(&bells[host], 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&rung, 1, __ATOMIC_RELAXED);
		} else {
			sem_post(&kicks);
			__atomic_fetch_add(&kicked, 1, __ATOMIC_RELAXED);
		}
		while (__atomic_load_n(&taken[self], __ATOMIC_ACQUIRE) < round)
			sched_yield();
		stumble();
	}
	__atomic_fetch_sub(&senders_left, 1, __ATOMIC_SEQ_CST);
	sem_post(&kicks);
	return NULL;
}

static bool over(void)
{
	return !__atomic_load_n(&senders_left, __ATOMIC_SEQ_CST);
}

/* What hardware does when it looks: deliver all, and the guest its EOI. */
static void take_all(void)
{
	unsigned int i;

	for (i = 0; i < SENDERS; i++) {
		u8 vector = vector_of(i);
		u32 bit = 1U << (vector % 32);

		if (__atomic_fetch_and(irr_word(vector), ~bit,
				       __ATOMIC_SEQ_CST) & bit)
			__atomic_fetch_add(&taken[i], 1, __ATOMIC_RELEASE);
	}
}

/* In the guest on @host: until a doorbell, or for a while. */
static void guest(u32 host)
{
	int left = rand_r(&dice) % 3 ? rand_r(&dice) % 64 : -1;

	take_all();
	while (left-- && !over()) {
		if (__atomic_exchange_n(&bells[host], 0, __ATOMIC_SEQ_CST)) {
			take_all();
			if (rand_r(&dice) & 1)
				return;
		}
		if (left < 0)
			sched_yield();
	}
}

/* In HLT; the scheduler takes the thread on and off CPUs meanwhile. */
static void halted(void)
{
	bool sleep;

	/* Kicks of before are no reason to wake: their IRR bits are set. */
	while (!sem_trywait(&kicks))
		;
	sleep = avic_block(&vcpu);
	/* Whether to sleep is its answer, or after a kick the IRR's. */
	while (sleep && !over()) {
		if (rand_r(&dice) & 1) {
			avic_put(&vcpu);
			avic_load(&vcpu, &features, rand_r(&dice) % HOSTS);
		}
		slept++;
		sem_wait(&kicks);
		sleep = !avic_pending(page);
	}
	avic_unblock(&vcpu, &features, rand_r(&dice) % HOSTS);
}

int main(void)
{
	pthread_t threads[SENDERS];
	long i;

	alarm(TIME_LIMIT);
	sem_init(&kicks, 0, 0);
	avic_enable(&vcpu, 0x123456000, true);
	for (i = 0; i < SENDERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, sender, (void *)i));
	while (!over()) {
		u32 host = rand_r(&dice) % HOSTS;

		avic_load(&vcpu, &features, host);
		guest(host);
		if (rand_r(&dice) % 3)
			halted();
		avic_put(&vcpu);
	}
	for (i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		CHECK(taken[i] == ROUNDS);
	}
	CHECK(rung > ROUNDS / 100 && kicked > ROUNDS / 100 && slept);
	printf("avic: %llu by doorbell, %llu by kick, %llu sleeps\n", rung,
	       kicked, slept);
	return 0;
}
