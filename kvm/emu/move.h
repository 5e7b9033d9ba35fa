/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plain MOV between a register or an immediate and memory: what drivers
 * do to device registers.
 *
 * For 64-bit code only, and only for the forms that need nothing looked up: no
 * segment base, no other address size, none of AH to BH. What is not here is
 * for emu_decode(), so a false answer says nothing about the instruction.
 */
#ifndef EMU_MOVE_H
#define EMU_MOVE_H

#include "base/host.h"
#include "x86/regs.h"

struct emu_move {
	u8 len;			/* of the instruction */
	u8 size;		/* bytes in memory: 1, 2, 4, 8 */
	u8 reg_size;		/* of the register; greater: zero-extended */
	bool write;		/* to memory */
	bool has_imm;		/* writes imm, else reg */
	u8 reg;			/* enum gpr */
	u64 imm;		/* sign-extended */
	u64 ea;			/* address of the operand */
};

/**
 * emu_move_decode() - is the instruction at RIP such a MOV
 * @regs: RG_GPR and RG_RIP available, in 64-bit mode
 * @bytes: EMU_MAX_LEN of them
 *
 * True: all of @m is filled in.
 */
bool emu_move_decode(const struct regs *regs, const u8 *bytes,
		     struct emu_move *m);

/** emu_move_value() - what a write stores, its low m->size bytes */
static inline u64 emu_move_value(const struct emu_move *m,
				 const struct regs *regs)
{
	return m->has_imm ? m->imm : regs->gpr[m->reg];
}

/** emu_move_load() - put what a read got, @value, into the register */
void emu_move_load(const struct emu_move *m, struct regs *regs, u64 value);

#endif
