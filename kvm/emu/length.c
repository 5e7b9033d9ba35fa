// SPDX-License-Identifier: GPL-2.0-only
/*
 * Length of the instructions that exits skip most, without decoding.
 *
 * For hosts that do not report the address of the next instruction: the exit
 * has told which instruction it is, so its opcode needs no check of legality,
 * only its end is wanted. Callers fall back on emu_decode() when the answer
 * is 0. Any caller, no locks.
 */
#include "emu/emu.h"

static bool is_prefix(enum x86_mode mode, u8 b)
{
	switch (b) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64 ... 0x67:
	case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return mode == MODE_LONG && (b & 0xf0) == 0x40;
}

/* Is this a two-byte opcode without operands that exits are made for? */
static bool is_plain_0f(u8 opcode)
{
	switch (opcode) {
	case 0x06: case 0x08: case 0x09:		/* CLTS INVD WBINVD */
	case 0x30 ... 0x33:				/* WRMSR to RDPMC */
	case 0x34: case 0x35: case 0x05: case 0x07:
	case 0xa2: case 0xaa:				/* CPUID RSM */
		return true;
	}
	return false;
}

/* Bytes of ModRM with what follows; 16-bit addressing if @wide is false. */
static unsigned int modrm_length(const u8 *p, unsigned int n, bool wide)
{
	unsigned int mod, rm;

	if (n < 1)
		return 0;
	mod = p[0] >> 6;
	rm = p[0] & 7;
	if (mod == 3)
		return 1;
	if (!wide)
		return mod == 1 ? 2 : mod == 2 || rm == 6 ? 3 : 1;
	if (rm != 4)
		return mod == 1 ? 2 : mod == 2 || rm == 5 ? 5 : 1;
	if (n < 2)
		return 0;
	return mod == 1 ? 3 : mod == 2 || (p[1] & 7) == 5 ? 6 : 2;
}

static unsigned int length_0f(const u8 *p, unsigned int n, bool wide)
{
	unsigned int len;

	if (n < 2)
		return 0;
	if (is_plain_0f(p[1]))
		return 2;
	switch (p[1]) {
	case 0x20 ... 0x23:			/* CR and DR: mod is ignored */
		return 3;
	case 0x00: case 0x01: case 0xae: case 0xc7:	/* groups 6, 7, 15, 9 */
		len = modrm_length(p + 2, n - 2, wide);
		return len ? 2 + len : 0;
	}
	return 0;
}

unsigned int emu_simple_length(enum x86_mode mode, const u8 *bytes,
			       unsigned int n)
{
	bool pfx_67 = false, wide;
	unsigned int i, len;

	n = min_t(unsigned int, n, EMU_MAX_LEN);
	for (i = 0; i < n && is_prefix(mode, bytes[i]); i++)
		if (bytes[i] == 0x67)
			pfx_67 = true;
	if (i == n)
		return 0;

	wide = mode == MODE_LONG || (mode == MODE_PROT32) != pfx_67;
	switch (bytes[i]) {
	case 0x6c ... 0x6f: case 0x90: case 0xcc: case 0xec ... 0xef:
	case 0xf1: case 0xf4:
		len = 1;
		break;
	case 0xcd: case 0xe4 ... 0xe7:
		len = 2;
		break;
	case 0x0f:
		len = length_0f(bytes + i, n - i, wide);
		break;
	default:
		return 0;
	}
	return len && i + len <= n ? i + len : 0;
}
