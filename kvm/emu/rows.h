/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The opcode maps: SDM vol. 2, tables; APM vol. 3, A.1.
 *
 * _(name, operands, flags) is an instruction that exec_<name>() executes;
 * N(operands) one of which only the length is known; G(kind, table) a group
 * that further bits select from. An entry that is absent is an undefined
 * opcode. Operand types and flags are explained in exec.h.
 *
 * Included by decode.c only.
 */
#ifndef EMU_ROWS_H
#define EMU_ROWS_H

#include "emu/exec.h"

#define OPS3(a, b, c, ...) { OP_##a, OP_##b, OP_##c }
#define OPS(...) OPS3(__VA_ARGS__, __, __, __)
#define O(...) (__VA_ARGS__)

#define _(name, operands, fl) \
	{ .exec = exec_##name, .op = OPS operands, .flags = ROW | (fl) }
#define N(...) { .op = OPS(__VA_ARGS__), .flags = ROW }
#define NF(fl, ...) { .op = OPS(__VA_ARGS__), .flags = ROW | (fl) }
#define G(kind, table) { .sub = (table), .flags = ROW | (kind) }



/* Groups */


static const struct emu_row rows_vex = N(__);
static const struct emu_row rows_0f3a = N(Wo, Ib);

#define GROUP_1(dst, srcop, fl) { \
	_(add, O(dst, srcop), RMW | (fl)), _(or, O(dst, srcop), RMW | (fl)), \
	_(adc, O(dst, srcop), RMW | (fl)), _(sbb, O(dst, srcop), RMW | (fl)), \
	_(and, O(dst, srcop), RMW | (fl)), _(sub, O(dst, srcop), RMW | (fl)), \
	_(xor, O(dst, srcop), RMW | (fl)), _(cmp, O(dst, srcop), DR | (fl)) }

static const struct emu_row rows_80[8] = GROUP_1(Eb, Ib, 0);
static const struct emu_row rows_81[8] = GROUP_1(Ev, Iz, 0);
static const struct emu_row rows_82[8] = GROUP_1(Eb, Ib, I64);
static const struct emu_row rows_83[8] = GROUP_1(Ev, sIb, 0);

static const struct emu_row rows_8f[8] = { _(pop, O(Ev), DW | D64) };

#define GROUP_2(dst, count) { \
	_(rol, O(dst, count), DR | DW), _(ror, O(dst, count), DR | DW), \
	_(rcl, O(dst, count), DR | DW), _(rcr, O(dst, count), DR | DW), \
	_(shl, O(dst, count), DR | DW), _(shr, O(dst, count), DR | DW), \
	_(shl, O(dst, count), DR | DW), _(sar, O(dst, count), DR | DW) }

static const struct emu_row rows_c0[8] = GROUP_2(Eb, Ib);
static const struct emu_row rows_c1[8] = GROUP_2(Ev, Ib);
static const struct emu_row rows_d0[8] = GROUP_2(Eb, one);
static const struct emu_row rows_d1[8] = GROUP_2(Ev, one);
static const struct emu_row rows_d2[8] = GROUP_2(Eb, CL);
static const struct emu_row rows_d3[8] = GROUP_2(Ev, CL);

#define GROUP_3(dst, imm) { \
	_(test, O(dst, imm), DR), _(test, O(dst, imm), DR), \
	_(not, O(dst), RMW), _(neg, O(dst), RMW), \
	_(mul, O(dst), DR), _(imul, O(dst), DR), \
	_(div, O(dst), DR), _(idiv, O(dst), DR) }

static const struct emu_row rows_f6[8] = GROUP_3(Eb, Ib);
static const struct emu_row rows_f7[8] = GROUP_3(Ev, Iz);

static const struct emu_row rows_fe[8] = {
	_(inc, O(Eb), RMW), _(dec, O(Eb), RMW),
};

static const struct emu_row rows_ff[8] = {
	_(inc, O(Ev), RMW), _(dec, O(Ev), RMW),
	_(call, O(Ev), DR | F64), _(call_far, O(Mp), MO),
	_(jmp, O(Ev), DR | F64), _(jmp_far, O(Mp), MO),
	_(push, O(Ev), DR | D64),
};

static const struct emu_row rows_c6_7[8] = { [0] = N(Ib) };	/* XABORT */
static const struct emu_row rows_c7_7[8] = { [0] = N(Jz) };	/* XBEGIN */
static const struct emu_row rows_c6_7m[2] = { [1] = G(K_RM, rows_c6_7) };
static const struct emu_row rows_c7_7m[2] = { [1] = G(K_RM, rows_c7_7) };
static const struct emu_row rows_c6[8] = {
	[0] = _(mov, O(Eb, Ib), DW), [7] = G(K_MOD, rows_c6_7m),
};

static const struct emu_row rows_c7[8] = {
	[0] = _(mov, O(Ev, Iz), DW), [7] = G(K_MOD, rows_c7_7m),
};

static const struct emu_row rows_0f00[8] = {
	_(sldt, O(Es), DW | PM), _(str, O(Es), DW | PM),
	_(lldt, O(Ew), DR | PV | PM), _(ltr, O(Ew), DR | PV | PM),
	NF(PM, Ew), NF(PM, Ew),			/* VERR VERW */
};

static const struct emu_row rows_0f01_c0[8] = {	/* ENCLV VMCALL VMLAUNCH ... */
	N(__), N(__), N(__), N(__), N(__), N(__), N(__), N(__),
};

static const struct emu_row rows_0f01_c8[8] = {
	[0] = N(__), [1] = N(__),				/* MONITOR MWAIT */
	[2] = _(clac, O(__), 0), [3] = _(stac, O(__), 0),
	[7] = N(__),					/* ENCLS */
};

static const struct emu_row rows_0f01_d0[8] = {
	[0] = _(xgetbv, O(__), 0), [1] = _(xsetbv, O(__), PV),
	[4] = N(__), [5] = N(__), [6] = N(__), [7] = N(__),	/* VMFUNC XEND XTEST */
};

static const struct emu_row rows_0f01_d8[8] = {	/* VMRUN VMMCALL ... INVLPGA */
	N(__), N(__), N(__), N(__), N(__), N(__), N(__), N(__),
};

static const struct emu_row rows_0f01_e8[8] = {	/* SERIALIZE, user interrupts */
	N(__), N(__), N(__), N(__), N(__), N(__), N(__), N(__),
};

static const struct emu_row rows_0f01_f8[8] = {
	[0] = _(swapgs, O(__), PV), [1] = _(rdtscp, O(__), 0),
	[2] = N(__), [3] = N(__),				/* MONITORX MWAITX */
	[4] = N(__), [5] = N(__), [6] = N(__), [7] = N(__),	/* CLZERO RDPRU ... */
};

static const struct emu_row rows_0f01_m[8] = {
	_(sgdt, O(M), 0), _(sidt, O(M), 0),
	_(lgdt, O(M), PV), _(lidt, O(M), PV),
	_(smsw, O(Es), DW), N(M),			/* RSTORSSP */
	_(lmsw, O(Ew), DR | PV), _(invlpg, O(M), PV),
};

static const struct emu_row rows_0f01_r[8] = {
	G(K_RM, rows_0f01_c0), G(K_RM, rows_0f01_c8),
	G(K_RM, rows_0f01_d0), G(K_RM, rows_0f01_d8),
	_(smsw, O(Es), DW), G(K_RM, rows_0f01_e8),
	_(lmsw, O(Ew), DR | PV), G(K_RM, rows_0f01_f8),
};

static const struct emu_row rows_0f01[2] = {
	G(K_REG, rows_0f01_m), G(K_REG, rows_0f01_r),
};

static const struct emu_row rows_0fba[8] = {
	[4] = _(bt, O(Ev, Ib), DR), [5] = _(bts, O(Ev, Ib), RMW),
	[6] = _(btr, O(Ev, Ib), RMW), [7] = _(btc, O(Ev, Ib), RMW),
};

static const struct emu_row rows_0fc7_m[8] = {
	[1] = _(cmpxchg8b, O(M), LK), [3] = N(M), [4] = N(M), [5] = N(M),
	[6] = N(M), [7] = N(M),				/* VMPTRLD VMPTRST */
};

static const struct emu_row rows_0fc7_r[8] = {
	[6] = N(Ev), [7] = N(Ev),			/* RDRAND RDSEED */
};

static const struct emu_row rows_0fc7[2] = {
	G(K_REG, rows_0fc7_m), G(K_REG, rows_0fc7_r),
};

static const struct emu_row rows_0fae_m6[4] = {	/* XSAVEOPT CLWB CLRSSBSY */
	N(M), _(nop, O(M), 0), N(M),
};

static const struct emu_row rows_0fae_m[8] = {	/* FXSAVE to XSAVEOPT */
	N(M), N(M), N(Md), N(Md), N(M), N(M), G(K_PFX, rows_0fae_m6),
	_(nop, O(M), 0),				/* CLFLUSH */
};

static const struct emu_row rows_0fae_r0[8] = {
	[5] = _(nop, O(__), 0), [6] = _(nop, O(__), 0), /* LFENCE MFENCE */
	[7] = _(nop, O(__), 0),				/* SFENCE */
};

static const struct emu_row rows_0fae_rf3[8] = {	/* RDFSBASE to INCSSP */
	N(Ey), N(Ey), N(Ey), N(Ey), [4] = N(Ey), [5] = N(Ey), [6] = N(Ey),
};

static const struct emu_row rows_0fae_rx[8] = { [6] = N(Ey) }; /* TPAUSE ... */

static const struct emu_row rows_0fae_r[4] = {
	G(K_REG, rows_0fae_r0), G(K_REG, rows_0fae_rx),
	G(K_REG, rows_0fae_rf3), G(K_REG, rows_0fae_rx),
};

static const struct emu_row rows_0fae[2] = {
	G(K_REG, rows_0fae_m), G(K_PFX, rows_0fae_r),
};

static const struct emu_row rows_63[2] = {
	NF(PM, Ew, Gw),					/* ARPL */
	_(movsx, O(Gv, Ed), DW),			/* MOVSXD */
};

static const struct emu_row rows_d9m[8] = {
	N(Ed), N(Ed), N(Ed), N(Ed), N(Ed), N(Ed), N(Ed),
	_(fnstcw, O(Mw), DW),
};

static const struct emu_row rows_ddm[8] = {
	N(Ed), N(Ed), N(Ed), N(Ed), N(Ed), N(Ed), N(Ed),
	_(fnstsw, O(Mw), DW),
};

static const struct emu_row rows_d9[2] = { G(K_REG, rows_d9m), N(Ed) };
static const struct emu_row rows_dd[2] = { G(K_REG, rows_ddm), N(Ed) };

/* Rows that a mandatory prefix selects: none, 66, F3, F2. */

static const struct emu_row rows_0f10[4] = {
	_(sse_load, O(Vo, Wo), 0), _(sse_load, O(Vo, Wo), 0),
	_(sse_load, O(Vo, Wd), 0), _(sse_load, O(Vo, Wq), 0),
};

static const struct emu_row rows_0f11[4] = {
	_(sse_store, O(Wo, Vo), 0), _(sse_store, O(Wo, Vo), 0),
	_(sse_store, O(Wd, Vo), 0), _(sse_store, O(Wq, Vo), 0),
};

static const struct emu_row rows_0f28[4] = {
	_(sse_load, O(Vo, Wo), ALGN), _(sse_load, O(Vo, Wo), ALGN),
};

static const struct emu_row rows_0f29[4] = {
	_(sse_store, O(Wo, Vo), ALGN), _(sse_store, O(Wo, Vo), ALGN),
};

static const struct emu_row rows_0f2b[4] = {
	_(sse_store, O(Wo, Vo), ALGN | MO), _(sse_store, O(Wo, Vo), ALGN | MO),
	NF(MO, Wd), NF(MO, Wq),				/* MOVNTSS MOVNTSD */
};

static const struct emu_row rows_0f6e[4] = {
	_(mmx_load, O(Vo, Wy), 0), _(movd_load, O(Vo, Wy), 0),
};

static const struct emu_row rows_0f6f[4] = {
	_(mmx_load, O(Vo, Wq), 0), _(sse_load, O(Vo, Wo), ALGN),
	_(sse_load, O(Vo, Wo), 0),
};

static const struct emu_row rows_0f78[4] = { N(Ev), N(Wo, Ib, Ib), [3] = N(Wo, Ib, Ib) };
static const struct emu_row rows_0f7e[4] = {
	_(mmx_store, O(Ey, Vo), DW), _(movd_store, O(Ey, Vo), DW),
	_(sse_load, O(Vo, Wq), 0),
};

static const struct emu_row rows_0f7f[4] = {
	_(mmx_store, O(Eq, Vo), DW), _(sse_store, O(Wo, Vo), ALGN),
	_(sse_store, O(Wo, Vo), 0),
};

static const struct emu_row rows_0fb8[4] = { [2] = _(popcnt, O(Gv, Ev), DW) };
static const struct emu_row rows_0fbc[4] = {
	_(bsf, O(Gv, Ev), DR | DW), _(bsf, O(Gv, Ev), DR | DW),
	_(tzcnt, O(Gv, Ev), DW), _(bsf, O(Gv, Ev), DR | DW),
};

static const struct emu_row rows_0fbd[4] = {
	_(bsr, O(Gv, Ev), DR | DW), _(bsr, O(Gv, Ev), DR | DW),
	_(lzcnt, O(Gv, Ev), DW), _(bsr, O(Gv, Ev), DR | DW),
};

static const struct emu_row rows_0fc3[4] = { _(mov, O(My, Gy), DW | MO) };
static const struct emu_row rows_0fd6[4] = {
	[1] = _(sse_store, O(Wq, Vo), 0), [2] = NF(RO, Wq), [3] = NF(RO, Wq),
};

static const struct emu_row rows_0fe7[4] = {
	_(mmx_store, O(Eq, Vo), DW | MO), _(sse_store, O(Wo, Vo), ALGN | MO),
};

static const struct emu_row rows_0ff0[4] = { [3] = _(sse_load, O(Vo, Wo), MO) };

static const struct emu_row rows_0f382a[4] = {
	[1] = _(sse_load, O(Vo, Wo), ALGN | MO),
};

static const struct emu_row rows_0f38f0[4] = {
	_(movbe, O(Gv, Mv), DW | MO), _(movbe, O(Gv, Mv), DW | MO),
	[3] = N(Eb),					/* CRC32 */
};

static const struct emu_row rows_0f38f1[4] = {
	_(movbe, O(Mv, Gv), DW | MO), _(movbe, O(Mv, Gv), DW | MO),
	[3] = N(Ev),
};

static const struct emu_row rows_0f38f9[4] = { _(mov, O(My, Gy), DW | MO) };

/* One-byte opcodes */

#define ALU(base, name, dst, lock) \
	[(base) + 0] = _(name, O(Eb, Gb), (dst) | (lock)), \
	[(base) + 1] = _(name, O(Ev, Gv), (dst) | (lock)), \
	[(base) + 2] = _(name, O(Gb, Eb), dst), \
	[(base) + 3] = _(name, O(Gv, Ev), dst), \
	[(base) + 4] = _(name, O(AL, Ib), dst), \
	[(base) + 5] = _(name, O(rAX, Iz), dst)

static const struct emu_row rows_1[256] = {
	ALU(0x00, add, DR | DW, LK), ALU(0x08, or, DR | DW, LK),
	ALU(0x10, adc, DR | DW, LK), ALU(0x18, sbb, DR | DW, LK),
	ALU(0x20, and, DR | DW, LK), ALU(0x28, sub, DR | DW, LK),
	ALU(0x30, xor, DR | DW, LK), ALU(0x38, cmp, DR, 0),
	[0x06] = _(push_seg, O(__), I64), [0x07] = _(pop_seg, O(__), I64),
	[0x0e] = _(push_seg, O(__), I64),
	[0x16] = _(push_seg, O(__), I64), [0x17] = _(pop_seg, O(__), I64),
	[0x1e] = _(push_seg, O(__), I64), [0x1f] = _(pop_seg, O(__), I64),
	[0x27] = _(daa, O(__), I64), [0x2f] = _(das, O(__), I64),
	[0x37] = _(aaa, O(__), I64), [0x3f] = _(aas, O(__), I64),
	[0x40 ... 0x47] = _(inc, O(Zv), DR | DW | I64),
	[0x48 ... 0x4f] = _(dec, O(Zv), DR | DW | I64),
	[0x50 ... 0x57] = _(push, O(Zv), DR | D64),
	[0x58 ... 0x5f] = _(pop, O(Zv), DW | D64),
	[0x60] = _(pusha, O(__), I64), [0x61] = _(popa, O(__), I64),
	[0x62] = _(bound, O(Gv, M), DR | MO | I64),
	[0x63] = G(K_64, rows_63),
	[0x68] = _(push, O(Iz), DR | D64),
	[0x69] = _(imul2, O(Gv, Ev, Iz), DW),
	[0x6a] = _(push, O(sIb), DR | D64),
	[0x6b] = _(imul2, O(Gv, Ev, sIb), DW),
	[0x6c] = _(ins, O(Yb, DX), 0), [0x6d] = _(ins, O(Yz, DX), 0),
	[0x6e] = _(outs, O(Xb, DX), 0), [0x6f] = _(outs, O(Xz, DX), 0),
	[0x70 ... 0x7f] = _(jcc, O(Jb), DR | F64),
	[0x80] = G(K_REG, rows_80), [0x81] = G(K_REG, rows_81),
	[0x82] = G(K_REG, rows_82), [0x83] = G(K_REG, rows_83),
	[0x84] = _(test, O(Eb, Gb), DR), [0x85] = _(test, O(Ev, Gv), DR),
	[0x86] = _(xchg, O(Eb, Gb), RMW), [0x87] = _(xchg, O(Ev, Gv), RMW),
	[0x88] = _(mov, O(Eb, Gb), DW), [0x89] = _(mov, O(Ev, Gv), DW),
	[0x8a] = _(mov, O(Gb, Eb), DW), [0x8b] = _(mov, O(Gv, Ev), DW),
	[0x8c] = _(mov_from_seg, O(Es, Sw), DW),
	[0x8d] = _(lea, O(Gv, M), DW | MO),
	[0x8e] = _(mov_to_seg, O(Sw, Ew), 0),
	[0x8f] = G(K_REG, rows_8f),
	[0x90 ... 0x97] = _(xchg_acc, O(Zv, rAX), DR | DW),
	[0x98] = _(cbw, O(rAX), DW), [0x99] = _(cwd, O(rAX), DR),
	[0x9a] = _(call_far, O(Ap), I64), [0x9b] = N(__),
	[0x9c] = _(pushf, O(__), D64), [0x9d] = _(popf, O(__), D64),
	[0x9e] = _(sahf, O(__), 0), [0x9f] = _(lahf, O(__), 0),
	[0xa0] = _(mov, O(AL, Ob), DW), [0xa1] = _(mov, O(rAX, Ov), DW),
	[0xa2] = _(mov, O(Ob, AL), DW), [0xa3] = _(mov, O(Ov, rAX), DW),
	[0xa4] = _(movs, O(Yb, Xb), 0), [0xa5] = _(movs, O(Yv, Xv), 0),
	[0xa6] = _(cmps, O(Xb, Yb), 0), [0xa7] = _(cmps, O(Xv, Yv), 0),
	[0xa8] = _(test, O(AL, Ib), DR), [0xa9] = _(test, O(rAX, Iz), DR),
	[0xaa] = _(stos, O(Yb, AL), 0), [0xab] = _(stos, O(Yv, rAX), 0),
	[0xac] = _(lods, O(Xb), 0), [0xad] = _(lods, O(Xv), 0),
	[0xae] = _(scas, O(Yb), 0), [0xaf] = _(scas, O(Yv), 0),
	[0xb0 ... 0xb7] = _(mov, O(Zb, Ib), DW),
	[0xb8 ... 0xbf] = _(mov, O(Zv, Iv), DW),
	[0xc0] = G(K_REG, rows_c0), [0xc1] = G(K_REG, rows_c1),
	[0xc2] = _(ret, O(Iw), F64), [0xc3] = _(ret, O(__), F64),
	[0xc4] = _(lds, O(Gv, M), MO | I64 | DW),
	[0xc5] = _(lds, O(Gv, M), MO | I64 | DW),
	[0xc6] = G(K_REG, rows_c6), [0xc7] = G(K_REG, rows_c7),
	[0xc8] = _(enter, O(Iw, Ib), D64), [0xc9] = _(leave, O(__), D64),
	[0xca] = _(ret_far, O(Iw), 0), [0xcb] = _(ret_far, O(__), 0),
	[0xcc] = _(int3, O(__), 0), [0xcd] = _(int, O(Ib), 0),
	[0xce] = _(into, O(__), I64), [0xcf] = _(iret, O(__), 0),
	[0xd0] = G(K_REG, rows_d0), [0xd1] = G(K_REG, rows_d1),
	[0xd2] = G(K_REG, rows_d2), [0xd3] = G(K_REG, rows_d3),
	[0xd4] = _(aam, O(Ib), I64), [0xd5] = _(aad, O(Ib), I64),
	[0xd6] = _(salc, O(__), I64), [0xd7] = _(xlat, O(AL), DW),
	/* x87 */
	[0xd8] = N(Ed), [0xd9] = G(K_MOD, rows_d9), [0xda ... 0xdc] = N(Ed),
	[0xdd] = G(K_MOD, rows_dd), [0xde ... 0xdf] = N(Ed),
	[0xe0 ... 0xe2] = _(loop, O(Jb), DR | F64),
	[0xe3] = _(jcxz, O(Jb), DR | F64),
	[0xe4] = _(in, O(AL, Ib), DW), [0xe5] = _(in, O(rAz, Ib), DW),
	[0xe6] = _(out, O(Ib, AL), DR), [0xe7] = _(out, O(Ib, rAz), DR),
	[0xe8] = _(call, O(Jz), DR | F64), [0xe9] = _(jmp, O(Jz), DR | F64),
	[0xea] = _(jmp_far, O(Ap), I64), [0xeb] = _(jmp, O(Jb), DR | F64),
	[0xec] = _(in, O(AL, DX), DW), [0xed] = _(in, O(rAz, DX), DW),
	[0xee] = _(out, O(DX, AL), DR), [0xef] = _(out, O(DX, rAz), DR),
	[0xf1] = N(__), [0xf4] = _(hlt, O(__), PV), [0xf5] = _(cmc, O(__), 0),
	[0xf6] = G(K_REG, rows_f6), [0xf7] = G(K_REG, rows_f7),
	[0xf8] = _(clc, O(__), 0), [0xf9] = _(stc, O(__), 0),
	[0xfa] = _(cli, O(__), 0), [0xfb] = _(sti, O(__), 0),
	[0xfc] = _(cld, O(__), 0), [0xfd] = _(std, O(__), 0),
	[0xfe] = G(K_REG, rows_fe), [0xff] = G(K_REG, rows_ff),
};

/* Two-byte opcodes, 0F xx */
static const struct emu_row rows_0f[256] = {
	[0x00] = G(K_REG, rows_0f00), [0x01] = G(K_MOD, rows_0f01),
	[0x02] = NF(PM, Ew), [0x03] = NF(PM, Ew),	/* LAR LSL */
	[0x05] = N(__), [0x06] = _(clts, O(__), PV), [0x07] = N(__),
	[0x08] = _(invd, O(__), PV), [0x09] = _(wbinvd, O(__), PV),
	[0x0b] = _(ud, O(__), 0), [0x0d] = _(nop, O(Ev), 0), [0x0e] = N(__),
	[0x0f] = N(Wq, Ib),				/* 3DNow! */
	[0x10] = G(K_PFX, rows_0f10), [0x11] = G(K_PFX, rows_0f11),
	[0x12 ... 0x17] = N(Wq),
	[0x18 ... 0x1f] = _(nop, O(Ev), 0),
	[0x20] = _(mov_from_cr, O(Rn, Cn), DW | PV | R3),
	[0x21] = _(mov_from_dr, O(Rn, Dn), DW | PV | R3),
	[0x22] = _(mov_to_cr, O(Cn, Rn), PV | R3),
	[0x23] = _(mov_to_dr, O(Dn, Rn), PV | R3),
	[0x28] = G(K_PFX, rows_0f28), [0x29] = G(K_PFX, rows_0f29),
	[0x2a] = N(Wq), [0x2b] = G(K_PFX, rows_0f2b), [0x2c ... 0x2f] = N(Wq),
	[0x30] = _(wrmsr, O(__), PV), [0x31] = _(rdtsc, O(__), 0),
	[0x32] = _(rdmsr, O(__), PV), [0x33] = _(rdpmc, O(__), 0),
	[0x34] = N(__), [0x35] = N(__), [0x37] = N(__),
	[0x40 ... 0x4f] = _(cmov, O(Gv, Ev), DR | DW),
	[0x50 ... 0x6d] = N(Wo),
	[0x6e] = G(K_PFX, rows_0f6e), [0x6f] = G(K_PFX, rows_0f6f),
	[0x70] = N(Wo, Ib), [0x71 ... 0x73] = NF(RO, Wo, Ib),
	[0x74 ... 0x76] = N(Wo), [0x77] = N(__),
	[0x78] = G(K_PFX, rows_0f78), [0x79] = N(Wo),
	[0x7c ... 0x7d] = N(Wo),
	[0x7e] = G(K_PFX, rows_0f7e), [0x7f] = G(K_PFX, rows_0f7f),
	[0x80 ... 0x8f] = _(jcc, O(Jz), DR | F64),
	[0x90 ... 0x9f] = _(setcc, O(Eb), DW),
	[0xa0] = _(push_seg, O(__), D64), [0xa1] = _(pop_seg, O(__), D64),
	[0xa2] = _(cpuid, O(__), 0),
	[0xa3] = _(bt, O(Ev, Gv), DR | BIT_OFF),
	[0xa4] = _(shld, O(Ev, Gv, Ib), DR | DW),
	[0xa5] = _(shld, O(Ev, Gv, CL), DR | DW),
	[0xa8] = _(push_seg, O(__), D64), [0xa9] = _(pop_seg, O(__), D64),
	[0xaa] = N(__),					/* RSM */
	[0xab] = _(bts, O(Ev, Gv), RMW | BIT_OFF),
	[0xac] = _(shrd, O(Ev, Gv, Ib), DR | DW),
	[0xad] = _(shrd, O(Ev, Gv, CL), DR | DW),
	[0xae] = G(K_MOD, rows_0fae),
	[0xaf] = _(imul2, O(Gv, Ev, Gv), DW),
	[0xb0] = _(cmpxchg, O(Eb, Gb), RMW),
	[0xb1] = _(cmpxchg, O(Ev, Gv), RMW),
	[0xb2] = _(lds, O(Gv, M), MO | DW),
	[0xb3] = _(btr, O(Ev, Gv), RMW | BIT_OFF),
	[0xb4] = _(lds, O(Gv, M), MO | DW), [0xb5] = _(lds, O(Gv, M), MO | DW),
	[0xb6] = _(mov, O(Gv, Eb), DW), [0xb7] = _(mov, O(Gv, Ew), DW),
	[0xb8] = G(K_PFX, rows_0fb8), [0xb9] = _(ud, O(Ev), 0),
	[0xba] = G(K_REG, rows_0fba),
	[0xbb] = _(btc, O(Ev, Gv), RMW | BIT_OFF),
	[0xbc] = G(K_PFX, rows_0fbc), [0xbd] = G(K_PFX, rows_0fbd),
	[0xbe] = _(movsx, O(Gv, Eb), DW), [0xbf] = _(movsx, O(Gv, Ew), DW),
	[0xc0] = _(xadd, O(Eb, Gb), RMW), [0xc1] = _(xadd, O(Ev, Gv), RMW),
	[0xc2] = N(Wo, Ib), [0xc3] = G(K_PFX, rows_0fc3),
	[0xc4] = N(Wo, Ib), [0xc5] = NF(RO, Wo, Ib), [0xc6] = N(Wo, Ib),
	[0xc7] = G(K_MOD, rows_0fc7),
	[0xc8 ... 0xcf] = _(bswap, O(Zv), DR | DW),
	[0xd0 ... 0xd5] = N(Wo), [0xd6] = G(K_PFX, rows_0fd6),
	[0xd7 ... 0xe6] = N(Wo), [0xe7] = G(K_PFX, rows_0fe7),
	[0xe8 ... 0xef] = N(Wo), [0xf0] = G(K_PFX, rows_0ff0),
	[0xf1 ... 0xfe] = N(Wo), [0xff] = _(ud, O(Ev), 0),
};

/* Three-byte opcodes, 0F 38 xx: all have ModRM and no immediate. */
static const struct emu_row rows_0f38[256] = {
	[0x00 ... 0x29] = N(Wo), [0x2a] = G(K_PFX, rows_0f382a),
	[0x2b ... 0xef] = N(Wo),
	[0xf0] = G(K_PFX, rows_0f38f0), [0xf1] = G(K_PFX, rows_0f38f1),
	[0xf2 ... 0xf8] = N(Wo), [0xf9] = G(K_PFX, rows_0f38f9),
	[0xfa ... 0xff] = N(Wo),
};

#undef _
#undef N
#undef NF
#undef G
#undef O

#endif
