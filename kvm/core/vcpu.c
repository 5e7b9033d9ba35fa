// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a vCPU, its binding to a host CPU, and what follows from its CPUID.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <asm/nospec-branch.h>

#include "core/apic.h"
#include "core/arbiter.h"
#include "core/clock.h"
#include "core/fpu.h"
#include "core/hostinfo.h"
#include "core/io.h"
#include "core/locks.h"
#include "core/msrs.h"
#include "core/vcpu.h"
#include "irq/chip.h"
#include "pv/pv.h"
#include "x86/segment.h"

/* ---- binding to a CPU ------------------------------------------------- */

/* By whose branches this CPU predicts: vcpu->serial. */
static DEFINE_PER_CPU(u64, vcpu_last);
static atomic64_t vcpu_serials;

static void vcpu_bind(struct vcpu *vcpu, int cpu)
{
	/*
	 * None may steer another's speculation, in what VM ever. Nor may what
	 * a vCPU left on a CPU steer it when it comes back: the guest may have
	 * made a barrier (IBPB) between two of its processes elsewhere.
	 */
	if (__this_cpu_read(vcpu_last) != vcpu->serial ||
	    vcpu->last_cpu != cpu) {
		__this_cpu_write(vcpu_last, vcpu->serial);
		vcpu->last_cpu = cpu;
		indirect_branch_prediction_barrier();
	}
	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		vcpu->host_xcr0 = fpu_xcr0_now();
	WRITE_ONCE(vcpu->cpu, cpu);
	backend_call(load)(vcpu, cpu);
	clock_loaded(vcpu, cpu);
}

static void vcpu_unbind(struct vcpu *vcpu)
{
	backend_call(put)(vcpu);
	WRITE_ONCE(vcpu->cpu, -1);
}

static void vcpu_sched_in(struct preempt_notifier *pn, int cpu)
{
	vcpu_bind(container_of(pn, struct vcpu, preempt), cpu);
}

static void vcpu_sched_out(struct preempt_notifier *pn,
			   struct task_struct *next)
{
	vcpu_unbind(container_of(pn, struct vcpu, preempt));
}

static struct preempt_ops vcpu_preempt_ops = {
	.sched_in = vcpu_sched_in,
	.sched_out = vcpu_sched_out,
};

void vcpu_load(struct vcpu *vcpu)
{
	int cpu = get_cpu();

	preempt_notifier_register(&vcpu->preempt);
	vcpu_bind(vcpu, cpu);
	put_cpu();
}

void vcpu_put(struct vcpu *vcpu)
{
	preempt_disable();
	vcpu_unbind(vcpu);
	preempt_notifier_unregister(&vcpu->preempt);
	preempt_enable();
}

/* ---- reset ------------------------------------------------------------ */

void vcpu_reset(struct vcpu *vcpu, bool init)
{
	const struct cpuid_set *cpuid = vcpu->cpuid;

	/* INIT leaves most MSRs alone: those that the hardware has, too. */
	if (init)
		vcpu_regs(vcpu, RG_ALL);
	vcpu->events = (struct events){ };
	vcpu->user_irq_pending = false;
	atomic_set(&vcpu->nmi_inbox, 0);
	io_forget(vcpu);
	if (vcpu->lapic)
		lapic_reset(vcpu->lapic, init);
	regs_reset(&vcpu->regs, init, cpuid ? cpuid->signature : 0x600);
	if (!init) {
		msr_reset(&vcpu->msrs, hostinfo_msr_env());
		vcpu->regs.xcr0 = XCR0_X87;
	}
	backend.vcpu_reset(vcpu, init);
	backend_call(set_root)(vcpu, mmu_root(&vcpu->vm->mmu),
			       mmu_root_levels(&vcpu->vm->mmu));
	vcpu_request(vcpu, REQ_TLB_FLUSH_GUEST);
	vcpu->controls_stale = true;
	vcpu_dyn_changed(vcpu);
}

/* ---- creation --------------------------------------------------------- */

/*
 * Whole pages, and one behind them for the registers of its LAPIC: no size of
 * kmalloc() fits as well, and the big blocks behind its sizes make a VM's last
 * close long. On most kernels the vendor's struct is at most a page, so that
 * this is one block of the page allocator. Where the struct is larger (lock
 * debugging), the pages are freed one by one.
 */
static size_t vcpu_struct_size(void)
{
	return PAGE_ALIGN(backend.vcpu_size);
}

static size_t vcpu_alloc_size(bool lapic)
{
	return vcpu_struct_size() + (lapic ? PAGE_SIZE : 0);
}

static struct vcpu *vcpu_alloc(const struct vm *vm)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;
	bool lapic = vm_has_lapic(vm);
	size_t size = vcpu_alloc_size(lapic);
	struct vcpu *vcpu;

	if (is_power_of_2(size))
		vcpu = (void *)__get_free_pages(gfp, get_order(size));
	else
		vcpu = alloc_pages_exact(size, gfp);
	if (vcpu && lapic)
		vcpu->apic_regs = (void *)vcpu + vcpu_struct_size();
	return vcpu;
}

static void vcpu_dealloc(struct vcpu *vcpu)
{
	size_t size = vcpu_alloc_size(vcpu->apic_regs);

	if (is_power_of_2(size))
		free_pages((unsigned long)vcpu, get_order(size));
	else
		free_pages_exact(vcpu, size);
}

static int vcpu_alloc_parts(struct vcpu *vcpu)
{
	vcpu->run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->work = kzalloc(sizeof(*vcpu->work), GFP_KERNEL_ACCOUNT);
	return vcpu->run && vcpu->work ? 0 : -ENOMEM;
}

void *vcpu_pio_page(struct vcpu *vcpu)
{
	void *page = READ_ONCE(vcpu->pio_data), *old;

	if (page)
		return page;
	page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		return NULL;
	old = cmpxchg(&vcpu->pio_data, NULL, page);
	if (!old)
		return page;
	free_page((unsigned long)page);
	return old;
}

static void vcpu_init_fields(struct vcpu *vcpu, struct vm *vm, int id)
{
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->serial = atomic64_inc_return(&vcpu_serials);
	vcpu->cpu = -1;
	vcpu->last_cpu = -1;
	vcpu_locks_init(vcpu);
	rcuwait_init(&vcpu->wait);
	preempt_notifier_init(&vcpu->preempt, &vcpu_preempt_ops);
	vcpu->apic_base = LAPIC_DEFAULT_BASE | APIC_BASE_EN |
			  (id == vm->bsp_id ? APIC_BASE_BSP : 0);
	vcpu->mp_state = !vm_has_lapic(vm) || id == vm->bsp_id ?
		MP_RUNNABLE : MP_UNINITIALIZED;
	msrs_init(vcpu);
}

static int vcpu_init(struct vcpu *vcpu)
{
	int err;

	err = vcpu_alloc_parts(vcpu);
	if (err)
		return err;
	if (!fpu_create(vcpu))
		return -ENOMEM;
	err = apic_create(vcpu);
	if (err)
		return err;
	if (!hostinfo_cr())
		return -ENOMEM;
	cr_limits_init(&vcpu->limits, NULL, hostinfo_cr());
	return backend.vcpu_init(vcpu);
}

void vcpu_retire(struct vcpu *vcpu)
{
	fpu_destroy(vcpu);
	free_page((unsigned long)vcpu->pio_data);
	vcpu->pio_data = NULL;
	free_page((unsigned long)vcpu->run);
	vcpu->run = NULL;
	kfree(vcpu->work);
	vcpu->work = NULL;
	msr_file_free(&vcpu->msrs);
}

/* What of vcpu_init() was done; each step leaves NULL before it. */
static void vcpu_destroy(struct vcpu *vcpu)
{
	vcpu_retire(vcpu);
	apic_destroy(vcpu);
	cpuid_set_free(vcpu->cpuid);
	vcpu_dealloc(vcpu);
}

static int vcpu_publish(struct vm *vm, struct vcpu *vcpu)
{
	int err;

	vcpu->index = vm->vcpu_count;
	err = xa_insert(&vm->vcpus, vcpu->index, vcpu, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	err = xa_insert(&vm->vcpus_by_id, vcpu->id, vcpu, GFP_KERNEL_ACCOUNT);
	if (err) {
		xa_erase(&vm->vcpus, vcpu->index);
		return err;
	}
	epoch_add_reader(&vm->mem.epoch, &vcpu->reader);
	/* Pairs with vm_for_each_vcpu(). */
	smp_store_release(&vm->vcpu_count, vm->vcpu_count + 1);
	return 0;
}

int vcpu_create(struct vm *vm, u32 id, struct vcpu **out)
{
	u32 max_id = vm->max_vcpu_id ? : VM_MAX_VCPU_ID;
	struct vcpu *vcpu;
	int err;

	lockdep_assert_held(&vm->lock);
	if (id >= max_id)
		return -EINVAL;
	if (vm->vcpu_count >= VM_MAX_VCPUS)
		return -EINVAL;
	if (vm_vcpu_by_id(vm, id))
		return -EEXIST;
	if (vm->vcpu_count == VM_WALK_MAX && vm_has_lapic(vm) &&
	    !vm->later.crowd) {
		err = irq_later_crowd(&vm->later);
		if (err)
			return err;
	}
	vcpu = vcpu_alloc(vm);
	if (!vcpu)
		return -ENOMEM;
	vcpu_init_fields(vcpu, vm, id);
	err = vcpu_init(vcpu);
	if (err)
		goto destroy;
	vcpu_load(vcpu);
	vcpu_reset(vcpu, false);
	clock_vcpu_init(vcpu);
	vcpu_update_policy(vcpu);
	vcpu_put(vcpu);
	/* Whose end counts may have changed for the last time long ago. */
	vcpu_request(vcpu, REQ_EOI_MAP);
	err = vcpu_publish(vm, vcpu);
	if (err)
		goto backend_free;
	*out = vcpu;
	return 0;

backend_free:
	backend.vcpu_free(vcpu);
destroy:
	vcpu_destroy(vcpu);
	return err;
}

void vcpu_free(struct vcpu *vcpu)
{
	epoch_remove_reader(&vcpu->vm->mem.epoch, &vcpu->reader);
	backend.vcpu_free(vcpu);
	vcpu_destroy(vcpu);
}

/* ---- CPUID and what follows ------------------------------------------- */

void vcpu_dyn_changed(struct vcpu *vcpu)
{
	u64 base = vcpu->lapic ? vcpu->lapic->base : vcpu->apic_base;

	vcpu->cpuid_dyn.mwait_by_msr = vcpu->vm->disabled_quirks &
				       KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT;
	vcpu->cpuid_dyn.mwait = vcpu->msrs.val[SLOT_MISC_ENABLE] &
				MISC_ENABLE_MWAIT;
	cpuid_dyn_update(&vcpu->cpuid_dyn, vcpu->cpuid,
			 vcpu_regs(vcpu, RG_CR), base);
	apic_update_accel(vcpu);
}

void vcpu_cpuid_changed(struct vcpu *vcpu)
{
	vcpu->msrs.cpuid = vcpu->cpuid;
	cr_limits_init(&vcpu->limits, vcpu->cpuid, hostinfo_cr());
	apic_cpuid_changed(vcpu);
	vcpu_dyn_changed(vcpu);
	vcpu_update_policy(vcpu);
}

void vcpu_update_policy(struct vcpu *vcpu)
{
	u64 off = vcpu->vm->disabled_exits;
	u32 debug = vcpu->guest_debug;

	vcpu->policy = (struct policy){
		.exceptions = BIT(VEC_MC),
		.hlt_exits = !(off & KVM_X86_DISABLE_EXITS_HLT),
		.pause_exits = !(off & KVM_X86_DISABLE_EXITS_PAUSE),
		.mwait_exits = !(off & KVM_X86_DISABLE_EXITS_MWAIT),
		.single_step = debug & KVM_GUESTDBG_SINGLESTEP,
	};
	/* DR7 is either the guest's or the debugger's. */
	vcpu_regs(vcpu, RG_DR);
	if (debug & KVM_GUESTDBG_USE_HW_BP)
		vcpu->policy.debug_dr7 =
			dr7_fix(vcpu->work->guest_debug_dr[7]);
	regs_touch(&vcpu->regs, RG_DR);
	if (debug & KVM_GUESTDBG_ENABLE) {
		if (debug & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP))
			vcpu->policy.exceptions |= BIT(VEC_DB);
		if (debug & KVM_GUESTDBG_USE_SW_BP)
			vcpu->policy.exceptions |= BIT(VEC_BP);
	}
	apic_update_accel(vcpu);
	vcpu->controls_stale = true;
}

void vcpu_log_written(struct vcpu *vcpu, const u64 *gpa, unsigned int n)
{
	struct mem *mem = &vcpu->vm->mem;

	epoch_enter(&vcpu->reader);
	mem_log_written(mem, gpa, n);
	epoch_exit(&mem->epoch, &vcpu->reader);
}

bool vcpu_can_take_irq(struct vcpu *vcpu)
{
	struct arbiter_in in = {
		.events = &vcpu->events,
		.if_flag = vcpu->regs.rflags & RFLAGS_IF,
		.irq_masked = vcpu->guest_debug & KVM_GUESTDBG_BLOCKIRQ,
	};

	return arbiter_irq_open(&in) &&
	       vcpu->events.reinject.type == EVENT_NONE &&
	       !vcpu->events.exception.pending;
}

int vcpu_held_irq(const struct vcpu *vcpu)
{
	const struct event *in_flight = &vcpu->events.reinject;

	if (in_flight->type == EVENT_IRQ)
		return in_flight->vector;
	return !vcpu->lapic && vcpu->user_irq_pending ? vcpu->user_irq : -1;
}

void vcpu_hold_irq(struct vcpu *vcpu, int vector)
{
	struct event *in_flight = &vcpu->events.reinject;

	if (in_flight->type == EVENT_IRQ)
		in_flight->type = EVENT_NONE;
	if (!vcpu->lapic)
		vcpu->user_irq_pending = vector >= 0;
	if (vector < 0)
		return;
	if (vcpu->lapic)
		*in_flight = (struct event){
			.type = EVENT_IRQ, .vector = vector,
		};
	else
		vcpu->user_irq = vector;
}

bool vcpu_has_work(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;

	if ((lapic && lapic_events(lapic)) ||
	    test_bit(REQ_VM_DEAD, &vcpu->requests))
		return true;
	if (vcpu->mp_state == MP_UNINITIALIZED ||
	    vcpu->mp_state == MP_INIT_RECEIVED)
		return false;
	if (vcpu->events.exception.pending || vcpu->events.triple_fault)
		return true;
	if (atomic_read(&vcpu->nmi_inbox) ||
	    (vcpu->events.nmi_pending && !vcpu->events.nmi_blocked))
		return true;
	if (!(vcpu->regs.rflags & RFLAGS_IF))
		return false;
	return vcpu->user_irq_pending || chip_extint_pending(vcpu) ||
	       (lapic && lapic_pending_irq(lapic) >= 0);
}
