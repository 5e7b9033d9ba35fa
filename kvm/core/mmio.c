// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to no memory: see mmio.h.
 *
 * That the operand is where the hardware says is checked as far as it shows:
 * the offset in the page has to be that of the address that the instruction at
 * RIP has now. The page is the one that was in force when it was executed.
 */
#include "core/emuglue.h"
#include "core/fetch.h"
#include "core/io.h"
#include "core/mmio.h"
#include "core/vcpu.h"
#include "x86/watch.h"

/* Is the instruction a MOV that made exactly this access? */
static bool mmio_decode(struct vcpu *vcpu, const struct exit *exit,
			struct emu_move *move)
{
	const struct regs *regs = vcpu_regs(vcpu, RG_CODE | RG_CR | RG_DR);
	u64 code[FETCH_BYTES / 8];
	const u8 *bytes = (const u8 *)code;
	u64 gpa = exit->tdp.gpa.v;

	if (exit->tdp.fetch || watch_armed(regs))
		return false;
	if (exit->insn_bytes_count == EMU_MAX_LEN &&
	    regs_mode(regs) == MODE_LONG)
		bytes = exit->insn_bytes;
	else if (!fetch_code(vcpu, code))
		return false;
	return emu_move_decode(regs, bytes, move) &&
	       move->write == exit->tdp.write &&
	       offset_in_page(move->ea) == offset_in_page(gpa) &&
	       offset_in_page(gpa) + move->size <= PAGE_SIZE;
}

/* On a bus? Then it is done. */
static bool mmio_bus(struct vcpu *vcpu, u64 gpa, const struct emu_move *move)
{
	struct regs *regs = &vcpu->regs;
	u64 value = 0;

	if (move->write) {
		value = emu_move_value(move, regs);
		return io_mmio_write(vcpu, gpa, move->size, &value);
	}
	if (!io_mmio_read(vcpu, gpa, move->size, &value))
		return false;
	emu_move_load(move, regs, value);
	regs_touch(regs, RG_GPR);
	return true;
}

/* Devices are read and written again and again: remember the last hole. */
const struct memslot *mmio_slot(struct vcpu *vcpu,
				const struct memslots *slots, struct gfn gfn)
{
	struct mmio_hole *hole = &vcpu->hole;
	const struct memslot *slot;

	if (hole->generation == slots->generation && hole->gfn.v == gfn.v)
		return NULL;
	slot = memslots_find(slots, gfn);
	if (!slot) {
		hole->generation = slots->generation;
		hole->gfn = gfn;
	}
	return slot;
}

/* Let the VMM do it. */
static void mmio_ask(struct vcpu *vcpu, u64 gpa, const struct emu_move *move)
{
	u64 value = emu_move_value(move, &vcpu->regs);

	io_exit_mmio(vcpu, gpa, move->size, move->write ? &value : NULL);
	if (!move->write) {
		vcpu->io.pending = IO_MOVE;
		vcpu->io.move = *move;
	}
}

static enum run_next mmio_move(struct vcpu *vcpu, struct exit *exit,
			       const struct emu_move *move)
{
	u64 gpa = exit->tdp.gpa.v;

	vcpu->stat.insn_emulation++;
	exit->insn_len = move->len;
	if (mmio_bus(vcpu, gpa, move))
		return RUN_AGAIN;
	mmio_ask(vcpu, gpa, move);
	return RUN_USER;
}

enum run_next mmio_fast(struct vcpu *vcpu, struct exit *exit)
{
	struct emu_move move;

	if (exit->tdp.present ||
	    (vcpu->lapic && lapic_mmio_claims(vcpu->lapic, exit->tdp.gpa.v)) ||
	    !mmio_decode(vcpu, exit, &move))
		return RUN_FAULT;
	vcpu->stat.pf_emulate++;
	return mmio_move(vcpu, exit, &move);
}

/* Memory where the other vCPUs have their LAPICs: it is not mapped. */
static bool mmio_is_memory(struct vcpu *vcpu, struct gpa gpa)
{
	const struct gfn gfn = gpa_to_gfn(gpa);

	return gfn.v == vcpu->vm->mmu.apart.v &&
	       !apic_is_in_front(vcpu, gpa) &&
	       memslots_find(mem_slots(&vcpu->vm->mem), gfn);
}

enum run_next mmio_exit(struct vcpu *vcpu, struct exit *exit)
{
	enum run_next next, skipped;
	struct emu_move move;

	if (mmio_is_memory(vcpu, exit->tdp.gpa))
		return emuglue_insn(vcpu);
	if (!mmio_decode(vcpu, exit, &move))
		return emuglue_device(vcpu, exit->tdp.gpa, exit->tdp.write);
	io_forget(vcpu);
	next = mmio_move(vcpu, exit, &move);
	skipped = emuglue_skip(vcpu);
	return next == RUN_USER ? next : skipped;
}

void mmio_complete(struct vcpu *vcpu)
{
	const struct emu_move *move = &vcpu->io.move;
	struct regs *regs = vcpu_regs(vcpu, RG_GPR);
	u64 value = 0;

	memcpy(&value, vcpu->run->mmio.data, move->size);
	emu_move_load(move, regs, value);
	regs_touch(regs, RG_GPR);
}
