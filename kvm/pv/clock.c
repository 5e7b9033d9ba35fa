// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmclock: the VM's clock as a page in guest memory. KVM documentation,
 * virt/kvm/x86/msr.rst; <asm/pvclock-abi.h>.
 *
 * A vCPU that registered a page finds in it a pair (TSC, ns) and the factor
 * between them, and computes the time itself. The version is odd while the
 * page is being written. With a master clock all pages say the same and the
 * guest is told so (PVCLOCK_TSC_STABLE_BIT): any vCPU may use any page.
 *
 * Guest memory that cannot be written is the guest's loss: nothing happens.
 * Locks: none; the vCPU's thread only.
 */
#include <linux/jiffies.h>
#include <asm/pvclock-abi.h>

#include "core/clock.h"
#include "core/request.h"
#include "core/vcpu.h"
#include "core/vm.h"
#include "mem/guest.h"
#include "pv/pv.h"
#include "x86/tsc.h"

#define SYSTEM_TIME_ENABLE BIT_ULL(0)

/* Without a master clock, how far the vCPUs' clocks may drift apart. */
#define STALE_JIFFIES (HZ / 10)

static_assert(sizeof(struct pvclock_vcpu_time_info) == 32);
static_assert(sizeof(struct pvclock_wall_clock) == 12);

bool pv_clock_stale(const struct vcpu *vcpu, int cpu)
{
	const struct pv_clock_state *s = &vcpu->pv_clock;

	return (s->msr & SYSTEM_TIME_ENABLE) &&
	       (s->cpu != cpu ||
		time_after(jiffies, s->written + STALE_JIFFIES));
}

/*
 * The version protocol, for the two structs that begin with a version. @first
 * is what the guest's memory has now: the count goes on from there.
 */
static bool write_versioned(struct vcpu *vcpu, u64 gpa, void *data, u32 len)
{
	struct mem *mem = &vcpu->vm->mem;
	u32 *version = data;

	*version = (*version + 1) | 1;
	if (guest_write(mem, GPA(gpa), data, sizeof(*version)) != MEM_OK)
		return false;
	smp_wmb();
	if (guest_write(mem, GPA(gpa + sizeof(*version)), version + 1,
			len - sizeof(*version)) != MEM_OK)
		return false;
	smp_wmb();
	++*version;
	return guest_write(mem, GPA(gpa), data, sizeof(*version)) == MEM_OK;
}

static void fill_page(struct vcpu *vcpu, struct pvclock_vcpu_time_info *page)
{
	struct clock_sample pair;
	struct tsc_to_ns conv;

	clock_pair(vcpu->vm, &pair);
	tsc_to_ns_init(&conv, clock_effective_khz(vcpu));
	page->tsc_timestamp = clock_host_to_guest(vcpu, pair.host_tsc);
	page->system_time = pair.ns;
	page->tsc_to_system_mul = conv.mul;
	page->tsc_shift = conv.shift;
	/* The guest takes this one back itself. */
	page->flags &= PVCLOCK_GUEST_STOPPED;
	if (pair.master)
		page->flags |= PVCLOCK_TSC_STABLE_BIT;
	if (vcpu->pv_clock.paused)
		page->flags |= PVCLOCK_GUEST_STOPPED;
}

void pv_clock_update(struct vcpu *vcpu)
{
	struct pv_clock_state *s = &vcpu->pv_clock;
	u64 gpa = s->msr & ~SYSTEM_TIME_ENABLE;
	struct pvclock_vcpu_time_info page;

	if (!(s->msr & SYSTEM_TIME_ENABLE))
		return;
	epoch_enter(&vcpu->reader);
	if (guest_read(&vcpu->vm->mem, GPA(gpa), &page, sizeof(page)) ==
	    MEM_OK) {
		fill_page(vcpu, &page);
		if (write_versioned(vcpu, gpa, &page, sizeof(page)))
			s->paused = false;
	}
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	s->cpu = READ_ONCE(vcpu->cpu);
	s->written = jiffies;
}

/* The time of day when the VM's clock was 0. */
static void write_wall_clock(struct vcpu *vcpu, u64 gpa)
{
	struct pvclock_wall_clock wall;
	struct clock_sample now;
	u64 ns;

	clock_sample(vcpu->vm, &now);
	ns = now.realtime > now.ns ? now.realtime - now.ns : 0;

	epoch_enter(&vcpu->reader);
	if (guest_read(&vcpu->vm->mem, GPA(gpa), &wall, sizeof(wall)) ==
	    MEM_OK) {
		wall.sec = ns / NSEC_PER_SEC;
		wall.nsec = ns % NSEC_PER_SEC;
		write_versioned(vcpu, gpa, &wall, sizeof(wall));
	}
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
}

enum msr_rc pv_clock_get_msr(struct vcpu *vcpu, u32 index, u64 *val)
{
	switch (index) {
	case M_KVM_WALL_CLOCK:
	case M_KVM_WALL_CLOCK_OLD:
		*val = READ_ONCE(vcpu->vm->clock.wall_msr);
		return MSR_OK;
	case M_KVM_SYSTEM_TIME:
	case M_KVM_SYSTEM_TIME_OLD:
		*val = vcpu->pv_clock.msr;
		return MSR_OK;
	}
	return MSR_UNKNOWN;
}

enum msr_rc pv_clock_set_msr(struct vcpu *vcpu, u32 index, u64 val)
{
	switch (index) {
	case M_KVM_WALL_CLOCK:
	case M_KVM_WALL_CLOCK_OLD:
		WRITE_ONCE(vcpu->vm->clock.wall_msr, val);
		/* 0 is what a VMM restores that never saw one. */
		if (val)
			write_wall_clock(vcpu, val);
		return MSR_OK;
	case M_KVM_SYSTEM_TIME:
	case M_KVM_SYSTEM_TIME_OLD:
		vcpu->pv_clock.msr = val;
		vcpu_request(vcpu, REQ_CLOCK_UPDATE);
		return MSR_OK;
	}
	return MSR_UNKNOWN;
}

bool pv_clock_paused(struct vcpu *vcpu)
{
	if (!(vcpu->pv_clock.msr & SYSTEM_TIME_ENABLE))
		return false;
	vcpu->pv_clock.paused = true;
	vcpu_request(vcpu, REQ_CLOCK_UPDATE);
	return true;
}
