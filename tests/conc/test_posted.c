// SPDX-License-Identifier: GPL-2.0-only
/*
 * The posted-interrupt descriptor under threads: no interrupt is lost between
 * those who post and a vCPU that enters its guest, leaves it and sleeps.
 *
 * The vCPU's thread follows the run loop: mode first, then a look into the
 * inbox, then the guest, where it looks only when notified, as hardware does.
 * Each sender waits until its interrupt was taken: one that is lost stops the
 * test, and the alarm ends it. Run under TSan.
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

#define LATE(op) ({ unsigned long _r; stumble(); _r = (op); stumble(); _r; })
#undef xchg
#define xchg(p, v) LATE(__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))
#undef READ_ONCE
#define READ_ONCE(x) LATE(__atomic_load_n(&(x), __ATOMIC_RELAXED))
#define clear_bit(nr, p) ((void)LATE((clear_bit((nr), (p)), 0)))

#include "dev/posted.h"

#define MAX_SENDERS 2
#define ROUNDS 50000
#define TIME_LIMIT 240		/* seconds */
#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
	abort(); } } while (0)

enum mode { OUTSIDE, IN_GUEST };

static struct posted inbox;
static int mode;			/* enum mode */
static int notified;			/* an interrupt of the host's CPU */
static sem_t wakes;
static unsigned int senders;
static int senders_left;
static u64 taken[MAX_SENDERS];
static u64 notices, wakeups, quiet, slept;
static unsigned int dice = 1;

static u8 vector_of(unsigned int sender)
{
	return 0x31 + 0x45 * sender;
}

/* As vcpu_post(): wake it in any case, then see where it is. */
static void post(u8 vector)
{
	CHECK(posted_set(&inbox, vector));
	if (!posted_notify(&inbox)) {
		__atomic_fetch_add(&quiet, 1, __ATOMIC_RELAXED);
		return;
	}
	sem_post(&wakes);
	if (__atomic_load_n(&mode, __ATOMIC_SEQ_CST) == IN_GUEST) {
		__atomic_store_n(&notified, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&notices, 1, __ATOMIC_RELAXED);
	} else {
		__atomic_fetch_add(&wakeups, 1, __ATOMIC_RELAXED);
	}
}

/* All in step: who runs ahead would notify for whom the protocol lost. */
static void wait_for_all(u64 round)
{
	unsigned int i;

	for (i = 0; i < senders; i++)
		while (__atomic_load_n(&taken[i], __ATOMIC_ACQUIRE) < round)
			sched_yield();
}

static void *sender(void *arg)
{
	unsigned int self = (long)arg;
	u64 round;

	for (round = 1; round <= ROUNDS; round++) {
		post(vector_of(self));
		wait_for_all(round);
		stumble();
	}
	__atomic_fetch_sub(&senders_left, 1, __ATOMIC_SEQ_CST);
	sem_post(&wakes);
	return NULL;
}

static bool over(void)
{
	return !__atomic_load_n(&senders_left, __ATOMIC_SEQ_CST);
}

/* Both the owner's look and the hardware's. */
static bool look(void)
{
	unsigned long pir[4];
	bool any = false;
	unsigned int i;

	if (!posted_take(&inbox, pir))
		return false;
	for (i = 0; i < MAX_SENDERS; i++) {
		u8 v = vector_of(i);

		if (!(pir[v / 64] >> v % 64 & 1))
			continue;
		any = true;
		__atomic_fetch_add(&taken[i], 1, __ATOMIC_RELEASE);
	}
	return any;
}

static void guest(void)
{
	int left = rand_r(&dice) % 3 ? rand_r(&dice) % 64 : -1;

	__atomic_store_n(&mode, IN_GUEST, __ATOMIC_SEQ_CST);
	look();
	while (left-- && !over()) {
		if (__atomic_exchange_n(&notified, 0, __ATOMIC_SEQ_CST) &&
		    look() && (rand_r(&dice) & 1))
			break;
		if (left < 0)
			sched_yield();
	}
	__atomic_store_n(&mode, OUTSIDE, __ATOMIC_SEQ_CST);
	/* One that comes now finds a host that has nothing to do for it. */
	__atomic_store_n(&notified, 0, __ATOMIC_SEQ_CST);
}

static void halted(void)
{
	while (!look() && !over()) {
		slept++;
		sem_wait(&wakes);
	}
}

/* Devices' fields may change under posting, and take nothing with them. */
static void retarget(void)
{
	unsigned long control;

	posted_target(&inbox, rand_r(&dice) % 8, 0xf2, rand_r(&dice) & 1);
	control = __atomic_load_n(&inbox.control, __ATOMIC_RELAXED);
	CHECK((control & POSTED_NV) >> POSTED_NV_SHIFT == 0xf2);
	CHECK((control & POSTED_NDST) >> POSTED_NDST_SHIFT < 8);
}

static void run(unsigned int count)
{
	pthread_t threads[MAX_SENDERS];
	unsigned long i;

	memset(taken, 0, sizeof(taken));
	senders = count;
	senders_left = count;
	for (i = 0; i < senders; i++)
		CHECK(!pthread_create(&threads[i], NULL, sender, (void *)i));
	while (!over()) {
		guest();
		retarget();
		if (rand_r(&dice) % 3)
			halted();
	}
	for (i = 0; i < senders; i++) {
		pthread_join(threads[i], NULL);
		CHECK(taken[i] == ROUNDS);
	}
	CHECK(!posted_has(&inbox, vector_of(0)));
}

int main(void)
{
	alarm(TIME_LIMIT);
	sem_init(&wakes, 0, 0);
	run(1);
	run(2);
	CHECK(notices > ROUNDS / 100 && wakeups > ROUNDS / 100 && slept);
	printf("posted: %llu notified, %llu woken, %llu neither, %llu sleeps\n",
	       notices, wakeups, quiet, slept);
	return 0;
}
