// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-amd.ko: the module, SVM on each CPU, and the life of the vendor's part
 * of a vCPU.
 *
 * Invariants: a CPU whose svm_cpu.on is set has EFER.SVME and its own host
 * save area; svm_host_caps holds for all of them. A VMCB, its permission map
 * and its guest's state belong to the vCPU's thread.
 *
 * Called by core through struct backend, and by the kernel when the machine
 * goes down.
 */
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <asm/cpu_device_id.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/perf_event.h>
#include <asm/processor.h>
#include <asm/reboot.h>

#include "core/fact.h"
#include "core/guest_mode.h"
#include "mmu/pte.h"
#include "svm/svm.h"

#define IOPM_ORDER 2			/* 12 KiB, the first part of 16 */

DEFINE_PER_CPU(struct svm_cpu, svm_cpu);
struct svm_caps svm_host_caps __ro_after_init;
u32 svm_clean __ro_after_init;

/* Every port intercepted, for everybody: the guest never writes it. */
static unsigned long iopm;

static u64 phys(unsigned long addr)
{
	return __sme_set(__pa(addr));
}

/* ---- the host's CPUs --------------------------------------------------- */

static struct svm_host read_host(void)
{
	struct svm_host host = {
		.amd = boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
		       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON,
	};
	u32 unused;

	if (!host.amd)
		return host;
	host.ext_ecx = cpuid_ecx(0x80000001);
	if (!(host.ext_ecx & BIT(2)))
		return host;
	cpuid(0x8000000a, &host.svm_eax, &host.svm_ebx, &unused,
	      &host.svm_edx);
	rdmsrl(SVM_MSR_VM_CR, host.vm_cr);
	rdmsrl(SVM_MSR_EFER, host.efer);
	return host;
}

static void free_area(u64 pa)
{
	if (pa)
		free_page((unsigned long)__va(__sme_clr(pa)));
}

static void free_areas(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpu, cpu);

		free_area(sc->hsave_pa);
		free_area(sc->host_area_pa);
		*sc = (struct svm_cpu){ };
	}
	free_pages(iopm, IOPM_ORDER);
	iopm = 0;
	svm_msr_teardown();
}

static u64 alloc_area(int cpu)
{
	void *page = svm_hw_page(cpu_to_node(cpu), GFP_KERNEL);

	return page ? phys((unsigned long)page) : 0;
}

static void efer_svme_off(void)
{
	u64 efer;

	rdmsrl(SVM_MSR_EFER, efer);
	wrmsrl(SVM_MSR_EFER, efer & ~(u64)EFER_SVME_BIT);
}

/* Crash or forced reboot, from an NMI: whatever this CPU was doing. */
static void svm_emergency(void)
{
	u64 efer;

	rdmsrl(SVM_MSR_EFER, efer);
	if (!(efer & EFER_SVME_BIT))
		return;
	/* With GIF clear, INIT would be blocked: APM vol. 2, 15.17 */
	asm volatile("stgi");
	efer_svme_off();
}

static int svm_setup(void)
{
	struct svm_host host = read_host();
	const char *why = svm_refusal(&host);
	int cpu;

	if (why) {
		pr_err("kvm-amd: %s\n", why);
		return -EOPNOTSUPP;
	}
	svm_host_caps = svm_caps(&host);
	svm_clean = svm_host_caps.clean_bits ? CLEAN_ALL : 0;
	svm_errata_setup();

	iopm = __get_free_pages(GFP_KERNEL, IOPM_ORDER);
	if (!iopm || svm_msr_setup()) {
		free_areas();
		return -ENOMEM;
	}
	memset((void *)iopm, 0xff, PAGE_SIZE << IOPM_ORDER);
	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpu, cpu);

		sc->hsave_pa = alloc_area(cpu);
		sc->host_area_pa = alloc_area(cpu);
		if (!sc->hsave_pa || !sc->host_area_pa) {
			free_areas();
			return -ENOMEM;
		}
	}
	/* Before EFER.SVME is set first; no VM must be possible without it. */
	cpu_emergency_register_virt_callback(svm_emergency);
	return 0;
}

static void svm_teardown(void)
{
	cpu_emergency_unregister_virt_callback(svm_emergency);
	free_areas();
}

static int svm_cpu_on(void)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpu);
	struct svm_host host = read_host();
	struct svm_caps caps = svm_caps(&host);
	const char *why = svm_refusal(&host);

	if (!why && !svm_caps_cover(&caps, &svm_host_caps))
		why = "the CPU lacks features that others have";
	if (why) {
		pr_err("kvm-amd: CPU %d: %s\n", smp_processor_id(), why);
		return -EOPNOTSUPP;
	}
	wrmsrl(SVM_MSR_EFER, host.efer | EFER_SVME_BIT);
	wrmsrl(SVM_MSR_VM_HSAVE_PA, sc->hsave_pa);
	asid_pool_reset(&sc->asids, caps.asids);
	svm_msr_cpu(true);
	svm_errata_cpu_on();
	/* Perf counts the host's events alone by a bit that needs SVME. */
	amd_pmu_enable_virt();
	sc->tsc_ratio = 0;		/* not known: written at first use */
	if (boot_cpu_has(X86_FEATURE_RDTSCP)) {
		u64 aux;

		rdmsrl(MSR_TSC_AUX, aux);
		sc->tsc_aux = sc->host_tsc_aux = aux;
	}
	sc->on = true;
	return 0;
}

static void svm_cpu_off(void)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpu);

	if (!sc->on)
		return;
	sc->on = false;
	if (svm_host_caps.tsc_ratio) {
		sc->tsc_ratio = TSC_RATIO_ONE;
		wrmsrl(SVM_MSR_TSC_RATIO, sc->tsc_ratio);
	}
	svm_msr_cpu(false);
	wrmsrl(SVM_MSR_VM_HSAVE_PA, 0);
	efer_svme_off();
	amd_pmu_disable_virt();
}

/* ---- VMs and vCPUs ----------------------------------------------------- */

static int svm_vm_init(struct vm *vm)
{
	return 0;
}

static void svm_vm_free(struct vm *vm)
{
}

static void svm_vcpu_free(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	free_page((unsigned long)svm->vmcb);
	svm->vmcb = NULL;
}

static int svm_vcpu_init(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *control;

	svm->vmcb = svm_hw_page(NUMA_NO_NODE, GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb)
		return -ENOMEM;
	svm->vmcb_pa = phys((unsigned long)svm->vmcb);
	svm->cpu = -1;
	svm->controls_stale = true;
	svm_msr_map(svm);

	control = &svm->vmcb->control;
	control->iopm_pa = phys(iopm);
	control->nested = NESTED_PAGING;
	return 0;
}

static void svm_vcpu_reset(struct vcpu *vcpu, bool init)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if (!init)
		svm_errata_vcpu(vcpu);
	svm->vmcb->save.debugctl = 0;
	svm->iret_seen = false;
	svm->asid.flush = true;
	svm->controls_stale = true;
	/* After a shutdown the save area is undefined: all is written anew. */
	regs_touch(&vcpu->regs, RG_ALL);
}

static bool svm_cr_valid(struct vcpu *vcpu, u64 cr0, u64 cr4)
{
	/* With nested paging the hardware runs what the architecture allows. */
	return true;
}

static void svm_controls_changed(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->controls_stale = true;
	svm_msr_cpuid(svm);
}

static void svm_tsc_update(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	/* The ratio is an MSR of the CPU: see svm_msr_enter(). */
	svm->vmcb->control.tsc_offset = vcpu->tsc.offset;
	svm_dirty(svm, CLEAN_INTERCEPTS);
}

static void svm_load(struct vcpu *vcpu, int cpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->host_stale = true;
	if (svm->cpu != cpu) {
		svm->cpu = cpu;
		asid_moved(&svm->asid);
		svm->vmcb->control.clean = 0;
	}
}

static void svm_put(struct vcpu *vcpu)
{
	svm_msr_put(this_cpu_ptr(&svm_cpu));
}

static void svm_irqoff(struct vcpu *vcpu, struct exit *exit)
{
	/* Interrupts and NMIs are still pending, and taken as usual. */
	if (likely(exit->kind != EXIT_KIND_HOST_MCE))
		return;
	if (svm_errata_machine_check())
		exit->kind = EXIT_KIND_SHUTDOWN;
	else
		guest_mode_machine_check();
}

static void svm_flush(struct vcpu *vcpu, enum flush_scope scope, u64 gva)
{
	/* One ASID stands for all three scopes. */
	to_svm(vcpu)->asid.flush = true;
}

static void svm_set_root(struct vcpu *vcpu, struct hpa root, int levels)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	svm->vmcb->control.n_cr3 = __sme_set(root.v);
	svm_dirty(svm, CLEAN_NP);
	svm->asid.flush = true;
}

static bool svm_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	return false;
}

static int svm_irte_update(struct vcpu *vcpu, unsigned int host_irq, u8 vector)
{
	return -EOPNOTSUPP;
}

static void svm_notify(struct vcpu *vcpu, int cpu)
{
	/* Nothing is ever in an inbox: AVIC is off. */
	arch_smp_send_reschedule(cpu);
}

static enum run_next svm_private_exit(struct vcpu *vcpu, struct exit *exit)
{
	/* An exit nobody asked for. */
	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	vcpu->run->hw.hardware_exit_reason = exit->hw_reason;
	return RUN_USER;
}

static void dump_seg(const struct vcpu *vcpu, const char *name,
		     const struct vmcb_seg *seg)
{
	dump_line(vcpu, "%s %04x attr %03x limit %08x base %016llx", name,
		  seg->selector, seg->attr, seg->limit, seg->base);
}

static void svm_dump(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	const struct vmcb_control *c = &vmcb->control;
	const struct vmcb_save *s = &vmcb->save;

	dump_line(vcpu, "exit %llx info1 %llx info2 %llx intinfo %llx",
		  c->exit_code, c->exit_info1, c->exit_info2, c->exit_int_info);
	dump_line(vcpu, "intercepts cr %x dr %x exc %x %x %x %x", c->icpt_cr,
		  c->icpt_dr, c->icpt_exceptions, c->icpt_3, c->icpt_4,
		  c->icpt_5);
	dump_line(vcpu, "asid %x tlb %x vintr %llx shadow %llx inj %llx ncr3 %llx",
		  c->asid, c->tlb_control, c->vintr, c->shadow, c->event_inj,
		  c->n_cr3);
	dump_line(vcpu, "cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx pat %llx",
		  s->cr0, s->cr2, s->cr3, s->cr4, s->efer, s->g_pat);
	dump_line(vcpu, "rip %llx rflags %llx rsp %llx rax %llx dr6 %llx dr7 %llx",
		  s->rip, s->rflags, s->rsp, s->rax, s->dr6, s->dr7);
	dump_line(vcpu, "cpl %u", s->cpl);
	dump_seg(vcpu, "cs  ", &s->cs);
	dump_seg(vcpu, "ss  ", &s->ss);
	dump_seg(vcpu, "ds  ", &s->ds);
	dump_seg(vcpu, "es  ", &s->es);
	dump_seg(vcpu, "fs  ", &s->fs);
	dump_seg(vcpu, "gs  ", &s->gs);
	dump_seg(vcpu, "ldtr", &s->ldtr);
	dump_seg(vcpu, "tr  ", &s->tr);
	dump_seg(vcpu, "gdtr", &s->gdtr);
	dump_seg(vcpu, "idtr", &s->idtr);
}

/* ---- the module -------------------------------------------------------- */

static struct backend svm_backend = {
	.name = "kvm-amd",
	.owner = THIS_MODULE,
	.vm_size = sizeof(struct vm),
	.vcpu_size = sizeof(struct svm_vcpu),
	.hypercall = { 0x0f, 0x01, 0xd9 },	/* VMMCALL */
#define X(ret, name, args) .name = svm_##name,
	BACKEND_CALLS(X)
	BACKEND_HOT_CALLS(X)
#undef X
};
static_assert(offsetof(struct svm_vcpu, vcpu) == 0);

/* Facts that backend_register() wants before it calls setup(). */
static void describe(struct backend *backend, const struct svm_caps *caps)
{
	/* APM vol. 2, 15.14.3 */
	backend->caps = BACKEND_NMI_WINDOW | BACKEND_SHUTDOWN_LOSES |
			(caps->next_rip ? BACKEND_NEXT_RIP : 0) |
			(caps->decode ? BACKEND_DECODE : 0) |
			(caps->tsc_ratio ? BACKEND_TSC_SCALING : 0) |
			(caps->pause_filter ? BACKEND_PAUSE_FILTER : 0);
	backend->tdp = svm_param_tdp();
	backend->tsc_frac_bits = caps->tsc_ratio ? 32 : 0;
	backend->tsc_max_ratio = caps->tsc_ratio ? TSC_RATIO_MAX : 0;
	/* Nested paging uses the host's mode, no other: 15.25.3 */
	backend->tdp_levels = native_read_cr4() & X86_CR4_LA57 ? 5 : 4;
}

static int __init svm_module_init(void)
{
	struct svm_host host = read_host();
	struct svm_caps caps = svm_caps(&host);

	describe(&svm_backend, &caps);
	return backend_register(&svm_backend);
}

static void __exit svm_module_exit(void)
{
	backend_unregister();
}

FACT(npt, bool, true);
FACT(avic, bool, false);
FACT(nested, int, 0);

module_init(svm_module_init);
module_exit(svm_module_exit);

MODULE_DESCRIPTION("Virtual machines on AMD-V");
MODULE_LICENSE("GPL");
