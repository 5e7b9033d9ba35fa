/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the emulator share; not for use outside emu/.
 *
 * A handler exec_<name>() finds its operands in c->dst, c->src, c->src2 (read
 * as the row asks), works on the private part of the context, and leaves its
 * result in c->dst, which emu_exec() writes back if the row says so. State
 * outside of the context is changed only as the last step.
 */
#ifndef EMU_EXEC_H
#define EMU_EXEC_H

#include "base/bits.h"
#include "emu/emu.h"

/*
 * Operand types in the notation of SDM vol. 2, A.2. Class: where the operand
 * is; size: B W D Q O bytes 1, 2, 4, 8, 16; V operand size; Z the same but at
 * most 4; Y 8 in 64-bit mode if REX.W, else 4; N natural width (CR, DR); S a
 * word in memory, V in a register; P far pointer.
 */
#define EMU_OPERANDS(_) \
	_(__, NONE, 0) \
	_(Eb, E, B) _(Ew, E, W) _(Ed, E, D) _(Ev, E, V) _(Ey, E, Y) _(Es, E, S) \
	_(Gb, G, B) _(Gw, G, W) _(Gv, G, V) _(Gy, G, Y) \
	_(Ib, I, B) _(sIb, I, B) _(Iw, I, W) _(Iz, I, Z) _(Iv, I, V) \
	_(Jb, J, B) _(Jz, J, Z) \
	_(Ob, O, B) _(Ov, O, V) \
	_(M, M, 0) _(Mb, E, B) _(Mw, E, W) _(Md, E, D) _(Mv, E, V) _(My, E, Y) \
	_(Mp, M, P) _(Eq, E, Q) \
	_(AL, ACC, B) _(rAX, ACC, V) _(rAz, ACC, Z) \
	_(CL, CL, B) _(one, ONE, B) _(DX, DX, W) \
	_(Zb, Z, B) _(Zv, Z, V) \
	_(Sw, S, W) _(Cn, CR, N) _(Dn, CR, N) _(Rn, R, N) \
	_(Xb, STR, B) _(Xv, STR, V) _(Xz, STR, Z) \
	_(Yb, STR, B) _(Yv, STR, V) _(Yz, STR, Z) \
	_(Ap, A, P) \
	_(Vo, V, O) _(Wo, W, O) _(Wq, W, Q) _(Wd, W, D) _(Wy, W, Y)

enum emu_operand {
#define EMU_OPERAND_ENUM(name, class, size) OP_##name,
	EMU_OPERANDS(EMU_OPERAND_ENUM)
	OP_COUNT,
};

enum operand_class {
	OC_NONE, OC_E, OC_G, OC_I, OC_J, OC_O, OC_M, OC_ACC, OC_CL, OC_ONE,
	OC_DX, OC_Z, OC_S, OC_CR, OC_R, OC_STR, OC_A, OC_V, OC_W,
};

/* Row flags. */
#define ROW BIT(0)		/* the opcode exists */
#define DR BIT(1)		/* the first operand is read */
#define DW BIT(2)		/* the first operand is written */
#define LK BIT(3)		/* LOCK is allowed if it is in memory */
#define D64 BIT(4)		/* operand size 64 by default in 64-bit mode */
#define F64 BIT(5)		/* the same, and 66 has no effect (Intel) */
#define I64 BIT(6)		/* invalid in 64-bit mode */
#define PV BIT(7)		/* CPL 0 only */
#define MO BIT(8)		/* memory form only */
#define RO BIT(9)		/* register form only */
#define PM BIT(10)		/* not in real and virtual-8086 mode */
#define R3 BIT(11)		/* rm is a register whatever mod says */
#define BIT_OFF BIT(12)		/* second operand is a bit offset */
#define ALGN BIT(13)		/* memory operand must be aligned, else #GP */
#define RMW (DR | DW | LK)
/* The row stands for a table, indexed by ... */
#define K_REG BIT(16)		/* ModRM.reg */
#define K_MOD BIT(17)		/* 0: memory, 1: register */
#define K_PFX BIT(18)		/* 0: none, 1: 66, 2: F3, 3: F2 */
#define K_RM BIT(19)		/* ModRM.rm */
#define K_64 BIT(20)		/* 1: 64-bit mode */
#define K_ANY (K_REG | K_MOD | K_PFX | K_RM | K_64)

struct emu_row {
	union {
		enum emu_rc (*exec)(struct emu_ctxt *c);	/* may be NULL */
		const struct emu_row *sub;
	};
	u32 flags;
	u8 op[3];		/* enum emu_operand */
};

static_assert(sizeof(struct emu_row) == 16);

#define RFLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | \
		      RFLAGS_SF | RFLAGS_OF)

static inline bool emu_long(const struct emu_ctxt *c)
{
	return c->mode == MODE_LONG;
}

/* Segments are paragraphs: no descriptors. */
static inline bool emu_real_segs(const struct emu_ctxt *c)
{
	return c->mode == MODE_REAL || c->mode == MODE_VM86;
}

/* The handlers, by file. */
#define EMU_HANDLERS(_) \
	/* exec_alu.c */ \
	_(add) _(or) _(adc) _(sbb) _(and) _(sub) _(xor) _(cmp) _(test) \
	_(inc) _(dec) _(neg) _(not) _(rol) _(ror) _(rcl) _(rcr) _(shl) _(shr) \
	_(sar) _(shld) _(shrd) _(mul) _(imul) _(imul2) _(div) _(idiv) \
	_(bt) _(bts) _(btr) _(btc) _(bsf) _(bsr) _(tzcnt) _(lzcnt) _(popcnt) \
	_(xadd) _(cmpxchg) _(cmpxchg8b) \
	_(daa) _(das) _(aaa) _(aas) _(aam) _(aad) \
	/* exec_move.c */ \
	_(mov) _(movsx) _(movbe) _(bswap) _(xchg) _(xchg_acc) _(cmov) _(setcc) \
	_(lea) _(cbw) _(cwd) _(xlat) _(salc) _(nop) \
	_(push) _(pop) _(pusha) _(popa) _(pushf) _(popf) _(enter) _(leave) \
	_(push_seg) _(pop_seg) _(mov_from_seg) _(mov_to_seg) _(lds) \
	_(lahf) _(sahf) _(clc) _(stc) _(cmc) _(cld) _(std) _(cli) _(sti) \
	_(sse_load) _(sse_store) _(movd_load) _(movd_store) \
	_(mmx_load) _(mmx_store) _(fnstcw) _(fnstsw) \
	/* exec_string.c */ \
	_(movs) _(stos) _(lods) _(cmps) _(scas) _(ins) _(outs) _(in) _(out) \
	/* exec_far.c */ \
	_(jmp) _(jcc) _(call) _(ret) _(loop) _(jcxz) \
	_(jmp_far) _(call_far) _(ret_far) _(iret) _(int) _(int3) _(into) _(bound) \
	/* exec_sys.c */ \
	_(hlt) _(mov_from_cr) _(mov_to_cr) _(mov_from_dr) _(mov_to_dr) \
	_(clts) _(lmsw) _(smsw) _(lgdt) _(lidt) _(sgdt) _(sidt) \
	_(lldt) _(ltr) _(sldt) _(str) _(invlpg) _(invd) _(wbinvd) \
	_(rdmsr) _(wrmsr) _(cpuid) _(rdtsc) _(rdtscp) _(rdpmc) \
	_(xgetbv) _(xsetbv) _(clac) _(stac) _(swapgs) _(ud)

#define EMU_HANDLER_DECLARE(name) \
	enum emu_rc exec_##name(struct emu_ctxt *c);
EMU_HANDLERS(EMU_HANDLER_DECLARE)

/* The host has a macro of the callback's name: call it around that. */
static inline enum mem_rc emu_cmpxchg(struct emu_ctxt *c, u64 linear,
				      const struct emu_swap *swap)
{
	return (c->ops->cmpxchg)(c, linear, swap);
}

/* operand.c */

/* operand_class() - where operands of type @op are found */
enum operand_class operand_class(enum emu_operand op);
/* operand_bytes() - size of operand type @op in this instruction */
unsigned int operand_bytes(const struct emu_ctxt *c, enum emu_operand op);
/* operand_ea() - effective address of the ModRM operand, from c->gpr */
u64 operand_ea(const struct emu_ctxt *c);
/* operand_fetch() - compute c->ea and read the row's operands */
enum emu_rc operand_fetch(struct emu_ctxt *c);
/* operand_store() - write c->dst back to the first operand */
enum emu_rc operand_store(struct emu_ctxt *c);
/* operand_swap() - @new for @old at @linear, locked; EMU_RETRY: was not there */
enum emu_rc operand_swap(struct emu_ctxt *c, u64 linear,
			 const struct emu_swap *swap);

/* exec_mem_rc() - the emulator's result for a failed or done access */
enum emu_rc exec_mem_rc(enum mem_rc rc);
/* exec_fault() - fill in c->fault with an exception, code 0 if it has one */
enum emu_rc exec_fault(struct emu_ctxt *c, u8 vector);
/* exec_fault_sel() - the same with a selector (RPL removed) as error code */
enum emu_rc exec_fault_sel(struct emu_ctxt *c, u8 vector, u16 sel);

/* Where an access goes: made by segment, offset and what is done there. */
struct operand_addr {
	u8 seg;
	u64 ea;
};

#define OPERAND_ADDR(s, e) ((struct operand_addr){ .seg = (s), .ea = (e) })
/* The ModRM operand of @c. */
#define OPERAND_MODRM(c) OPERAND_ADDR((c)->insn.seg, (c)->ea)

/*
 * operand_linear() - linear address of @size bytes, segment checks done
 * (SDM vol. 3, 5.3 to 5.5)
 */
enum emu_rc operand_linear(struct emu_ctxt *c, struct operand_addr at,
			   unsigned int size, bool write, u64 *linear);
/* operand_read_mem(), operand_write_mem() - access with segment checks */
enum emu_rc operand_read_mem(struct emu_ctxt *c, struct operand_addr at,
			     void *buf, unsigned int size, unsigned int acc);
enum emu_rc operand_write_mem(struct emu_ctxt *c, struct operand_addr at,
			      const void *buf, unsigned int size);

/* gpr_get(), gpr_set() - a register; bytes 4 to 7 without REX are AH to BH */
u64 gpr_get(const struct emu_ctxt *c, unsigned int nr, unsigned int size);
void gpr_set(struct emu_ctxt *c, unsigned int nr, u64 v, unsigned int size);
/* gpr_add() - add to a register that is used as an address of @size bytes */
void gpr_add(struct emu_ctxt *c, unsigned int nr, u64 v, unsigned int size);

/* stack_size() - bytes of the stack pointer */
unsigned int stack_size(const struct emu_ctxt *c);
/* stack_push(), stack_pop() - @n items of @size bytes, lowest address first */
enum emu_rc stack_push(struct emu_ctxt *c, const u64 *v, unsigned int n,
		       unsigned int size);
enum emu_rc stack_pop(struct emu_ctxt *c, u64 *v, unsigned int n,
		      unsigned int size);

/* exec_branch() - set c->rip to a near target, checked */
enum emu_rc exec_branch(struct emu_ctxt *c, u64 target, unsigned int size);
/* exec_condition() - do the flags meet condition code @cc (SDM vol. 1, B.1) */
bool exec_condition(u64 rflags, unsigned int cc);
/* exec_io_allowed() - may the code use these ports, by IOPL and bitmap */
enum emu_rc exec_io_allowed(struct emu_ctxt *c, u16 port, unsigned int size);

/* seg.c */

/* seg_load() - load a data or stack segment register; changes c->regs */
enum emu_rc seg_load(struct emu_ctxt *c, enum seg seg, u16 sel);
/* seg_load_system() - LLDT, LTR; changes c->regs */
enum emu_rc seg_load_system(struct emu_ctxt *c, enum seg seg, u16 sel);
/*
 * seg_check_code() - make @out the code segment that a far transfer at the
 * privilege level @cpl to @sel leads to; @ret: a return, RPL is the new CPL
 */
enum emu_rc seg_check_code(struct emu_ctxt *c, u16 sel, unsigned int cpl,
			   bool ret, struct segment *out);
/* seg_check_stack() - the same for SS with the new level @cpl */
enum emu_rc seg_check_stack(struct emu_ctxt *c, u16 sel, unsigned int cpl,
			    struct segment *out);

#endif
