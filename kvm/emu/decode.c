// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder: from bytes at RIP to struct emu_insn.
 *
 * Owns the opcode maps (rows.h). Reads prefixes, opcode, ModRM, SIB,
 * displacement and immediates, in that order, and fetches no byte that the
 * instruction does not have unless it lies in the same page as one that it
 * has. Everything that makes an encoding illegal whatever the register
 * contents is found here, so that a decoded instruction can be executed.
 *
 * Encodings with VEX, EVEX or XOP prefixes are decoded for their length only.
 *
 * Invariant: insn.len <= insn.fetched <= 15. Callers: any; no locks.
 */
#include "emu/rows.h"
#include "x86/event.h"

void emu_init(struct emu_ctxt *c, struct regs *regs,
	      const struct emu_ops *ops)
{
	*c = (struct emu_ctxt){
		.regs = regs,
		.ops = ops,
		.mode = regs_mode(regs),
	};
}

enum operand_class operand_class(enum emu_operand op)
{
#define OPERAND_CLASS(name, class, size) [OP_##name] = OC_##class,
	static const u8 classes[OP_COUNT] = { EMU_OPERANDS(OPERAND_CLASS) };

	return classes[op];
}

static unsigned int bytes_v(const struct emu_ctxt *c)
{
	return c->insn.op_size;
}

unsigned int operand_bytes(const struct emu_ctxt *c, enum emu_operand op)
{
	enum { S_0, S_B, S_W, S_D, S_Q, S_O, S_V, S_Z, S_Y, S_N, S_S, S_P };
#define OPERAND_SIZE(name, class, size) [OP_##name] = S_##size,
	static const u8 sizes[OP_COUNT] = { EMU_OPERANDS(OPERAND_SIZE) };

	switch (sizes[op]) {
	case S_B: return 1;
	case S_W: return 2;
	case S_D: return 4;
	case S_Q: return 8;
	case S_O: return 16;
	case S_V: return bytes_v(c);
	case S_Z: return min(bytes_v(c), 4U);
	case S_Y: return emu_long(c) && c->insn.rex & 8 ? 8 : 4;
	case S_N: return emu_long(c) ? 8 : 4;
	case S_S: return c->insn.mem ? 2 : bytes_v(c);
	case S_P: return bytes_v(c) + 2;
	default: return 0;
	}
}

/* Make the first @n bytes of the instruction available. */
static enum emu_rc need(struct emu_ctxt *c, unsigned int n)
{
	struct emu_insn *insn = &c->insn;
	const struct segment *cs = &c->regs->seg[SEG_CS];
	enum emu_rc rc;
	unsigned int chunk;
	u64 rip, linear;

	if (n > EMU_MAX_LEN)
		return exec_fault(c, VEC_GP);
	while (insn->fetched < n) {
		rip = c->regs->rip + insn->fetched;
		chunk = EMU_MAX_LEN - insn->fetched;
		if (emu_long(c)) {
			linear = rip;
			if (!is_canonical(linear, regs_vaddr_bits(c->regs)))
				return exec_fault(c, VEC_GP);
		} else {
			rip = (u32)rip;
			if (rip > cs->limit)
				return exec_fault(c, VEC_GP);
			chunk = min_t(u64, chunk, cs->limit - rip + 1);
			linear = (u32)(cs->base + rip);
		}
		chunk = min_t(u64, chunk, PAGE_SIZE - offset_in_page(linear));
		rc = exec_mem_rc(c->ops->fetch(c, linear,
					       insn->bytes + insn->fetched,
					       chunk));
		if (rc)
			return rc;
		insn->fetched += chunk;
	}
	return EMU_OK;
}

/* Take the next @size bytes, 0 to 8, as a signed number. */
static enum emu_rc take(struct emu_ctxt *c, unsigned int size, u64 *v)
{
	struct emu_insn *insn = &c->insn;
	enum emu_rc rc = need(c, insn->len + size);

	*v = 0;
	if (rc || !size)
		return rc;
	memcpy(v, insn->bytes + insn->len, size);
	*v = sign_extend_bytes(*v, size);
	insn->len += size;
	return EMU_OK;
}

static enum emu_rc take_byte(struct emu_ctxt *c, u8 *b)
{
	enum emu_rc rc = need(c, c->insn.len + 1);

	if (!rc)
		*b = c->insn.bytes[c->insn.len++];
	return rc;
}

/* Does @b change @insn as a legacy prefix? SDM vol. 2, 2.1.1 */
static bool legacy_prefix(struct emu_insn *insn, u8 b, bool long_mode)
{
	switch (b) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
		if (!long_mode)
			insn->seg_override = (b >> 3) & 3;
		return true;
	case 0x64: case 0x65:
		insn->seg_override = b - 0x64 + SEG_FS;
		return true;
	case 0x66:
		insn->prefixes |= EMU_PFX_66;
		return true;
	case 0x67:
		insn->prefixes |= EMU_PFX_67;
		return true;
	case 0xf0:
		insn->prefixes |= EMU_PFX_LOCK;
		return true;
	case 0xf2: case 0xf3:
		insn->prefixes &= ~(EMU_PFX_F2 | EMU_PFX_F3);
		insn->prefixes |= b == 0xf2 ? EMU_PFX_F2 : EMU_PFX_F3;
		return true;
	}
	return false;
}

/* Read prefixes and the first opcode byte. */
static enum emu_rc take_prefixes(struct emu_ctxt *c)
{
	struct emu_insn *insn = &c->insn;
	enum emu_rc rc;
	u8 b;

	insn->seg_override = EMU_NO_REG;
	for (;;) {
		rc = take_byte(c, &b);
		if (rc)
			return rc;
		if (emu_long(c) && (b & 0xf0) == 0x40) {
			insn->rex = b;
			continue;
		}
		if (!legacy_prefix(insn, b, emu_long(c)))
			break;
		/* REX counts only immediately before the opcode */
		insn->rex = 0;
	}
	insn->opcode = b;
	return EMU_OK;
}

static unsigned int default_size(const struct emu_ctxt *c)
{
	return c->mode == MODE_LONG || c->mode == MODE_PROT32 ? 4 : 2;
}

static void set_addr_size(struct emu_ctxt *c)
{
	bool pfx = c->insn.prefixes & EMU_PFX_67;

	if (emu_long(c))
		c->insn.addr_size = pfx ? 4 : 8;
	else
		c->insn.addr_size = pfx ? 6 - default_size(c) : default_size(c);
}

static void set_op_size(struct emu_ctxt *c, u32 flags)
{
	struct emu_insn *insn = &c->insn;
	bool pfx = insn->prefixes & EMU_PFX_66;

	insn->op_size = pfx ? 6 - default_size(c) : default_size(c);
	if (!emu_long(c))
		return;
	if (insn->rex & 8 || (flags & F64 && !(pfx && c->amd)) ||
	    (flags & D64 && !pfx))
		insn->op_size = 8;
}

/*
 * Bytes of displacement; a SIB byte changes them only if its base is 5.
 * SDM vol. 2, tables 2-1 to 2-3.
 */
static unsigned int disp_bytes(unsigned int addr_size, u8 modrm, u8 sib)
{
	unsigned int mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return 0;
	if (mod == 1)
		return 1;
	if (addr_size == 2)
		return mod == 2 || rm == 6 ? 2 : 0;
	if (mod == 2 || rm == 5 || (rm == 4 && (sib & 7) == 5))
		return 4;
	return 0;
}

static void set_address_16(struct emu_insn *insn)
{
	static const u8 base[8] = { R_RBX, R_RBX, R_RBP, R_RBP,
				    R_RSI, R_RDI, R_RBP, R_RBX };
	static const u8 index[8] = { R_RSI, R_RDI, R_RSI, R_RDI,
				     EMU_NO_REG, EMU_NO_REG, EMU_NO_REG,
				     EMU_NO_REG };
	unsigned int rm = insn->modrm & 7;

	if (insn->mod == 0 && rm == 6)
		return;
	insn->base = base[rm];
	insn->index = index[rm];
}

static void set_address(struct emu_ctxt *c, u8 sib)
{
	struct emu_insn *insn = &c->insn;

	if ((insn->modrm & 7) == 4) {
		insn->scale = sib >> 6;
		insn->index = (sib >> 3 & 7) | (insn->rex & 2) << 2;
		if (insn->index == R_RSP)
			insn->index = EMU_NO_REG;
		if ((sib & 7) != 5 || insn->mod != 0)
			insn->base = (sib & 7) | (insn->rex & 1) << 3;
	} else if (insn->mod == 0 && (insn->modrm & 7) == 5) {
		insn->rip_rel = emu_long(c);
	} else {
		insn->base = insn->rm;
	}
}

/* Read ModRM, SIB and displacement. @reg_only: mod has no meaning */
static enum emu_rc take_modrm(struct emu_ctxt *c, bool reg_only)
{
	struct emu_insn *insn = &c->insn;
	enum emu_rc rc = take_byte(c, &insn->modrm);
	u8 sib = 0;

	if (rc)
		return rc;
	insn->mod = reg_only ? 3 : insn->modrm >> 6;
	insn->reg = (insn->modrm >> 3 & 7) | (insn->rex & 4) << 1;
	insn->rm = (insn->modrm & 7) | (insn->rex & 1) << 3;
	insn->mem = insn->mod != 3;
	insn->base = insn->index = EMU_NO_REG;
	if (!insn->mem)
		return EMU_OK;

	if (insn->addr_size == 2) {
		set_address_16(insn);
	} else {
		if ((insn->modrm & 7) == 4)
			rc = take_byte(c, &sib);
		if (rc)
			return rc;
		set_address(c, sib);
	}
	return take(c, disp_bytes(insn->addr_size, insn->modrm, sib),
		    &insn->disp);
}

static void set_seg(struct emu_insn *insn)
{
	insn->seg = SEG_DS;
	if (insn->mem && (insn->base == R_RSP || insn->base == R_RBP))
		insn->seg = SEG_SS;
	if (insn->seg_override != EMU_NO_REG)
		insn->seg = insn->seg_override;
}

static bool has_modrm(const struct emu_row *row)
{
	unsigned int i;

	if (row->flags & (K_REG | K_MOD | K_RM))
		return true;
	for (i = 0; i < 3; i++)
		switch (operand_class(row->op[i])) {
		case OC_E: case OC_G: case OC_M: case OC_S: case OC_CR:
		case OC_R: case OC_V: case OC_W:
			return true;
		default:
			break;
		}
	return false;
}

static unsigned int table_index(const struct emu_ctxt *c, u32 kind)
{
	const struct emu_insn *insn = &c->insn;

	switch (kind) {
	case K_REG:
		return insn->modrm >> 3 & 7;
	case K_MOD:
		return insn->modrm >> 6 == 3;
	case K_RM:
		return insn->modrm & 7;
	case K_64:
		return emu_long(c);
	default:
		if (insn->prefixes & EMU_PFX_F2)
			return 3;
		if (insn->prefixes & EMU_PFX_F3)
			return 2;
		return insn->prefixes & EMU_PFX_66 ? 1 : 0;
	}
}

/* Follow groups to the final row and read ModRM on the way. */
static enum emu_rc find_row(struct emu_ctxt *c, const struct emu_row *row)
{
	bool have = false;
	enum emu_rc rc;

	for (;;) {
		if (!(row->flags & ROW))
			return exec_fault(c, VEC_UD);
		if (!have && has_modrm(row)) {
			rc = take_modrm(c, row->flags & R3);
			if (rc)
				return rc;
			have = true;
		}
		if (!(row->flags & K_ANY))
			break;
		row = row->sub + table_index(c, row->flags & K_ANY);
	}
	c->insn.row = row;
	return EMU_OK;
}

static unsigned int imm_bytes(const struct emu_ctxt *c, enum emu_operand op)
{
	switch (operand_class(op)) {
	case OC_I:
	case OC_J:
		return operand_bytes(c, op);
	case OC_O:
		return c->insn.addr_size;
	case OC_A:
		return bytes_v(c);
	default:
		return 0;
	}
}

static enum emu_rc take_immediates(struct emu_ctxt *c)
{
	struct emu_insn *insn = &c->insn;
	bool second = false;
	enum emu_operand op;
	enum emu_rc rc;
	unsigned int i, size;
	u64 v;

	for (i = 0; i < 3; i++) {
		op = insn->row->op[i];
		size = imm_bytes(c, op);
		if (!size)
			continue;
		rc = take(c, size, &v);
		if (rc)
			return rc;
		if (op == OP_Ib || op == OP_Iw)
			v &= mask_bytes(size);
		if (operand_class(op) == OC_O) {
			insn->disp = v;
		} else if (second) {
			insn->imm2 = v;
		} else {
			insn->imm = v;
			second = true;
		}
		if (operand_class(op) == OC_A) {
			rc = take(c, 2, &insn->imm2);
			if (rc)
				return rc;
		}
	}
	return EMU_OK;
}

/* What makes this encoding undefined, SDM vol. 2, 2.1.1 and the rows. */
static bool illegal(const struct emu_ctxt *c)
{
	const struct emu_insn *insn = &c->insn;
	u32 flags = insn->row->flags;
	bool lockable = flags & LK && insn->mem;

	if (flags & I64 && emu_long(c))
		return true;
	if (flags & PM && emu_real_segs(c))
		return true;
	if (flags & MO && !insn->mem)
		return true;
	if (flags & RO && insn->mem)
		return true;
	return insn->prefixes & EMU_PFX_LOCK && !lockable;
}

/* AMD: LOCK MOV to or from CR0 means CR8 (APM vol. 3, MOV CRn). */
static void alt_mov_cr8(struct emu_ctxt *c)
{
	struct emu_insn *insn = &c->insn;

	if (c->amd && insn->map == EMU_MAP_0F && (insn->opcode & 0xfd) == 0x20 &&
	    insn->prefixes & EMU_PFX_LOCK && !insn->reg) {
		insn->prefixes &= ~EMU_PFX_LOCK;
		insn->reg = 8;
	}
}

/* Is this the first byte of VEX, EVEX or XOP? Its second byte decides. */
static enum emu_rc is_vex(struct emu_ctxt *c, bool *vex)
{
	struct emu_insn *insn = &c->insn;
	enum emu_rc rc;
	u8 next;

	*vex = false;
	if (emu_real_segs(c) ||
	    (insn->opcode != 0xc4 && insn->opcode != 0xc5 &&
	     insn->opcode != 0x62 && insn->opcode != 0x8f))
		return EMU_OK;
	rc = need(c, insn->len + 1);
	if (rc)
		return rc;
	next = insn->bytes[insn->len];
	if (insn->opcode == 0x8f)
		*vex = (next & 0x1f) >= 8;
	else
		*vex = emu_long(c) || next >> 6 == 3;
	return EMU_OK;
}

/* Bytes of immediate of a VEX or EVEX opcode in map 1 (0F). */
static unsigned int vex_0f_imm(u8 opcode)
{
	return (opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 ||
	       (opcode >= 0xc4 && opcode <= 0xc6);
}

/*
 * Length of a VEX (C4, C5), EVEX (62) or XOP (8F) instruction.
 * SDM vol. 2, 2.3.5 and 2.7.1; APM vol. 3, 1.9.
 */
static enum emu_rc take_vex(struct emu_ctxt *c)
{
	struct emu_insn *insn = &c->insn;
	unsigned int payload, imm, map;
	enum emu_rc rc;
	u8 first = insn->opcode;
	u64 skip;

	if (insn->rex || insn->prefixes & (EMU_PFX_LOCK | EMU_PFX_66 |
					   EMU_PFX_F2 | EMU_PFX_F3))
		return exec_fault(c, VEC_UD);
	payload = first == 0xc5 ? 1 : first == 0x62 ? 3 : 2;
	map = insn->bytes[insn->len] & (first == 0x62 ? 7 : 0x1f);
	if (first == 0xc5)
		map = 1;
	rc = take(c, payload, &skip);
	if (!rc)
		rc = take_byte(c, &insn->opcode);
	if (rc)
		return rc;

	insn->map = EMU_MAP_VEX;
	switch (map) {
	case 1:
		imm = vex_0f_imm(insn->opcode);
		break;
	case 2: case 5: case 6: case 9:
		imm = 0;
		break;
	case 3: case 8:
		imm = 1;
		break;
	case 10:
		imm = 4;
		break;
	default:
		return EMU_UNHANDLED;
	}
	/* VZEROUPPER and VZEROALL are the only ones without ModRM */
	if (!(map == 1 && insn->opcode == 0x77)) {
		rc = take_modrm(c, false);
		if (rc)
			return rc;
	}
	insn->row = &rows_vex;
	return take(c, imm, &insn->imm);
}

/* Read the rest of the opcode and find the row to start from. */
static enum emu_rc take_opcode(struct emu_ctxt *c, const struct emu_row **row)
{
	struct emu_insn *insn = &c->insn;
	enum emu_rc rc;

	*row = &rows_1[insn->opcode];
	if (insn->opcode != 0x0f)
		return EMU_OK;
	insn->map = EMU_MAP_0F;
	rc = take_byte(c, &insn->opcode);
	if (rc)
		return rc;
	*row = &rows_0f[insn->opcode];
	if (insn->opcode != 0x38 && insn->opcode != 0x3a)
		return EMU_OK;
	insn->map = insn->opcode == 0x38 ? EMU_MAP_0F38 : EMU_MAP_0F3A;
	rc = take_byte(c, &insn->opcode);
	if (rc)
		return rc;
	*row = insn->map == EMU_MAP_0F38 ? &rows_0f38[insn->opcode] : &rows_0f3a;
	return EMU_OK;
}

enum emu_rc emu_decode(struct emu_ctxt *c, const u8 *bytes, unsigned int n)
{
	struct emu_insn *insn = &c->insn;
	const struct emu_row *row;
	enum emu_rc rc;
	bool vex;

	*insn = (struct emu_insn){ .base = EMU_NO_REG, .index = EMU_NO_REG };
	insn->fetched = min_t(unsigned int, n, EMU_MAX_LEN);
	if (insn->fetched)
		memcpy(insn->bytes, bytes, insn->fetched);

	rc = take_prefixes(c);
	if (rc)
		return rc;
	set_addr_size(c);
	rc = is_vex(c, &vex);
	if (rc)
		return rc;
	if (vex) {
		rc = take_vex(c);
	} else {
		rc = take_opcode(c, &row);
		if (!rc)
			rc = find_row(c, row);
		if (rc)
			return rc;
		set_op_size(c, insn->row->flags);
		rc = take_immediates(c);
	}
	if (rc)
		return rc;
	set_seg(insn);
	alt_mov_cr8(c);
	return illegal(c) ? exec_fault(c, VEC_UD) : EMU_OK;
}
