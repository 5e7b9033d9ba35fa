/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this folder share: the vendor's part of a vCPU, the state
 * of VMX on one CPU, and who does what to them.
 *
 *   main.c   module, CPUs, life of a vCPU    regs.c   guest state <-> registers
 *   vmcs.c   which VMCS is where             event.c  injection, windows
 *   host.c   the host's half of the state    msr.c    MSR bitmaps, MSRs
 *   eptp.c   EPT pointer, VPID, flushes      run.c    one entry
 *   apicv.c  APIC virtualization             timer.c  the preemption timer
 *   pml.c    dirty logging                   param.c  module parameters
 *   posted.c devices' interrupts             ipiv.c   IPI virtualization
 *
 * A struct vmx_vcpu belongs to its vCPU's thread, under vcpu->mutex; a struct
 * vmx_cpu to whoever runs on that CPU with preemption off. What connects the
 * two (vmx->cpu, vmx->loaded, vc->vmcss) changes on that CPU with interrupts
 * off.
 */
#ifndef VMX_VMX_H
#define VMX_VMX_H

#include <linux/percpu.h>
#include <asm/asm.h>

#include "core/vcpu.h"
#include "vmx/caps.h"
#include "vmx/controls.h"
#include "vmx/enter.h"
#include "vmx/exit.h"
#include "vmx/fields.h"
#include "vmx/vmcs.h"

/* MSRs that user mode alone uses: the guest's stay until the next put. */
enum vmx_user_msr {
	USER_STAR,
	USER_LSTAR,
	USER_CSTAR,
	USER_SFMASK,
	USER_TSC_AUX,
	USER_MSR_COUNT,
};

/* What of the host's state a VM exit would not restore; host.c. */
struct vmx_host_state {
	bool away;			/* the guest's MSRs are in the CPU */
	u16 fs, gs, ds, es, ldt;
	u64 fs_base;
	u64 kernel_gs_base;
	u64 debugctl;
	bool debugctl_stale;		/* host code may have changed it */
};

/* 25.6.5: the TSC multiplier has that many bits behind the point. */
#define VMX_TSC_FRAC_BITS 48

/* The TSC deadline; timer.c. */
struct vmx_timer {
	u64 guest;			/* TSC to exit at, if armed */
	u64 host;			/* the same by the host's TSC */
	u32 hw;				/* in the VMCS */
	bool armed;
	bool used;			/* from the first deadline on */
};

struct vmx_vm {
	struct vm vm;			/* first */
	u64 *pid_table;			/* ipiv.c; or NULL */
	u32 pid_entries;
};

struct vmx_vcpu {
	struct vcpu vcpu;		/* first */
	struct vmcs *vmcs;
	bool vmcs_ready;		/* constant fields are written */
	bool launched;			/* VMRESUME, not VMLAUNCH */
	bool broken;			/* a field could not be written */
	int cpu;			/* the VMCS is active there; -1: nowhere */
	struct list_head loaded;	/* in that CPU's vmcss */
	unsigned long *msr_bitmap;
	u8 x2apic_open;			/* apicv.c: what of it is open */
	void *vapic;			/* virtual-APIC page, the LAPIC's; or NULL */
	u64 *pml;			/* pages written; or NULL */

	/* The guest's, where the VMCS holds something else. */
	u64 cr0, cr4, efer;
	u64 kernel_gs_base;		/* while host.away is false */

	struct vmx_raw raw;		/* of the last exit, what it needed */
	struct vmx_controls controls;	/* as in the VMCS */
	u32 needs;			/* NEED_* they were made for */
	u32 cpuid_needs;		/* the part that CPUID decides */
	bool controls_stale;
	bool tsc_stale;

	/* Translations; eptp.c. */
	u16 vpid;			/* 0: none */
	u64 eptp;
	bool flush_root, flush_guest, flush_gva;
	u64 flush_address;

	/* Fields as last written or read, to write only what changed. */
	u64 hw_rip, hw_rsp, hw_rflags;
	u32 hw_interruptibility;
	u32 hw_tpr_threshold;
	u16 hw_intr_status;		/* RVI and SVI */
	u64 hw_eoi_map[4];
	u64 *pid_entry;			/* the VM's table's; or NULL */
	int posted_cpu;			/* whom devices notify; -1: nobody */
	int blocked_cpu;		/* in whose list; -1: in none */
	struct list_head blocked;	/* [blocked_lock] */
	u64 hw_cr3_host, hw_cr4_host;

	struct vmx_timer timer;
	struct vmx_host_state host;
	struct vmx_switch sw;		/* entry.S */
	bool spec_ctrl_live;		/* the guest writes SPEC_CTRL itself */
	bool l1d_flush;			/* the host ran more than our own code */

	bool guest_tf;			/* RFLAGS.TF is the guest's */
	bool nmi_blocked;		/* by this entry */
};

struct vmx_cpu {
	bool on;
	struct vmcs *vmxon;		/* the hardware's own region */
	struct list_head vmcss;		/* active on this CPU */
	raw_spinlock_t blocked_lock;	/* posted.c */
	struct list_head blocked;	/* vCPUs that fell asleep here */
	struct vmx_vcpu *current_vmcs;
	u64 user_msr[USER_MSR_COUNT];	/* as in the CPU */
	u64 host_msr[USER_MSR_COUNT];	/* the kernel's */
};

DECLARE_PER_CPU(struct vmx_cpu, vmx_cpu);

/* Features every CPU has; written by setup only. */
extern struct vmx_caps vmx_host_caps;

static inline struct vmx_vcpu *to_vmx(struct vcpu *vcpu)
{
	return container_of(vcpu, struct vmx_vcpu, vcpu);
}

static inline struct vmx_vm *to_vmx_vm(struct vm *vm)
{
	return container_of(vm, struct vmx_vm, vm);
}

/* ---- vmcs.c ------------------------------------------------------------ */

/** vmcs_access_failed() - say so; the vCPU is entered no more */
__cold void vmcs_access_failed(enum vmcs_field field, bool write);

/* The instruction by itself; 0 and a message if it fails. */
static __always_inline u64 vmread(u64 field)
{
	u64 val;

	asm_goto_output("1: vmread %[field], %[val]\n\t"
			"jna %l[failed]\n\t"
			_ASM_EXTABLE(1b, %l[failed])
			: [val] "=r"(val) : [field] "r"(field)
			: "cc" : failed);
	return val;
failed:
	vmcs_access_failed(field, false);
	return 0;
}

static __always_inline void vmwrite(u64 field, u64 val)
{
	asm goto("1: vmwrite %[val], %[field]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [field] "r"(field), [val] "r"(val)
		 : "cc" : failed);
	return;
failed:
	vmcs_access_failed(field, true);
}

/* A constant, so that for nearly all fields there is nothing to look up. */
static __always_inline bool vmcs_has(enum vmcs_field field)
{
	BUILD_BUG_ON(!__builtin_constant_p(field));
	return vmcs_field_exists(&vmx_host_caps, field);
}

/**
 * vmcs_read() - a field of the current VMCS; 0 where there is no such field
 * vmcs_write() - write a field; nothing happens where there is none
 *
 * @field is a constant. What fails all the same is logged and breaks the vCPU.
 */
static __always_inline u64 vmcs_read(enum vmcs_field field)
{
	return vmcs_has(field) ? vmread(field) : 0;
}

static __always_inline void vmcs_write(enum vmcs_field field, u64 val)
{
	if (vmcs_has(field))
		vmwrite(field, val);
}

/**
 * vmcs_read_nth() - as vmcs_read(), for the @n-th field from @first on
 * vmcs_write_nth() - as vmcs_write()
 *
 * Fields of a group are 2 apart, and exist all or none.
 */
static __always_inline u64 vmcs_read_nth(enum vmcs_field first, unsigned int n)
{
	return vmcs_has(first) ? vmread(first + 2 * n) : 0;
}

static __always_inline void vmcs_write_nth(enum vmcs_field first,
					   unsigned int n, u64 val)
{
	if (vmcs_has(first))
		vmwrite(first + 2 * n, val);
}

/** vmcs_read_any() - as vmcs_read(), for a field that is no constant */
u64 vmcs_read_any(u16 field);

/** vmcs_new() - a page with the revision in it, on @node; NULL: no memory */
struct vmcs *vmcs_new(int node);

/**
 * vmcs_load() - make the VMCS of @vmx active and current on this CPU
 *
 * Preemption off, interrupts on: another CPU may have to let go of it. True
 * if it was not active here before: what depends on the CPU is to be written.
 */
bool vmcs_load(struct vmx_vcpu *vmx);

/** vmcs_release() - active nowhere any more, memory is current; may wait */
void vmcs_release(struct vmx_vcpu *vmx);

/** vmcs_release_cpu() - release all that are active here; interrupts off */
void vmcs_release_cpu(struct vmx_cpu *vc);

/** vmcs_crash_cpu() - write back all that are active here; from an NMI */
void vmcs_crash_cpu(struct vmx_cpu *vc);

/** vmx_on() / vmx_off() - VMXON and VMXOFF on this CPU; interrupts off */
bool vmx_on(struct vmx_cpu *vc);
void vmx_off(void);

/* ---- host.c ------------------------------------------------------------ */

/** vmx_host_setup() - host fields that are the same on all CPUs, for good */
void vmx_host_setup(void);

/** vmx_host_cpu() - host fields that this CPU decides */
void vmx_host_cpu(struct vmx_vcpu *vmx);

/**
 * vmx_host_away() - save what exits do not restore, load the guest's MSRs
 * vmx_host_back() - undo it
 *
 * Around any number of entries: the first entry after a load does the one,
 * put the other. Interrupts off; preemption off.
 */
void vmx_host_away(struct vmx_vcpu *vmx);
void vmx_host_back(struct vmx_vcpu *vmx);

/** vmx_host_entry() - host fields that may change any time; interrupts off */
void vmx_host_entry(struct vmx_vcpu *vmx);

/* ---- regs.c ------------------------------------------------------------ */

/** vmx_regs_load() - backend.regs_load() */
void vmx_regs_load(struct vcpu *vcpu, u32 groups);

/**
 * vmx_regs_flush() - write the dirty groups to the VMCS
 *
 * RSP, RIP and RFLAGS excepted: run.c compares them at each entry. It calls
 * this if there are others, and marks all as clean.
 */
void vmx_regs_flush(struct vmx_vcpu *vmx);

/* ---- event.c ----------------------------------------------------------- */

/** vmx_event_needs() - the controls that @entry's windows need (NEED_*) */
u32 vmx_event_needs(const struct entry *entry);

/** vmx_event_inject() - interruptibility and event of @entry; after the flush */
void vmx_event_inject(struct vmx_vcpu *vmx, const struct entry *entry);

/** vmx_event_exit() - what is left to settle after the exit of an exception */
void vmx_event_exit(struct vmx_vcpu *vmx, struct exit *exit);

/* ---- eptp.c ------------------------------------------------------------ */

/** vmx_vpid_alloc() - a VPID, or 0 if there is none to have */
u16 vmx_vpid_alloc(void);
void vmx_vpid_free(u16 vpid);

/** vmx_flush_all() - every cached guest translation of this CPU: cpu_on */
void vmx_flush_all(void);

/** vmx_flush_prepare() - do the flushes that are due; before an entry */
void vmx_flush_prepare(struct vmx_vcpu *vmx);

void vmx_flush(struct vcpu *vcpu, enum flush_scope scope, u64 gva);
void vmx_set_root(struct vcpu *vcpu, struct hpa root, int levels);

/* ---- msr.c ------------------------------------------------------------- */

/** vmx_msr_init() - fresh bitmaps: all but a few exit */
void vmx_msr_init(struct vmx_vcpu *vmx);

/** vmx_msr_cpuid() - what bitmaps and controls owe to the guest's CPUID */
void vmx_msr_cpuid(struct vmx_vcpu *vmx);

/** vmx_msr_host() - learn the host's values of the user MSRs: cpu_on */
void vmx_msr_host(struct vmx_cpu *vc);

/**
 * vmx_msr_load() - load an MSR with what a guest or its VMM chose
 *
 * The checks of x86/msr.c leave nothing that the CPU refuses. If they do, it
 * gets 0, as what is there already is somebody else's. Returns what it holds.
 */
u64 vmx_msr_load(u32 index, u64 val);

/** vmx_msr_user() - the guest's user MSRs into the CPU, or the host's (NULL) */
void vmx_msr_user(struct vmx_vcpu *vmx);

/** vmx_msr_enter() - prepare SPEC_CTRL's switch; before an entry */
void vmx_msr_enter(struct vmx_vcpu *vmx);

/** vmx_msr_leave() - take SPEC_CTRL as the exit found it */
void vmx_msr_leave(struct vmx_vcpu *vmx);

enum msr_rc vmx_feature_msr(u32 index, u64 *val);

/* ---- l1d.c ------------------------------------------------------------- */

/** vmx_l1d_setup() - choose how the L1 data cache is flushed; module load */
int vmx_l1d_setup(void);
void vmx_l1d_teardown(void);

/** vmx_l1d_due() - does this entry have to flush; interrupts off */
bool vmx_l1d_due(struct vmx_vcpu *vmx);

/** vmx_l1d_flush() - do it; noinstr */
void vmx_l1d_flush(void);

/* ---- apicv.c ----------------------------------------------------------- */

/** vmx_apicv_init() - the inbox, if hardware delivers; -ENOMEM; may sleep */
int vmx_apicv_init(struct vmx_vcpu *vmx);
void vmx_apicv_free(struct vmx_vcpu *vmx);

/** vmx_apicv_setup() - fields that keep their value for good */
void vmx_apicv_setup(struct vmx_vcpu *vmx);

/** vmx_apicv_controls() - the MSR bitmap as @c, which come into force, have it */
void vmx_apicv_controls(struct vmx_vcpu *vmx, const struct vmx_controls *c);

/** vmx_apicv_update() - vcpu->eoi_map changed */
void vmx_apicv_update(struct vmx_vcpu *vmx);

/**
 * vmx_apicv_enter() - tell the hardware what is requested and in service
 * vmx_apicv_leave() - learn what is in service, into @exit
 *
 * Around an entry with virtual-interrupt delivery.
 */
void vmx_apicv_enter(struct vmx_vcpu *vmx, const struct entry *entry);
void vmx_apicv_leave(struct vmx_vcpu *vmx, const struct entry *entry,
		     struct exit *exit);

/** vmx_apicv_irq() - handle the interrupt @vector that an exit acknowledged */
void vmx_apicv_irq(u8 vector);

/** vmx_notify() - backend.notify() */
void vmx_notify(struct vcpu *vcpu, int cpu);

/* ---- posted.c ---------------------------------------------------------- */

/** vmx_posted_setup() - module load, after the CPUs' structs were made */
void vmx_posted_setup(const struct vmx_caps *caps);
void vmx_posted_teardown(void);

/** vmx_posted_load() - devices' interrupts notify this CPU; preemption off */
void vmx_posted_load(struct vmx_vcpu *vmx, int cpu);

/** vmx_posted_put() - if it falls asleep, they wake it; preemption off */
void vmx_posted_put(struct vmx_vcpu *vmx);

/** vmx_posted_cpu_off() - this CPU will take no wake-up any more */
void vmx_posted_cpu_off(struct vmx_cpu *vc);

/** vmx_posts_devices() - can devices' interrupts be posted on this host */
bool vmx_posts_devices(const struct vmx_caps *caps);

/** vmx_irte_update() - backend.irte_update() */
int vmx_irte_update(struct vcpu *vcpu, unsigned int host_irq, u8 vector);

/* ---- ipiv.c ------------------------------------------------------------ */

/** vmx_ipiv_init() - the VM's table, if hardware sends IPIs; -ENOMEM */
int vmx_ipiv_init(struct vmx_vcpu *vmx);
void vmx_ipiv_free(struct vmx_vcpu *vmx);

/** vmx_ipiv_vm_free() - all vCPUs are gone */
void vmx_ipiv_vm_free(struct vmx_vm *vm);

/** vmx_ipiv_setup() - fields that keep their value for good */
void vmx_ipiv_setup(struct vmx_vcpu *vmx);

/** vmx_ipiv_enter() - does hardware send to this one; before an entry */
void vmx_ipiv_enter(struct vmx_vcpu *vmx);

/* ---- timer.c ----------------------------------------------------------- */

/** vmx_timer_setup() - will deadlines be hardware's; module load */
bool vmx_timer_setup(const struct vmx_caps *caps);

/** vmx_timer_enter() - what is left until the deadline; before an entry */
void vmx_timer_enter(struct vmx_vcpu *vmx);

/** vmx_timer_tsc_changed() - the guest's TSC has another offset or ratio */
void vmx_timer_tsc_changed(struct vmx_vcpu *vmx);

/** vmx_deadline() - backend.deadline() */
bool vmx_deadline(struct vcpu *vcpu, u64 guest_tsc);

/* ---- param.c ----------------------------------------------------------- */

/** vmx_param_apply() - leave out what the administrator does not want used */
void vmx_param_apply(struct vmx_caps *caps);

/** vmx_param_small_exec() - shall only small pages be executable; module load */
bool vmx_param_small_exec(void);

/** vmx_param_unload() - what was told the kernel is not true any more */
void vmx_param_unload(void);

/* ---- pml.c ------------------------------------------------------------- */

/** vmx_pml_init() - a page to log in, if the hardware does; -ENOMEM */
int vmx_pml_init(struct vmx_vcpu *vmx);
void vmx_pml_free(struct vmx_vcpu *vmx);

/** vmx_pml_setup() - fields that keep their value for good */
void vmx_pml_setup(struct vmx_vcpu *vmx);

/** vmx_pml_drain() - hand over what was logged; after an exit */
void vmx_pml_drain(struct vmx_vcpu *vmx);

/* ---- run.c ------------------------------------------------------------- */

/** vmx_run() - backend.run() */
void vmx_run(struct vcpu *vcpu, const struct entry *entry, struct exit *exit);

/** vmx_dump() - backend.dump() */
void vmx_dump(struct vcpu *vcpu);

#endif
