// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzer of the decoder and the emulator: the first bytes of the input are
 * the mode, the flags and the registers, the rest is code. Whatever they are,
 * the emulator must come back, hand on only accesses of sane size, keep to
 * its limits, and change no register unless it says so.
 *
 * Built by libFuzzer (clang -fsanitize=fuzzer,address,undefined with
 * -Itests/shim -Ikvm -Itests/unit, kvm/emu/ and cmocka); test_emu_random.c
 * runs the same function over random bytes.
 */
#include "emu_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_size(unsigned int size, u64 linear)
{
	if (!size || size > PAGE_SIZE)
		abort();
	if (size > 16 && (linear & PAGE_MASK) != ((linear + size - 1) & PAGE_MASK))
		abort();
}

/* Memory is what a hash of the address says; some of it is missing. */
static enum mem_rc fuzz_access(struct emu_ctxt *c, u64 linear,
			       unsigned int size, unsigned int acc)
{
	fuzz_size(size, linear);
	if (c->mode != MODE_LONG && linear >> 32 && !(acc & EMU_ACC_IMPLICIT))
		abort();
	switch (linear >> 12 & 15) {
	case 13:
		return world_pf(c, linear, acc & EMU_ACC_WRITE);
	case 14:
		return acc & EMU_ACC_PROBE ? MEM_MMIO : MEM_PENDING;
	case 15:
		return MEM_ERROR;
	}
	return MEM_OK;
}

static enum mem_rc fuzz_read(struct emu_ctxt *c, u64 linear, void *buf,
			     unsigned int size, unsigned int acc)
{
	unsigned int i;

	if (!(acc & EMU_ACC_PROBE))
		for (i = 0; i < size; i++)
			((u8 *)buf)[i] = (linear + i) * 37;
	return fuzz_access(c, linear, size, acc);
}

static enum mem_rc fuzz_write(struct emu_ctxt *c, u64 linear, const void *buf,
			      unsigned int size, unsigned int acc)
{
	volatile u8 sum = 0;
	unsigned int i;

	for (i = 0; i < size; i++)	/* it has to be there */
		sum += ((const u8 *)buf)[i];
	return fuzz_access(c, linear, size, acc);
}

static enum mem_rc fuzz_cmpxchg(struct emu_ctxt *c, u64 linear,
				const struct emu_swap *swap)
{
	if (swap->size > 16)
		abort();
	if (linear & 0x1000)
		memcpy(swap->old, swap->new, swap->size);
	return fuzz_access(c, linear, swap->size, EMU_ACC_WRITE | swap->acc);
}

static enum mem_rc fuzz_fetch(struct emu_ctxt *c, u64 linear, void *buf,
			      unsigned int size)
{
	if (size > EMU_MAX_LEN)
		abort();
	return fuzz_read(c, linear, buf, size, 0);
}

static enum mem_rc fuzz_pio_in(struct emu_ctxt *c, u16 port, unsigned int size,
			       unsigned int *count, void *buf)
{
	if ((size != 1 && size != 2 && size != 4) || !*count)
		abort();
	if (port & 1)
		return MEM_PENDING;
	memset(buf, port, size * *count);
	return MEM_OK;
}

static enum mem_rc fuzz_pio_out(struct emu_ctxt *c, u16 port, unsigned int size,
				unsigned int *count, const void *buf)
{
	if ((size != 1 && size != 2 && size != 4) || !*count)
		abort();
	if (port & 2)
		*count = 1;
	return fuzz_write(c, 0, buf, size * *count, 0) == MEM_OK ? MEM_OK :
	       MEM_ERROR;
}

static void fuzz_regs(struct regs *r, const u8 *data)
{
	unsigned int i;

	for (i = 0; i < R_COUNT; i++) {
		memcpy(&r->gpr[i], data + i, 8);
		if (i & 1)
			r->gpr[i] &= 0xfffff;
	}
	r->rflags = RFLAGS_FIXED | (r->rflags & RFLAGS_VM) |
		    ((data[1] << 8 | data[2]) & 0x7fd7);
	r->seg[SEG_SS].dpl = r->rflags & RFLAGS_VM ? 3 : data[3] & 3;
	r->seg[data[4] % 6].base = data[5] << 8;
	r->seg[data[6] % 6].limit = data[7] << 12 | data[8];
	r->seg[data[9] % 6].type = data[10] & 15;
	r->seg[SEG_TR].limit = data[11] << 4;
	r->cr4 = data[12] << 8 | data[13];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct emu_ops ops;
	static struct world *worlds[MODE_LONG + 1], *w;
	static struct regs fresh[MODE_LONG + 1];
	enum x86_mode mode;
	unsigned int simple;
	struct regs before;
	enum emu_rc rc;

	if (size < 25)
		return 0;
	mode = data[0] % (MODE_LONG + 1);
	if (!worlds[mode]) {
		worlds[mode] = world_make(mode);
		fresh[mode] = worlds[mode]->regs;
	}
	w = worlds[mode];
	ops = world_ops;
	ops.fetch = fuzz_fetch;
	ops.read = fuzz_read;
	ops.write = fuzz_write;
	ops.cmpxchg = fuzz_cmpxchg;
	ops.pio_in = fuzz_pio_in;
	ops.pio_out = fuzz_pio_out;
	w->regs = fresh[mode];
	w->port_logged = 0;
	fuzz_regs(&w->regs, data + 1);

	w->use_io_buf = data[0] & 0x80;
	world_context(w);
	w->c.ops = &ops;
	w->c.amd = data[0] & 0x40;
	before = w->regs;
	rc = emu_decode(&w->c, data + 25, size - 25);
	if (memcmp(&before, &w->regs, sizeof(before)))
		abort();
	if (rc != EMU_OK)
		return 0;
	if (!w->c.insn.len || w->c.insn.len > EMU_MAX_LEN ||
	    w->c.insn.len > w->c.insn.fetched)
		abort();
	simple = emu_simple_length(mode, data + 25, size - 25);
	if (simple && simple != w->c.insn.len)
		abort();
	rc = emu_exec(&w->c);
	/* Finished iterations count, also if the next one waits. */
	if (rc != EMU_OK && !(rc == EMU_USER && w->c.again) &&
	    memcmp(&before, &w->regs, sizeof(before)))
		abort();
	if (rc == EMU_FAULT && w->c.fault.vector > 31)
		abort();
	return 0;
}
