// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities: what KVM_CHECK_EXTENSION answers and KVM_ENABLE_CAP changes.
 *
 * Rows are in cap_rows.h. Enabling is under vm->lock; what a capability
 * changes is read by vCPUs created afterwards, and refused when it is too
 * late.
 */
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>

#include "api/cap_rows.h"
#include "api/dispatch.h"
#include "core/fpu.h"
#include "irq/route.h"

#define CAP_DISABLE_EXITS \
	(KVM_X86_DISABLE_EXITS_HLT | KVM_X86_DISABLE_EXITS_PAUSE)
#define CAP_X2APIC \
	(KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
#define CAP_QUIRKS \
	(KVM_X86_QUIRK_LINT0_REENABLED | KVM_X86_QUIRK_CD_NW_CLEARED | \
	 KVM_X86_QUIRK_LAPIC_MMIO_HOLE | KVM_X86_QUIRK_OUT_7E_INC_RIP | \
	 KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | \
	 KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS | KVM_X86_QUIRK_SLOT_ZAP_ALL)
#define CAP_GUEST_DEBUG \
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | \
	 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP | \
	 KVM_GUESTDBG_BLOCKIRQ)

/* Dynamic components count only once the VMM has asked for them. */
static long cap_xsave_size(void)
{
	return fpu_uabi_size();
}

long cap_value(struct vm *vm, unsigned long cap)
{
	switch (cap) {
#define X(name, value) case name: return value;
	CAP_ROWS(X)
#undef X
	}
	return 0;
}

static long cap_disable_exits(struct vm *vm, u64 mask)
{
	if (mask & ~(u64)CAP_DISABLE_EXITS)
		return -EINVAL;
	if (vm->vcpu_count)
		return -EINVAL;
	vm->disabled_exits |= mask;
	return 0;
}

static long cap_quirks(struct vm *vm, u64 mask, bool check)
{
	if (check && (mask & ~(u64)CAP_QUIRKS))
		return -EINVAL;
	vm->disabled_quirks = mask & CAP_QUIRKS;
	vm->lapic_config.no_mmio_hole =
		mask & KVM_X86_QUIRK_LAPIC_MMIO_HOLE;
	vm->lapic_config.no_lint0_extint =
		mask & KVM_X86_QUIRK_LINT0_REENABLED;
	return 0;
}

static long cap_x2apic(struct vm *vm, u64 flags)
{
	if (flags & ~(u64)CAP_X2APIC)
		return -EINVAL;
	/* vCPUs may exist: each reads them once where it matters. */
	if (flags & KVM_X2APIC_API_USE_32BIT_IDS)
		WRITE_ONCE(vm->lapic_config.ids_32bit, true);
	if (flags & KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
		WRITE_ONCE(vm->lapic_config.no_ff_broadcast, true);
	return 0;
}

static long cap_max_vcpu_id(struct vm *vm, u64 max)
{
	if (!max || max > VM_MAX_VCPU_ID)
		return -EINVAL;
	if (vm->max_vcpu_id == max)
		return 0;
	if (vm->max_vcpu_id || vm->vcpu_count || vm->bsp_id >= max)
		return -EINVAL;
	vm->max_vcpu_id = max;
	return 0;
}

static long cap_bus_cycles(struct vm *vm, u64 ns)
{
	if (!ns || ns > LAPIC_MAX_CYCLE_NS)
		return -EINVAL;
	if (!vm_has_lapic(vm))
		return -ENXIO;
	if (vm->vcpu_count)
		return -EINVAL;
	vm->lapic_config.bus_cycle_ns = ns;
	return 0;
}

long cap_enable_vm(struct vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->flags)
		return -EINVAL;
	switch (cap->cap) {
	case KVM_CAP_EXCEPTION_PAYLOAD:
		vm->exception_payload = cap->args[0];
		return 0;
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
		vm->triple_fault_event = cap->args[0];
		return 0;
	case KVM_CAP_X2APIC_API:
		return cap_x2apic(vm, cap->args[0]);
	case KVM_CAP_X86_DISABLE_EXITS:
		return cap_disable_exits(vm, cap->args[0]);
	case KVM_CAP_DISABLE_QUIRKS:
		return cap_quirks(vm, cap->args[0], false);
	case KVM_CAP_DISABLE_QUIRKS2:
		return cap_quirks(vm, cap->args[0], true);
	case KVM_CAP_X86_APIC_BUS_CYCLES_NS:
		return cap_bus_cycles(vm, cap->args[0]);
	case KVM_CAP_MAX_VCPU_ID:
		return cap_max_vcpu_id(vm, cap->args[0]);
	}
	return -EINVAL;
}
