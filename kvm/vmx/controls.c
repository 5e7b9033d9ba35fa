// SPDX-License-Identifier: GPL-2.0-only
/*
 * Controls: see controls.h. SDM vol. 3, 25.6 to 25.8.
 *
 * What is always set keeps the host in control or concerns what the guest's
 * registers do not hold. #AC is always intercepted: a guest can make each
 * delivery of one raise the next, and between them the processor looks at
 * nothing, not even NMIs. #DB is always intercepted: DR6 is not in the VMCS,
 * and the exit leaves it alone, so that the guest's DR6 never has to be in
 * the register (28.1). External interrupts are not acknowledged on exit, but
 * with posted interrupts, which need it: the host takes them as usual when it
 * enables interrupts.
 *
 * Instructions that an enabling control does not enable raise #UD by
 * themselves; ENCLS does not, hence its control.
 */
#include "vmx/controls.h"
#include "vmx/vmcs.h"
#include "x86/regs.h"

/* TSC ticks between two PAUSEs of one loop, and how long a loop may be. */
#define PLE_GAP_TICKS 128
#define PLE_WINDOW_TICKS 4096

static inline void set(struct vmx_controls *c, const struct vmx_caps *caps,
		       enum vmx_control control, bool on)
{
	if (on && vmx_can(caps, control))
		c->word[vmx_control_places[control].word] |= vmx_bit(control);
}

static void set_always(struct vmx_controls *c, const struct vmx_caps *caps)
{
	static const u8 always[] = {
		CTL_EXTERNAL_EXIT, CTL_NMI_EXIT, CTL_VIRTUAL_NMIS,
		CTL_TSC_OFFSETTING, CTL_RDPMC_EXIT, CTL_IO_EXIT,
		CTL_MSR_BITMAPS, CTL_PROC2, CTL_EPT, CTL_UNRESTRICTED,
		CTL_WBINVD_EXIT, CTL_ENCLS_EXIT, CTL_TSC_SCALING,
		CTL_HOST_64BIT, CTL_EXIT_LOAD_PAT, CTL_EXIT_LOAD_EFER,
		CTL_LOAD_DEBUG, CTL_ENTRY_LOAD_PAT, CTL_ENTRY_LOAD_EFER,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		set(c, caps, always[i], true);
}

static void set_policy(struct vmx_controls *c, const struct policy *policy,
		       const struct vmx_caps *caps)
{
	set(c, caps, CTL_HLT_EXIT, policy->hlt_exits || !caps->hlt_state);
	set(c, caps, CTL_INVLPG_EXIT, policy->invlpg_exits);
	set(c, caps, CTL_MWAIT_EXIT, policy->mwait_exits);
	set(c, caps, CTL_MONITOR_EXIT, policy->mwait_exits);
	set(c, caps, CTL_RDTSC_EXIT, policy->tsc_exits);
	/* DR6 and DR7 are not the guest's own: see above. */
	set(c, caps, CTL_DR_EXIT, true);
	set(c, caps, CTL_PAUSE_LOOP, policy->pause_exits);
}

static void set_needs(struct vmx_controls *c, u32 needs,
		      const struct vmx_caps *caps)
{
	set(c, caps, CTL_IRQ_WINDOW, needs & NEED_IRQ_WINDOW);
	set(c, caps, CTL_NMI_WINDOW, needs & NEED_NMI_WINDOW);
	set(c, caps, CTL_GUEST_64BIT, needs & NEED_LONG_MODE);
	set(c, caps, CTL_RDTSCP, needs & NEED_RDTSCP);
	set(c, caps, CTL_INVPCID, needs & NEED_INVPCID);
	set(c, caps, CTL_VPID, needs & NEED_VPID);
	set(c, caps, CTL_TIMER, needs & NEED_TIMER);
	set(c, caps, CTL_PML, needs & NEED_PML);
}

/*
 * APIC virtualization, chapter 30. The accesses of a page that is mapped are
 * recognized even while the VMM holds interrupts back, which is when hardware
 * delivers none and core does.
 */
static void set_apic(struct vmx_controls *c, const struct policy *policy,
		     const struct vmx_caps *caps)
{
	bool shadow = vmx_can(caps, CTL_TPR_SHADOW) && !policy->cr8_exits;
	bool deliver = policy->apic != APIC_ACCEL_NONE && !policy->irqs_held;
	bool ipis = deliver && vmx_can(caps, CTL_IPIV);

	set(c, caps, CTL_TPR_SHADOW, shadow);
	set(c, caps, CTL_CR8_LOAD_EXIT, !shadow);
	set(c, caps, CTL_CR8_STORE_EXIT, !shadow);
	set(c, caps, CTL_APIC_ACCESSES, policy->apic == APIC_ACCEL_MMIO);
	set(c, caps, CTL_X2APIC, policy->apic == APIC_ACCEL_MSR);
	set(c, caps, CTL_APIC_REGISTERS, deliver);
	set(c, caps, CTL_VIRTUAL_INTR, deliver);
	set(c, caps, CTL_POSTED, deliver);
	/* Whoever posts is told by an interrupt of the host. */
	set(c, caps, CTL_ACK_IRQ, deliver && vmx_can(caps, CTL_POSTED));
	set(c, caps, CTL_PROC3, ipis);
	set(c, caps, CTL_IPIV, ipis);
}

struct vmx_controls vmx_controls(const struct policy *policy, u32 needs,
				 const struct vmx_caps *caps)
{
	struct vmx_controls c = {
		.exceptions = policy->exceptions | BIT(VEC_MC) | BIT(VEC_DB) |
			      BIT(VEC_AC),
	};

	memcpy(c.word, caps->must, sizeof(c.word));
	set_always(&c, caps);
	set_policy(&c, policy, caps);
	set_needs(&c, needs, caps);
	set_apic(&c, policy, caps);
	if (vmx_control_is(&c, CTL_PAUSE_LOOP)) {
		c.ple_gap = PLE_GAP_TICKS;
		c.ple_window = PLE_WINDOW_TICKS;
	}
	return c;
}

#define MSR_RANGE 0x2000u

/* Bit of @index in the read bitmaps; negative if it has none. */
static int msr_bit(u32 index)
{
	if (index < MSR_RANGE)
		return index;
	if (index - 0xc0000000u < MSR_RANGE)
		return 8 * MSR_BITMAP_HIGH + (index - 0xc0000000u);
	return -1;
}

static void msr_bit_set(unsigned long *bitmap, int bit, bool exits)
{
	unsigned long mask = 1UL << (bit % BITS_PER_LONG);

	if (exits)
		bitmap[bit / BITS_PER_LONG] |= mask;
	else
		bitmap[bit / BITS_PER_LONG] &= ~mask;
}

void vmx_msr_allow(unsigned long *bitmap, u32 index, u32 what)
{
	int bit = msr_bit(index);

	if (bit < 0)
		return;
	msr_bit_set(bitmap, bit, !(what & MSR_ALLOW_READ));
	msr_bit_set(bitmap, bit + 8 * MSR_BITMAP_WRITE,
		    !(what & MSR_ALLOW_WRITE));
}
