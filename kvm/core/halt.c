// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocking: see halt.h.
 *
 * The sleeper sets its state, then looks for work; whoever makes work sets
 * its bit, then wakes. rcuwait has the barriers of both sides.
 */
#include <linux/timekeeping.h>

#include "core/apic.h"
#include "core/halt.h"
#include "core/hostwork.h"
#include "core/vcpu.h"

void halt_take_mp_events(struct vcpu *vcpu)
{
	u8 vector;

	if (!vcpu->lapic)
		return;
	if (lapic_take_init(vcpu->lapic)) {
		vcpu_reset(vcpu, true);
		vcpu->mp_state = vcpu->id == vcpu->vm->bsp_id ?
			MP_RUNNABLE : MP_INIT_RECEIVED;
	}
	if (lapic_take_sipi(vcpu->lapic, &vector) &&
	    vcpu->mp_state == MP_INIT_RECEIVED) {
		struct regs *regs = vcpu_regs(vcpu, RG_ALL);

		regs->seg[SEG_CS].selector = vector << 8;
		regs->seg[SEG_CS].base = vector << 12;
		regs->rip = 0;
		regs_touch(regs, RG_SEG | RG_RIP);
		vcpu->mp_state = MP_RUNNABLE;
	}
}

static void halt_sleep(struct vcpu *vcpu)
{
	u64 start = ktime_get_ns();

	WRITE_ONCE(vcpu->stat.blocking, true);
	apic_timer_block(vcpu);
	prepare_to_rcuwait(&vcpu->wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (vcpu_has_work(vcpu) || hostwork_leave())
			break;
		schedule();
	}
	finish_rcuwait(&vcpu->wait);
	apic_timer_unblock(vcpu);
	WRITE_ONCE(vcpu->stat.blocking, false);
	vcpu->stat.halt_wait_ns += ktime_get_ns() - start;
}

int halt_block(struct vcpu *vcpu)
{
	int ret;

	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	halt_sleep(vcpu);
	epoch_enter(&vcpu->reader);

	/* KVM_RUN's caller looks at vm->dead. */
	if (test_bit(REQ_VM_DEAD, &vcpu->requests))
		return 1;
	halt_take_mp_events(vcpu);
	if (vcpu->mp_state == MP_HALTED && vcpu_has_work(vcpu)) {
		vcpu->stat.halt_wakeup++;
		vcpu->mp_state = MP_RUNNABLE;
	}
	if (vcpu->mp_state == MP_RUNNABLE)
		return 1;
	ret = hostwork_leave();
	if (ret)
		return ret;
	return vcpu->mp_state == MP_HALTED ? 1 : -EAGAIN;
}
