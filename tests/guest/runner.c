// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU in a thread of its own, for what one thread cannot show: a vCPU
 * that sleeps, or runs, while something else happens to it.
 *
 * SIGUSR1 ends its KVM_RUN with EINTR and does nothing else. Nothing here
 * waits for a fixed time: states are polled, within the test's time limit.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void ignore(int sig)
{
	(void)sig;
}

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	__atomic_store_n(&r->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	r->fn(r->v);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	return NULL;
}

void runner_start(struct runner *r, struct vcpu *v,
		  void (*fn)(struct vcpu *v))
{
	const struct sigaction sa = { .sa_handler = ignore };

	sigaction(SIGUSR1, &sa, NULL);
	*r = (struct runner){ .v = v, .fn = fn };
	if (pthread_create(&r->thread, NULL, runner_main, r))
		fail("no thread");
	EVENTUALLY(__atomic_load_n(&r->tid, __ATOMIC_ACQUIRE));
}

/* The state letter of a thread, from the third field of its stat file. */
static char thread_state(pid_t tid)
{
	char path[64], line[256] = "", *paren;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return 'X';
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	paren = strrchr(line, ')');
	return paren && paren[1] ? paren[2] : 'X';
}

void runner_wait_asleep(struct runner *r)
{
	char state;

	do {
		wait_a_little();
		state = thread_state(r->tid);
	} while (state != 'S' && state != 'X');
	if (state == 'X')
		fail("the vCPU's thread is gone");
}

void runner_kick(struct runner *r)
{
	pthread_kill(r->thread, SIGUSR1);
}

void runner_join(struct runner *r)
{
	pthread_join(r->thread, NULL);
}
