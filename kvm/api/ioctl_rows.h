/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole ABI: X(command, handler, bytes in, bytes out, flags).
 *
 * The sizes are what is really copied: the direction bits of some commands
 * are historical (KVM_SET_IRQCHIP is _IOR), so nothing is derived from them.
 * 0, 0 is a handler that looks at ctx->arg itself.
 */
#ifndef API_IOCTL_ROWS_H
#define API_IOCTL_ROWS_H

#define IOCTL_IN(type) sizeof(struct type), 0
#define IOCTL_OUT(type) 0, sizeof(struct type)
#define IOCTL_BOTH(type) sizeof(struct type), sizeof(struct type)
#define IOCTL_RAW 0, 0

#define IOCTL_V IOCTL_VCPU_LOCK
#define IOCTL_VL (IOCTL_VCPU_LOCK | IOCTL_LOAD)
#define IOCTL_M IOCTL_VM_LOCK

#define IOCTL_SYSTEM_ROWS(X)						\
	X(KVM_GET_API_VERSION, system_api_version, IOCTL_RAW, IOCTL_NO_ARG) \
	X(KVM_CREATE_VM, system_create_vm, IOCTL_RAW, 0)		\
	X(KVM_CHECK_EXTENSION, system_check_extension, IOCTL_RAW, 0)	\
	X(KVM_GET_VCPU_MMAP_SIZE, system_mmap_size, IOCTL_RAW, IOCTL_NO_ARG) \
	X(KVM_GET_SUPPORTED_CPUID, system_supported_cpuid, IOCTL_RAW, 0) \
	X(KVM_GET_EMULATED_CPUID, system_emulated_cpuid, IOCTL_RAW, 0)	\
	X(KVM_GET_MSR_INDEX_LIST, system_msr_list, IOCTL_RAW, 0)	\
	X(KVM_GET_MSR_FEATURE_INDEX_LIST, system_msr_feature_list,	\
	  IOCTL_RAW, 0)							\
	X(KVM_GET_MSRS, system_get_msrs, IOCTL_RAW, 0)			\
	X(KVM_X86_GET_MCE_CAP_SUPPORTED, system_mce_cap, IOCTL_RAW, 0)	\
	X(KVM_HAS_DEVICE_ATTR, system_has_attr, IOCTL_IN(kvm_device_attr), 0) \
	X(KVM_GET_DEVICE_ATTR, system_get_attr, IOCTL_IN(kvm_device_attr), 0)

#define IOCTL_VM_ROWS(X)						\
	X(KVM_IRQ_LINE, vm_irq_line, IOCTL_IN(kvm_irq_level), 0)	\
	X(KVM_IRQ_LINE_STATUS, vm_irq_line_status,			\
	  IOCTL_BOTH(kvm_irq_level), 0)					\
	X(KVM_SIGNAL_MSI, vm_signal_msi, IOCTL_IN(kvm_msi), 0)		\
	X(KVM_CHECK_EXTENSION, vm_check_extension, IOCTL_RAW, 0)	\
	X(KVM_CREATE_VCPU, vm_create_vcpu, IOCTL_RAW, 0)		\
	X(KVM_SET_USER_MEMORY_REGION, vm_set_region,			\
	  IOCTL_IN(kvm_userspace_memory_region), 0)			\
	X(KVM_SET_USER_MEMORY_REGION2, vm_set_region2,			\
	  IOCTL_IN(kvm_userspace_memory_region2), 0)			\
	X(KVM_GET_DIRTY_LOG, vm_get_dirty_log, IOCTL_IN(kvm_dirty_log), 0) \
	X(KVM_SET_TSS_ADDR, vm_set_tss_addr, IOCTL_RAW, IOCTL_M)	\
	X(KVM_SET_IDENTITY_MAP_ADDR, vm_set_identity_addr, 8, 0, IOCTL_M) \
	X(KVM_SET_NR_MMU_PAGES, vm_set_nr_mmu_pages, IOCTL_RAW, 0)	\
	X(KVM_SET_BOOT_CPU_ID, vm_set_boot_cpu, IOCTL_RAW, IOCTL_M)	\
	X(KVM_CREATE_IRQCHIP, vm_create_irqchip, IOCTL_RAW, IOCTL_M)	\
	X(KVM_GET_IRQCHIP, vm_get_irqchip, IOCTL_BOTH(kvm_irqchip), IOCTL_M) \
	X(KVM_SET_IRQCHIP, vm_set_irqchip, IOCTL_IN(kvm_irqchip), IOCTL_M) \
	X(KVM_CREATE_PIT, vm_create_pit, IOCTL_RAW, IOCTL_M)		\
	X(KVM_CREATE_PIT2, vm_create_pit2, IOCTL_IN(kvm_pit_config), IOCTL_M) \
	X(KVM_GET_PIT, vm_get_pit, IOCTL_OUT(kvm_pit_state), IOCTL_M)	\
	X(KVM_SET_PIT, vm_set_pit, IOCTL_IN(kvm_pit_state), IOCTL_M)	\
	X(KVM_GET_PIT2, vm_get_pit2, IOCTL_OUT(kvm_pit_state2), IOCTL_M) \
	X(KVM_SET_PIT2, vm_set_pit2, IOCTL_IN(kvm_pit_state2), IOCTL_M)	\
	X(KVM_REINJECT_CONTROL, vm_reinject,				\
	  IOCTL_IN(kvm_reinject_control), IOCTL_M)			\
	X(KVM_SET_GSI_ROUTING, vm_set_routing, IOCTL_RAW, 0)		\
	X(KVM_IRQFD, vm_irqfd, IOCTL_IN(kvm_irqfd), 0)			\
	X(KVM_IOEVENTFD, vm_ioeventfd, IOCTL_IN(kvm_ioeventfd), 0)	\
	X(KVM_REGISTER_COALESCED_MMIO, vm_coalesced_add,		\
	  IOCTL_IN(kvm_coalesced_mmio_zone), 0)				\
	X(KVM_UNREGISTER_COALESCED_MMIO, vm_coalesced_remove,		\
	  IOCTL_IN(kvm_coalesced_mmio_zone), 0)				\
	X(KVM_GET_CLOCK, vm_get_clock, IOCTL_OUT(kvm_clock_data), 0)	\
	X(KVM_SET_CLOCK, vm_set_clock, IOCTL_IN(kvm_clock_data), 0)	\
	X(KVM_GET_TSC_KHZ, vm_get_tsc_khz, IOCTL_RAW, IOCTL_M)		\
	X(KVM_SET_TSC_KHZ, vm_set_tsc_khz, IOCTL_RAW, IOCTL_M)		\
	X(KVM_ENABLE_CAP, vm_enable_cap, IOCTL_IN(kvm_enable_cap), IOCTL_M) \
	X(KVM_CREATE_DEVICE, vm_create_device,				\
	  IOCTL_BOTH(kvm_create_device), 0)				\
	X(KVM_GET_STATS_FD, stats_vm_fd, IOCTL_RAW, 0)

#define IOCTL_VCPU_ROWS(X)						\
	X(KVM_RUN, vcpu_ioctl_run, IOCTL_RAW, IOCTL_DIRECT | IOCTL_NO_ARG) \
	X(KVM_GET_REGS, state_get_regs, IOCTL_OUT(kvm_regs), IOCTL_VL)	\
	X(KVM_SET_REGS, state_set_regs, IOCTL_IN(kvm_regs), IOCTL_VL)	\
	X(KVM_GET_SREGS, sregs_get, IOCTL_OUT(kvm_sregs), IOCTL_VL)	\
	X(KVM_SET_SREGS, sregs_set, IOCTL_IN(kvm_sregs), IOCTL_VL)	\
	X(KVM_GET_SREGS2, sregs_get2, IOCTL_OUT(kvm_sregs2), IOCTL_VL)	\
	X(KVM_SET_SREGS2, sregs_set2, IOCTL_IN(kvm_sregs2), IOCTL_VL)	\
	X(KVM_GET_FPU, state_get_fpu, IOCTL_OUT(kvm_fpu), IOCTL_V)	\
	X(KVM_SET_FPU, state_set_fpu, IOCTL_IN(kvm_fpu), IOCTL_V)	\
	X(KVM_GET_XSAVE, state_get_xsave, IOCTL_OUT(kvm_xsave), IOCTL_V) \
	X(KVM_GET_XSAVE2, state_get_xsave2, IOCTL_RAW, IOCTL_V)		\
	X(KVM_SET_XSAVE, state_set_xsave, IOCTL_RAW, IOCTL_V)		\
	X(KVM_GET_XCRS, state_get_xcrs, IOCTL_OUT(kvm_xcrs), IOCTL_VL)	\
	X(KVM_SET_XCRS, state_set_xcrs, IOCTL_IN(kvm_xcrs), IOCTL_VL)	\
	X(KVM_GET_MSRS, vcpu_ioctl_get_msrs, IOCTL_RAW, IOCTL_VL)	\
	X(KVM_SET_MSRS, vcpu_ioctl_set_msrs, IOCTL_RAW, IOCTL_VL)	\
	X(KVM_GET_LAPIC, state_get_lapic, IOCTL_OUT(kvm_lapic_state),	\
	  IOCTL_VL)							\
	X(KVM_SET_LAPIC, state_set_lapic, IOCTL_IN(kvm_lapic_state),	\
	  IOCTL_VL)							\
	X(KVM_GET_MP_STATE, state_get_mp, IOCTL_OUT(kvm_mp_state), IOCTL_VL) \
	X(KVM_SET_MP_STATE, state_set_mp, IOCTL_IN(kvm_mp_state), IOCTL_VL) \
	X(KVM_GET_VCPU_EVENTS, state_get_events,			\
	  IOCTL_OUT(kvm_vcpu_events), IOCTL_VL)				\
	X(KVM_SET_VCPU_EVENTS, state_set_events,			\
	  IOCTL_IN(kvm_vcpu_events), IOCTL_VL)				\
	X(KVM_GET_DEBUGREGS, state_get_debugregs,			\
	  IOCTL_OUT(kvm_debugregs), IOCTL_VL)				\
	X(KVM_SET_DEBUGREGS, state_set_debugregs,			\
	  IOCTL_IN(kvm_debugregs), IOCTL_VL)				\
	X(KVM_SET_CPUID, vcpu_ioctl_set_cpuid, IOCTL_RAW, IOCTL_VL)	\
	X(KVM_SET_CPUID2, vcpu_ioctl_set_cpuid2, IOCTL_RAW, IOCTL_VL)	\
	X(KVM_GET_CPUID2, vcpu_ioctl_get_cpuid2, IOCTL_RAW, IOCTL_VL)	\
	X(KVM_GET_TSC_KHZ, vcpu_ioctl_get_tsc_khz, IOCTL_RAW, IOCTL_V)	\
	X(KVM_SET_TSC_KHZ, vcpu_ioctl_set_tsc_khz, IOCTL_RAW, IOCTL_VL)	\
	X(KVM_KVMCLOCK_CTRL, vcpu_ioctl_kvmclock_ctrl, IOCTL_RAW, IOCTL_V) \
	X(KVM_X86_SETUP_MCE, vcpu_ioctl_setup_mce, 8, 0, IOCTL_VL)	\
	X(KVM_SET_VAPIC_ADDR, vcpu_ioctl_set_vapic, 8, 0, IOCTL_V)	\
	X(KVM_TPR_ACCESS_REPORTING, vcpu_ioctl_tpr_reporting,		\
	  IOCTL_BOTH(kvm_tpr_access_ctl), IOCTL_V)			\
	X(KVM_NMI, vcpu_ioctl_nmi, IOCTL_RAW, IOCTL_V)			\
	X(KVM_INTERRUPT, vcpu_ioctl_interrupt, IOCTL_IN(kvm_interrupt),	\
	  IOCTL_VL)							\
	X(KVM_SET_SIGNAL_MASK, vcpu_ioctl_sigmask, IOCTL_RAW, IOCTL_V)	\
	X(KVM_SET_GUEST_DEBUG, vcpu_ioctl_guest_debug,			\
	  IOCTL_IN(kvm_guest_debug), IOCTL_VL)				\
	X(KVM_TRANSLATE, vcpu_ioctl_translate,				\
	  IOCTL_BOTH(kvm_translation), IOCTL_VL)			\
	X(KVM_ENABLE_CAP, vcpu_ioctl_enable_cap, IOCTL_IN(kvm_enable_cap), \
	  IOCTL_V)							\
	X(KVM_HAS_DEVICE_ATTR, vcpu_ioctl_has_attr,			\
	  IOCTL_IN(kvm_device_attr), IOCTL_V)				\
	X(KVM_GET_DEVICE_ATTR, vcpu_ioctl_get_attr,			\
	  IOCTL_IN(kvm_device_attr), IOCTL_VL)				\
	X(KVM_SET_DEVICE_ATTR, vcpu_ioctl_set_attr,			\
	  IOCTL_IN(kvm_device_attr), IOCTL_VL)				\
	X(KVM_GET_STATS_FD, stats_vcpu_fd, IOCTL_RAW, 0)

#define X(cmd, fn, ...) \
	long fn(struct ioctl_ctx *ctx, void *data);
IOCTL_SYSTEM_ROWS(X)
IOCTL_VM_ROWS(X)
IOCTL_VCPU_ROWS(X)
#undef X

#endif
