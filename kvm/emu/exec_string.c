// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions with their repeat prefixes, and port I/O.
 *
 * An iteration changes registers only after all of its accesses are done, so
 * a repetition can stop after any iteration and be started again. String I/O
 * moves as many items at once as fit in c->io_buf and in the page that they
 * come from or go to, unless they run downwards; the port may take fewer.
 *
 * INS has to know that its destination can be written before it takes data
 * from a device: data once read cannot be put back. No locks.
 */
#include "base/div.h"
#include "emu/exec.h"
#include "x86/event.h"

/* One iteration or more, at most *n; *n becomes the number of those done. */
typedef enum emu_rc string_step(struct emu_ctxt *c, unsigned int *n);

/*
 * Stop a repetition here; it goes on when the instruction runs again. What
 * came of the iteration that was begun, @rc, will then come of it once more;
 * but if it waits for the VMM, that is all it does.
 */
static enum emu_rc stop(struct emu_ctxt *c, enum emu_rc rc)
{
	c->again = true;
	c->rip = c->regs->rip;
	return rc == EMU_USER ? rc : EMU_OK;
}

/* @compares: REPE and REPNE end the repetition by ZF (SDM vol. 2, REP) */
static enum emu_rc repeat(struct emu_ctxt *c, string_step *step, bool compares)
{
	unsigned int width = c->insn.addr_size, total, n = 1;
	bool repe = c->insn.prefixes & EMU_PFX_F3;
	enum emu_rc rc;
	u64 count;

	if (!(c->insn.prefixes & (EMU_PFX_F2 | EMU_PFX_F3)))
		return step(c, &n);

	for (total = 0; total < EMU_REP_MAX; total += n) {
		count = c->gpr[R_RCX] & mask_bytes(width);
		if (!count)
			return EMU_OK;
		n = min_t(u64, count, EMU_REP_MAX - total);
		rc = step(c, &n);
		if (rc)
			return total ? stop(c, rc) : rc;
		gpr_add(c, R_RCX, -(u64)n, width);
		if (compares && !(c->rflags & RFLAGS_ZF) == repe)
			return EMU_OK;
		if (!c->ops->iterated(c))
			break;
	}
	return c->gpr[R_RCX] & mask_bytes(width) ? stop(c, EMU_OK) : EMU_OK;
}

static u64 index_reg(const struct emu_ctxt *c, enum gpr nr)
{
	return c->gpr[nr] & mask_bytes(c->insn.addr_size);
}

#define STRING_SOURCE(c) OPERAND_ADDR((c)->insn.seg, index_reg(c, R_RSI))
#define STRING_DEST(c) OPERAND_ADDR(SEG_ES, index_reg(c, R_RDI))

/* Move an index register on by @n items. */
static void advance(struct emu_ctxt *c, enum gpr nr, unsigned int n)
{
	u64 bytes = (u64)n * c->size;

	gpr_add(c, nr, c->rflags & RFLAGS_DF ? -bytes : bytes,
		c->insn.addr_size);
}

static enum emu_rc step_movs(struct emu_ctxt *c, unsigned int *n)
{
	enum emu_rc rc;
	u64 v = 0;

	rc = operand_read_mem(c, STRING_SOURCE(c), &v, c->size, 0);
	if (!rc)
		rc = operand_write_mem(c, STRING_DEST(c), &v, c->size);
	if (rc)
		return rc;
	advance(c, R_RSI, 1);
	advance(c, R_RDI, 1);
	*n = 1;
	return EMU_OK;
}

enum emu_rc exec_movs(struct emu_ctxt *c)
{
	return repeat(c, step_movs, false);
}

static enum emu_rc step_stos(struct emu_ctxt *c, unsigned int *n)
{
	enum emu_rc rc = operand_write_mem(c, STRING_DEST(c), &c->gpr[R_RAX],
					   c->size);

	if (!rc)
		advance(c, R_RDI, 1);
	*n = 1;
	return rc;
}

enum emu_rc exec_stos(struct emu_ctxt *c)
{
	return repeat(c, step_stos, false);
}

static enum emu_rc step_lods(struct emu_ctxt *c, unsigned int *n)
{
	enum emu_rc rc;
	u64 v = 0;

	rc = operand_read_mem(c, STRING_SOURCE(c), &v, c->size, 0);
	if (rc)
		return rc;
	gpr_set(c, R_RAX, v, c->size);
	advance(c, R_RSI, 1);
	*n = 1;
	return EMU_OK;
}

enum emu_rc exec_lods(struct emu_ctxt *c)
{
	return repeat(c, step_lods, false);
}

static enum emu_rc step_cmps(struct emu_ctxt *c, unsigned int *n)
{
	enum emu_rc rc;

	c->dst = c->src = 0;
	rc = operand_read_mem(c, STRING_SOURCE(c), &c->dst, c->size, 0);
	if (!rc)
		rc = operand_read_mem(c, STRING_DEST(c), &c->src, c->size, 0);
	if (rc)
		return rc;
	advance(c, R_RSI, 1);
	advance(c, R_RDI, 1);
	*n = 1;
	return exec_cmp(c);
}

enum emu_rc exec_cmps(struct emu_ctxt *c)
{
	return repeat(c, step_cmps, true);
}

static enum emu_rc step_scas(struct emu_ctxt *c, unsigned int *n)
{
	enum emu_rc rc;

	c->src = 0;
	rc = operand_read_mem(c, STRING_DEST(c), &c->src, c->size, 0);
	if (rc)
		return rc;
	c->dst = c->gpr[R_RAX];
	advance(c, R_RDI, 1);
	*n = 1;
	return exec_cmp(c);
}

enum emu_rc exec_scas(struct emu_ctxt *c)
{
	return repeat(c, step_scas, true);
}

/* Two bytes of the TSS */
static enum emu_rc tss_word(struct emu_ctxt *c, u32 offset, u16 *word)
{
	u64 linear = c->regs->seg[SEG_TR].base + offset;

	if (!(c->regs->efer & EFER_LMA_BIT))
		linear = (u32)linear;
	return exec_mem_rc(c->ops->read(c, linear, word, 2, EMU_ACC_IMPLICIT));
}

/* SDM vol. 1, 19.5: IOPL first, then the bitmap in the TSS. */
enum emu_rc exec_io_allowed(struct emu_ctxt *c, u16 port, unsigned int size)
{
	const struct segment *tr = &c->regs->seg[SEG_TR];
	enum emu_rc rc;
	u16 at, bits;

	if (c->mode == MODE_REAL)
		return EMU_OK;
	if (c->mode != MODE_VM86 &&
	    regs_cpl(c->regs) <= bits_get(c->rflags, 13, 12))
		return EMU_OK;
	/* types 9 and 11: a TSS of 32 or 64 bits; 103 is its fixed part */
	if (tr->unusable || (tr->type & 0xd) != 9 || tr->limit < 103)
		return exec_fault(c, VEC_GP);
	rc = tss_word(c, 102, &at);
	if (rc)
		return rc;
	/* two bytes are read whatever the port, and both must be there */
	if (at + port / 8 + 1U > tr->limit)
		return exec_fault(c, VEC_GP);
	rc = tss_word(c, at + port / 8, &bits);
	if (rc)
		return rc;
	if (bits >> (port & 7) & ((1U << size) - 1))
		return exec_fault(c, VEC_GP);
	return EMU_OK;
}

enum emu_rc exec_in(struct emu_ctxt *c)
{
	u16 port = c->insn.row->op[1] == OP_DX ? c->src : c->insn.imm;
	enum emu_rc rc = exec_io_allowed(c, port, c->size);
	unsigned int one = 1;

	if (rc)
		return rc;
	c->dst = 0;
	return exec_mem_rc(c->ops->pio_in(c, port, c->size, &one, &c->dst));
}

enum emu_rc exec_out(struct emu_ctxt *c)
{
	u16 port = c->dst;
	enum emu_rc rc = exec_io_allowed(c, port, c->src_size);
	unsigned int one = 1;

	if (rc)
		return rc;
	return exec_mem_rc(c->ops->pio_out(c, port, c->src_size, &one, &c->src));
}

/*
 * How many items, at most @max, move at once at @at: as many as the buffer
 * and the page hold, if all of it passes the checks and is memory. Devices
 * and accesses across pages go one item at a time.
 */
static enum emu_rc batch(struct emu_ctxt *c, struct operand_addr at, bool write,
			 unsigned int *max)
{
	unsigned int acc = EMU_ACC_PROBE | (write ? EMU_ACC_WRITE : 0);
	enum emu_rc rc;
	unsigned int n;
	enum mem_rc mem;
	u64 linear;

	rc = operand_linear(c, at, c->size, write, &linear);
	if (rc)
		return rc;
	n = min_t(u64, *max,
		  div_by(PAGE_SIZE - offset_in_page(linear), c->size));
	n = min_t(unsigned int, n,
		  c->io_buf ? div_by(c->io_buf_size, c->size) : 1);
	if (c->rflags & RFLAGS_DF || n < 1 ||
	    (n > 1 && operand_linear(c, at, n * c->size, write, &linear)))
		n = 1;
	*max = n;

	mem = c->ops->read(c, linear, NULL, n * c->size, acc);
	if (mem == MEM_MMIO) {
		*max = 1;
		return EMU_OK;
	}
	return exec_mem_rc(mem);
}

static enum emu_rc step_ins(struct emu_ctxt *c, unsigned int *n)
{
	u16 port = c->gpr[R_RDX];
	unsigned int max = *n;
	enum emu_rc rc;
	u32 item;
	void *buf;

	rc = batch(c, STRING_DEST(c), true, &max);
	if (rc)
		return rc;
	buf = max > 1 ? c->io_buf : &item;
	rc = exec_mem_rc(c->ops->pio_in(c, port, c->size, &max, buf));
	if (!rc)
		rc = operand_write_mem(c, STRING_DEST(c), buf, max * c->size);
	if (rc)
		return rc;
	advance(c, R_RDI, max);
	*n = max;
	return EMU_OK;
}

enum emu_rc exec_ins(struct emu_ctxt *c)
{
	enum emu_rc rc = exec_io_allowed(c, c->gpr[R_RDX], c->size);

	return rc ? rc : repeat(c, step_ins, false);
}

static enum emu_rc step_outs(struct emu_ctxt *c, unsigned int *n)
{
	u16 port = c->gpr[R_RDX];
	unsigned int max = *n;
	enum emu_rc rc;
	u32 item = 0;
	void *buf;

	rc = batch(c, STRING_SOURCE(c), false, &max);
	if (rc)
		return rc;
	buf = max > 1 ? c->io_buf : &item;
	rc = operand_read_mem(c, STRING_SOURCE(c), buf, max * c->size, 0);
	if (!rc)
		rc = exec_mem_rc(c->ops->pio_out(c, port, c->size, &max, buf));
	if (rc)
		return rc;
	advance(c, R_RSI, max);
	*n = max;
	return EMU_OK;
}

enum emu_rc exec_outs(struct emu_ctxt *c)
{
	enum emu_rc rc = exec_io_allowed(c, c->gpr[R_RDX], c->size);

	return rc ? rc : repeat(c, step_outs, false);
}
