// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against the processor: random instructions with random
 * registers, flags and memory are executed natively and emulated, and must
 * leave the same behind.
 *
 * Native code runs in a page below 4 GiB. It is jumped to with all sixteen
 * registers set, RSP included, and jumps back through memory, so nothing
 * needs a stack. The emulator sees the same linear addresses, but a copy of
 * the memory behind them. What the manuals leave undefined is not compared.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "emu_world.h"

#define AREA 4096
#define ROUNDS 400000
#define ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | \
	       RFLAGS_OF)

struct native {
	u64 gpr[16];
	u64 rflags;
};

/* Used by the assembly below. */
struct native *native_state;
u64 native_stack;
void *native_code;

void native_enter(void);
void native_back(void);

asm(".text\n"
    ".globl native_enter\n"
    "native_enter:\n"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"mov %rsp, native_stack(%rip)\n"
	"mov native_state(%rip), %rdi\n"
	"pushq 128(%rdi)\n"
	"popfq\n"
	"mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx\n"
	"mov 24(%rdi), %rbx; mov 32(%rdi), %rsp; mov 40(%rdi), %rbp\n"
	"mov 48(%rdi), %rsi; mov 64(%rdi), %r8; mov 72(%rdi), %r9\n"
	"mov 80(%rdi), %r10; mov 88(%rdi), %r11; mov 96(%rdi), %r12\n"
	"mov 104(%rdi), %r13; mov 112(%rdi), %r14; mov 120(%rdi), %r15\n"
	"mov 56(%rdi), %rdi\n"
	"jmp *native_code(%rip)\n"
    ".globl native_back\n"
    "native_back:\n"
	"mov %rdi, native_code(%rip)\n"
	"mov native_state(%rip), %rdi\n"
	"mov %rax, 0(%rdi); mov %rcx, 8(%rdi); mov %rdx, 16(%rdi)\n"
	"mov %rbx, 24(%rdi); mov %rsp, 32(%rdi); mov %rbp, 40(%rdi)\n"
	"mov %rsi, 48(%rdi); mov %r8, 64(%rdi); mov %r9, 72(%rdi)\n"
	"mov %r10, 80(%rdi); mov %r11, 88(%rdi); mov %r12, 96(%rdi)\n"
	"mov %r13, 104(%rdi); mov %r14, 112(%rdi); mov %r15, 120(%rdi)\n"
	"mov native_stack(%rip), %rsp\n"
	"pushfq\n"
	"popq 128(%rdi)\n"
	"cld\n"
	"mov native_code(%rip), %rax\n"
	"mov %rax, 56(%rdi)\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret\n");

/* Kinds of instruction: where operands are, which values they need. */
enum kind {
	K_PLAIN,	/* no ModRM */
	K_MODRM,	/* register or memory */
	K_MEM,		/* memory only */
	K_REGONLY,
	K_BITS,		/* K_MODRM with a bit offset in reg */
	K_STRING,
};

struct form {
	const char *code;
	enum kind kind;
	int digit;		/* ModRM.reg of a group, -1: random */
	int imm;		/* bytes of immediate; 4 shrinks with 66 */
	u64 undefined;		/* flags */
	bool byte;		/* 8-bit operand: REX chooses the registers */
	bool lock;
};

#define SHIFT_UNDEF (RFLAGS_AF | RFLAGS_OF | RFLAGS_CF)
#define LOGIC_UNDEF RFLAGS_AF
#define MUL_UNDEF (RFLAGS_SF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF)
#define BIT_UNDEF (RFLAGS_OF | RFLAGS_SF | RFLAGS_AF | RFLAGS_PF)

#define F(c, k, d, i, ...) \
	{ .code = c, .kind = K_##k, .digit = d, .imm = i, __VA_ARGS__ }

#define ALU_FORMS(op0, op1, op2, op3, op4, op5, d, ...)			\
	F(op0, MODRM, -1, 0, .byte = true, .lock = d != 7, __VA_ARGS__), \
	F(op1, MODRM, -1, 0, .lock = d != 7, __VA_ARGS__),		\
	F(op2, MODRM, -1, 0, .byte = true, __VA_ARGS__),		\
	F(op3, MODRM, -1, 0, __VA_ARGS__),				\
	F(op4, PLAIN, -1, 1, __VA_ARGS__),				\
	F(op5, PLAIN, -1, 4, __VA_ARGS__),				\
	F("80", MODRM, d, 1, .byte = true, .lock = d != 7, __VA_ARGS__), \
	F("81", MODRM, d, 4, .lock = d != 7, __VA_ARGS__),		\
	F("83", MODRM, d, 1, .lock = d != 7, __VA_ARGS__)

#define SHIFT_FORMS(d)							\
	F("c0", MODRM, d, 1, .byte = true, .undefined = SHIFT_UNDEF),	\
	F("c1", MODRM, d, 1, .undefined = SHIFT_UNDEF),			\
	F("d0", MODRM, d, 0, .byte = true, .undefined = RFLAGS_AF),	\
	F("d1", MODRM, d, 0, .undefined = RFLAGS_AF),			\
	F("d2", MODRM, d, 0, .byte = true, .undefined = SHIFT_UNDEF),	\
	F("d3", MODRM, d, 0, .undefined = SHIFT_UNDEF)

#define ROTATE_FORMS(d)							\
	F("c0", MODRM, d, 1, .byte = true, .undefined = RFLAGS_OF),	\
	F("c1", MODRM, d, 1, .undefined = RFLAGS_OF),			\
	F("d0", MODRM, d, 0, .byte = true), F("d1", MODRM, d, 0),	\
	F("d2", MODRM, d, 0, .byte = true, .undefined = RFLAGS_OF),	\
	F("d3", MODRM, d, 0, .undefined = RFLAGS_OF)

#define UNARY_FORMS(d, u)						\
	F("f6", MODRM, d, 0, .byte = true, .undefined = u),		\
	F("f7", MODRM, d, 0, .undefined = u)

static const struct form forms[] = {
	ALU_FORMS("00", "01", "02", "03", "04", "05", 0),
	ALU_FORMS("08", "09", "0a", "0b", "0c", "0d", 1, .undefined = LOGIC_UNDEF),
	ALU_FORMS("10", "11", "12", "13", "14", "15", 2),
	ALU_FORMS("18", "19", "1a", "1b", "1c", "1d", 3),
	ALU_FORMS("20", "21", "22", "23", "24", "25", 4, .undefined = LOGIC_UNDEF),
	ALU_FORMS("28", "29", "2a", "2b", "2c", "2d", 5),
	ALU_FORMS("30", "31", "32", "33", "34", "35", 6, .undefined = LOGIC_UNDEF),
	ALU_FORMS("38", "39", "3a", "3b", "3c", "3d", 7),
	ROTATE_FORMS(0), ROTATE_FORMS(1), ROTATE_FORMS(2), ROTATE_FORMS(3),
	SHIFT_FORMS(4), SHIFT_FORMS(5), SHIFT_FORMS(6), SHIFT_FORMS(7),
	UNARY_FORMS(2, 0), UNARY_FORMS(3, 0), UNARY_FORMS(4, MUL_UNDEF),
	UNARY_FORMS(5, MUL_UNDEF), UNARY_FORMS(6, ARITH), UNARY_FORMS(7, ARITH),
	F("f6", MODRM, 0, 1, .byte = true, .undefined = LOGIC_UNDEF),
	F("f7", MODRM, 0, 4, .undefined = LOGIC_UNDEF),
	F("fe", MODRM, 0, 0, .byte = true, .lock = true),
	F("fe", MODRM, 1, 0, .byte = true, .lock = true),
	F("ff", MODRM, 0, 0, .lock = true), F("ff", MODRM, 1, 0, .lock = true),
	F("ff", MODRM, 6, 0), F("8f", MODRM, 0, 0),
	F("84", MODRM, -1, 0, .byte = true, .undefined = LOGIC_UNDEF),
	F("85", MODRM, -1, 0, .undefined = LOGIC_UNDEF),
	F("a8", PLAIN, -1, 1, .undefined = LOGIC_UNDEF),
	F("a9", PLAIN, -1, 4, .undefined = LOGIC_UNDEF),
	F("86", MODRM, -1, 0, .byte = true, .lock = true),
	F("87", MODRM, -1, 0, .lock = true),
	F("88", MODRM, -1, 0, .byte = true), F("89", MODRM, -1, 0),
	F("8a", MODRM, -1, 0, .byte = true), F("8b", MODRM, -1, 0),
	F("8d", MEM, -1, 0), F("63", MODRM, -1, 0),
	F("c6", MODRM, 0, 1, .byte = true), F("c7", MODRM, 0, 4),
	F("69", MODRM, -1, 4, .undefined = MUL_UNDEF),
	F("6b", MODRM, -1, 1, .undefined = MUL_UNDEF),
	F("0faf", MODRM, -1, 0, .undefined = MUL_UNDEF),
	F("50", PLAIN, -1, 0), F("53", PLAIN, -1, 0), F("54", PLAIN, -1, 0),
	F("58", PLAIN, -1, 0), F("5b", PLAIN, -1, 0), F("5c", PLAIN, -1, 0),
	F("68", PLAIN, -1, 4), F("6a", PLAIN, -1, 1), F("c9", PLAIN, -1, 0),
	F("90", PLAIN, -1, 0), F("93", PLAIN, -1, 0), F("97", PLAIN, -1, 0),
	F("98", PLAIN, -1, 0), F("99", PLAIN, -1, 0), F("9e", PLAIN, -1, 0),
	F("9f", PLAIN, -1, 0), F("9c", PLAIN, -1, 0),
	F("f5", PLAIN, -1, 0), F("f8", PLAIN, -1, 0), F("f9", PLAIN, -1, 0),
	F("fc", PLAIN, -1, 0), F("fd", PLAIN, -1, 0), F("d7", PLAIN, -1, 0),
	F("b0", PLAIN, -1, 1), F("b7", PLAIN, -1, 1), F("b8", PLAIN, -1, 4),
	F("bd", PLAIN, -1, 4), F("c8100000", PLAIN, -1, 0),
	F("c8100002", PLAIN, -1, 0),
	F("0f40", MODRM, -1, 0), F("0f43", MODRM, -1, 0), F("0f46", MODRM, -1, 0),
	F("0f49", MODRM, -1, 0), F("0f4a", MODRM, -1, 0), F("0f4c", MODRM, -1, 0),
	F("0f4f", MODRM, -1, 0), F("0f44", MODRM, -1, 0),
	F("0f90", MODRM, 0, 0, .byte = true), F("0f92", MODRM, 0, 0, .byte = true),
	F("0f97", MODRM, 0, 0, .byte = true), F("0f9d", MODRM, 0, 0, .byte = true),
	F("0f9e", MODRM, 0, 0, .byte = true), F("0f9b", MODRM, 0, 0, .byte = true),
	F("0fa3", BITS, -1, 0, .undefined = BIT_UNDEF),
	F("0fab", BITS, -1, 0, .undefined = BIT_UNDEF, .lock = true),
	F("0fb3", BITS, -1, 0, .undefined = BIT_UNDEF, .lock = true),
	F("0fbb", BITS, -1, 0, .undefined = BIT_UNDEF, .lock = true),
	F("0fba", MODRM, 4, 1, .undefined = BIT_UNDEF),
	F("0fba", MODRM, 5, 1, .undefined = BIT_UNDEF, .lock = true),
	F("0fba", MODRM, 6, 1, .undefined = BIT_UNDEF, .lock = true),
	F("0fba", MODRM, 7, 1, .undefined = BIT_UNDEF, .lock = true),
	F("0fbc", MODRM, -1, 0, .undefined = BIT_UNDEF | RFLAGS_CF),
	F("0fbd", MODRM, -1, 0, .undefined = BIT_UNDEF | RFLAGS_CF),
	F("0fa4", MODRM, -1, 1, .undefined = SHIFT_UNDEF),
	F("0fac", MODRM, -1, 1, .undefined = SHIFT_UNDEF),
	F("0fa5", MODRM, -1, 0, .undefined = SHIFT_UNDEF),
	F("0fad", MODRM, -1, 0, .undefined = SHIFT_UNDEF),
	F("0fb0", MODRM, -1, 0, .byte = true, .lock = true),
	F("0fb1", MODRM, -1, 0, .lock = true),
	F("0fc0", MODRM, -1, 0, .byte = true, .lock = true),
	F("0fc1", MODRM, -1, 0, .lock = true),
	F("0fc7", MEM, 1, 0, .lock = true),
	F("0fb6", MODRM, -1, 0, .byte = true), F("0fb7", MODRM, -1, 0),
	F("0fbe", MODRM, -1, 0, .byte = true), F("0fbf", MODRM, -1, 0),
	F("0fc9", PLAIN, -1, 0), F("0fcf", PLAIN, -1, 0),
	F("0fc3", MEM, -1, 0), F("0f1f", MODRM, 0, 0),
	F("a4", STRING, -1, 0), F("a5", STRING, -1, 0), F("a6", STRING, -1, 0),
	F("a7", STRING, -1, 0), F("aa", STRING, -1, 0), F("ab", STRING, -1, 0),
	F("ac", STRING, -1, 0), F("ad", STRING, -1, 0), F("ae", STRING, -1, 0),
	F("af", STRING, -1, 0),
};

static u64 seed = 0x9e3779b97f4a7c15ULL;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dULL;
}

/* Values at the edges more often than chance would have it. */
static u64 rnd_value(void)
{
	u64 r = rnd();

	switch (r & 7) {
	case 0:
		return (s64)(s8)(r >> 8);
	case 1:
		return 1ULL << (r >> 8 & 63);
	case 2:
		return ~0ULL >> (r >> 8 & 63);
	case 3:
		return (u32)(r >> 16);
	default:
		return rnd();
	}
}

struct test {
	const struct form *form;
	u8 code[32];
	unsigned int len;
	struct native in;
	bool w, opsize, addr32;
};

static u8 *area, *copy, *page;

static void set_reg(struct test *t, unsigned int nr, u64 v)
{
	t->in.gpr[nr] = v;
}

/* ModRM of a memory operand somewhere in the middle of the area. */
static void put_memory(struct test *t, u8 rex, unsigned int reg)
{
	unsigned int base, index, disp = rnd() & 0x7f;
	u64 at = (u64)(uintptr_t)area + AREA / 2 - 64;

	do
		base = rnd() & 7;
	while (base == R_RSP);
	index = (base + 1 + rnd() % 7) & 7;
	if (rnd() & 1 || index == R_RSP) {
		t->code[t->len++] = 0x40 | reg << 3 | base;
	} else {
		t->code[t->len++] = 0x44 | reg << 3;
		t->code[t->len++] = (rnd() & 3) << 6 | index << 3 | base;
		index |= rex & 2 ? 8 : 0;
		set_reg(t, index, rnd() & 15);
	}
	t->code[t->len++] = disp;
	set_reg(t, base | (rex & 1 ? 8 : 0), at);
}

static void put_modrm(struct test *t, u8 rex)
{
	const struct form *f = t->form;
	unsigned int reg = f->digit >= 0 ? (unsigned int)f->digit : rnd() & 7;
	unsigned int wide = reg | (rex & 4 ? 8 : 0);

	if (f->kind == K_BITS)
		set_reg(t, wide, (s64)(rnd() % 1000) - 500);
	if (f->kind == K_REGONLY || (f->kind != K_MEM && rnd() & 1))
		t->code[t->len++] = 0xc0 | reg << 3 | (rnd() & 7);
	else
		put_memory(t, rex, reg);
}

/* The offset register must not have become the base or index meanwhile. */
static bool usable(const struct test *t)
{
	const struct emu_insn *i;
	static struct emu_ctxt c;
	static struct regs regs;
	u64 offset;

	regs.cr0 = CR0_PE;
	regs.efer = EFER_LMA_BIT;
	regs.seg[SEG_CS].l = 1;
	emu_init(&c, &regs, &world_ops);
	if (emu_decode(&c, t->code, 15) != EMU_OK)
		return false;
	i = &c.insn;
	if (t->form->kind == K_BITS && i->mem) {
		offset = t->in.gpr[i->reg];
		return (s64)offset < 1000 && (s64)offset > -1000;
	}
	/* CMPXCHG16B wants 16-byte alignment; SHLD of 16 bits is undefined
	 * beyond 16; BSWAP of 16 bits is undefined
	 */
	if (i->map == EMU_MAP_0F && i->op_size == 2 &&
	    ((i->opcode & 0xf6) == 0xa4 || (i->opcode & 0xf8) == 0xc8))
		return false;
	return true;
}

static void make(struct test *t)
{
	const struct form *f = t->form = &forms[rnd() % ARRAY_SIZE(forms)];
	u64 middle = (u64)(uintptr_t)area + AREA / 2;
	bool stringy = f->kind == K_STRING;
	unsigned int i, imm = f->imm;
	u8 rex = rnd() & 1 ? 0x40 | (rnd() & 15) : 0;

	t->len = 0;
	for (i = 0; i < 16; i++)
		set_reg(t, i, rnd_value());
	set_reg(t, R_RSP, middle);
	t->in.rflags = RFLAGS_FIXED | (rnd() & ARITH) |
		       (stringy ? rnd() & RFLAGS_DF : 0) | RFLAGS_IF;
	t->opsize = rnd() % 3 == 0;
	t->addr32 = rnd() % 8 == 0;
	t->w = rex & 8;
	if (t->opsize)
		t->code[t->len++] = 0x66;
	if (t->addr32)
		t->code[t->len++] = 0x67;
	if (f->lock && rnd() % 3 == 0)
		t->code[t->len++] = 0xf0;
	if (stringy && rnd() & 1)
		t->code[t->len++] = 0xf2 | (rnd() & 1);
	if (rex)
		t->code[t->len++] = rex;
	t->len += world_bytes(f->code, t->code + t->len);

	if (f->kind != K_PLAIN && f->kind != K_STRING)
		put_modrm(t, rex);
	if (imm == 4 && t->opsize && !t->w)
		imm = 2;
	if (t->w && (!strcmp(f->code, "b8") || !strcmp(f->code, "bd")))
		imm = 8;
	if (!strcmp(f->code, "68") && t->w)
		imm = 4;
	for (i = 0; i < imm; i++)
		t->code[t->len++] = rnd();
	if (stringy) {
		set_reg(t, R_RSI, middle - (rnd() & 63));
		set_reg(t, R_RDI, middle + (rnd() & 63));
		set_reg(t, R_RCX, rnd() & 31);
	}
	if (!strcmp(f->code, "d7")) {
		set_reg(t, R_RBX, middle);
		t->in.gpr[R_RBX] -= 100;
	}
	if (!strcmp(f->code, "c9") || !strncmp(f->code, "c810", 4))
		set_reg(t, R_RBP, middle + (rnd() & 0xf8));
	if (rnd() & 1 && !strcmp(f->code, "0fb1"))
		memcpy(area + AREA / 2, &t->in.gpr[R_RAX], 8);
}

/* The copy behind the area's addresses. */
static u8 *behind(u64 linear, unsigned int size)
{
	u64 at = linear - (u64)(uintptr_t)area;

	return at < AREA && at + size <= AREA ? copy + at : NULL;
}

static enum mem_rc copy_read(struct emu_ctxt *c, u64 linear, void *buf,
			     unsigned int size, unsigned int acc)
{
	u8 *p = behind(linear, size);

	(void)acc;
	if (!p)
		return world_pf(c, linear, false);
	memcpy(buf, p, size);
	return MEM_OK;
}

static enum mem_rc copy_write(struct emu_ctxt *c, u64 linear, const void *buf,
			      unsigned int size, unsigned int acc)
{
	u8 *p = behind(linear, size);

	(void)acc;
	if (!p)
		return world_pf(c, linear, true);
	memcpy(p, buf, size);
	return MEM_OK;
}

static enum mem_rc copy_cmpxchg(struct emu_ctxt *c, u64 linear,
				const struct emu_swap *swap)
{
	u8 *p = behind(linear, swap->size);

	if (!p)
		return world_pf(c, linear, true);
	assert_memory_equal(p, swap->old, swap->size);
	memcpy(p, swap->new, swap->size);
	return MEM_OK;
}

static bool copy_iterated(struct emu_ctxt *c)
{
	(void)c;
	return true;
}

static const struct emu_ops copy_ops = {
	.fetch = world_fetch,
	.read = copy_read,
	.write = copy_write,
	.cmpxchg = copy_cmpxchg,
	.iterated = copy_iterated,
};

static void run_native(const struct test *t, struct native *n)
{
	static const u8 jump[6] = { 0xff, 0x25 };
	void *back = native_back;

	memcpy(page, t->code, t->len);
	memcpy(page + t->len, jump, 6);
	memcpy(page + t->len + 6, &back, 8);
	*n = t->in;
	native_state = n;
	native_code = page;
	/* the assembly changes flags and memory as an ordinary call would */
	native_enter();
}

static void explain(const struct test *t, const struct native *n,
		    const struct regs *r)
{
	unsigned int i;

	for (i = 0; i < t->len; i++)
		fprintf(stderr, "%02x ", t->code[i]);
	fprintf(stderr, "\nflags in %llx native %llx emulated %llx\n",
		t->in.rflags, n->rflags, r->rflags);
	for (i = 0; i < 16; i++)
		fprintf(stderr, "%2u in %016llx native %016llx emulated %016llx%s\n",
			i, t->in.gpr[i], n->gpr[i], r->gpr[i],
			n->gpr[i] == r->gpr[i] ? "" : " <--");
}

/* Flags to compare: those that are defined for this operand and count. */
static u64 defined(const struct test *t)
{
	return (ARITH | RFLAGS_DF) & ~t->form->undefined;
}

static void one_round(struct test *t, unsigned int *done)
{
	static struct regs r;
	struct emu_ctxt c;
	struct native n;
	enum emu_rc rc;
	bool scan;

	make(t);
	if (!usable(t))
		return;
	memcpy(copy, area, AREA);
	r = (struct regs){ .avail = RG_ALL, .rip = 0x1000, .cr0 = CR0_PE,
			   .efer = EFER_LMA_BIT, .rflags = t->in.rflags };
	r.seg[SEG_CS].l = 1;
	r.seg[SEG_SS].dpl = 3;
	memcpy(r.gpr, t->in.gpr, sizeof(r.gpr));
	emu_init(&c, &r, &copy_ops);
	rc = emu_decode(&c, t->code, 15);
	if (rc == EMU_OK)
		rc = emu_exec(&c);
	if (rc != EMU_OK) {
		/* #DE, or a 67 prefix cut a register that is no pointer */
		if (rc != EMU_FAULT)
			explain(t, &n, &r);
		assert_int_equal(rc, EMU_FAULT);
		assert_memory_equal(r.gpr, t->in.gpr, sizeof(r.gpr));
		return;
	}
	assert_int_equal(c.insn.len, t->len);
	assert_int_equal(r.rip, 0x1000 + t->len);
	assert_false(c.again);

	run_native(t, &n);
	/* with a source of 0 the scan's result is undefined */
	scan = (!strcmp(t->form->code, "0fbc") || !strcmp(t->form->code, "0fbd"))
	       && n.rflags & RFLAGS_ZF;
	if ((!scan && memcmp(n.gpr, r.gpr, sizeof(r.gpr))) ||
	    (n.rflags ^ r.rflags) & defined(t) || memcmp(area, copy, AREA)) {
		explain(t, &n, &r);
		fail();
	}
	(*done)++;
}

static void test_differential(void **state)
{
	static struct test t;
	unsigned int i, done = 0;

	(void)state;
	area = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	page = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	assert_true(area != MAP_FAILED);
	assert_true(page != MAP_FAILED);
	copy = malloc(AREA);
	for (i = 0; i < AREA; i++)
		area[i] = rnd();
	for (i = 0; i < ROUNDS; i++)
		one_round(&t, &done);
	/* most of what was made up must have been compared */
	assert_true(done > ROUNDS / 2);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differential),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
