// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device accesses: see io.h.
 */
#include <linux/gfp.h>

#include "core/emuglue.h"
#include "core/io.h"
#include "core/mmio.h"
#include "core/vcpu.h"

/* ---- in-kernel devices ------------------------------------------------ */

bool io_mmio_read(struct vcpu *vcpu, u64 addr, unsigned int len, void *data)
{
	if (vcpu->lapic && lapic_mmio_claims(vcpu->lapic, addr)) {
		lapic_mmio_read(vcpu->lapic, addr & ~PAGE_MASK, len, data);
		return true;
	}
	return bus_read(vm_bus(vcpu->vm, VM_BUS_MMIO), addr, len, data);
}

bool io_mmio_write(struct vcpu *vcpu, u64 addr, unsigned int len,
		   const void *data)
{
	if (vcpu->lapic && lapic_mmio_claims(vcpu->lapic, addr)) {
		lapic_mmio_write(vcpu->lapic, addr & ~PAGE_MASK, len, data);
		return true;
	}
	return bus_write(vm_bus(vcpu->vm, VM_BUS_MMIO), addr, len, data);
}

/* ---- the coalesced ring ----------------------------------------------- */

#define COALESCED_MAX \
	((PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) / \
	 sizeof(struct kvm_coalesced_mmio))

/* A zone is a bus device that takes writes as long as the ring has room. */
struct coalesced_dev {
	struct bus_dev dev;
	struct vm *vm;
	struct coalesced_zone zone;
};

static bool coalesced_push(struct coalesced_dev *c, u64 addr, unsigned int len,
			   const void *data)
{
	struct kvm_coalesced_mmio_ring *ring = c->vm->coalesced_ring;
	struct kvm_coalesced_mmio *item;
	u32 last, next;

	/* The VMM can write here what it likes: bound it. */
	last = READ_ONCE(ring->last);
	if (last >= COALESCED_MAX)
		return false;
	next = (last + 1) % COALESCED_MAX;
	if (next == READ_ONCE(ring->first))
		return false;
	item = &ring->coalesced_mmio[array_index_nospec(last, COALESCED_MAX)];
	item->phys_addr = addr;
	item->len = len;
	memcpy(item->data, data, len);
	item->pio = c->zone.pio;
	smp_wmb();
	WRITE_ONCE(ring->last, next);
	return true;
}

static bool coalesced_write(struct bus_dev *dev, u64 addr, unsigned int len,
			    const void *data)
{
	struct coalesced_dev *c = container_of(dev, struct coalesced_dev, dev);
	bool pushed;

	spin_lock(&c->vm->coalesced_lock);
	pushed = coalesced_push(c, addr, len, data);
	spin_unlock(&c->vm->coalesced_lock);
	return pushed;
}

static const struct bus_dev_ops coalesced_ops = {
	.write = coalesced_write,
};

static struct bus_range coalesced_range(struct coalesced_dev *c)
{
	return (struct bus_range){
		.start = c->zone.start,
		.len = c->zone.len,
		.kind = BUS_AREA,
		.dev = &c->dev,
	};
}

int io_coalesced_add(struct vm *vm, u64 start, u32 len, bool pio)
{
	struct coalesced_dev *c;
	struct bus_range range;
	int err;

	/* In-tree takes it, too: a zone that no access is in. */
	if (!len)
		return 0;
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	c->dev.ops = &coalesced_ops;
	c->vm = vm;
	c->zone = (struct coalesced_zone){
		.start = start, .len = len, .pio = pio,
	};
	range = coalesced_range(c);
	guard(mutex)(&vm->mem.slots_lock);
	err = vm_bus_add(vm, pio ? VM_BUS_PIO : VM_BUS_MMIO, &range);
	if (err) {
		kfree(c);
		return err;
	}
	list_add_tail(&c->zone.link, &vm->coalesced_zones);
	return 0;
}

/* As an access to all of the range would be taken by the zone. */
static bool coalesced_covers(const struct coalesced_zone *zone, u64 start,
			     u32 len)
{
	u64 offset = start - zone->start;

	return offset <= zone->len && zone->len - offset >= len;
}

/*
 * The zones that have all of the named range in them go, as a whole, as the
 * in-tree modules do it: the documentation says nothing of zones that differ.
 */
int io_coalesced_remove(struct vm *vm, u64 start, u32 len, bool pio)
{
	struct coalesced_zone *zone, *next;
	int err;

	guard(mutex)(&vm->mem.slots_lock);
	list_for_each_entry_safe(zone, next, &vm->coalesced_zones, link) {
		struct coalesced_dev *c =
			container_of(zone, struct coalesced_dev, zone);
		struct bus_range range = coalesced_range(c);

		if (zone->pio != pio || !coalesced_covers(zone, start, len))
			continue;
		err = vm_bus_remove(vm, pio ? VM_BUS_PIO : VM_BUS_MMIO, &range);
		if (err)
			return err;
		list_del(&zone->link);
		kfree(c);
	}
	return 0;
}

void io_coalesced_free(struct vm *vm)
{
	struct coalesced_zone *zone, *next;

	list_for_each_entry_safe(zone, next, &vm->coalesced_zones, link)
		kfree(container_of(zone, struct coalesced_dev, zone));
}

/* ---- MMIO ------------------------------------------------------------- */

void io_exit_mmio(struct vcpu *vcpu, u64 addr, unsigned int len,
		  const u64 *data)
{
	u64 value = data ? *data & mask_bytes(len) : 0;
	struct kvm_run *run = vcpu->run;

	vcpu->stat.mmio_exits++;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = addr;
	memcpy(run->mmio.data, &value, sizeof(run->mmio.data));
	run->mmio.len = len;
	run->mmio.is_write = data != NULL;
}

enum mem_rc io_mmio(struct vcpu *vcpu, struct gpa gpa, void *data,
		    unsigned int len, bool write)
{
	const struct record_key key = {
		.addr = gpa.v, .size = len, .count = 1,
		.kind = write ? RECORD_WRITE : RECORD_READ,
	};
	struct record *r = &vcpu->work->record;
	struct record_entry *e = record_replay(r, &key);
	u64 value;

	if (e) {
		if (!write)
			memcpy(data, e->data, len);
		return MEM_OK;
	}
	e = record_begin(r, &key);
	if (!e)
		return MEM_MMIO;
	if (write)
		memcpy(e->data, data, len);
	if (write ? io_mmio_write(vcpu, gpa.v, len, e->data) :
		    io_mmio_read(vcpu, gpa.v, len, e->data)) {
		if (!write)
			memcpy(data, e->data, len);
		return MEM_OK;
	}
	memcpy(&value, e->data, sizeof(value));
	io_exit_mmio(vcpu, gpa.v, len, write ? &value : NULL);
	record_wait(r);
	vcpu->io.pending = IO_EMULATE;
	return MEM_PENDING;
}

/* ---- port I/O --------------------------------------------------------- */

static void io_exit_pio(struct vcpu *vcpu, u16 port, unsigned int size,
		 unsigned int count, bool in)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = size;
	run->io.port = port;
	run->io.count = count;
	run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
}

void io_ask_pio(struct vcpu *vcpu, u16 port, unsigned int size,
		const void *out)
{
	io_exit_pio(vcpu, port, size, 1, !out);
	if (out) {
		memcpy(vcpu->pio_data, out, size);
		return;
	}
	vcpu->io.pending = IO_PIO_IN;
	vcpu->io.size = size;
}

/* Have the VMM do what has just been noted. */
static enum mem_rc io_pio_ask(struct vcpu *vcpu, const struct record_key *key)
{
	record_wait(&vcpu->work->record);
	vcpu->io.pending = IO_EMULATE;
	io_exit_pio(vcpu, key->addr, key->size, key->count,
		    key->kind == RECORD_IN);
	return MEM_PENDING;
}

/* Short data are kept in the record, others in the run page's data page. */
static void io_pio_keep(struct record_entry *e, const void *data)
{
	unsigned int bytes = record_bytes(&e->key);

	if (bytes <= sizeof(e->data))
		memcpy(e->data, data, bytes);
}

static void io_pio_again(struct vcpu *vcpu, const struct record_entry *e,
			 void *data)
{
	unsigned int bytes = record_bytes(&e->key);

	if (bytes <= sizeof(e->data))
		memcpy(data, e->data, bytes);
	/* The emulator's buffer may be that very page. */
	else if (data != vcpu->pio_data)
		memcpy(data, vcpu->pio_data, bytes);
}

/*
 * The devices in the kernel take the first of the items, or none: those of the
 * VMM's may begin in the middle, where a ring is full or a value is not one
 * that an eventfd waits for.
 */
enum mem_rc io_pio_in(struct vcpu *vcpu, u16 port, unsigned int size,
		      unsigned int *count, void *data)
{
	const struct record_key key = {
		.addr = port, .size = size, .count = *count, .kind = RECORD_IN,
	};
	struct record_entry *e = record_replay(&vcpu->work->record, &key);
	unsigned int i;

	if (e) {
		io_pio_again(vcpu, e, data);
		return MEM_OK;
	}
	e = record_begin(&vcpu->work->record, &key);
	if (!e)
		return MEM_MMIO;
	for (i = 0; i < key.count; i++)
		if (!io_port_read(vcpu, port, size, (u8 *)data + i * size))
			break;
	if (!i) {
		memset(vcpu->pio_data, 0, record_bytes(&key));
		return io_pio_ask(vcpu, &key);
	}
	*count = i;
	e->key.count = i;
	io_pio_keep(e, data);
	return MEM_OK;
}

enum mem_rc io_pio_out(struct vcpu *vcpu, u16 port, unsigned int size,
		       unsigned int *count, const void *data)
{
	const struct record_key key = {
		.addr = port, .size = size, .count = *count, .kind = RECORD_OUT,
	};
	struct record_entry *e;
	unsigned int i;

	if (record_replay(&vcpu->work->record, &key))
		return MEM_OK;
	e = record_begin(&vcpu->work->record, &key);
	if (!e)
		return MEM_MMIO;
	for (i = 0; i < key.count; i++) {
		u64 value = 0;

		/* @data may be the page that the VMM has mapped: read it once. */
		memcpy(&value, (const u8 *)data + i * size, size);
		if (!io_port_write(vcpu, port, size, &value))
			break;
	}
	if (!i) {
		if (data != vcpu->pio_data)
			memcpy(vcpu->pio_data, data, record_bytes(&key));
		return io_pio_ask(vcpu, &key);
	}
	*count = i;
	e->key.count = i;
	return MEM_OK;
}

/* ---- completion ------------------------------------------------------- */

void io_forget(struct vcpu *vcpu)
{
	vcpu->io.pending = IO_NONE;
	vcpu->hits = 0;
	record_reset(&vcpu->work->record);
}

/* The VMM has done what the instruction under emulation waits for. */
static void io_take_answer(struct vcpu *vcpu)
{
	struct record_entry *e = record_answer(&vcpu->work->record);

	if (!e)
		return;
	if (e->key.kind == RECORD_READ)
		memcpy(e->data, vcpu->run->mmio.data, e->key.size);
	else if (e->key.kind == RECORD_IN)
		io_pio_keep(e, vcpu->pio_data);
}

static void io_finish_in(struct vcpu *vcpu)
{
	struct regs *regs = vcpu_regs(vcpu, RG_GPR);
	u64 mask = mask_bytes(vcpu->io.size);
	u64 value = 0;

	memcpy(&value, vcpu->pio_data, vcpu->io.size);
	/* A 32-bit result clears the upper half: SDM vol. 1, 3.4.1.1 */
	if (vcpu->io.size == 4)
		regs->gpr[R_RAX] = 0;
	regs->gpr[R_RAX] = (regs->gpr[R_RAX] & ~mask) | (value & mask);
	regs_touch(regs, RG_GPR);
}

enum run_next io_finish(struct vcpu *vcpu)
{
	struct vcpu_io *io = &vcpu->io;
	enum io_pending pending = io->pending;

	io->pending = IO_NONE;
	switch (pending) {
	case IO_NONE:
		return RUN_AGAIN;
	case IO_PIO_IN:
		io_finish_in(vcpu);
		return RUN_AGAIN;
	case IO_MOVE:
		mmio_complete(vcpu);
		return RUN_AGAIN;
	case IO_EMULATE:
		break;
	}
	/* The VMM may have set other registers: then the answer is moot. */
	if (regs_linear_rip(vcpu_regs(vcpu, EMU_GROUPS)) != io->linear_rip) {
		io_forget(vcpu);
		return RUN_AGAIN;
	}
	io_take_answer(vcpu);
	return emuglue_again(vcpu);
}
