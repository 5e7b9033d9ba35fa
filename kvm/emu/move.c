// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain MOVs: see move.h. SDM vol. 2, 2.1, 2.2.1 and MOV, MOVZX.
 *
 * Any caller, no locks.
 */
#include "base/bits.h"
#include "emu/emu.h"
#include "emu/move.h"

#define REX_W BIT(3)
#define REX_R BIT(2)
#define REX_X BIT(1)
#define REX_B BIT(0)

/* Of the bytes at @p, the first @size as a signed number. */
static u64 get_signed(const u8 *p, unsigned int size)
{
	switch (size) {
	case 1:
		return (s8)p[0];
	case 2:
		return (s16)(p[0] | p[1] << 8);
	default:
		return (s32)(p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24);
	}
}

/* ModRM at @p names memory: its address into m->ea. Bytes, 0 for a register. */
static unsigned int take_address(const struct regs *regs, const u8 *p, u8 rex,
				 struct emu_move *m)
{
	unsigned int mod = p[0] >> 6, rm = p[0] & 7, n = 1;
	unsigned int base = rm, index;

	m->reg = (p[0] >> 3 & 7) | (rex & REX_R ? 8 : 0);
	m->ea = 0;
	if (mod == 3 || (mod == 0 && rm == 5))
		return 0;		/* or relative to RIP */
	if (rm == 4) {
		index = (p[1] >> 3 & 7) | (rex & REX_X ? 8 : 0);
		base = p[1] & 7;
		if (index != R_RSP)
			m->ea = regs->gpr[index] << (p[1] >> 6);
		n = 2;
	}
	if (mod == 0 && base == 5) {
		m->ea += get_signed(p + n, 4);
		return n + 4;
	}
	m->ea += regs->gpr[base | (rex & REX_B ? 8 : 0)];
	if (mod == 1) {
		m->ea += get_signed(p + n, 1);
		n += 1;
	} else if (mod == 2) {
		m->ea += get_signed(p + n, 4);
		n += 4;
	}
	return n;
}

/* Bytes of opcode, 0 if it is none of ours; fills in sizes and direction. */
static unsigned int take_opcode(const u8 *p, unsigned int full,
				struct emu_move *m)
{
	m->write = false;
	m->has_imm = false;
	m->size = full;
	switch (p[0]) {
	case 0x88:
	case 0x8a:
		m->size = 1;
		fallthrough;
	case 0x89:
	case 0x8b:
		m->write = p[0] < 0x8a;
		m->reg_size = m->size;
		return 1;
	case 0xc6:
		m->size = 1;
		fallthrough;
	case 0xc7:
		m->write = true;
		m->has_imm = true;
		m->reg_size = m->size;
		return (p[1] >> 3 & 7) == 0 ? 1 : 0;
	case 0x0f:
		if (p[1] != 0xb6 && p[1] != 0xb7)
			return 0;
		m->size = p[1] == 0xb6 ? 1 : 2;
		m->reg_size = full;
		return 2;
	}
	return 0;
}

bool emu_move_decode(const struct regs *regs, const u8 *bytes,
		     struct emu_move *m)
{
	unsigned int n = 0, part, full = 4, imm = 0;
	u8 rex = 0;

	if (bytes[n] == 0x66) {
		full = 2;
		n++;
	}
	if ((bytes[n] & 0xf0) == 0x40)
		rex = bytes[n++];
	if (rex & REX_W)
		full = 8;
	part = take_opcode(bytes + n, full, m);
	if (!part)
		return false;
	n += part;
	part = take_address(regs, bytes + n, rex, m);
	if (!part)
		return false;
	n += part;
	/* Without REX these are AH to BH. */
	if (m->reg_size == 1 && !m->has_imm && !rex && m->reg >= 4)
		return false;
	if (m->has_imm) {
		imm = min_t(unsigned int, m->size, 4);
		m->imm = get_signed(bytes + n, imm);
	}
	m->len = n + imm;
	return m->len <= EMU_MAX_LEN;
}

void emu_move_load(const struct emu_move *m, struct regs *regs, u64 value)
{
	u64 *reg = &regs->gpr[m->reg];
	u64 keep = m->reg_size < 4 ? ~mask_bytes(m->reg_size) : 0;

	*reg = (*reg & keep) | (value & mask_bytes(m->size));
}
