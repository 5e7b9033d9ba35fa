// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain stores, told without executing them: most accesses to devices are a
 * MOV of a register or an immediate to memory, and hardware has translated
 * the address already. What they store, and where, is all that is needed then.
 *
 * Nothing is changed but the private part of the context. Any caller, no locks.
 */
#include "emu/exec.h"

bool emu_store(struct emu_ctxt *c, struct emu_store *store)
{
	const struct emu_insn *insn = &c->insn;
	const struct emu_row *row = insn->row;
	enum operand_class to = operand_class(row->op[0]);
	enum operand_class from = operand_class(row->op[1]);

	if (row->exec != exec_mov || (insn->prefixes & EMU_PFX_LOCK))
		return false;
	if (to != OC_O && !(to == OC_E && insn->mem))
		return false;
	if (from != OC_G && from != OC_I && from != OC_ACC)
		return false;
	memcpy(c->gpr, c->regs->gpr, sizeof(c->gpr));
	/* No memory operand is read: it cannot fail for that. */
	if (operand_fetch(c) != EMU_OK ||
	    operand_linear(c, OPERAND_MODRM(c), c->size, true,
			   &store->linear) != EMU_OK)
		return false;
	store->value = c->src & mask_bytes(c->size);
	store->size = c->size;
	return true;
}
