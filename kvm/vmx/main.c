// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-intel.ko: the module, VMX on each CPU, and the life of the vendor's
 * part of a vCPU.
 *
 * Invariants: a CPU whose vmx_cpu.on is set is in VMX operation with its own
 * VMXON region; vmx_host_caps holds for all of them. A VMCS, its MSR bitmaps
 * and its guest's state belong to the vCPU's thread.
 *
 * Called by core through struct backend, and by the kernel when the machine
 * goes down.
 */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <asm/cpu_device_id.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>

#include "core/guest_mode.h"
#include "mmu/pte.h"
#include "vmx/vmx.h"

DEFINE_PER_CPU(struct vmx_cpu, vmx_cpu);
struct vmx_caps vmx_host_caps __ro_after_init;

/* The EPT format with what this host lacks taken out. */
static struct pte_format tdp_format __ro_after_init;

/* ---- the host's CPUs --------------------------------------------------- */

static u64 read_msr(u32 index)
{
	u64 val = 0;

	/* Optional ones are not there at all. */
	rdmsrl_safe(index, &val);
	return val;
}

static void read_words(struct vmx_host *host)
{
	bool true_ones = host->basic & BASIC_TRUE_CONTROLS;

	host->word[WORD_PIN] = read_msr(true_ones ? VMX_MSR_TRUE_PIN :
						    VMX_MSR_PIN);
	host->word[WORD_PROC] = read_msr(true_ones ? VMX_MSR_TRUE_PROC :
						     VMX_MSR_PROC);
	host->word[WORD_EXIT] = read_msr(true_ones ? VMX_MSR_TRUE_EXIT :
						     VMX_MSR_EXIT);
	host->word[WORD_ENTRY] = read_msr(true_ones ? VMX_MSR_TRUE_ENTRY :
						      VMX_MSR_ENTRY);
	host->word[WORD_PROC2] = read_msr(VMX_MSR_PROC2);
	/* 64 bits that may be 1, none that must: A.3.4 */
	host->word[WORD_PROC3] = read_msr(VMX_MSR_PROC3) << 32;
}

static struct vmx_host read_host(void)
{
	struct vmx_host host = {
		.vmx = cpuid_ecx(1) & VMX_CPUID_1_ECX,
		.cr4_vmxe = native_read_cr4() & X86_CR4_VMXE,
	};

	if (!host.vmx)
		return host;
	host.feature_control = read_msr(VMX_MSR_FEATURE_CONTROL);
	host.basic = read_msr(VMX_MSR_BASIC);
	host.misc = read_msr(VMX_MSR_MISC);
	host.ept_vpid = read_msr(VMX_MSR_EPT_VPID);
	host.cr0_fixed0 = read_msr(VMX_MSR_CR0_FIXED0);
	host.cr0_fixed1 = read_msr(VMX_MSR_CR0_FIXED1);
	host.cr4_fixed0 = read_msr(VMX_MSR_CR4_FIXED0);
	host.cr4_fixed1 = read_msr(VMX_MSR_CR4_FIXED1);
	read_words(&host);
	return host;
}

/* What the CPU has and the administrator lets us use. */
static struct vmx_caps usable_caps(const struct vmx_host *host)
{
	struct vmx_caps caps = vmx_caps(host);

	vmx_param_apply(&caps);
	return caps;
}

static void free_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vc = per_cpu_ptr(&vmx_cpu, cpu);

		free_page((unsigned long)vc->vmxon);
		*vc = (struct vmx_cpu){ };
	}
}

static int alloc_cpus(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vc = per_cpu_ptr(&vmx_cpu, cpu);

		INIT_LIST_HEAD(&vc->vmcss);
		vc->vmxon = vmcs_new(cpu_to_node(cpu));
		if (!vc->vmxon) {
			free_cpus();
			return -ENOMEM;
		}
	}
	return 0;
}

/* Crash or forced reboot, from an NMI: whatever this CPU was doing. */
static void vmx_emergency(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);

	if (!(native_read_cr4() & X86_CR4_VMXE) || !vc->on)
		return;
	WRITE_ONCE(vc->on, false);
	vmcs_crash_cpu(vc);
	vmx_off();
}

static int vmx_setup(void)
{
	struct vmx_host host = read_host();
	const char *why = vmx_refusal(&host);
	int err;

	if (why) {
		pr_err("kvm-intel: %s\n", why);
		return -EOPNOTSUPP;
	}
	vmx_host_caps = usable_caps(&host);
	err = alloc_cpus();
	if (err)
		return err;
	vmx_posted_setup(&vmx_host_caps);
	err = vmx_l1d_setup();
	if (err) {
		vmx_posted_teardown();
		free_cpus();
		return err;
	}
	/* Before the first VMXON; no VM must be possible without it. */
	cpu_emergency_register_virt_callback(vmx_emergency);
	return 0;
}

static void vmx_teardown(void)
{
	cpu_emergency_unregister_virt_callback(vmx_emergency);
	vmx_l1d_teardown();
	vmx_posted_teardown();
	free_cpus();
}

static int vmx_cpu_on(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);
	struct vmx_host host = read_host();
	struct vmx_caps caps = vmx_caps(&host);
	const char *why = vmx_refusal(&host);

	if (!why && !vmx_caps_cover(&caps, &vmx_host_caps))
		why = "the CPU lacks features that others have";
	if (why) {
		pr_err("kvm-intel: CPU %d: %s\n", smp_processor_id(), why);
		return -EOPNOTSUPP;
	}
	intel_pt_handle_vmx(1);
	if (!vmx_on(vc)) {
		intel_pt_handle_vmx(0);
		pr_err("kvm-intel: CPU %d: VMXON failed\n",
		       smp_processor_id());
		return -EIO;
	}
	vmx_flush_all();
	vmx_msr_host(vc);
	vc->on = true;
	return 0;
}

static void vmx_cpu_off(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);

	if (!vc->on)
		return;
	vmx_posted_cpu_off(vc);
	vmcs_release_cpu(vc);
	WRITE_ONCE(vc->on, false);
	vmx_off();
	intel_pt_handle_vmx(0);
}

/* ---- VMs and vCPUs ----------------------------------------------------- */

static int vmx_vm_init(struct vm *vm)
{
	return 0;
}

static void vmx_vm_free(struct vm *vm)
{
	vmx_ipiv_vm_free(to_vmx_vm(vm));
}

static void vmx_vcpu_free(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmcs_release(vmx);
	vmx_vpid_free(vmx->vpid);
	vmx_ipiv_free(vmx);
	vmx_apicv_free(vmx);
	vmx_pml_free(vmx);
	free_page((unsigned long)vmx->msr_bitmap);
	free_page((unsigned long)vmx->vmcs);
	vmx->vpid = 0;
	vmx->msr_bitmap = NULL;
	vmx->vmcs = NULL;
}

static int vmx_vcpu_init(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->cpu = -1;
	vmx->posted_cpu = -1;
	vmx->blocked_cpu = -1;
	vmx->vmcs = vmcs_new(NUMA_NO_NODE);
	vmx->msr_bitmap = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	/* The LAPIC's page is what the hardware virtualizes. */
	if (vcpu->lapic && vmx_can(&vmx_host_caps, CTL_TPR_SHADOW))
		vmx->vapic = vcpu->lapic->regs;
	if (!vmx->vmcs || !vmx->msr_bitmap || vmx_apicv_init(vmx) ||
	    vmx_ipiv_init(vmx) || vmx_pml_init(vmx)) {
		vmx_vcpu_free(vcpu);
		return -ENOMEM;
	}
	vmx->vpid = vmx_vpid_alloc();
	vmx_msr_init(vmx);
	return 0;
}

/* Fields that keep their value for good. 25.6 to 25.8 */
static void vmcs_setup_controls(struct vmx_vcpu *vmx)
{
	vmcs_write(MSR_BITMAP, __pa(vmx->msr_bitmap));
	vmcs_write(PF_ERROR_MASK, 0);
	vmcs_write(PF_ERROR_MATCH, 0);
	vmcs_write(CR3_TARGET_COUNT, 0);
	vmcs_write(EXIT_MSR_STORE_COUNT, 0);
	vmcs_write(EXIT_MSR_LOAD_COUNT, 0);
	vmcs_write(ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(CR0_MASK, ~0ULL);
	vmcs_write(CR4_MASK, ~0ULL);
	vmcs_write(VPID, vmx->vpid);
	vmx_apicv_setup(vmx);
	vmx_ipiv_setup(vmx);
	vmx_pml_setup(vmx);
	vmcs_write(ENCLS_EXIT_BITMAP, ~0ULL);
}

/* What entries compare with the hw_ fields, and what resets leave alone. */
static void vmcs_setup_guest(struct vmx_vcpu *vmx)
{
	vmcs_write(VMCS_LINK, ~0ULL);
	vmcs_write(GUEST_DEBUGCTL, 0);
	vmcs_write(GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(GUEST_PENDING_DEBUG, 0);
	vmcs_write(TIMER_VALUE, 0);
	vmcs_write(ENTRY_INTR_INFO, 0);
	vmcs_write(GUEST_RIP, 0);
	vmcs_write(GUEST_RSP, 0);
	vmcs_write(GUEST_RFLAGS, RFLAGS_FIXED);
	vmx->hw_rflags = RFLAGS_FIXED;
}

static void vmcs_setup(struct vmx_vcpu *vmx)
{
	vmx->vmcs_ready = true;
	vmx_host_setup();
	vmcs_setup_controls(vmx);
	vmcs_setup_guest(vmx);
	/* No value that can be: each word is written at the first entry. */
	memset(&vmx->controls, 0xff, sizeof(vmx->controls));
	vmx->controls_stale = true;
	vmx->tsc_stale = true;
}

static void vmx_vcpu_reset(struct vcpu *vcpu, bool init)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmcs_write(GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(GUEST_PENDING_DEBUG, 0);
	vmx->controls_stale = true;
	regs_touch(&vcpu->regs, RG_ALL);
}

static bool vmx_cr_valid(struct vcpu *vcpu, u64 cr0, u64 cr4)
{
	/* What must be 1 is added unseen by the guest: regs.c. */
	return !((u32)cr0 & ~vmx_host_caps.cr0_may) &&
	       !(cr4 & ~vmx_host_caps.cr4_may);
}

static void vmx_controls_changed(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->controls_stale = true;
	vmx_msr_cpuid(vmx);
	vmx_apicv_update(vmx);
	/* TSC_AUX is among them, and may be what changed. */
	if (vmx->host.away)
		vmx_msr_user(vmx);
}

static void vmx_tsc_update(struct vcpu *vcpu)
{
	to_vmx(vcpu)->tsc_stale = true;
	vmx_timer_tsc_changed(to_vmx(vcpu));
}

static void vmx_load(struct vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->l1d_flush = true;
	if (vmcs_load(vmx)) {
		if (!vmx->vmcs_ready)
			vmcs_setup(vmx);
		vmx_host_cpu(vmx);
		vmx->flush_root = true;
	}
	vmx_posted_load(vmx, cpu);
}

static void vmx_put(struct vcpu *vcpu)
{
	vmx_posted_put(to_vmx(vcpu));
	vmx_host_back(to_vmx(vcpu));
}

static void vmx_irqoff(struct vcpu *vcpu, struct exit *exit)
{
	if (exit->kind == EXIT_KIND_HOST_IRQ && exit->host_irq.taken)
		vmx_apicv_irq(exit->host_irq.vector);
	else if (exit->kind == EXIT_KIND_HOST_NMI)
		vmx_host_nmi();
	else if (exit->kind == EXIT_KIND_HOST_MCE)
		guest_mode_machine_check();
}

static enum run_next vmx_private_exit(struct vcpu *vcpu, struct exit *exit)
{
	/* An exit nobody asked for. */
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->run->hw.hardware_exit_reason = exit->hw_reason;
	return RUN_USER;
}

/* ---- the module -------------------------------------------------------- */

static struct backend vmx_backend = {
	.name = "kvm-intel",
	.owner = THIS_MODULE,
	.vm_size = sizeof(struct vmx_vm),
	.vcpu_size = sizeof(struct vmx_vcpu),
	.tdp = &tdp_format,
	.hypercall = { 0x0f, 0x01, 0xc1 },	/* VMCALL */
#define X(ret, name, args) .name = vmx_##name,
	BACKEND_CALLS(X)
	BACKEND_HOT_CALLS(X)
#undef X
};
static_assert(offsetof(struct vmx_vm, vm) == 0);
static_assert(offsetof(struct vmx_vcpu, vcpu) == 0);

/* Facts that backend_register() wants before it calls setup(). */
static void describe(struct backend *backend, const struct vmx_caps *caps)
{
	bool scaling = vmx_can(caps, CTL_TSC_SCALING);

	backend->caps = BACKEND_NMI_WINDOW | BACKEND_NEXT_RIP |
			BACKEND_PDPTES |
			(vmx_can(caps, CTL_APIC_ACCESSES) ?
			 BACKEND_APIC_PAGE : 0) |
			(vmx_can(caps, CTL_VIRTUAL_INTR) ?
			 BACKEND_DELIVERS : 0) |
			(vmx_can(caps, CTL_IPIV) ? BACKEND_WIDE_ICR : 0) |
			(vmx_posts_devices(caps) ? BACKEND_POSTS_DEVICES : 0) |
			(scaling ? BACKEND_TSC_SCALING : 0) |
			(vmx_timer_setup(caps) ? BACKEND_DEADLINE : 0) |
			(vmx_can(caps, CTL_PAUSE_LOOP) ?
			 BACKEND_PAUSE_FILTER : 0);
	backend->tsc_frac_bits = scaling ? VMX_TSC_FRAC_BITS : 0;
	backend->tsc_max_ratio = scaling ? U64_MAX : 0;
	backend->tdp_levels = caps->ept_5_levels &&
			      boot_cpu_data.x86_phys_bits > 48 ? 5 : 4;
	tdp_format = caps->ept_ad ? ept_format : ept_format_no_ad;
	tdp_format.log_by_dirty = vmx_can(caps, CTL_PML);
	tdp_format.small_exec = vmx_param_small_exec();
	if (!caps->ept_1g)
		tdp_format.max_leaf = caps->ept_2m ? PG_2M : PG_4K;
}

static int __init vmx_module_init(void)
{
	struct vmx_host host = read_host();
	struct vmx_caps caps = usable_caps(&host);
	int err;

	describe(&vmx_backend, &caps);
	err = backend_register(&vmx_backend);
	if (err)
		vmx_param_unload();
	return err;
}

static void __exit vmx_module_exit(void)
{
	backend_unregister();
	vmx_param_unload();
}

module_init(vmx_module_init);
module_exit(vmx_module_exit);

MODULE_DESCRIPTION("Virtual machines on Intel VT-x");
MODULE_LICENSE("GPL");
