// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the benchmarks, each in a process of its own, and prints one line a
 * row: group, title and value, with tabs between, where the value is a
 * number, "absent" or "failed: why".
 *
 * What is at work, and what came of it, also goes to the kernel's log: "bench:
 * NAME", then "row: " and the row. The host's console is a file outside, so
 * that it is known when the host does not come back.
 *
 * usage: bench [-l] [-d DIVISOR] [-t SECONDS] [-p ROW] [-m MARK] [PATTERN...]
 *	-l	list the names
 *	-d	divide the number of rounds
 *	-t	the time limit of each (900)
 *	-p	let the profiler count what that row times, rows from 0, and say
 *		how many rounds there were, as "profiled N"
 *	-m	only tell the profiler to start, stop, or go on to the next part
 */
#include "bench.h"

#include <err.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_ABSENT = 77 };

static struct result {
	unsigned int profiled;
	bool there[MAX_ROWS];
	double value[MAX_ROWS];
	char why[1024];
} *result;			/* shared with the benchmark's process */

static struct bench *first, **last = &first;
static unsigned int divisor = 1, limit = 900;
static int profiled_row = -1;
static __thread const char *at_file = "";
static __thread int at_line;

__attribute__((section(".mark.start"), noinline)) static void mark_start(void)
{
	asm volatile("");
}

__attribute__((section(".mark.stop"), noinline)) static void mark_stop(void)
{
	asm volatile("");
}

__attribute__((section(".mark.next"), noinline)) static void mark_next(void)
{
	asm volatile("");
}

/* Things that are timed are told apart by where their samples go. */
static bool is_profiled(const void *what)
{
	static const void *seen[MAX_ROWS];
	int i;

	if (!what)
		return false;

	for (i = 0; i < MAX_ROWS && seen[i] && seen[i] != what; i++)
		;
	if (i == MAX_ROWS)
		return false;
	seen[i] = what;
	return i == profiled_row;
}

void profile_start(const void *what, unsigned int n)
{
	if (profiled_row < 0 || !is_profiled(what))
		return;
	result->profiled += n;
	mark_start();
}

void profile_stop(const void *what)
{
	if (profiled_row >= 0 && is_profiled(what))
		mark_stop();
}

void bench_register(struct bench *b)
{
	*last = b;
	last = &b->next;
}

void put(unsigned int row, double value)
{
	result->value[row] = value;
	result->there[row] = true;
}

unsigned int rounds(unsigned int wanted)
{
	unsigned int n = wanted / divisor;

	return n < 8 ? 8 : n;
}

void here(const char *file, int line)
{
	const char *base = strrchr(file, '/');

	at_file = base ? base + 1 : file;
	at_line = line;
}

void fail(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = snprintf(result->why, sizeof(result->why), "%s:%d: ", at_file,
		     at_line);
	vsnprintf(result->why + n, sizeof(result->why) - n, fmt, ap);
	_exit(EXIT_FAILED);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(result->why, sizeof(result->why), fmt, ap);
	_exit(EXIT_ABSENT);
}

/* --- samples ---------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t median(uint64_t *samples, size_t n)
{
	qsort(samples, n, sizeof(*samples), compare);
	return n ? samples[n / 2] : 0;
}

void sample(struct samples *s, uint64_t value)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->at = realloc(s->at, s->room * sizeof(*s->at));
		if (!s->at)
			fail("no memory for samples");
	}
	s->at[s->n++] = value;
}

uint64_t samples_median(struct samples *s)
{
	size_t n = s->n;

	s->n = 0;
	return median(s->at, n);
}

/* --- the guest's loop -------------------------------------------------- */

static bool is_done(const struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	return run->exit_reason == KVM_EXIT_IO && run->io.port == PORT_DONE;
}

void run_until_done(struct vcpu *v)
{
	do {
		OK(IOCTL(v->fd, KVM_RUN, 0));
		if (v->run->exit_reason != KVM_EXIT_IO &&
		    v->run->exit_reason != KVM_EXIT_MMIO)
			fail("%s", describe_exit(v));
		if (v->run->exit_reason == KVM_EXIT_IO &&
		    v->run->io.port == PORT_TRAP)
			fail("%s", describe_exit(v));
	} while (!is_done(v));
}

static void run_splitting(struct vcpu *v, struct samples *user)
{
	uint64_t left = tsc(), came;

	for (;;) {
		if (left)
			OK(IOCTL(v->fd, KVM_RUN, 0));
		came = tsc();
		if (is_done(v))
			return;
		left = tsc();
		sample(user, left - came);
	}
}

uint64_t guest_median(struct vcpu *v, unsigned int n)
{
	return median((uint64_t *)(v->vm->ram + GPA_SAMPLES), n);
}

GUEST_LOOP(empty_loop, NO_SETUP, NO_SETUP);

static void set_rounds(struct vcpu *v, unsigned int n)
{
	uint64_t count = n;

	memcpy(v->vm->ram + GPA_ROUNDS, &count, sizeof(count));
}

/* What the loop's two time stamps cost. */
static uint64_t loop_cost(void)
{
	static uint64_t cost;
	struct vcpu *v;

	if (cost)
		return cost;
	v = boot(0, &empty_loop);
	set_rounds(v, 64);
	run_until_done(v);
	cost = guest_median(v, 64);
	return cost;
}

void warm_up(struct vcpu *v, unsigned int n)
{
	loop_cost();
	set_rounds(v, n);
	run_until_done(v);
}

uint64_t pass_for(struct vcpu *v, unsigned int n, struct samples *user,
		  const void *what)
{
	uint64_t cost = loop_cost(), took;

	if (n > MAX_SAMPLES)
		fail("%u rounds", n);
	set_rounds(v, n);
	profile_start(what, n);
	if (user)
		run_splitting(v, user);
	else
		run_until_done(v);
	profile_stop(what);
	took = guest_median(v, n);
	return took > cost ? took - cost : 0;
}

uint64_t pass(struct vcpu *v, unsigned int n, struct samples *user)
{
	return pass_for(v, n, user, v);
}

uint64_t in_guest(unsigned int flags, const struct payload *p, unsigned int n)
{
	struct vcpu *v = boot(flags, p);

	warm_up(v, 16);
	return pass(v, rounds(n), NULL);
}

/* --- running ----------------------------------------------------------- */

/* To the kernel's log, as a warning, so that it gets to the console. */
static void note(const char *fmt, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[600];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	if (fd >= 0 && write(fd, line, n) < 0)
		warn("/dev/kmsg");
	if (fd >= 0)
		close(fd);
}

static void print_rows(const struct bench *b, const char *instead)
{
	char value[1200];

	for (unsigned int i = 0; b->rows[i]; i++) {
		snprintf(value, sizeof(value), "%s", instead);
		if (result->there[i])
			snprintf(value, sizeof(value), "%.6g",
				 result->value[i]);
		printf("%s\t%s\t%s\n", b->group, b->rows[i], value);
		note("<4>row: %s;%s;%s", b->group, b->rows[i], value);
	}
	if (profiled_row >= 0)
		printf("profiled %u\n", result->profiled);
	fflush(stdout);
}

static bool run_one(const struct bench *b)
{
	char instead[1200] = "absent";
	int status = 0;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	fflush(stdout);
	note("<4>bench: %s", b->name);
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		alarm(limit);
		b->fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(instead, sizeof(instead), "failed: not done in %u s",
			 limit);
	else if (WIFSIGNALED(status))
		snprintf(instead, sizeof(instead), "failed: signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_FAILED)
		snprintf(instead, sizeof(instead), "failed: %s", result->why);
	print_rows(b, instead);
	return status == 0 || (WIFEXITED(status) &&
			       WEXITSTATUS(status) == EXIT_ABSENT);
}

static bool wanted(const struct bench *b, char **patterns)
{
	bool aside = !strcmp(b->group, "bounded");

	if (!*patterns)
		return !aside;
	for (; *patterns; patterns++)
		if ((!aside || !strncmp(*patterns, "bounded", 7)) &&
		    fnmatch(*patterns, b->name, 0) == 0)
			return true;
	return false;
}

/* Where a mapping lies decides what tables it takes: always at one place. */
static void fix_addresses(char **argv)
{
	int old = personality(0xffffffff);

	if (old < 0 || old & ADDR_NO_RANDOMIZE)
		return;
	personality(old | ADDR_NO_RANDOMIZE);
	execv("/proc/self/exe", argv);
	err(2, "exec");
}

int main(int argc, char **argv)
{
	bool list = false, good = true;
	int opt;

	fix_addresses(argv);
	while ((opt = getopt(argc, argv, "ld:t:p:m:")) != -1) {
		if (opt == 'l')
			list = true;
		else if (opt == 'd' && atoi(optarg) > 0)
			divisor = atoi(optarg);
		else if (opt == 't' && atoi(optarg) > 0)
			limit = atoi(optarg);
		else if (opt == 'p')
			profiled_row = atoi(optarg);
		else if (opt == 'm' && !strcmp(optarg, "start"))
			return mark_start(), 0;
		else if (opt == 'm' && !strcmp(optarg, "stop"))
			return mark_stop(), 0;
		else if (opt == 'm' && !strcmp(optarg, "next"))
			return mark_next(), 0;
		else
			errx(2, "usage: %s [-l] [-d DIVISOR] [-t SECONDS] "
			     "[-p ROW] [-m MARK] [PATTERN...]", argv[0]);
	}
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		err(2, "mmap");
	for (struct bench *b = first; b; b = b->next) {
		if (!wanted(b, argv + optind))
			continue;
		if (list)
			puts(b->name);
		else
			good &= run_one(b);
	}
	return !good;
}
