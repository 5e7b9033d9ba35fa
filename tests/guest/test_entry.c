// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM entries that the processor refuses: the VMM hears of it, and so does who
 * has asked for it by a trace event.
 */
#include "harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
#define EVENT TRACING "events/kvm/kvm_entry_"

PAYLOAD(64, nothing,
	hlt;
)

#define TSS_BUSY 11
#define TSS_16_BIT 1

/* In long mode a task is a busy 64-bit one: SDM vol. 3, 27.3.1.2 */
static void set_task(struct vcpu *v, unsigned int type)
{
	struct kvm_sregs s = get_sregs(v);

	s.tr.type = type;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	CHECK(fd >= 0);
	CHECK(write(fd, value, strlen(value)) == (long)strlen(value));
	close(fd);
}

/* What the trace says now; it is short. */
static const char *trace(void)
{
	static char text[65536];
	int fd = open(TRACING "trace", O_RDONLY);
	size_t at = 0;
	long n;

	CHECK(fd >= 0);
	while ((n = read(fd, text + at, sizeof(text) - 1 - at)) > 0)
		at += n;
	close(fd);
	text[at] = 0;
	return text;
}

TEST(entry_failure_is_told)
{
	struct vcpu *v = boot(0, &nothing);

	set_task(v, TSS_16_BIT);
	if (vcpu_run(v) == KVM_EXIT_HLT)
		skip("this CPU enters such a guest");
	EQ(v->run->exit_reason, KVM_EXIT_FAIL_ENTRY);
	CHECK(v->run->fail_entry.hardware_entry_failure_reason);
	EQ(get_regs(v).rip, GPA_CODE);
	/* It was nothing for good. */
	set_task(v, TSS_BUSY);
	expect_halt(v);
}

/* What the entry was to inject is not lost with it. */
TEST(entry_failure_keeps_the_event)
{
	struct vcpu *v = boot(0, &nothing);

	set_task(v, TSS_16_BIT);
	OK(IOCTL(v->fd, KVM_NMI, 0));
	if (vcpu_run(v) != KVM_EXIT_FAIL_ENTRY)
		skip("this CPU enters such a guest");
	set_task(v, TSS_BUSY);
	expect_trap(v, 2);
	EQ(stack_word(v, 0), GPA_CODE);
}

TEST(entry_failure_is_traced)
{
	struct vcpu *v = boot(0, &nothing);
	const char *said;

	skip_on_reference("the events are ours");
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	if (access(EVENT "failed", F_OK))
		skip("the kernel has no trace events");
	set_task(v, TSS_16_BIT);
	put(TRACING "trace", "");
	put(EVENT "failed/enable", "1");
	put(EVENT "dump/enable", "1");
	if (vcpu_run(v) == KVM_EXIT_HLT)
		skip("this CPU enters such a guest");
	put(EVENT "failed/enable", "0");
	put(EVENT "dump/enable", "0");
	said = trace();
	CHECK(strstr(said, "kvm_entry_failed: vcpu 0 reason 0x"));
	CHECK(strstr(said, " rip 10000 "));
	CHECK(strstr(said, "kvm_entry_dump: vcpu 0 "));
	CHECK(strstr(said, "kvm_entry_dump: vcpu 0 cs "));
	/* Nobody asks any more. */
	put(TRACING "trace", "");
	EQ(vcpu_run(v), KVM_EXIT_FAIL_ENTRY);
	CHECK(!strstr(trace(), "kvm_entry_"));
}
