// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest TSCs and the VM's clock: see clock.h.
 *
 * The master clock's pair is renewed only when the mode changes or the VMM
 * sets the clock: between two pairs the guest's own arithmetic and ours may
 * differ by rounding, and a guest must never see time go back. A change of
 * mode computes the new base from the old one, so that the value goes on.
 *
 * Not handled: host TSCs that differ between CPUs or restart in a suspend.
 */
#include <linux/clocksource_ids.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>

#include "core/backend.h"
#include "core/clock.h"
#include "core/request.h"
#include "core/vcpu.h"
#include "core/vm.h"
#include "pv/pv.h"
#include "x86/tsc.h"

/* KVM documentation, KVM_SET_TSC_KHZ: what needs no scaling */
#define TSC_TOLERANCE_PPM 250
/* KVM_GET_TSC_KHZ returns it as an int; the in-tree modules' limit as well. */
#define TSC_KHZ_END 0x7fffffffU

#define CLOCK_FLAGS (KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | \
		     KVM_CLOCK_HOST_TSC)

static_assert(sizeof(struct kvm_clock_data) == 48);

/* ---- the host's clocks at one instant --------------------------------- */

struct host_now {
	u64 tsc;
	u64 raw;		/* CLOCK_MONOTONIC_RAW, ns */
	u64 realtime;
	bool tsc_clock;		/* these are functions of tsc */
};

static void host_now(struct host_now *h)
{
	struct system_time_snapshot snap;
	unsigned long flags;

	local_irq_save(flags);
	ktime_get_snapshot(&snap);
	h->tsc = rdtsc_ordered();
	local_irq_restore(flags);

	h->raw = ktime_to_ns(snap.raw);
	h->realtime = ktime_to_ns(snap.real);
	h->tsc_clock = snap.cs_id == CSID_X86_TSC && !check_tsc_unstable();
	if (h->tsc_clock)
		h->tsc = snap.cycles;
}

/* ---- the VM's clock --------------------------------------------------- */

static u64 clock_at(const struct vm_clock *c, const struct host_now *h)
{
	u64 delta = h->tsc - c->base_tsc;
	struct tsc_to_ns conv;

	lockdep_assert_held(&c->lock);
	if (!c->master)
		return h->raw + c->raw_offset;
	/* Another CPU's TSC may be some cycles behind the one of the base. */
	if ((s64)delta < 0)
		return c->base_ns;
	tsc_to_ns_init(&conv, tsc_khz);
	return c->base_ns + tsc_to_ns(&conv, delta);
}

static void clock_rebase(struct vm_clock *c, bool master,
			 const struct host_now *h, u64 ns)
{
	lockdep_assert_held(&c->lock);
	c->base_tsc = h->tsc;
	c->base_ns = ns;
	c->raw_offset = ns - h->raw;
	WRITE_ONCE(c->master, master);
}

void clock_vm_init(struct vm *vm)
{
	struct vm_clock *c = &vm->clock;
	struct host_now h;

	raw_spin_lock_init(&c->lock);
	c->tsc_khz = tsc_khz;
	host_now(&h);
	scoped_guard(raw_spinlock_irqsave, &c->lock)
		clock_rebase(c, h.tsc_clock, &h, 0);
}

void clock_sample(struct vm *vm, struct clock_sample *out)
{
	struct vm_clock *c = &vm->clock;
	struct host_now h;

	scoped_guard(raw_spinlock_irqsave, &c->lock) {
		host_now(&h);
		*out = (struct clock_sample){
			.host_tsc = h.tsc,
			.ns = clock_at(c, &h),
			.realtime = h.realtime,
			.master = c->master,
			.tsc_exact = h.tsc_clock,
		};
	}
}

void clock_pair(struct vm *vm, struct clock_sample *out)
{
	struct vm_clock *c = &vm->clock;
	struct host_now h;

	scoped_guard(raw_spinlock_irqsave, &c->lock) {
		*out = (struct clock_sample){
			.master = c->master,
			.host_tsc = c->base_tsc,
			.ns = c->base_ns,
		};
		if (!c->master) {
			host_now(&h);
			out->host_tsc = h.tsc;
			out->ns = clock_at(c, &h);
		}
	}
}

/* How often vCPUs' TSCs have changed */
static u64 tscs_changes(struct vm_clock *c)
{
	u64 changes;

	scoped_guard(raw_spinlock_irqsave, &c->lock)
		changes = c->changes;
	return changes;
}

/*
 * Do all vCPUs have the same TSC? There may be thousands, so this is asked
 * without the lock: tscs_changes() of before tells how old the answer is.
 */
static bool tscs_match(struct vm *vm)
{
	struct vcpu *vcpu, *first = NULL;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm) {
		if (!first)
			first = vcpu;
		if (READ_ONCE(vcpu->tsc.offset) !=
		    READ_ONCE(first->tsc.offset) ||
		    READ_ONCE(vcpu->tsc.ratio) != READ_ONCE(first->tsc.ratio))
			return false;
	}
	return true;
}

/*
 * The answer of tscs_match(), unless a TSC has changed since: then it is for
 * whoever changed it, who looks again or has done so already. Lock held.
 */
static bool tscs_agree(const struct vm_clock *c, bool match, u64 changes)
{
	return c->changes == changes ? match : c->master;
}

void clock_update_master(struct vm *vm)
{
	struct vm_clock *c = &vm->clock;
	u64 changes = tscs_changes(c);
	/* bounded: before the lock */
	bool match = tscs_match(vm);
	struct host_now h;

	/* A new base also lies in the past of every guest's TSC. */
	scoped_guard(raw_spinlock_irqsave, &c->lock) {
		match = tscs_agree(c, match, changes);
		host_now(&h);
		clock_rebase(c, match && h.tsc_clock, &h, clock_at(c, &h));
	}
	vm_request_all(vm, REQ_CLOCK_UPDATE);
}

void clock_get(struct vm *vm, struct kvm_clock_data *data)
{
	struct clock_sample s;

	clock_sample(vm, &s);
	*data = (struct kvm_clock_data){
		.clock = s.ns,
		.flags = s.master ? KVM_CLOCK_TSC_STABLE : 0,
	};
	if (!s.tsc_exact)
		return;
	data->flags |= KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;
	data->realtime = s.realtime;
	data->host_tsc = s.host_tsc;
}

bool clock_set(struct vm *vm, const struct kvm_clock_data *data)
{
	struct vm_clock *c = &vm->clock;
	u64 ns = data->clock, changes = tscs_changes(c);
	struct host_now h;
	bool match;

	if (data->flags & ~CLOCK_FLAGS)
		return false;
	/* bounded: before the lock */
	match = tscs_match(vm);
	scoped_guard(raw_spinlock_irqsave, &c->lock) {
		match = tscs_agree(c, match, changes);
		host_now(&h);
		/* Time that passed on the way; never a step back. */
		if ((data->flags & KVM_CLOCK_REALTIME) &&
		    h.realtime > data->realtime)
			ns += h.realtime - data->realtime;
		clock_rebase(c, match && h.tsc_clock, &h, ns);
	}
	vm_request_all(vm, REQ_CLOCK_UPDATE);
	return true;
}

/* ---- frequency -------------------------------------------------------- */

static u64 ratio_one(void)
{
	return 1ULL << backend.tsc_frac_bits;
}

/* The ratio that makes @khz, 0 if there is none. */
static u64 khz_to_ratio(u32 khz)
{
	u64 ratio;

	if (tsc_khz_close(khz, tsc_khz, TSC_TOLERANCE_PPM))
		return ratio_one();
	if (!(backend.caps & BACKEND_TSC_SCALING) || khz >= TSC_KHZ_END)
		return 0;
	ratio = tsc_ratio(khz, tsc_khz, backend.tsc_frac_bits);
	return ratio < U64_MAX && ratio <= backend.tsc_max_ratio ? ratio : 0;
}

u32 clock_effective_khz(const struct vcpu *vcpu)
{
	return vcpu->tsc.ratio == ratio_one() ? tsc_khz : vcpu->tsc.khz;
}

bool clock_vm_set_khz(struct vm *vm, u32 khz)
{
	if (!khz)
		khz = tsc_khz;
	if (!khz_to_ratio(khz))
		return false;
	vm->clock.tsc_khz = khz;
	return true;
}

/* ---- a vCPU's TSC ----------------------------------------------------- */

static u64 tsc_scaled(const struct vcpu *vcpu, u64 host_tsc)
{
	if (vcpu->tsc.ratio == ratio_one())
		return host_tsc;
	return tsc_scale(host_tsc, vcpu->tsc.ratio, backend.tsc_frac_bits);
}

u64 clock_host_to_guest(const struct vcpu *vcpu, u64 host_tsc)
{
	return tsc_scaled(vcpu, host_tsc) + vcpu->tsc.offset;
}

u64 clock_guest_tsc(struct vcpu *vcpu)
{
	return clock_host_to_guest(vcpu, rdtsc_ordered());
}

/* Offset or ratio is new: tell whoever computed from the old one. */
static void tsc_changed(struct vcpu *vcpu)
{
	scoped_guard(raw_spinlock_irqsave, &vcpu->vm->clock.lock)
		vcpu->vm->clock.changes++;
	backend.tsc_update(vcpu);
	vcpu_request(vcpu, REQ_CLOCK_UPDATE);
	vcpu_request(vcpu, REQ_MASTERCLOCK);
	if (vcpu->lapic) {
		vcpu->lapic->tsc_khz = clock_effective_khz(vcpu);
		lapic_timer_restart(vcpu->lapic);
	}
}

static void set_offset(struct vcpu *vcpu, u64 offset)
{
	if (vcpu->tsc.offset == offset)
		return;
	WRITE_ONCE(vcpu->tsc.offset, offset);
	tsc_changed(vcpu);
}

/*
 * Is @value meant to be the instant of the last write, for another vCPU?
 * @expected is what that one's TSC shows now. A first write of the VMM is not
 * compared with what creation wrote: it may want a young VM to look so.
 */
static bool in_step(const struct vm_clock *c, u32 khz, u64 value, u64 expected)
{
	u64 second = (u64)khz * 1000;

	if (!c->last_khz || c->last_khz != khz)
		return false;
	if (!value)
		return true;
	return c->user_wrote && value - expected + second < 2 * second;
}

static void write_in_step(struct vcpu *vcpu, u64 value)
{
	struct vm_clock *c = &vcpu->vm->clock;
	u64 scaled, expected, offset;
	u32 khz = vcpu->tsc.khz;
	struct host_now h;

	scoped_guard(raw_spinlock_irqsave, &c->lock) {
		host_now(&h);
		scaled = tsc_scaled(vcpu, h.tsc);
		expected = c->last_value +
			   tsc_from_ns(khz, h.raw - c->last_ns);
		if (!in_step(c, khz, value, expected))
			offset = value - scaled;
		else if (check_tsc_unstable())
			offset = expected - scaled;
		else
			offset = c->last_offset;
		c->last_value = scaled + offset;
		c->last_ns = h.raw;
		c->last_offset = offset;
		c->last_khz = khz;
		c->user_wrote |= value != 0;
	}
	set_offset(vcpu, offset);
}

void clock_vcpu_init(struct vcpu *vcpu)
{
	vcpu->tsc.khz = vcpu->vm->clock.tsc_khz;
	vcpu->tsc.ratio = khz_to_ratio(vcpu->tsc.khz);
	write_in_step(vcpu, 0);
	tsc_changed(vcpu);
}

void clock_loaded(struct vcpu *vcpu, int cpu)
{
	if (READ_ONCE(vcpu->vm->clock.master)) {
		if (unlikely(check_tsc_unstable()))
			vcpu_request(vcpu, REQ_MASTERCLOCK);
	} else if (pv_clock_stale(vcpu, cpu)) {
		vcpu_request(vcpu, REQ_CLOCK_UPDATE);
	}
}

void clock_set_tsc(struct vcpu *vcpu, u64 value, bool host)
{
	u64 offset;

	if (host) {
		write_in_step(vcpu, value);
		return;
	}
	offset = value - tsc_scaled(vcpu, rdtsc_ordered());
	vcpu->tsc.adjust += offset - vcpu->tsc.offset;
	set_offset(vcpu, offset);
}

void clock_set_tsc_adjust(struct vcpu *vcpu, u64 value, bool host)
{
	u64 moved = value - vcpu->tsc.adjust;

	vcpu->tsc.adjust = value;
	if (!host)
		set_offset(vcpu, vcpu->tsc.offset + moved);
}

void clock_set_offset(struct vcpu *vcpu, u64 offset)
{
	struct vm_clock *c = &vcpu->vm->clock;
	struct host_now h;

	scoped_guard(raw_spinlock_irqsave, &c->lock) {
		host_now(&h);
		c->last_value = tsc_scaled(vcpu, h.tsc) + offset;
		c->last_ns = h.raw;
		c->last_offset = offset;
		c->last_khz = vcpu->tsc.khz;
		c->user_wrote = true;
	}
	set_offset(vcpu, offset);
}

bool clock_set_khz(struct vcpu *vcpu, u32 khz)
{
	u64 ratio;

	if (!khz)
		khz = tsc_khz;
	ratio = khz_to_ratio(khz);
	if (!ratio)
		return false;
	vcpu->tsc.khz = khz;
	WRITE_ONCE(vcpu->tsc.ratio, ratio);
	tsc_changed(vcpu);
	return true;
}
