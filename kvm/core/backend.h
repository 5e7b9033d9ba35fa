/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vendor boundary: what core asks of VT-x or AMD-V. The neutral entry and
 * exit that pass between them are in entry.h.
 *
 * A vendor module fills in one struct backend and registers it; it calls back
 * only what core/exports.c exports. Control registers, interrupts, paging and
 * emulation are core's; how an entry is made, which bits the hardware save
 * area has and what its exit codes mean is the vendor's.
 *
 * Calls marked * are static calls on the run path. Unless a call says
 * otherwise it runs in the vCPU's thread under vcpu->mutex, with the vCPU
 * loaded on this CPU (between load and put) and preemption on.
 */
#ifndef CORE_BACKEND_H
#define CORE_BACKEND_H

#include <linux/module.h>

#include "base/rc.h"
#include "base/types.h"
#include "core/entry.h"
#include "x86/regs.h"

struct vm;
struct vcpu;
struct pte_format;

enum flush_scope {
	FLUSH_ROOT,		/* all that was cached through the TDP root */
	FLUSH_GUEST,		/* the guest's own translations, incl. global */
	FLUSH_GVA,		/* one linear address */
};

/* Capability bits of a backend, facts about the hardware. */
#define BACKEND_NEXT_RIP BIT(0)		/* insn_len is always known */
#define BACKEND_DECODE BIT(1)		/* decode assists */
#define BACKEND_TSC_SCALING BIT(2)
#define BACKEND_DEADLINE BIT(3)		/* deadline() works */
#define BACKEND_NMI_WINDOW BIT(4)
#define BACKEND_PAUSE_FILTER BIT(5)
#define BACKEND_APIC_PAGE BIT(7)	/* virtualizes accesses to a page */
#define BACKEND_DELIVERS BIT(8)		/* delivers and ends interrupts */
#define BACKEND_POSTS_DEVICES BIT(9)	/* irte_update() works */
#define BACKEND_WIDE_ICR BIT(10)	/* x2APIC's ICR: 64 bits in one place */
#define BACKEND_PDPTES BIT(6)		/* regs.pdpte[] is in force under PAE */
#define BACKEND_SHUTDOWN_LOSES BIT(11)	/* no guest state left after a shutdown */

/*
 * One line per call: X(return, name, arguments).
 * Setup and management first, then the run path.
 */
#define BACKEND_CALLS(X)						\
	X(int, setup, (void))						\
	X(void, teardown, (void))					\
	X(int, cpu_on, (void))						\
	X(void, cpu_off, (void))					\
	X(int, vm_init, (struct vm *vm))				\
	X(void, vm_free, (struct vm *vm))				\
	X(int, vcpu_init, (struct vcpu *vcpu))				\
	X(void, vcpu_free, (struct vcpu *vcpu))				\
	X(void, vcpu_reset, (struct vcpu *vcpu, bool init))		\
	X(bool, cr_valid, (struct vcpu *vcpu, u64 cr0, u64 cr4))	\
	X(enum msr_rc, feature_msr, (u32 index, u64 *val))		\
	X(void, controls_changed, (struct vcpu *vcpu))			\
	X(void, tsc_update, (struct vcpu *vcpu))			\
	X(enum run_next, private_exit, (struct vcpu *vcpu, struct exit *exit)) \
	X(int, irte_update, (struct vcpu *vcpu, unsigned int host_irq,	\
			     u8 vector))				\
	X(void, dump, (struct vcpu *vcpu))

#define BACKEND_HOT_CALLS(X)						\
	X(void, load, (struct vcpu *vcpu, int cpu))			\
	X(void, put, (struct vcpu *vcpu))				\
	X(void, regs_load, (struct vcpu *vcpu, u32 groups))		\
	X(void, run, (struct vcpu *vcpu, const struct entry *entry,	\
		      struct exit *exit))				\
	X(void, irqoff, (struct vcpu *vcpu, struct exit *exit))		\
	X(void, flush, (struct vcpu *vcpu, enum flush_scope scope, u64 gva)) \
	X(void, set_root, (struct vcpu *vcpu, struct hpa root, int levels)) \
	X(bool, deadline, (struct vcpu *vcpu, u64 guest_tsc))		\
	X(void, notify, (struct vcpu *vcpu, int cpu))

/**
 * struct backend - a vendor module's description of itself
 *
 * Data: @name for messages; @owner is the module, which VMs and open files of
 * /dev/kvm hold; @vm_size and @vcpu_size are what core allocates (a vCPU in
 * whole pages), struct vm and struct vcpu being the first member of the vendor's
 * own; @tdp is the page-table format; @tdp_levels the deepest root it can walk;
 * @tsc_frac_bits and @tsc_max_ratio describe scaling (0: none); @hypercall is
 * the vendor's VMCALL/VMMCALL opcode; @caps are BACKEND_* facts.
 *
 * Calls:
 * setup/teardown	global state after the CPU's features were checked;
 *			-EOPNOTSUPP with one clear line if it cannot work.
 *			Module load, no VM exists.
 * cpu_on/cpu_off	virtualization on this CPU. Interrupts off. cpu_on
 *			refuses a CPU whose features differ from setup's.
 * vm_init/vm_free	the vendor's part of a VM; creation context, may sleep.
 * vcpu_init/vcpu_free	the vendor's part of a vCPU; may sleep; not loaded.
 * vcpu_reset		the vendor's registers after vcpu->regs was reset; all
 *			groups are available and dirty on return.
 * cr_valid		can the hardware run these CR0/CR4 values.
 * feature_msr		KVM_GET_MSRS on /dev/kvm.
 * controls_changed	vcpu->policy, CPUID, guest debugging or vcpu->eoi_map
 *			changed: recompute the controls before the next entry.
 * tsc_update		vcpu->tsc offset or ratio changed.
 * private_exit		EXIT_KIND_PRIVATE; as core's exit handlers.
 * irte_update		let remapping hardware deliver the device interrupt
 *			@host_irq to @vcpu as @vector; NULL: to the host again.
 *			-errno: not possible. Any thread; may sleep.
 * dump			the save area by dump_line(), for a failed entry.
 *
 * load* / put*		bind to this CPU / save what the host needs back.
 *			Preemption off; interrupts may be on.
 * regs_load*		fill the groups of vcpu->regs that are not available.
 *			Also called from put context; never sleeps.
 * run*			flush dirty registers and controls, inject @entry, run
 *			the guest once, save RG_GPR|RG_RIP and what else is
 *			cheap, clear avail of all the rest, decode to @exit.
 *			Interrupts off throughout; on return dirty is 0.
 * irqoff*		right after run, still irqs off: hand host NMIs and
 *			machine checks to the host.
 * flush*		drop cached translations before the next entry.
 * set_root*		the TDP root in use from the next entry on.
 * notify*		interrupts are in the inbox of @vcpu, which is in guest
 *			mode on CPU @cpu: have the hardware there take them in,
 *			or make it exit. Any context; preemption off.
 * deadline*		end the guest's run by EXIT_KIND_DEADLINE at @guest_tsc,
 *			which lies ahead, whenever it runs then or later; U64_MAX
 *			to cancel. Holds until the next call. False: not possible
 *			(so far ahead, or at all), use an hrtimer; nothing is
 *			armed then. Need not be loaded; no caller sleeps on it.
 */
struct backend {
	const char *name;
	struct module *owner;
	size_t vm_size;
	size_t vcpu_size;
	const struct pte_format *tdp;
	int tdp_levels;
	unsigned int tsc_frac_bits;
	u64 tsc_max_ratio;
	u8 hypercall[3];
	u32 caps;
#define X(ret, name, args) ret (*name) args;
	BACKEND_CALLS(X)
	BACKEND_HOT_CALLS(X)
#undef X
};

/* The registered backend; all its calls are set. Valid while a VM exists. */
extern struct backend backend;

#include <linux/static_call.h>

#define X(ret, name, args) \
	ret backend_null_##name args;	\
	DECLARE_STATIC_CALL(backend_##name, backend_null_##name);
BACKEND_HOT_CALLS(X)
#undef X

/* Usage: backend_call(run)(vcpu, &entry, &exit) */
#define backend_call(name) static_call(backend_##name)

/**
 * backend_register() - make @vendor the backend and create /dev/kvm
 *
 * Vendor module init. Returns -EBUSY if there is one, what setup() and
 * cpu_on() on any CPU said, or what creating the device said; nothing is left
 * behind then.
 */
int backend_register(const struct backend *vendor);

/** dump_line() - one line of backend.dump(); at most 190 characters count */
__printf(2, 3)
void dump_line(const struct vcpu *vcpu, const char *fmt, ...);

/** backend_unregister() - undo backend_register(); no VM exists any more */
void backend_unregister(void);

#endif
