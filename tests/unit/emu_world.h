/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest for the emulator's tests: a megabyte of memory at linear address 0,
 * two device pages at WORLD_DEV, which is where WORLD_EDGE's page of memory
 * ends, a page at WORLD_ROM whose reads are memory's and whose writes are a
 * device's, a port, and registers. Everything else raises #PF.
 *
 * Accesses take the way that a vCPU's take: core/access.c and core/record.c.
 * The devices answer at once, or, with w->slow, after the "VMM" was asked: the
 * test fails if an instruction, executed again, comes to other accesses than
 * the recorded ones. With w->slow_port the same goes for ports.
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
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_memory_equal(a, b, n) assert_true(!memcmp((a), (b), (n)))
#endif

#include "core/access.h"
#include "core/record.h"
#include "emu/emu.h"
#include "x86/event.h"
#include "x86/walk.h"

#define WORLD_MEM 0x100000
#define WORLD_EDGE 0x1ff000
#define WORLD_DEV 0x200000
#define WORLD_DEV_END 0x202000
#define WORLD_ROM 0x204000
#define WORLD_CODE 0x8000
#define WORLD_STACK 0x7000

struct world {
	struct regs regs;
	struct emu_ctxt c;
	u8 mem[WORLD_MEM];
	u8 edge[PAGE_SIZE];
	u8 dev[WORLD_DEV_END - WORLD_DEV];
	u8 rom[PAGE_SIZE];
	u8 io_buf[PAGE_SIZE];
	bool slow, slow_port;		/* the VMM has to do it */
	bool use_io_buf;
	unsigned int lose_race;		/* cmpxchg fails so many times */
	struct record record;
	unsigned int round_trips;
	unsigned int reads, writes, cas, dev_reads, dev_writes;
	/* the port: IN counts up, OUT is logged */
	u8 port_next, port_log[WORLD_MEM / 64];
	unsigned int port_logged, port_calls, port_items;
	unsigned int port_limit;	/* that it takes at once; 0: all */
	u16 port;
	u64 cr8, dr[8], msr[4];
	u32 msr_index;
	u64 invlpg;
	unsigned int system_calls;
	u8 xmm[16][16], mmx[8][8];
	u16 fcw, fsw;
	u64 xcr0_set;
	bool cpuid_faults;
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

/* ---- memory ---- */

static u8 *world_at(struct world *w, u64 gpa, bool write)
{
	if (gpa < WORLD_MEM)
		return w->mem + gpa;
	if (gpa >= WORLD_EDGE && gpa < WORLD_DEV)
		return w->edge + (gpa - WORLD_EDGE);
	if (gpa >= WORLD_ROM && gpa < WORLD_ROM + PAGE_SIZE && !write)
		return w->rom + (gpa - WORLD_ROM);
	return NULL;
}

static bool world_is_dev(u64 gpa)
{
	return (gpa >= WORLD_DEV && gpa < WORLD_DEV_END) ||
	       (gpa >= WORLD_ROM && gpa < WORLD_ROM + PAGE_SIZE);
}

/* What the device holds there; what is written to ROM is lost. */
static u8 *world_dev_at(struct world *w, u64 gpa)
{
	static u8 lost[PAGE_SIZE];

	return gpa >= WORLD_ROM ? lost : w->dev + (gpa - WORLD_DEV);
}

struct world_env {
	struct access_env env;
	struct emu_ctxt *c;
};

static struct emu_ctxt *world_ctxt(const struct access_env *env)
{
	return ((const struct world_env *)env)->c;
}

static enum mem_rc world_translate(const struct access_env *env, u64 linear,
				   u32 access, struct gpa *gpa)
{
	struct emu_ctxt *c = world_ctxt(env);

	*gpa = GPA(linear);
	if (world_at(world_of(c), linear, false) || world_is_dev(linear))
		return MEM_OK;
	return world_pf(c, linear, access & WALK_WRITE);
}

static enum mem_rc world_probe(const struct access_env *env, struct gpa gpa,
			       bool write)
{
	return world_at(world_of(world_ctxt(env)), gpa.v, write) ? MEM_OK :
								    MEM_MMIO;
}

static enum mem_rc world_mem_read(const struct access_env *env, struct gpa gpa,
				  void *buf, unsigned int len)
{
	u8 *at = world_at(world_of(world_ctxt(env)), gpa.v, false);

	assert_int_equal(gpa.v >> PAGE_SHIFT, (gpa.v + len - 1) >> PAGE_SHIFT);
	if (!at)
		return MEM_MMIO;
	memcpy(buf, at, len);
	return MEM_OK;
}

static enum mem_rc world_mem_write(const struct access_env *env,
				   struct gpa gpa, const void *buf,
				   unsigned int len)
{
	u8 *at = world_at(world_of(world_ctxt(env)), gpa.v, true);

	assert_int_equal(gpa.v >> PAGE_SHIFT, (gpa.v + len - 1) >> PAGE_SHIFT);
	if (!at)
		return MEM_MMIO;
	memcpy(at, buf, len);
	return MEM_OK;
}

/* As mem/guest.c's: what is no size of a register is an error. */
static enum mem_rc world_swap(const struct access_env *env, struct gpa gpa,
			      u64 *old, u64 new, unsigned int len)
{
	struct world *w = world_of(world_ctxt(env));
	u8 *at = world_at(w, gpa.v, true);

	if (!at)
		return MEM_MMIO;
	if (gpa.v % 64 + len > 64 || (len != 1 && len != 2 && len != 4 && len != 8))
		return MEM_ERROR;
	w->cas++;
	if (w->lose_race) {
		w->lose_race--;
		at[0]++;
	}
	if (memcmp(at, old, len)) {
		*old = 0;
		memcpy(old, at, len);
	} else {
		memcpy(at, &new, len);
	}
	return MEM_OK;
}

/* Executed again, the instruction has to do what it did. */
static struct record_entry *world_replay(struct world *w,
					 const struct record_key *key)
{
	struct record *r = &w->record;
	unsigned int used = r->used;
	struct record_entry *e = record_replay(r, key);

	assert_int_equal(r->used, used);
	return e;
}

static enum mem_rc world_device(const struct access_env *env, struct gpa gpa,
				void *buf, unsigned int len, bool write)
{
	struct world *w = world_of(world_ctxt(env));
	const struct record_key key = {
		.addr = gpa.v, .size = len, .count = 1,
		.kind = write ? RECORD_WRITE : RECORD_READ,
	};
	struct record_entry *e = world_replay(w, &key);

	assert_true(len && len <= ACCESS_DEVICE_MAX);
	if (e) {
		if (write)
			assert_memory_equal(e->data, buf, len);
		else
			memcpy(buf, e->data, len);
		return MEM_OK;
	}
	e = record_begin(&w->record, &key);
	if (!e)
		return MEM_MMIO;
	if (write)
		memcpy(e->data, buf, len);
	if (w->slow) {
		record_wait(&w->record);
		return MEM_PENDING;
	}
	if (write) {
		w->dev_writes++;
		memcpy(world_dev_at(w, gpa.v), buf, len);
	} else {
		w->dev_reads++;
		memcpy(buf, world_dev_at(w, gpa.v), len);
		memcpy(e->data, buf, len);
	}
	return MEM_OK;
}

static const struct access_ops world_access_ops = {
	.translate = world_translate,
	.probe = world_probe,
	.read = world_mem_read,
	.write = world_mem_write,
	.exchange = world_swap,
	.device = world_device,
};

static struct world_env world_env(struct emu_ctxt *c)
{
	return (struct world_env){
		.env.ops = &world_access_ops,
		.env.wide = c->mode == MODE_LONG,
		.c = c,
	};
}

static enum mem_rc world_fetch(struct emu_ctxt *c, u64 linear, void *buf,
			       unsigned int size)
{
	u8 *at = world_at(world_of(c), linear, false);

	if (!at)
		return world_pf(c, linear, false);
	assert_int_equal(linear >> PAGE_SHIFT, (linear + size - 1) >> PAGE_SHIFT);
	memcpy(buf, at, size);
	return MEM_OK;
}

static enum mem_rc world_read(struct emu_ctxt *c, u64 linear, void *buf,
			      unsigned int size, unsigned int acc)
{
	struct access_what what = {
		.linear = linear, .size = size,
		.access = acc & EMU_ACC_WRITE ? WALK_WRITE : 0,
	};
	struct world_env e = world_env(c);

	world_of(c)->reads++;
	if (acc & EMU_ACC_PROBE)
		return access_check(&e.env, what);
	return access_read(&e.env, what, buf);
}

static enum mem_rc world_write(struct emu_ctxt *c, u64 linear, const void *buf,
			       unsigned int size, unsigned int acc)
{
	struct access_what what = {
		.linear = linear, .size = size, .access = WALK_WRITE,
	};
	struct world_env e = world_env(c);

	(void)acc;
	world_of(c)->writes++;
	return access_write(&e.env, what, buf);
}

static enum mem_rc world_cmpxchg(struct emu_ctxt *c, u64 linear,
				 const struct emu_swap *swap)
{
	struct access_what what = {
		.linear = linear, .size = swap->size, .access = WALK_WRITE,
	};
	struct world_env e = world_env(c);

	return access_swap(&e.env, what, swap->old, swap->new);
}

/* ---- ports ---- */

/* The slow one's data are in io_buf, as a vCPU's are in the run page's. */
static enum mem_rc world_port_ask(struct world *w, const struct record_key *key,
				  const void *out)
{
	if (!record_begin(&w->record, key))
		return MEM_MMIO;
	if (out && out != w->io_buf)
		memcpy(w->io_buf, out, record_bytes(key));
	record_wait(&w->record);
	return MEM_PENDING;
}

static void world_port_do(struct world *w, const struct record_key *key,
			  u8 *data)
{
	unsigned int i, bytes = record_bytes(key);

	w->port = key->addr;
	w->port_calls++;
	w->port_items += key->count;
	for (i = 0; key->kind == RECORD_IN && i < bytes; i++)
		data[i] = w->port_next++;
	if (key->kind == RECORD_OUT &&
	    w->port_logged + bytes <= sizeof(w->port_log)) {
		memcpy(w->port_log + w->port_logged, data, bytes);
		w->port_logged += bytes;
	}
}

static enum mem_rc world_pio(struct world *w, const struct record_key *key,
			     unsigned int *count, void *buf)
{
	struct record_key part = *key;
	struct record_entry *e = world_replay(w, key);
	unsigned int bytes = record_bytes(key);

	if (e) {
		if (key->kind == RECORD_IN)
			memmove(buf, bytes <= 8 ? e->data : w->io_buf, bytes);
		return MEM_OK;
	}
	if (w->slow_port)
		return world_port_ask(w, key, key->kind == RECORD_OUT ? buf :
								 NULL);
	if (w->port_limit)
		part.count = min_t(unsigned int, part.count, w->port_limit);
	e = record_begin(&w->record, &part);
	if (!e)
		return MEM_MMIO;
	world_port_do(w, &part, buf);
	*count = part.count;
	if (record_bytes(&part) <= sizeof(e->data))
		memcpy(e->data, buf, record_bytes(&part));
	return MEM_OK;
}

static enum mem_rc world_pio_in(struct emu_ctxt *c, u16 port, unsigned int size,
				unsigned int *count, void *buf)
{
	const struct record_key key = {
		.addr = port, .size = size, .count = *count, .kind = RECORD_IN,
	};

	return world_pio(world_of(c), &key, count, buf);
}

static enum mem_rc world_pio_out(struct emu_ctxt *c, u16 port,
				 unsigned int size, unsigned int *count,
				 const void *buf)
{
	const struct record_key key = {
		.addr = port, .size = size, .count = *count, .kind = RECORD_OUT,
	};

	return world_pio(world_of(c), &key, count, (void *)buf);
}

static bool world_iterated(struct emu_ctxt *c)
{
	struct world *w = world_of(c);
	bool go_on = !w->record.answered;

	record_reset(&w->record);
	return go_on;
}

/* The VMM finishes the access that was asked for last. */
static void world_vmm(struct world *w)
{
	struct record_entry *e = record_answer(&w->record);
	const struct record_key *key = &e->key;

	assert_non_null(e);
	w->round_trips++;
	switch (key->kind) {
	case RECORD_WRITE:
		w->dev_writes++;
		memcpy(world_dev_at(w, key->addr), e->data, key->size);
		break;
	case RECORD_READ:
		w->dev_reads++;
		memcpy(e->data, world_dev_at(w, key->addr), key->size);
		break;
	default:
		world_port_do(w, key, w->io_buf);
		if (record_bytes(key) <= sizeof(e->data))
			memcpy(e->data, w->io_buf, record_bytes(key));
	}
}

/* ---- registers ---- */

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

static enum emu_rc world_cpuid(struct emu_ctxt *c, u32 r[4])
{
	if (world_of(c)->cpuid_faults && regs_cpl(c->regs)) {
		c->fault = (struct fault){ .vector = VEC_GP,
					   .has_error_code = true };
		return EMU_FAULT;
	}
	r[1] = r[0] + 1;
	r[3] = r[2] + 1;
	r[0] = 0x11;
	r[2] = 0x33;
	return EMU_OK;
}

static void world_xmm(struct emu_ctxt *c, unsigned int nr, void *data, bool set)
{
	u8 *xmm = world_of(c)->xmm[nr];

	if (set)
		memcpy(xmm, data, 16);
	else
		memcpy(data, xmm, 16);
}

static enum emu_rc world_mmx(struct emu_ctxt *c, unsigned int nr, void *data,
			     bool set)
{
	struct world *w = world_of(c);

	if (w->fsw & 0x80) {
		c->fault = (struct fault){ .vector = VEC_MF };
		return EMU_FAULT;
	}
	if (set)
		memcpy(w->mmx[nr], data, 8);
	else
		memcpy(data, w->mmx[nr], 8);
	return EMU_OK;
}

static u16 world_x87(struct emu_ctxt *c, bool status)
{
	return status ? world_of(c)->fsw : world_of(c)->fcw;
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
	.iterated = world_iterated,
	.cr_get = world_cr_get,
	.cr_set = world_cr_set,
	.dr_get = world_dr_get,
	.dr_set = world_dr_set,
	.msr_get = world_msr_get,
	.msr_set = world_msr_set,
	.cpuid = world_cpuid,
	.xmm = world_xmm,
	.mmx = world_mmx,
	.x87 = world_x87,
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
	record_reset(&w->record);
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
