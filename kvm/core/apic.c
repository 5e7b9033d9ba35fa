// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host side of the local APICs: see apic.h.
 *
 * The hrtimer's callback only leaves a hint and kicks (lapic_timer_fired());
 * the vCPU's thread does the rest, by the clock. So the timer may fire on any
 * CPU and needs no lock.
 *
 * A TSC deadline is given to the hardware where it can end the guest's run at
 * one (BACKEND_DEADLINE): then no host interrupt has to. It does nothing for a
 * vCPU that does not run, which does not matter to one that is about to, but
 * to one that blocks: while `blocked`, the hrtimer has it. At most one of the
 * two is armed.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>

#include "core/apic.h"
#include "core/clock.h"
#include "core/vcpu.h"
#include "irq/chip.h"
#include "irq/msi.h"

static struct vcpu_apic *apic_of(struct lapic *l)
{
	return container_of(l, struct vcpu_apic, lapic);
}

static struct vcpu *vcpu_of(struct vcpu_apic *a)
{
	return container_of(a, struct vcpu, apic);
}

static u64 apic_now(struct dev_env *env)
{
	return ktime_get_ns();
}

static void apic_deadline_cancel(struct vcpu_apic *a)
{
	if (!a->hardware)
		return;
	a->hardware = false;
	backend_call(deadline)(vcpu_of(a), U64_MAX);
}

static void apic_timer_arm(struct dev_env *env, u64 when)
{
	struct vcpu_apic *a = container_of(env, struct vcpu_apic, lapic.env);

	apic_deadline_cancel(a);
	hrtimer_start(&a->timer, ns_to_ktime(when),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

static void apic_timer_cancel(struct dev_env *env)
{
	struct vcpu_apic *a = container_of(env, struct vcpu_apic, lapic.env);

	if (a->hardware) {
		apic_deadline_cancel(a);
		return;
	}
	/* One that fires anyway only makes the owner look at the clock. */
	hrtimer_try_to_cancel(&a->timer);
}

static const struct dev_env_ops apic_env_ops = {
	.now = apic_now,
	.timer_arm = apic_timer_arm,
	.timer_cancel = apic_timer_cancel,
};

static enum hrtimer_restart apic_timer_fired(struct hrtimer *timer)
{
	struct vcpu_apic *a = container_of(timer, struct vcpu_apic, timer);

	lapic_timer_fired(&a->lapic);
	return HRTIMER_NORESTART;
}

static void apic_kick(struct lapic *l)
{
	vcpu_kick(vcpu_of(apic_of(l)));
}

static void apic_post(struct lapic *l)
{
	struct vcpu *vcpu = vcpu_of(apic_of(l));

	if (posted_notify(l->posted))
		vcpu_post(vcpu);
}

static void apic_eoi_map(struct lapic *l)
{
	vcpu_request_kick(vcpu_of(apic_of(l)), REQ_EOI_MAP);
}

static void apic_nmi(struct lapic *l)
{
	struct vcpu *vcpu = vcpu_of(apic_of(l));

	vcpu_send_nmi(vcpu);
	vcpu_kick(vcpu);
}

static void apic_send_ipi(struct lapic *l, const struct apic_msg *msg)
{
	irq_deliver(vcpu_of(apic_of(l))->vm, l, msg);
}

static void apic_eoi(struct lapic *l, u8 vector, bool level)
{
	chip_eoi(vcpu_of(apic_of(l)), vector, level);
}

static u64 apic_read_tsc(struct lapic *l)
{
	return clock_guest_tsc(vcpu_of(apic_of(l)));
}

static bool apic_deadline(struct lapic *l, u64 tsc)
{
	struct vcpu_apic *a = apic_of(l);

	/* On false timer_arm() follows. */
	if (!(backend.caps & BACKEND_DEADLINE) || a->blocked)
		return false;
	if (!backend_call(deadline)(vcpu_of(a), tsc)) {
		a->hardware = false;
		return false;
	}
	if (!a->hardware)
		hrtimer_try_to_cancel(&a->timer);
	a->hardware = true;
	return true;
}

static const struct lapic_ops apic_ops = {
	.kick = apic_kick,
	.post = apic_post,
	.eoi_map = apic_eoi_map,
	.nmi = apic_nmi,
	.send_ipi = apic_send_ipi,
	.eoi = apic_eoi,
	.read_tsc = apic_read_tsc,
	.deadline = apic_deadline,
};

void apic_vm_init(struct vm *vm)
{
	vm->lapic_config = (struct lapic_config){
		.ops = &apic_ops,
		.env_ops = &apic_env_ops,
		.bus_cycle_ns = LAPIC_CYCLE_NS,
		.min_period_ns = LAPIC_MIN_PERIOD_NS,
		.icr_wide = backend.caps & BACKEND_WIDE_ICR,
	};
}

void apic_vm_free(struct vm *vm)
{
	if (vm->apic_page)
		__free_page(vm->apic_page);
}

/*
 * One for the VM, of no content: hardware knows an access to the LAPIC by the
 * host's address. Without it, such accesses are emulated as any MMIO.
 */
static bool apic_page_create(struct vm *vm)
{
	lockdep_assert_held(&vm->lock);
	if ((backend.caps & BACKEND_APIC_PAGE) && !vm->apic_page)
		vm->apic_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vm->apic_page || !(backend.caps & BACKEND_APIC_PAGE);
}

int apic_create(struct vcpu *vcpu)
{
	struct vcpu_apic *a = &vcpu->apic;

	if (!vcpu->apic_regs)
		return 0;
	if (!apic_page_create(vcpu->vm))
		return -ENOMEM;
	/* Memory that the VMM puts there does not hide it: SDM vol. 3, 11.4.1 */
	vcpu->vm->mmu.apart = GFN(LAPIC_DEFAULT_BASE >> PAGE_SHIFT);
	hrtimer_init(&a->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	a->timer.function = apic_timer_fired;
	lapic_init(&a->lapic, &vcpu->vm->lapic_config, vcpu->apic_regs,
		   vcpu->id);
	vcpu->lapic = &a->lapic;
	return 0;
}

void apic_destroy(struct vcpu *vcpu)
{
	if (!vcpu->lapic)
		return;
	hrtimer_cancel(&vcpu->apic.timer);
	vcpu->lapic = NULL;
}

/* ---- hardware that does part of the work ------------------------------ */

static enum apic_accel apic_accel(const struct vcpu *vcpu)
{
	const struct lapic *l = vcpu->lapic;

	if (!l || !lapic_enabled(l))
		return APIC_ACCEL_NONE;
	return lapic_x2apic(l) ? APIC_ACCEL_MSR : APIC_ACCEL_MMIO;
}

/* Is the page for @vcpu where it was at reset, and are accesses to it MMIO? */
static bool apic_page_in_place(const struct vcpu *vcpu)
{
	u64 base = READ_ONCE(vcpu->lapic->base);

	return (base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN &&
	       (base & PAGE_MASK & ~(u64)APIC_BASE_EN) == LAPIC_DEFAULT_BASE;
}

bool apic_is_in_front(const struct vcpu *vcpu, struct gpa gpa)
{
	return unlikely((gpa.v & PAGE_MASK) == LAPIC_DEFAULT_BASE) &&
	       vcpu->lapic && apic_page_in_place(vcpu);
}

/* What is mapped for all is memory to one whose LAPIC is elsewhere. */
static void apic_unmap_page(struct vm *vm)
{
	WRITE_ONCE(vm->apic_page_mapped, false);
	mmu_zap_page(&vm->mmu, GFN(LAPIC_DEFAULT_BASE >> PAGE_SHIFT));
}

void apic_update_accel(struct vcpu *vcpu)
{
	struct policy *policy = &vcpu->policy;
	enum apic_accel accel = apic_accel(vcpu);
	bool held = vcpu->guest_debug & KVM_GUESTDBG_BLOCKIRQ;

	if (policy->apic != accel || policy->irqs_held != held)
		vcpu->controls_stale = true;
	policy->cr8_exits = !vcpu->lapic;
	policy->apic = accel;
	policy->irqs_held = held;
	vcpu->hw_irqs = accel != APIC_ACCEL_NONE && !held &&
			(backend.caps & BACKEND_DELIVERS);
	if (!vcpu->lapic || apic_page_in_place(vcpu))
		return;
	/* Pairs with apic_map_page(). */
	smp_mb();
	if (READ_ONCE(vcpu->vm->apic_page_mapped))
		apic_unmap_page(vcpu->vm);
}

void apic_update_eoi_map(struct vcpu *vcpu)
{
	u64 old[4];

	if (!vcpu->lapic)
		return;
	memcpy(old, vcpu->eoi_map, sizeof(old));
	lapic_eoi_map(vcpu->lapic, vcpu->eoi_map);
	if (memcmp(old, vcpu->eoi_map, sizeof(old)))
		vcpu->controls_stale = true;
}

static bool apic_pages_in_place(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (!apic_page_in_place(vcpu))
			return false;
	return true;
}

bool apic_map_page(struct vcpu *vcpu, struct gpa gpa)
{
	struct vm *vm = vcpu->vm;

	if (!vm->apic_page || (gpa.v & PAGE_MASK) != LAPIC_DEFAULT_BASE ||
	    !apic_pages_in_place(vm))
		return false;
	WRITE_ONCE(vm->apic_page_mapped, true);
	if (!mmu_map_page(&vm->mmu, gpa_to_gfn(gpa),
			  PFN(page_to_pfn(vm->apic_page))))
		return false;
	/* Who moves its LAPIC after this look sees that it is mapped. */
	smp_mb();
	if (apic_pages_in_place(vm))
		return true;
	apic_unmap_page(vm);
	return false;
}

void apic_timer_block(struct vcpu *vcpu)
{
	struct vcpu_apic *a;

	if (!vcpu->lapic)
		return;
	a = apic_of(vcpu->lapic);
	a->blocked = true;
	if (a->hardware)
		lapic_timer_restart(vcpu->lapic);
}

void apic_timer_unblock(struct vcpu *vcpu)
{
	/* An hrtimer that is armed now stays: the next deadline replaces it. */
	if (vcpu->lapic)
		apic_of(vcpu->lapic)->blocked = false;
}

void apic_cpuid_changed(struct vcpu *vcpu)
{
	struct lapic *l = vcpu->lapic;

	if (!l)
		return;
	l->has_x2apic = cpuid_has(vcpu->cpuid, FEAT_X2APIC);
	l->has_tsc_deadline = cpuid_has(vcpu->cpuid, FEAT_TSC_DEADLINE);
	l->tsc_khz = clock_effective_khz(vcpu);
}
