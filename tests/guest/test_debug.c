// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger on the host, by KVM_SET_GUEST_DEBUG: it stops where it should,
 * is told what happened now, and the guest finds no trace of it in its debug
 * registers. What the guest does with its own is in test_exception.c.
 */
#include "harness.h"

#define DR6_NONE 0xffff0ff0
#define DR6_BS	 0x4000

static void debug_off(struct vcpu *v)
{
	struct kvm_guest_debug d = { .control = 0 };

	OK(IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &d));
}

static void debug_steps(struct vcpu *v)
{
	struct kvm_guest_debug d = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};

	OK(IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &d));
}

static void debug_stops_at(struct vcpu *v, uint64_t rip)
{
	struct kvm_guest_debug d = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg[0] = rip,
		.arch.debugreg[7] = 0x402,
	};

	OK(IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &d));
}

static void set_dr6(struct vcpu *v, uint64_t dr6)
{
	struct kvm_debugregs d = { .dr6 = dr6, .dr7 = 0x400 };

	OK(IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
}

static uint64_t get_dr6(struct vcpu *v)
{
	struct kvm_debugregs d;

	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	return d.dr6;
}

PAYLOAD(64, reads_dr6,
	nop;
	nop;
	nop;
	nop;
	mov %dr6, %rbx;
	hlt;
)

/*
 * Stopped by the debugger: what the exit says, of the bits in @mask, and what
 * the guest has.
 */
static void check_stop(struct vcpu *v, uint64_t told, uint64_t mask,
		       uint64_t own)
{
	expect_exit(v, KVM_EXIT_DEBUG);
	EQ(v->run->debug.arch.exception, 1);
	EQ(v->run->debug.arch.dr6 & mask, told);
	EQ(get_dr6(v), own);
}

static void check_guest_reads(struct vcpu *v, uint64_t own)
{
	debug_off(v);
	expect_halt(v);
	EQ(get_regs(v).rbx, own);
	EQ(get_dr6(v), own);
}

/* Whether or not the guest's DR6 tells of something of its own */
static void check_dr6_is_kept(uint64_t own)
{
	struct vcpu *v = boot(0, &reads_dr6);

	set_dr6(v, own);
	/* An address that is met may be told of though not enabled. */
	debug_steps(v);
	check_stop(v, DR6_BS, DR6_BS, own);
	check_stop(v, DR6_BS, DR6_BS, own);
	debug_stops_at(v, GPA_CODE + 3);
	check_stop(v, 1, DR6_BS | 0xf, own);
	check_guest_reads(v, own);
}

TEST(debug_host_keeps_dr6)
{
	skip_on_bochs_svm("tells no DR6 with an intercepted #DB");
	check_dr6_is_kept(DR6_NONE);
	check_dr6_is_kept(DR6_NONE | DR6_BS | 2);
}
