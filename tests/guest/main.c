// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the guest tests, each in a process of its own, and prints one line a
 * test:
 *
 *	ok NAME
 *	not ok NAME: why
 *	skip NAME: why
 *
 * and at the end "N passed, N failed, N skipped". Exits non-zero if any
 * failed. Arguments are shell patterns of names; none means all.
 *
 * A test ends by returning, or through fail() or skip(), which leave their
 * reason in memory shared with this process. Its time limit is an alarm in
 * the test's own process; one that survives even SIGKILL is reported and
 * left behind, so a stuck KVM_RUN cannot hang the run.
 *
 * usage: guest-tests [-lv] [-t SECONDS] [-x PATTERN=WHY]... [PATTERN...]
 *	-l	list the names
 *	-v	say "run NAME" and the time before each test, too
 *	-t	the usual time limit of a test (60)
 *	-x	run none of these: "skip NAME: WHY"
 */
#include "harness.h"

#include <err.h>
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_SKIPPED = 77 };

struct excluded {
	char *pattern;
	const char *why;
};

static struct test *first, **last = &first;
static struct excluded excluded[32];
static unsigned int n_excluded;
static char *why;		/* shared with the test's process */
static const size_t why_size = 4096;
static __thread const char *at_file = "";
static __thread int at_line;

void test_register(struct test *t)
{
	*last = t;
	last = &t->next;
}

void here(const char *file, int line)
{
	const char *base = strrchr(file, '/');

	at_file = base ? base + 1 : file;
	at_line = line;
}

static void leave(int status, const char *fmt, va_list ap)
{
	int n = 0;

	if (status == EXIT_FAILED)
		n = snprintf(why, why_size, "%s:%d: ", at_file, at_line);
	vsnprintf(why + n, why_size - n, fmt, ap);
	_exit(status);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	leave(EXIT_FAILED, fmt, ap);
	__builtin_unreachable();
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	leave(EXIT_SKIPPED, fmt, ap);
	__builtin_unreachable();
}

static pid_t start(const struct test *t, unsigned int seconds)
{
	pid_t pid;

	why[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		setpgid(0, 0);
		alarm(seconds);
		t->fn();
		_exit(0);
	}
	return pid;
}

/* The wait status, or -1 when the process cannot be ended. */
static int finish(pid_t pid, unsigned int seconds)
{
	const struct timespec grace = { .tv_sec = seconds + 10 };
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (sigtimedwait(&chld, NULL, &grace) >= 0 || errno == EINTR)
			continue;
		kill(pid, SIGKILL);
		if (sigtimedwait(&chld, NULL, &grace) < 0)
			return -1;
	}
	kill(-pid, SIGKILL);	/* what the test itself started */
	return status;
}

enum outcome { PASSED, FAILED, SKIPPED, OUTCOMES };

static enum outcome run_one(const struct test *t, unsigned int usual)
{
	unsigned int seconds = t->seconds > usual ? t->seconds : usual;
	int status = finish(start(t, seconds), seconds);

	if (status == -1)
		printf("not ok %s: cannot be killed\n", t->name);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("not ok %s: not done in %u s\n", t->name, seconds);
	else if (WIFSIGNALED(status))
		printf("not ok %s: killed by signal %d\n", t->name,
		       WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_SKIPPED)
		return printf("skip %s: %s\n", t->name, why), SKIPPED;
	else if (WEXITSTATUS(status) != 0)
		printf("not ok %s: %s\n", t->name, why);
	else
		return printf("ok %s\n", t->name), PASSED;
	return FAILED;
}

static void announce(const struct test *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("run %s, at %ld.%ld s\n", t->name, (long)now.tv_sec,
	       now.tv_nsec / 100000000);
}

static bool wanted(const struct test *t, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (fnmatch(*patterns, t->name, 0) == 0)
			return true;
	return false;
}

static void exclude(char *arg)
{
	char *why = strchr(arg, '=');

	if (!why || n_excluded == sizeof(excluded) / sizeof(excluded[0]))
		errx(2, "-x %s: no reason, or too many", arg);
	*why++ = '\0';
	excluded[n_excluded++] = (struct excluded){ arg, why };
}

/* NULL for a test that is to be run. */
static const char *why_not(const struct test *t)
{
	for (unsigned int i = 0; i < n_excluded; i++)
		if (fnmatch(excluded[i].pattern, t->name, 0) == 0)
			return excluded[i].why;
	return NULL;
}

static enum outcome consider(const struct test *t, bool verbose,
			     unsigned int usual)
{
	const char *reason = why_not(t);

	if (reason)
		return printf("skip %s: %s\n", t->name, reason), SKIPPED;
	if (verbose)
		announce(t);
	return run_one(t, usual);
}

int main(int argc, char **argv)
{
	unsigned int count[OUTCOMES] = { 0 }, usual = 60;
	bool list = false, verbose = false;
	sigset_t chld;
	int opt;

	while ((opt = getopt(argc, argv, "lvt:x:")) != -1) {
		if (opt == 'l')
			list = true;
		else if (opt == 't')
			usual = atoi(optarg);
		else if (opt == 'v')
			verbose = true;
		else if (opt == 'x')
			exclude(optarg);
		else
			errx(2, "usage: %s [-lv] [-t SECONDS] [-x PATTERN=WHY] [PATTERN...]",
			     argv[0]);
	}
	/* What is said is there to see if the host itself stops. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	why = mmap(NULL, why_size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (why == MAP_FAILED)
		err(2, "mmap");
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);

	for (struct test *t = first; t; t = t->next) {
		if (!wanted(t, argv + optind))
			continue;
		if (list) {
			puts(t->name);
			continue;
		}
		count[consider(t, verbose, usual)]++;
	}
	if (!list)
		printf("%u passed, %u failed, %u skipped\n", count[PASSED],
		       count[FAILED], count[SKIPPED]);
	return count[FAILED] != 0;
}
