/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest for the emulator's tests: a megabyte of memory at linear address 0,
 * a device page at WORLD_DEV, a port, and registers.
 *
 * The device answers at once, or, with w->slow, after the "VMM" was asked:
 * accesses are recorded and replayed as emu.h demands, and the test fails if
 * a replay differs from the record. Everything else raises #PF.
 */
#ifndef EMU_WORLD_H
#define EMU_WORLD_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#if __has_include(<cmocka.h>)
#include <cmocka.h>
#else	/* a fuzzer built without it */
#define assert_true(c) ((c) ? (void)0 : abort())
#define assert_false(c) assert_true(!(c))
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_memory_equal(a, b, n) assert_true(!memcmp((a), (b), (n)))
#endif

#include "emu/emu.h"
#include "x86/event.h"

#define WORLD_MEM 0x100000
#define WORLD_DEV 0x200000
#define WORLD_CODE 0x8000
#define WORLD_STACK 0x7000
#define WORLD_FRAGS 8

struct world_frag {
	u64 linear;
	unsigned int size;
	bool write;
	u8 data[64];
};

struct world {
	struct regs regs;
	struct emu_ctxt c;
	u8 mem[WORLD_MEM];
	u8 dev[PAGE_SIZE];
	u8 io_buf[PAGE_SIZE];
	bool slow;			/* the device needs the VMM */
	bool use_io_buf;
	unsigned int lose_race;		/* cmpxchg fails so many times */
	struct world_frag frags[WORLD_FRAGS];
	unsigned int nr_frags, cursor;
	unsigned int round_trips;
	unsigned int reads, writes, cas, dev_writes;
	/* the port: IN counts up, OUT is logged */
	u8 port_next, port_log[WORLD_MEM / 64];
	unsigned int port_logged, port_calls, port_items;
	u16 port;
	u64 cr8, dr[8], msr[4];
	u32 msr_index;
	u64 invlpg;
	unsigned int system_calls;
	u8 xmm[16][16];
	u64 xcr0_set;
};

static struct world *world_of(struct emu_ctxt *c)
{
	return c->owner;
}

static enum mem_rc world_pf(struct emu_ctxt *c, u64 linear, bool write)
{
	c->fault = (struct fault){ .vector = VEC_PF, .has_error_code = true,
				   .has_cr2 = true, .cr2 = linear,
				   .error_code = write ? 2 : 0 };
	return MEM_FAULT;
}

static bool world_is_mem(u64 linear, unsigned int size)
{
	return linear < WORLD_MEM && linear + size <= WORLD_MEM;
}

static bool world_is_dev(u64 linear, unsigned int size)
{
	return linear >= WORLD_DEV && linear + size <= WORLD_DEV + PAGE_SIZE;
}

/* An access to the slow device: replay it or ask for it. */
static enum mem_rc world_slow(struct world *w, u64 linear, void *buf,
			      unsigned int size, bool write)
{
	struct world_frag *f = &w->frags[w->cursor];

	if (w->cursor == WORLD_FRAGS)
		return MEM_ERROR;
	if (w->cursor == w->nr_frags) {
		*f = (struct world_frag){ .linear = linear, .size = size,
					  .write = write };
		if (write)
			memcpy(f->data, buf, size);
		return MEM_PENDING;
	}
	assert_int_equal(f->linear, linear);
	assert_int_equal(f->size, size);
	assert_int_equal(f->write, write);
	if (write)
		assert_memory_equal(f->data, buf, size);
	else
		memcpy(buf, f->data, size);
	w->cursor++;
	return MEM_OK;
}

static enum mem_rc world_dev(struct world *w, u64 linear, void *buf,
			     unsigned int size, bool write)
{
	u8 *at = w->dev + (linear - WORLD_DEV);

	if (w->slow)
		return world_slow(w, linear, buf, size, write);
	if (write) {
		w->dev_writes++;
		memcpy(at, buf, size);
	} else {
		memcpy(buf, at, size);
	}
	return MEM_OK;
}

/* The VMM finishes the access that was asked for last. */
static void world_vmm(struct world *w)
{
	struct world_frag *f = &w->frags[w->nr_frags++];
	u8 *at = w->dev + (f->linear - WORLD_DEV);

	w->round_trips++;
	if (f->write) {
		w->dev_writes++;
		memcpy(at, f->data, f->size);
	} else {
		memcpy(f->data, at, f->size);
	}
	w->cursor = 0;
}

static enum mem_rc world_fetch(struct emu_ctxt *c, u64 linear, void *buf,
			       unsigned int size)
{
	if (!world_is_mem(linear, size))
		return world_pf(c, linear, false);
	assert_int_equal(linear >> PAGE_SHIFT, (linear + size - 1) >> PAGE_SHIFT);
	memcpy(buf, world_of(c)->mem + linear, size);
	return MEM_OK;
}

static enum mem_rc world_read(struct emu_ctxt *c, u64 linear, void *buf,
			      unsigned int size, unsigned int acc)
{
	struct world *w = world_of(c);

	w->reads++;
	if (world_is_mem(linear, size)) {
		if (!(acc & EMU_ACC_PROBE))
			memcpy(buf, w->mem + linear, size);
		return MEM_OK;
	}
	if (!world_is_dev(linear, size))
		return world_pf(c, linear, acc & EMU_ACC_WRITE);
	if (acc & EMU_ACC_PROBE)
		return MEM_MMIO;
	return world_dev(w, linear, buf, size, false);
}

static enum mem_rc world_write(struct emu_ctxt *c, u64 linear, const void *buf,
			       unsigned int size, unsigned int acc)
{
	struct world *w = world_of(c);

	(void)acc;
	w->writes++;
	if (world_is_mem(linear, size)) {
		memcpy(w->mem + linear, buf, size);
		return MEM_OK;
	}
	if (!world_is_dev(linear, size))
		return world_pf(c, linear, true);
	return world_dev(w, linear, (void *)buf, size, true);
}

static enum mem_rc world_cmpxchg(struct emu_ctxt *c, u64 linear, void *old,
				 const void *new, unsigned int size)
{
	struct world *w = world_of(c);

	w->cas++;
	if (!world_is_mem(linear, size))
		return world_write(c, linear, new, size, 0);
	if (w->lose_race) {
		w->lose_race--;
		w->mem[linear]++;
	}
	if (memcmp(w->mem + linear, old, size))
		memcpy(old, w->mem + linear, size);
	else
		memcpy(w->mem + linear, new, size);
	return MEM_OK;
}

static enum mem_rc world_pio_in(struct emu_ctxt *c, u16 port, unsigned int size,
				unsigned int count, void *buf)
{
	struct world *w = world_of(c);
	unsigned int i;

	w->port = port;
	w->port_calls++;
	w->port_items += count;
	for (i = 0; i < size * count; i++)
		((u8 *)buf)[i] = w->port_next++;
	return MEM_OK;
}

static enum mem_rc world_pio_out(struct emu_ctxt *c, u16 port,
				 unsigned int size, unsigned int count,
				 const void *buf)
{
	struct world *w = world_of(c);

	w->port = port;
	w->port_calls++;
	w->port_items += count;
	if (w->port_logged + size * count <= sizeof(w->port_log)) {
		memcpy(w->port_log + w->port_logged, buf, size * count);
		w->port_logged += size * count;
	}
	return MEM_OK;
}

static enum emu_rc world_cr_get(struct emu_ctxt *c, unsigned int nr, u64 *v)
{
	struct regs *r = c->regs;

	*v = nr == 0 ? r->cr0 : nr == 2 ? r->cr2 : nr == 3 ? r->cr3 :
	     nr == 4 ? r->cr4 : world_of(c)->cr8;
	return EMU_OK;
}

static enum emu_rc world_cr_set(struct emu_ctxt *c, unsigned int nr, u64 v)
{
	struct regs *r = c->regs;

	if (v >> 63) {
		c->fault = (struct fault){ .vector = VEC_GP,
					   .has_error_code = true };
		return EMU_FAULT;
	}
	*(nr == 0 ? &r->cr0 : nr == 2 ? &r->cr2 : nr == 3 ? &r->cr3 :
	  nr == 4 ? &r->cr4 : &world_of(c)->cr8) = v;
	return EMU_OK;
}

static enum emu_rc world_dr_get(struct emu_ctxt *c, unsigned int nr, u64 *v)
{
	*v = world_of(c)->dr[nr];
	return EMU_OK;
}

static enum emu_rc world_dr_set(struct emu_ctxt *c, unsigned int nr, u64 v)
{
	world_of(c)->dr[nr] = v;
	return EMU_OK;
}

/* MSRs: the time stamp counter, TSC_AUX, KERNEL_GS_BASE and 0x1234. */
static u64 *world_msr(struct world *w, u32 index)
{
	w->msr_index = index;
	switch (index) {
	case 0x10:
		return &w->msr[0];
	case 0xc0000103:
		return &w->msr[1];
	case 0xc0000102:
		return &w->msr[2];
	case 0x1234:
		return &w->msr[3];
	}
	return NULL;
}

static enum msr_rc world_msr_get(struct emu_ctxt *c, u32 index, u64 *v)
{
	u64 *msr = world_msr(world_of(c), index);

	if (!msr)
		return MSR_UNKNOWN;
	*v = *msr;
	return MSR_OK;
}

static enum msr_rc world_msr_set(struct emu_ctxt *c, u32 index, u64 v)
{
	u64 *msr = world_msr(world_of(c), index);

	if (!msr)
		return MSR_BAD;
	*msr = v;
	return MSR_OK;
}

static void world_cpuid(struct emu_ctxt *c, u32 r[4])
{
	(void)c;
	r[1] = r[0] + 1;
	r[3] = r[2] + 1;
	r[0] = 0x11;
	r[2] = 0x33;
}

static void world_xmm(struct emu_ctxt *c, unsigned int nr, void *data, bool set)
{
	u8 *xmm = world_of(c)->xmm[nr];

	if (set)
		memcpy(xmm, data, 16);
	else
		memcpy(data, xmm, 16);
}

static enum emu_rc world_system(struct emu_ctxt *c, enum emu_sys what, u64 *arg)
{
	struct world *w = world_of(c);

	w->system_calls++;
	if (what == EMU_SYS_INVLPG)
		w->invlpg = *arg;
	if (what == EMU_SYS_XSETBV)
		w->xcr0_set = *arg;
	if (what == EMU_SYS_RDPMC)
		*arg += 0x100000000ULL;
	return EMU_OK;
}

static const struct emu_ops world_ops = {
	.fetch = world_fetch,
	.read = world_read,
	.write = world_write,
	.cmpxchg = world_cmpxchg,
	.pio_in = world_pio_in,
	.pio_out = world_pio_out,
	.cr_get = world_cr_get,
	.cr_set = world_cr_set,
	.dr_get = world_dr_get,
	.dr_set = world_dr_set,
	.msr_get = world_msr_get,
	.msr_set = world_msr_set,
	.cpuid = world_cpuid,
	.xmm = world_xmm,
	.system = world_system,
};

static struct segment world_segment(enum x86_mode mode, bool code)
{
	struct segment s = {
		.limit = mode == MODE_REAL || mode == MODE_VM86 ? 0xffff : ~0U,
		.selector = mode == MODE_REAL ? 0 : code ? 0x08 : 0x10,
		.type = code ? 11 : 3, .s = 1, .present = 1,
		.l = mode == MODE_LONG && code,
		.db = mode == MODE_PROT32 || (mode == MODE_LONG && !code),
		.g = mode != MODE_REAL && mode != MODE_VM86,
	};

	if (mode == MODE_VM86) {
		s.selector = 0;
		s.type = 3;
		s.dpl = 3;
	}
	return s;
}

/* A fresh guest in @mode at CPL 0 (3 in virtual-8086 mode). */
static struct world *world_make(enum x86_mode mode)
{
	struct world *w = calloc(1, sizeof(*w));
	struct regs *r = &w->regs;
	unsigned int i;

	r->avail = RG_ALL;
	r->rip = WORLD_CODE;
	r->rflags = RFLAGS_FIXED;
	r->gpr[R_RSP] = WORLD_STACK;
	r->cr0 = mode == MODE_REAL ? CR0_ET : CR0_PE | CR0_PG | CR0_ET;
	r->cr4 = CR4_PAE | CR4_OSFXSR;
	if (mode == MODE_LONG)
		r->efer = EFER_LME_BIT | EFER_LMA_BIT;
	if (mode == MODE_VM86)
		r->rflags |= RFLAGS_VM;
	for (i = SEG_ES; i <= SEG_GS; i++)
		r->seg[i] = world_segment(mode, i == SEG_CS);
	r->seg[SEG_LDTR].unusable = 1;
	r->seg[SEG_TR] = (struct segment){ .type = 11, .present = 1,
					   .base = 0x3000, .limit = 0x67 };
	r->gdt = (struct dtable){ .base = 0x1000, .limit = 0xff };
	r->idt = (struct dtable){ .base = 0, .limit = 0x3ff };
	assert_int_equal(regs_mode(r), mode);
	return w;
}

/* Bytes from text such as "0f a2"; returns how many. */
static unsigned int world_bytes(const char *text, u8 *out)
{
	unsigned int n = 0, byte;

	while (*text == ' ')
		text++;
	while (sscanf(text, "%2x", &byte) == 1) {
		out[n++] = byte;
		text += 2;
		while (*text == ' ')
			text++;
	}
	assert_int_equal(*text, 0);
	return n;
}

static void world_context(struct world *w)
{
	emu_init(&w->c, &w->regs, &world_ops);
	w->c.owner = w;
	if (w->use_io_buf) {
		w->c.io_buf = w->io_buf;
		w->c.io_buf_size = sizeof(w->io_buf);
	}
}

/* Emulate what lies at RIP, with the VMM's help; the record is kept right. */
static enum emu_rc world_step(struct world *w)
{
	enum emu_rc rc;

	for (;;) {
		world_context(w);
		rc = emu_decode(&w->c, NULL, 0);
		if (rc == EMU_OK)
			rc = emu_exec(&w->c);
		if (rc != EMU_USER)
			break;
		world_vmm(w);
	}
	w->nr_frags = w->cursor = 0;
	return rc;
}

/* Put an instruction at RIP and emulate it. */
static enum emu_rc world_run(struct world *w, const char *code)
{
	u64 at = w->regs.rip;

	if (regs_mode(&w->regs) != MODE_LONG)
		at = (u32)(at + w->regs.seg[SEG_CS].base);
	world_bytes(code, w->mem + at);
	return world_step(w);
}

static u64 world_mem(const struct world *w, u64 at, unsigned int size)
{
	u64 v = 0;

	memcpy(&v, w->mem + at, size);
	return v;
}

static void world_put(struct world *w, u64 at, u64 v, unsigned int size)
{
	memcpy(w->mem + at, &v, size);
}

/* Some tests use only some of the above. */
static inline void world_unused(void)
{
	(void)world_run;
	(void)world_mem;
	(void)world_put;
	(void)world_make;
}

#endif
