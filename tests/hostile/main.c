// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs hostile VMMs and hostile guests, a process for each round of about two
 * seconds, beside a bystander that has to notice nothing.
 *
 * usage: hostile vmm|guest [-s SEED] [-t SECONDS] [-r ROUND]
 *	-s	the first round's seed (default: from the clock), told at the start
 *	-t	how long (default 20)
 *	-r	only this round, the way to replay it
 *
 * Ends with what was executed and "ok hostile-KIND" or "not ok hostile-KIND:
 * why". A process that cannot be killed, a bystander that stands still or sees
 * anything wrong, and from guests a KVM_RUN that fails, are failures; what the
 * host's kernel says is lab/host's to judge.
 */
#include "hostile.h"

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct counts *counts;
static __thread timer_t timer;

void failed(const char *fmt, ...)
{
	va_list ap;

	if (__atomic_exchange_n(&counts->failed, 1, __ATOMIC_SEQ_CST))
		return;
	va_start(ap, fmt);
	vsnprintf(counts->why, sizeof(counts->why), fmt, ap);
	va_end(ap);
}

static void kicked(int signal)
{
}

void kick_init(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_THREAD_ID,
			      .sigev_signo = SIGUSR1 };
	struct sigaction a = { .sa_handler = kicked };

	sigaction(SIGUSR1, &a, NULL);
	e._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &e, &timer))
		failed("no timer: %s", strerror(errno));
}

/* It repeats: a signal that comes before KVM_RUN does not end it. */
void kick_after(u32 us)
{
	const struct itimerspec t = {
		.it_value.tv_nsec = us * 1000, .it_interval.tv_nsec = us * 1000,
	};

	timer_settime(timer, 0, &t, NULL);
}

static pid_t start(const char *what, u64 seed)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	if (!what)
		bystander();
	else if (!strcmp(what, "vmm"))
		hostile_vmm(seed);
	else
		hostile_guest(seed);
	_exit(0);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Waits for a round's process, which may be at its end only by SIGKILL. */
static void finish(pid_t pid, u64 seed)
{
	time_t limit = now() + 20, killed = 0;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (!killed && now() >= limit) {
			kill(pid, SIGKILL);
			killed = now();
		}
		if (killed && now() > killed + 120) {
			failed("seed %llu: a process that SIGKILL does not end",
			       (unsigned long long)seed);
			return;
		}
		usleep(20000);
	}
}

/* A bystander that makes no turn in a minute has been kept from its work. */
static void watch_bystander(u64 *last, time_t *since)
{
	if (counts->bystander != *last) {
		*last = counts->bystander;
		*since = now();
	} else if (now() > *since + 60) {
		failed("the bystander stands still after %llu turns",
		       (unsigned long long)*last);
	}
}

static int closing(const char *what)
{
	u32 i;

	printf("hostile-%s: %llu rounds, %llu calls, %llu without error, "
	       "%llu KVM_RUN; bystander %llu turns; exits",
	       what, (unsigned long long)counts->rounds,
	       (unsigned long long)counts->calls,
	       (unsigned long long)counts->good,
	       (unsigned long long)counts->runs,
	       (unsigned long long)counts->bystander);
	for (i = 0; i < ARRAY_SIZE(counts->exits); i++)
		if (counts->exits[i])
			printf(" %u:%llu", i,
			       (unsigned long long)counts->exits[i]);
	if (counts->failed)
		printf("\nnot ok hostile-%s: %s\n", what, counts->why);
	else if (!counts->calls || !counts->bystander)
		printf("\nnot ok hostile-%s: nothing was executed\n", what);
	else
		printf("\nok hostile-%s\n", what);
	return counts->failed || !counts->calls || !counts->bystander;
}

int main(int argc, char **argv)
{
	static const struct rlimit no_core;
	u64 seed = time(NULL), round = 0, last = 0;
	int seconds = 20, c;
	bool one = false;
	time_t end, since = now();
	pid_t witness;
	const char *what;

	while ((c = getopt(argc, argv, "s:t:r:")) != -1) {
		switch (c) {
		case 's': seed = strtoull(optarg, NULL, 0); break;
		case 't': seconds = atoi(optarg); break;
		case 'r': round = strtoull(optarg, NULL, 0); one = true; break;
		default: errx(2, "usage: hostile vmm|guest [-s SEED] [-t SECONDS] [-r ROUND]");
		}
	}
	what = argv[optind];
	if (!what || (strcmp(what, "vmm") && strcmp(what, "guest")))
		errx(2, "usage: hostile vmm|guest [-s SEED] [-t SECONDS] [-r ROUND]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	printf("hostile-%s: seed %llu\n", what, (unsigned long long)seed);
	witness = start(NULL, 0);
	end = now() + seconds;
	do {
		finish(start(what, seed + round), seed + round);
		counts->rounds++;
		round++;
		watch_bystander(&last, &since);
		if (counts->rounds % 10 == 0)
			printf("hostile-%s: %llu rounds\n", what,
			       (unsigned long long)counts->rounds);
	} while (!one && now() < end && !counts->failed);
	kill(witness, SIGKILL);
	finish(witness, 0);
	return closing(what);
}
