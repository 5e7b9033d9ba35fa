// SPDX-License-Identifier: GPL-2.0-only
/*
 * The EPT pointer, VPIDs, and the flushing of what a CPU has cached.
 *
 * A processor caches guest-physical translations by EPT pointer, and combined
 * ones by EPT pointer, VPID and PCID. Every vCPU has a VPID for life, so its
 * own entries stay over exits. Dropping what came through the root is an
 * INVEPT of its pointer; dropping the guest's own translations an INVVPID,
 * and nothing at all without a VPID, as entries and exits then do it.
 *
 * A request reaches a vCPU where it is now. What it left on another CPU may
 * be stale when it comes back, so a move flushes the root: that covers every
 * VPID. A VPID that is used again was last used with another root, or with
 * this one before such a move.
 *
 * Requests are noted and done right before the entry, interrupts off.
 * SDM vol. 3, 29.4.
 */
#include <linux/idr.h>
#include <asm/asm.h>

#include "vmx/vmx.h"

static DEFINE_IDA(vpids);

u16 vmx_vpid_alloc(void)
{
	int vpid;

	if (!vmx_can(&vmx_host_caps, CTL_VPID))
		return 0;
	vpid = ida_alloc_range(&vpids, 1, U16_MAX, GFP_KERNEL_ACCOUNT);
	return vpid < 0 ? 0 : vpid;
}

void vmx_vpid_free(u16 vpid)
{
	if (vpid)
		ida_free(&vpids, vpid);
}

static void invept(u64 type, u64 eptp)
{
	struct invept_operand op = { .eptp = eptp };

	asm goto("1: invept %[op], %[type]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [op] "m"(op), [type] "r"(type)
		 : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("kvm-intel: INVEPT type %llu failed\n", type);
}

static void invvpid(u64 type, u16 vpid, u64 linear)
{
	struct invvpid_operand op = { .vpid = vpid, .linear = linear };

	asm goto("1: invvpid %[op], %[type]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [op] "m"(op), [type] "r"(type)
		 : "cc", "memory" : failed);
	return;
failed:
	pr_err_ratelimited("kvm-intel: INVVPID type %llu failed\n", type);
}

static void invept_root(u64 eptp)
{
	if (vmx_host_caps.invept_single)
		invept(INVEPT_SINGLE, eptp);
	else
		invept(INVEPT_ALL, 0);
}

static void invvpid_guest(u16 vpid)
{
	if (vmx_host_caps.invvpid_single)
		invvpid(INVVPID_SINGLE, vpid, 0);
	else
		invvpid(INVVPID_ALL, 0, 0);
}

void vmx_flush_all(void)
{
	invept(INVEPT_ALL, 0);
	if (vmx_can(&vmx_host_caps, CTL_VPID))
		invvpid(INVVPID_ALL, 0, 0);
}

void vmx_flush_prepare(struct vmx_vcpu *vmx)
{
	if (vmx->flush_root)
		invept_root(vmx->eptp);
	if (vmx->vpid && vmx->flush_guest)
		invvpid_guest(vmx->vpid);
	else if (vmx->vpid && vmx->flush_gva)
		invvpid(INVVPID_ADDRESS, vmx->vpid, vmx->flush_address);
	vmx->flush_root = vmx->flush_guest = vmx->flush_gva = false;
}

/* INVVPID refuses an address that is not canonical, and the guest names it. */
static bool one_address(const struct vmx_vcpu *vmx, u64 gva)
{
	return vmx_host_caps.invvpid_address && !vmx->flush_gva &&
	       is_canonical(gva, boot_cpu_data.x86_virt_bits);
}

void vmx_flush(struct vcpu *vcpu, enum flush_scope scope, u64 gva)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	switch (scope) {
	case FLUSH_ROOT:
		vmx->flush_root = true;
		break;
	case FLUSH_GUEST:
		vmx->flush_guest = true;
		break;
	case FLUSH_GVA:
		if (one_address(vmx, gva)) {
			vmx->flush_gva = true;
			vmx->flush_address = gva;
		} else {
			vmx->flush_guest = true;
		}
		break;
	}
}

void vmx_set_root(struct vcpu *vcpu, struct hpa root, int levels)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->eptp = root.v | EPTP_WB | (u64)(levels - 1) << EPTP_LEVELS_SHIFT |
		    (vmx_host_caps.ept_ad ? EPTP_AD : 0);
	vmcs_write(EPT_POINTER, vmx->eptp);
	vmx->flush_root = true;
}
