// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest page walk over tables that are the input: it reads aligned entries
 * only, comes to an end however the entries change meanwhile, and gives a frame
 * below the reserved bits or a page fault.
 */
#include "input.h"
#include "x86/cr.h"
#include "x86/walk.h"

#define PAGES	8
#define MAXPHY	40

struct fuzz_walk {
	struct walk_env env;
	u8 mem[PAGES * 4096];
	u8 torn;		/* entries that change between read and update */
	unsigned int steps;
};

static struct fuzz_walk *of(const struct walk_env *env)
{
	return container_of(env, struct fuzz_walk, env);
}

static enum mem_rc entry_read(const struct walk_env *env, struct gpa gpa,
			      unsigned int bytes, u64 *val)
{
	struct fuzz_walk *w = of(env);

	must(++w->steps < 10000);
	must(bytes == 4 || bytes == 8);
	must(gpa.v % bytes == 0);
	*val = 0;
	memcpy(val, w->mem + gpa.v % sizeof(w->mem), bytes);
	return gpa.v >> 30 & 1 ? MEM_MMIO : MEM_OK;
}

static enum mem_rc entry_update(const struct walk_env *env, struct gpa gpa,
				unsigned int bytes, u64 *old, u64 new)
{
	struct fuzz_walk *w = of(env);
	u8 *at = w->mem + gpa.v % sizeof(w->mem);
	u64 now = 0;

	must(bytes == 4 || bytes == 8);
	memcpy(&now, at, bytes);
	if (w->torn) {
		w->torn--;
		now ^= 1ULL << (w->torn % 32);
		memcpy(at, &now, bytes);
	}
	if (now == *old)
		memcpy(at, &new, bytes);
	*old = now;
	return MEM_OK;
}

static const struct walk_ops fuzz_ops = {
	.read = entry_read,
	.update = entry_update,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_walk w;
	static struct regs regs;
	struct input in = { data, size };
	struct walk_in how = { .regs = &regs };
	struct walk_out out;
	enum mem_rc rc;
	unsigned int i, n;
	u8 mode;

	memset(&regs, 0, sizeof(regs));
	mode = take8(&in);
	regs.cr0 = CR0_PE | CR0_PG | (mode & 1 ? CR0_WP : 0);
	regs.cr4 = take32(&in) & ~CR4_LA57;
	regs.efer = mode & 2 ? EFER_NXE_BIT : 0;
	if (mode & 4)
		regs.cr4 |= CR4_PAE;
	if (mode & 8) {
		regs.efer |= EFER_LME_BIT | EFER_LMA_BIT;
		regs.cr4 |= CR4_PAE | (mode & 16 ? CR4_LA57 : 0);
	}
	regs.rflags = take32(&in) | RFLAGS_FIXED;
	regs.cr3 = take64(&in) & (1ULL << MAXPHY) - 1;
	how.gva.v = take64(&in);
	if (!(mode & 8))
		how.gva.v = (u32)how.gva.v;
	how.access = take8(&in) & 31;
	how.pkru = take32(&in);
	how.gbpages = mode & 32;
	how.gpa_reserved = ~0ULL << MAXPHY;
	w.torn = take8(&in);
	w.steps = 0;
	w.env.ops = &fuzz_ops;
	memset(w.mem, 0, sizeof(w.mem));
	/* Entries at places where walks come by, then anywhere. */
	n = take8(&in);
	for (i = 0; i < n && in.left; i++) {
		u32 at = take16(&in) * 8 % sizeof(w.mem);
		u64 v = take64(&in);

		memcpy(w.mem + at, &v, 8);
	}
	for (i = 0; i + 8 <= sizeof(w.mem) && in.left >= 8; i += 8) {
		u64 v = take64(&in);

		memcpy(w.mem + (i * 521 & (sizeof(w.mem) - 8)), &v, 8);
	}
	memset(&out, 0xa5, sizeof(out));
	rc = walk(&w.env, &how, &out);
	must(rc == MEM_OK || rc == MEM_FAULT || rc == MEM_RETRY ||
	     rc == MEM_ERROR);
	if (rc == MEM_OK)
		must(out.gpa.v < 1ULL << MAXPHY);
	if (rc == MEM_FAULT)
		must(out.fault.vector == 14);
	return 0;
}
