/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's accesses to what is not memory: in-kernel devices on the buses, the
 * coalesced ring, and the VMM by KVM_EXIT_IO and KVM_EXIT_MMIO.
 *
 * The accesses of the instruction under emulation are recorded, so that it
 * can be executed again once the VMM has done its part: see core/record.h.
 */
#ifndef CORE_IO_H
#define CORE_IO_H

#include "base/rc.h"
#include "base/types.h"
#include "core/vcpu.h"

/* vCPU's thread, loaded, inside its epoch, for all of these. */

/**
 * io_mmio() - one access of at most 8 bytes to guest physical @gpa
 *
 * MEM_OK: done, or replayed. MEM_PENDING: kvm_run asks the VMM. MEM_MMIO: the
 * instruction makes more of them than are recorded.
 */
enum mem_rc io_mmio(struct vcpu *vcpu, struct gpa gpa, void *data,
		    unsigned int len, bool write);

/**
 * io_pio_in(), io_pio_out() - items of @size bytes at @port; as io_mmio()
 * @count: of items, a page at most; with MEM_OK the number of those done, which
 *	are the first ones and at least one
 */
enum mem_rc io_pio_in(struct vcpu *vcpu, u16 port, unsigned int size,
		      unsigned int *count, void *data);
enum mem_rc io_pio_out(struct vcpu *vcpu, u16 port, unsigned int size,
		       unsigned int *count, const void *data);

/** io_mmio_read() / io_mmio_write() - in-kernel devices only; handled? */
bool io_mmio_read(struct vcpu *vcpu, u64 addr, unsigned int len, void *data);
bool io_mmio_write(struct vcpu *vcpu, u64 addr, unsigned int len,
		   const void *data);

/** io_port_read() / io_port_write() - the same for ports */
static inline bool io_port_read(struct vcpu *vcpu, u16 port, unsigned int len,
				void *data)
{
	return bus_read(vm_bus(vcpu->vm, VM_BUS_PIO), port, len, data);
}

static inline bool io_port_write(struct vcpu *vcpu, u16 port, unsigned int len,
				 const void *data)
{
	return bus_write(vm_bus(vcpu->vm, VM_BUS_PIO), port, len, data);
}

/**
 * io_ask_pio() - have the VMM do one IN or OUT of an instruction that is over
 * @out: @size bytes to write; NULL: IN, to RAX
 */
void io_ask_pio(struct vcpu *vcpu, u16 port, unsigned int size,
		const void *out);

/**
 * io_exit_mmio() - fill kvm_run with KVM_EXIT_MMIO
 * @data: @len bytes to write; NULL: a read
 */
void io_exit_mmio(struct vcpu *vcpu, u64 addr, unsigned int len,
		  const u64 *data);

/** io_forget() - drop the record: the instruction is over */
void io_forget(struct vcpu *vcpu);

/* io_complete(), where something is pending */
enum run_next io_finish(struct vcpu *vcpu);

/**
 * io_complete() - KVM_RUN again: take what the VMM supplied and finish
 *
 * RUN_AGAIN: nothing pending any more. RUN_USER: the next part is for the
 * VMM.
 */
static inline enum run_next io_complete(struct vcpu *vcpu)
{
	return vcpu->io.pending == IO_NONE ? RUN_AGAIN : io_finish(vcpu);
}

/* KVM_(UN)REGISTER_COALESCED_MMIO; slots_lock is taken inside. errno. */
int io_coalesced_add(struct vm *vm, u64 start, u32 len, bool pio);
int io_coalesced_remove(struct vm *vm, u64 start, u32 len, bool pio);

/** io_coalesced_free() - the VM is going away */
void io_coalesced_free(struct vm *vm);

#endif
