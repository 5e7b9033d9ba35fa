/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual machine: memory, vCPUs, interrupt chips, clock.
 *
 * A VM lives as long as somebody holds a reference: the VM fd, each vCPU fd,
 * each device fd. The last put destroys it, which waits for nobody: by then
 * there is no reader. Field letters: see core/locks.h.
 */
#ifndef CORE_VM_H
#define CORE_VM_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "base/host.h"
#include "core/clock.h"
#include "core/stat.h"
#include "dev/bus.h"
#include "dev/lapic.h"
#include "irq/later.h"
#include "mem/mem.h"
#include "mmu/mmu.h"
#include "x86/msr.h"

struct irqchip;
struct irq_routing;
struct vcpu;
struct kvm_coalesced_mmio_ring;

#define VM_MAX_VCPUS 4096
#define VM_MAX_VCPU_ID 4096
#define VM_SOFT_MAX_VCPUS 1024
/* So many are looked at in any context; more take a thread (irq/later.h). */
#define VM_WALK_MAX 64

enum vm_bus {
	VM_BUS_PIO,
	VM_BUS_MMIO,
	VM_BUS_COUNT,
};

/* Where the local APICs and the other chips are. */
enum irqchip_mode {
	IRQCHIP_NONE,		/* all in the VMM */
	IRQCHIP_KERNEL,		/* LAPIC, IOAPIC, PIC here */
	IRQCHIP_SPLIT,		/* LAPIC here, the rest in the VMM */
};

struct coalesced_zone {
	struct list_head link;
	u64 start;
	u32 len;
	bool pio;
};

/* Bits of vm.slow: what exits are not to do at once, as it may be long */
enum vm_slow {
	VM_SLOW_PIO = VM_BUS_PIO,	/* look-ups on that bus */
	VM_SLOW_MMIO = VM_BUS_MMIO,
	VM_SLOW_CHIPS,			/* accesses to PIC and IOAPIC */
};

struct vm {
	struct kref ref;
	struct mutex lock;		/* row 4 */
	bool dead;			/* [a] only ever set: see vm_bug() */

	struct mem mem;
	struct mmu mmu;

	struct xarray vcpus;		/* [R4] by index 0..n-1 */
	struct xarray vcpus_by_id;	/* [R4] by vcpu_id = APIC id */
	int vcpu_count;			/* [4] written last, read anywhere */
	int bsp_id;			/* [4] KVM_SET_BOOT_CPU_ID */
	int max_vcpu_id;		/* [4] KVM_CAP_MAX_VCPU_ID, 0: default */

	unsigned long slow;		/* [a] enum vm_slow bits, for core/fast.c */

	/* Device buses: published tables, readers are vCPUs in their epoch. */
	struct bus_table __rcu *bus[VM_BUS_COUNT];	/* [R6] */
	struct list_head coalesced_zones;		/* [6] */
	struct kvm_coalesced_mmio_ring *coalesced_ring;	/* [I] a page, or NULL */
	spinlock_t coalesced_lock;	/* the ring's producer side */

	/* ---- interrupts (irq/) ---- */
	enum irqchip_mode irqchip_mode;		/* [4] set before vCPUs */
	struct irqchip *irqchip;		/* [4] NULL unless KERNEL */
	struct mutex irq_lock;			/* row 7 */
	struct irq_routing __rcu *routing;	/* [R7] */
	struct list_head irqfds;		/* [7] */
	struct hlist_head *irqfd_hash;		/* [7] by eventfd; made when used */
	struct list_head resamplers;		/* [7] */
	struct list_head ioeventfds;		/* [6] */
	struct irq_later later;
	int split_pins;			/* [4] IOAPIC pins of a split chip */
	struct lapic_config lapic_config;	/* [4] set before vCPUs */
	struct page *apic_page;		/* [4] what accesses are recognized by */
	bool apic_page_mapped;		/* [a] core/apic.c */

	/* ---- time (core/clock.c, pv/clock.c) ---- */
	struct vm_clock clock;

	/* ---- one-time configuration (api/) ---- */
	u64 disabled_exits;		/* [4] KVM_X86_DISABLE_EXITS_* */
	u64 disabled_quirks;		/* [4] KVM_CAP_DISABLE_QUIRKS2 */
	bool exception_payload;		/* [4] KVM_CAP_EXCEPTION_PAYLOAD */
	bool triple_fault_event;	/* [4] KVM_CAP_X86_TRIPLE_FAULT_EVENT */
	u64 tss_addr, identity_addr;	/* [4] accepted, not needed */

	struct vm_stat stat;		/* [a] */
};

/**
 * vm_create() - a VM of the calling process; *@out holds one reference
 *
 * May sleep. -EINVAL for an unknown @type, -ENOMEM, or what enabling the
 * hardware or the backend said.
 */
int vm_create(unsigned long type, struct vm **out);

/** vm_get() - another reference; the caller has one already */
void vm_get(struct vm *vm);

/** vm_get_safe() - a reference unless the VM is going away already */
bool vm_get_safe(struct vm *vm);

/** vm_put() - give a reference back; the last one destroys, may sleep */
void vm_put(struct vm *vm);

/**
 * vm_bug() - a host invariant of this VM is broken: mark it dead
 *
 * Any context. Each vCPU leaves KVM_RUN with -EIO, each ioctl fails so; the
 * host goes on. Returns @cond, for use in an if.
 */
bool vm_bug(struct vm *vm, bool cond, const char *what);

/** vm_vcpu() - the vCPU with index @i, or NULL; any context under RCU */
struct vcpu *vm_vcpu(struct vm *vm, unsigned int i);

/** vm_vcpu_by_id() - the vCPU with @id (its APIC id), or NULL */
struct vcpu *vm_vcpu_by_id(struct vm *vm, u32 id);

/*
 * vCPUs never go before the VM: no lock is needed to walk those there are. But
 * there may be VM_MAX_VCPUS of them, which takes too long where interrupts or
 * preemption are off:
 *
 *	vm_for_each_vcpu()	a thread, preemptible; gives way to others
 *	vm_for_some_vcpus()	any context: the first VM_WALK_MAX, which are all
 *				unless irq_later.crowd is set
 *	vm_for_each_vcpu_atomic()  where nothing else will do; scripts/check.py
 *				knows who may
 */
#define vm_for_each_vcpu(i, vcpu, vm)					\
	for ((i) = vm_walk_begin();					\
	     (i) < smp_load_acquire(&(vm)->vcpu_count) &&		\
	     ((vcpu) = vm_vcpu((vm), (i)));				\
	     vm_walk_on(++(i)))

#define vm_for_some_vcpus(i, vcpu, vm)					\
	for ((i) = 0;							\
	     (i) < VM_WALK_MAX &&					\
	     (i) < smp_load_acquire(&(vm)->vcpu_count) &&		\
	     ((vcpu) = vm_vcpu((vm), (i)));				\
	     (i)++)

#define vm_for_each_vcpu_atomic(i, vcpu, vm)				\
	for ((i) = 0;							\
	     (i) < smp_load_acquire(&(vm)->vcpu_count) &&		\
	     ((vcpu) = vm_vcpu((vm), (i)));				\
	     (i)++)

static inline unsigned int vm_walk_begin(void)
{
	might_sleep();
	return 0;
}

static inline void vm_walk_on(unsigned int i)
{
	if (i % VM_WALK_MAX == 0)
		cond_resched();
}

/** vm_has_lapic() - are the local APICs in the kernel */
static inline bool vm_has_lapic(const struct vm *vm)
{
	return vm->irqchip_mode != IRQCHIP_NONE;
}

/** vm_bus() - a bus as it is now; a vCPU's thread inside its epoch */
static inline const struct bus_table *vm_bus(const struct vm *vm,
					     enum vm_bus bus)
{
	/* The epoch keeps it: see mem/epoch.h. */
	return rcu_dereference_raw(vm->bus[bus]);
}

struct vm_bus_range {
	enum vm_bus bus;
	struct bus_range range;
};

/**
 * vm_bus_add() - make @range visible to vCPUs; slots_lock held
 * vm_bus_add_all() - the same for @n ranges: all of them or none
 * vm_bus_remove() - take it back: on return no vCPU uses or will use it
 *
 * -EEXIST, -ENOSPC, -ENOMEM / -ENOENT, -ENOMEM: then nothing was changed. May
 * sleep, waits for nobody but vCPUs that are inside an access.
 */
int vm_bus_add_all(struct vm *vm, const struct vm_bus_range *ranges,
		   unsigned int n);
int vm_bus_add(struct vm *vm, enum vm_bus bus, const struct bus_range *range);
int vm_bus_remove(struct vm *vm, enum vm_bus bus,
		  const struct bus_range *range);

#endif
