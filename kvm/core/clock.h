/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time as guests see it: the TSC of each vCPU, and the VM's clock (kvmclock).
 *
 * A vCPU's TSC is host TSC * ratio + offset. What the VMM writes to the TSCs
 * of a VM's vCPUs in one go (at creation, after a migration) is meant to be
 * the same instant, so that such writes give them the same offset.
 *
 * The VM's clock counts nanoseconds since the VM was made, or since what
 * KVM_SET_CLOCK said. While the host's clock is its TSC and all vCPUs have
 * the same TSC, the clock is a function of the TSC alone: one pair (TSC, ns),
 * valid for all vCPUs ("master clock"), which is not changed without need.
 * Otherwise it is CLOCK_MONOTONIC_RAW plus an offset, and each vCPU gets a pair
 * of its own, now and then.
 *
 * Lock: vm_clock.lock, a leaf; interrupts on or off. Callers: the vCPU's
 * thread where there is a vcpu, ioctls of the VM elsewhere.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <linux/spinlock.h>

#include "base/host.h"

struct vcpu;
struct vm;

struct vm_clock {
	raw_spinlock_t lock;

	u32 tsc_khz;		/* [4] of vCPUs to come: KVM_SET_TSC_KHZ */
	/* The last TSC write that may have been one of several. */
	bool user_wrote;	/* [lock] by the VMM, not by creation */
	u64 last_value;		/* [lock] what was written */
	u64 last_ns;		/* [lock] when, CLOCK_MONOTONIC_RAW */
	u64 last_offset;	/* [lock] the offset it made */
	u32 last_khz;		/* [lock] of that vCPU */

	u64 changes;		/* [lock] of vCPUs' TSCs: each counts, then looks */
	bool master;		/* [lock] the clock is a function of the TSC: */
	u64 base_tsc;		/* [lock] at this host TSC */
	u64 base_ns;		/* [lock] it was this */
	s64 raw_offset;		/* [lock] else: CLOCK_MONOTONIC_RAW plus this */

	u64 wall_msr;		/* [a] last write of MSR KVM_WALL_CLOCK */
};

/* The VM's clock at one instant. */
struct clock_sample {
	u64 host_tsc;
	u64 ns;
	u64 realtime;		/* CLOCK_REALTIME in ns; not of clock_pair() */
	bool master;		/* the same for all vCPUs */
	bool tsc_exact;		/* host_tsc was read at this very instant */
};

/* ---- a VM's ---- */

/** clock_vm_init() - a clock that starts at 0; VM creation */
void clock_vm_init(struct vm *vm);

/** clock_sample() - the VM's clock now; any thread */
void clock_sample(struct vm *vm, struct clock_sample *out);

/** clock_pair() - what a vCPU's pvclock page says: the VM's (TSC, ns) pair if
 * there is one, else as of now
 */
void clock_pair(struct vm *vm, struct clock_sample *out);

/**
 * clock_update_master() - decide again whether the clock can be a function of
 * the TSC; its value does not jump
 *
 * REQ_MASTERCLOCK's handler. Requests REQ_CLOCK_UPDATE of all vCPUs on a
 * change. Interrupts on.
 */
void clock_update_master(struct vm *vm);

/** clock_get() - KVM_GET_CLOCK; fills all of @data */
void clock_get(struct vm *vm, struct kvm_clock_data *data);

/** clock_set() - KVM_SET_CLOCK; false (-EINVAL): unknown flags */
bool clock_set(struct vm *vm, const struct kvm_clock_data *data);

/** clock_vm_set_khz() - KVM_SET_TSC_KHZ on a VM: of vCPUs to come. vm->lock
 * held. False (-EINVAL) as for clock_set_khz().
 */
bool clock_vm_set_khz(struct vm *vm, u32 khz);

/* ---- a vCPU's TSC; its thread, loaded ---- */

/** clock_vcpu_init() - TSC of a new vCPU, in step with the others' */
void clock_vcpu_init(struct vcpu *vcpu);

/** clock_loaded() - the vCPU is now bound to @cpu; preemption off */
void clock_loaded(struct vcpu *vcpu, int cpu);

/** clock_guest_tsc() - the guest's TSC now */
u64 clock_guest_tsc(struct vcpu *vcpu);

/** clock_host_to_guest() - the guest's TSC when the host's is @host_tsc */
u64 clock_host_to_guest(const struct vcpu *vcpu, u64 host_tsc);

/**
 * clock_set_tsc() - write IA32_TSC
 * @host: by the VMM: 0, or what is within a second of what the last write
 *   would have become, puts the vCPU in step; IA32_TSC_ADJUST is left alone.
 *   By the guest: moves this TSC and IA32_TSC_ADJUST alike (SDM vol. 3,
 *   18.17.3).
 */
void clock_set_tsc(struct vcpu *vcpu, u64 value, bool host);

/** clock_set_tsc_adjust() - write IA32_TSC_ADJUST; only the guest's write
 * moves the TSC
 */
void clock_set_tsc_adjust(struct vcpu *vcpu, u64 value, bool host);

/** clock_set_offset() - KVM_VCPU_TSC_OFFSET: guest TSC minus (scaled) host TSC */
void clock_set_offset(struct vcpu *vcpu, u64 offset);

/**
 * clock_set_khz() - KVM_SET_TSC_KHZ on a vCPU; 0 is the host's frequency
 *
 * False (-EINVAL): more than 250 ppm off, and the hardware does not scale, or
 * not that far.
 */
bool clock_set_khz(struct vcpu *vcpu, u32 khz);

/** clock_effective_khz() - what the guest's TSC really runs at; vcpu->tsc.khz
 * is what the VMM said, which may be up to 250 ppm off
 */
u32 clock_effective_khz(const struct vcpu *vcpu);

#endif
