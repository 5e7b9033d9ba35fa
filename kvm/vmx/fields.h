/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which fields a VMCS has.
 *
 * Most fields exist on every processor. The rows below name those that exist
 * only where a control may be 1: VMREAD and VMWRITE of such a field fail
 * elsewhere. vmx.h looks at these rows in each vmcs_read() and vmcs_write(),
 * so that no caller has to know. Pure.
 *
 * SDM vol. 3, notes to the tables of appendix B.
 */
#ifndef VMX_FIELDS_H
#define VMX_FIELDS_H

#include "base/host.h"
#include "vmx/caps.h"
#include "vmx/vmcs.h"

/* X(first field, last field, the control that it exists with) */
#define VMCS_OPTIONAL_FIELDS(X) \
	X(VPID, VPID, VPID) \
	X(POSTED_VECTOR, POSTED_VECTOR, POSTED) \
	X(LAST_PID_INDEX, LAST_PID_INDEX, IPIV) \
	X(GUEST_INTR_STATUS, GUEST_INTR_STATUS, VIRTUAL_INTR) \
	X(GUEST_PML_INDEX, GUEST_PML_INDEX, PML) \
	X(MSR_BITMAP, MSR_BITMAP, MSR_BITMAPS) \
	X(PML_ADDR, PML_ADDR, PML) \
	X(VIRTUAL_APIC_ADDR, VIRTUAL_APIC_ADDR, TPR_SHADOW) \
	X(APIC_ACCESS_ADDR, APIC_ACCESS_ADDR, APIC_ACCESSES) \
	X(POSTED_DESC_ADDR, POSTED_DESC_ADDR, POSTED) \
	X(EPT_POINTER, EPT_POINTER, EPT) \
	X(EOI_EXIT_BITMAP0, EOI_EXIT_BITMAP3, VIRTUAL_INTR) \
	X(ENCLS_EXIT_BITMAP, ENCLS_EXIT_BITMAP, ENCLS_EXIT) \
	X(TSC_MULTIPLIER, TSC_MULTIPLIER, TSC_SCALING) \
	X(PROC3_CONTROLS, PROC3_CONTROLS, PROC3) \
	X(PID_TABLE_ADDR, PID_TABLE_ADDR, IPIV) \
	X(GUEST_PHYS_ADDR, GUEST_PHYS_ADDR, EPT) \
	X(GUEST_PAT, GUEST_PAT, ENTRY_LOAD_PAT) \
	X(GUEST_EFER, GUEST_EFER, ENTRY_LOAD_EFER) \
	X(GUEST_PDPTE0, GUEST_PDPTE3, EPT) \
	X(HOST_PAT, HOST_PAT, EXIT_LOAD_PAT) \
	X(HOST_EFER, HOST_EFER, EXIT_LOAD_EFER) \
	X(TPR_THRESHOLD, TPR_THRESHOLD, TPR_SHADOW) \
	X(PROC2_CONTROLS, PROC2_CONTROLS, PROC2) \
	X(PLE_GAP, PLE_WINDOW, PAUSE_LOOP) \
	X(TIMER_VALUE, TIMER_VALUE, TIMER)

/**
 * vmcs_field_control() - the control that @field exists with
 *
 * CTL_COUNT for a field that is always there. A constant if @field is one.
 */
static __always_inline enum vmx_control vmcs_field_control(u16 field)
{
	switch (field) {
#define X(first, last, control)						\
	case first ... last:						\
		return CTL_##control;
	VMCS_OPTIONAL_FIELDS(X)
#undef X
	}
	return CTL_COUNT;
}

/**
 * vmcs_field_exists() - may @field be read and written on a host with @caps
 *
 * No look at @caps is needed for a field that each host has on which guests
 * run.
 */
static __always_inline bool vmcs_field_exists(const struct vmx_caps *caps,
					      u16 field)
{
	enum vmx_control control = vmcs_field_control(field);

	return control == CTL_COUNT ||
	       vmx_control_places[control].required || vmx_can(caps, control);
}

#endif
