// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes VMX on one CPU, as another hypervisor would, for as long as it is
 * loaded: lab/refusals.sh looks how kvm-intel.ko takes it.
 *
 * Parameters: cpu, the CPU; vmxon=0 sets CR4.VMXE and leaves it at that.
 */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/tlbflush.h>

static unsigned int cpu;
module_param(cpu, uint, 0);
static bool vmxon = true;
module_param(vmxon, bool, 0);

static u32 *region;		/* begins with the revision: SDM 25.11.5 */

static void take(void *result)
{
	u64 pa = __pa(region);

	cr4_set_bits(X86_CR4_VMXE);
	*(int *)result = 0;
	if (!vmxon)
		return;
	asm goto("1: vmxon %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m"(pa) : "cc", "memory" : failed);
	return;
failed:
	cr4_clear_bits(X86_CR4_VMXE);
	*(int *)result = -EBUSY;
}

static void give_back(void *unused)
{
	if (vmxon)
		asm volatile("vmxoff" : : : "cc", "memory");
	cr4_clear_bits(X86_CR4_VMXE);
}

static int __init taken_init(void)
{
	int err, result = 0;
	u64 basic;

	err = rdmsrl_safe(MSR_IA32_VMX_BASIC, &basic);
	if (err)
		return err;
	region = (u32 *)get_zeroed_page(GFP_KERNEL);
	if (!region)
		return -ENOMEM;
	*region = (u32)basic;
	err = smp_call_function_single(cpu, take, &result, true);
	if (!err)
		err = result;
	if (err)
		free_page((unsigned long)region);
	return err;
}

static void __exit taken_exit(void)
{
	smp_call_function_single(cpu, give_back, NULL, true);
	free_page((unsigned long)region);
}

module_init(taken_init);
module_exit(taken_exit);
MODULE_DESCRIPTION("Test: VMX in use");
MODULE_LICENSE("GPL");
