// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's whole state, read and written as for a migration, each time after
 * the guest has run, so that what is kept in hardware has to be fetched.
 */
#include "bench.h"

#include <string.h>

#define ROUNDS 200

static const uint32_t msr_numbers[] = {
	0x10, 0x1b, 0x174, 0x175, 0x176, 0x17a, 0x1a0, 0x277,
	0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
	0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
	0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c,
	0x26d, 0x26e, 0x26f, 0x2ff, 0x6e0,
	0x4b564d00, 0x4b564d01,
	0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
	0xc0000102,
};
#define MSRS (sizeof(msr_numbers) / sizeof(msr_numbers[0]))

static struct state {
	struct kvm_regs regs;
	struct kvm_sregs2 sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_lapic_state lapic;
	struct kvm_vcpu_events events;
	struct kvm_debugregs debug;
	struct kvm_mp_state mp;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[MSRS];
	} msrs;
} state;

static const struct part {
	unsigned long get, set;
	void *data;
} parts[] = {
	{ KVM_GET_REGS, KVM_SET_REGS, &state.regs },
	{ KVM_GET_SREGS2, KVM_SET_SREGS2, &state.sregs },
	{ KVM_GET_XSAVE, KVM_SET_XSAVE, &state.xsave },
	{ KVM_GET_XCRS, KVM_SET_XCRS, &state.xcrs },
	{ KVM_GET_LAPIC, KVM_SET_LAPIC, &state.lapic },
	{ KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, &state.events },
	{ KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, &state.debug },
	{ KVM_GET_MP_STATE, KVM_SET_MP_STATE, &state.mp },
	{ KVM_GET_MSRS, KVM_SET_MSRS, &state.msrs },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static void get_all(struct vcpu *v)
{
	for (unsigned int i = 0; i < PARTS; i++)
		OK(IOCTL(v->fd, parts[i].get, parts[i].data));
}

static void set_all(struct vcpu *v)
{
	for (unsigned int i = 0; i < PARTS; i++)
		OK(IOCTL(v->fd, parts[i].set, parts[i].data));
}

/* OUT to a port of user space for ever. */
PAYLOAD(64, out_for_ever,
1:
	out %al, $0x80;
	jmp 1b;
)

static struct vcpu *guest(void)
{
	struct vcpu *v = boot(VM_PIT, &out_for_ever);

	state.msrs.head.nmsrs = MSRS;
	for (unsigned int i = 0; i < MSRS; i++)
		state.msrs.entry[i].index = msr_numbers[i];
	EQ(OK(IOCTL(v->fd, KVM_GET_MSRS, &state.msrs)), MSRS);
	return v;
}

BENCH(state_all, "state", "read all of it", "write all of it",
      "KVM_RUN of one PIO after writing all")
{
	struct samples get = { 0 }, set = { 0 }, run = { 0 };
	struct vcpu *v = guest();

	vcpu_run(v);
	for (unsigned int i = 0; i < rounds(ROUNDS); i++) {
		TIMED(&get, get_all(v));
		TIMED(&set, set_all(v));
		TIMED(&run, vcpu_run(v));
	}
	put(0, samples_median(&get));
	put(1, samples_median(&set));
	put(2, samples_median(&run));
}

BENCH(state_parts, "state", "KVM_GET_REGS", "KVM_GET_SREGS2", "KVM_GET_XSAVE",
      "KVM_GET_XCRS", "KVM_GET_LAPIC", "KVM_GET_VCPU_EVENTS",
      "KVM_GET_DEBUGREGS", "KVM_GET_MP_STATE", "KVM_GET_MSRS, 45 of them",
      "KVM_SET_REGS", "KVM_SET_SREGS2", "KVM_SET_XSAVE", "KVM_SET_XCRS",
      "KVM_SET_LAPIC", "KVM_SET_VCPU_EVENTS", "KVM_SET_DEBUGREGS",
      "KVM_SET_MP_STATE", "KVM_SET_MSRS, 45 of them")
{
	static struct samples get[PARTS], set[PARTS];
	struct vcpu *v = guest();

	_Static_assert(MSRS == 45, "titles");
	for (unsigned int i = 0; i < rounds(ROUNDS); i++) {
		for (unsigned int p = 0; p < PARTS; p++) {
			vcpu_run(v);
			TIMED(&get[p], OK(IOCTL(v->fd, parts[p].get,
						parts[p].data)));
		}
		for (unsigned int p = 0; p < PARTS; p++) {
			OK(IOCTL(v->fd, parts[p].get, parts[p].data));
			TIMED(&set[p], OK(IOCTL(v->fd, parts[p].set,
						parts[p].data)));
			vcpu_run(v);
		}
	}
	for (unsigned int p = 0; p < PARTS; p++) {
		put(p, samples_median(&get[p]));
		put(PARTS + p, samples_median(&set[p]));
	}
}
