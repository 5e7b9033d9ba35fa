// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of the guest's page tables, as walk.h tells.
 *
 * One loop serves all formats; they differ in struct walk_format and in which
 * bits are reserved. A walk has three parts: descend and collect the entries
 * and their rights, check the access against the rights, set accessed and
 * dirty bits. Only the last writes, and only when the access is allowed.
 *
 * Bounds: at most five levels, at most WALK_TRIES starts.
 */
#include "base/bits.h"
#include "x86/walk.h"

#define WALK_TRIES 64

#define PTE_P BIT_ULL(0)
#define PTE_W BIT_ULL(1)
#define PTE_U BIT_ULL(2)
#define PTE_A BIT_ULL(5)
#define PTE_D BIT_ULL(6)
#define PTE_PS BIT_ULL(7)
#define PTE_NX BIT_ULL(63)
#define PTE_ADDR GENMASK_ULL(51, 12)

struct walk_format {
	u8 levels;
	u8 bytes;		/* of an entry */
	u8 index_bits;
	bool pae;		/* the top level is PAE's PDPTEs */
};

static const struct walk_format format_32 = {
	.levels = 2, .bytes = 4, .index_bits = 10,
};
static const struct walk_format format_pae = {
	.levels = 3, .bytes = 8, .index_bits = 9, .pae = true,
};
static const struct walk_format format_4 = {
	.levels = 4, .bytes = 8, .index_bits = 9,
};
static const struct walk_format format_5 = {
	.levels = 5, .bytes = 8, .index_bits = 9,
};

/* An entry that was passed through, for its accessed and dirty bits. */
struct walk_entry {
	struct gpa gpa;
	u64 val;
};

struct walk_state {
	const struct walk_env *env;
	const struct walk_in *in;
	const struct walk_format *format;
	struct walk_out *out;
	struct walk_entry entry[5];
	unsigned int entries;
	bool user, write, nx;	/* rights, over all levels */
};

static const struct walk_format *walk_format(const struct regs *regs)
{
	if (!(regs->cr4 & CR4_PAE))
		return &format_32;
	if (!(regs->efer & EFER_LMA_BIT))
		return &format_pae;
	return regs->cr4 & CR4_LA57 ? &format_5 : &format_4;
}

static bool walk_is_user(const struct walk_in *in)
{
	return (in->access & WALK_USER) && !(in->access & WALK_IMPLICIT);
}

static bool walk_is_long(const struct walk_in *in)
{
	return in->regs->efer & EFER_LMA_BIT;
}

static enum mem_rc walk_page_fault(struct walk_state *w, u32 cause)
{
	const struct walk_in *in = w->in;
	const struct regs *regs = in->regs;
	u32 code = cause;

	if (in->access & WALK_WRITE)
		code |= PFEC_WRITE;
	if (walk_is_user(in))
		code |= PFEC_USER;
	if ((in->access & WALK_FETCH) &&
	    ((regs->cr4 & CR4_SMEP) ||
	     ((regs->cr4 & CR4_PAE) && (regs->efer & EFER_NXE_BIT))))
		code |= PFEC_FETCH;
	w->out->fault = (struct fault){
		.vector = VEC_PF,
		.has_error_code = true,
		.has_cr2 = true,
		.error_code = code,
		.cr2 = in->gva.v,
	};
	return MEM_FAULT;
}

/* Reserved bits of an entry of 32-bit paging, SDM vol. 3, table 4-4. */
static u64 walk_reserved_32(const struct walk_in *in, bool large)
{
	u64 high;

	if (!large)
		return 0;
	/* bits 20:13 are address bits 39:32 as far as there are such */
	high = in->gpa_reserved >> 32 & 0xff;
	return BIT_ULL(21) | high << 13;
}

static u64 walk_reserved(const struct walk_state *w, unsigned int level,
			 bool large)
{
	const struct walk_in *in = w->in;
	u64 reserved;

	if (w->format == &format_32)
		return walk_reserved_32(in, large);
	/* Bit 5: some processors record accesses to an entry in memory. */
	if (w->format->pae && level == 3)
		return in->gpa_reserved | GENMASK_ULL(8, 6) |
		       (in->pdpte ? BIT_ULL(5) : 0) | GENMASK_ULL(2, 1);

	reserved = in->gpa_reserved & GENMASK_ULL(51, 0);
	if (w->format->pae)
		reserved |= GENMASK_ULL(62, 52);
	if (!(in->regs->efer & EFER_NXE_BIT))
		reserved |= PTE_NX;
	if (level >= 4 || (level == 3 && !in->gbpages))
		reserved |= PTE_PS;
	if (large)
		reserved |= GENMASK_ULL(12 + 9 * (level - 1) - 1, 13);
	return reserved;
}

/* Does this entry map a page rather than point to a table? */
static bool walk_is_large(const struct walk_state *w, unsigned int level,
			  u64 val)
{
	if (!(val & PTE_PS) || level == 1)
		return false;
	if (w->format == &format_32)
		return w->in->regs->cr4 & CR4_PSE;
	return level == 2 || (level == 3 && !w->format->pae);
}

static enum mem_rc walk_translate(struct walk_state *w, struct gpa *gpa,
				  u32 access)
{
	enum mem_rc rc;

	if (!w->env->ops->translate)
		return MEM_OK;
	rc = w->env->ops->translate(w->env, gpa, access, &w->out->fault);
	w->out->nested = rc == MEM_FAULT;
	return rc;
}

static enum mem_rc walk_read(struct walk_state *w, struct gpa table,
			     unsigned int level, u64 *val)
{
	const struct walk_format *format = w->format;
	unsigned int shift = 12 + format->index_bits * (level - 1);
	u64 index = w->in->gva.v >> shift & (BIT_ULL(format->index_bits) - 1);
	struct walk_entry *entry;
	enum mem_rc rc;
	struct gpa gpa;

	if (format->pae && level == 3) {
		index &= 3;
		if (w->in->pdpte) {
			*val = w->in->pdpte[index];
			return MEM_OK;
		}
	}
	gpa = GPA(table.v + index * format->bytes);
	rc = walk_translate(w, &gpa, w->in->access & WALK_PROBE ? WALK_USER :
					     WALK_USER | WALK_WRITE);
	if (rc != MEM_OK)
		return rc;
	rc = w->env->ops->read(w->env, gpa, format->bytes, val);
	if (rc == MEM_MMIO) {
		*val = mask_bytes(format->bytes);
		rc = MEM_OK;
	}
	if (rc != MEM_OK || (format->pae && level == 3))
		return rc;

	entry = &w->entry[w->entries++];
	entry->gpa = gpa;
	entry->val = *val;
	return MEM_OK;
}

/* The page's address; @val is the entry that maps it. */
static void walk_leaf(struct walk_state *w, unsigned int level, u64 val)
{
	unsigned int shift = 12 + w->format->index_bits * (level - 1);
	u64 offset = BIT_ULL(shift) - 1;
	u64 base = val & PTE_ADDR & ~offset;

	if (w->format == &format_32 && level == 2)
		base |= bits_get(val, 20, 13) << 32;	/* PSE-36 */
	w->out->gpa = GPA(base | (w->in->gva.v & offset));
	w->out->level = level;
}

static enum mem_rc walk_descend(struct walk_state *w)
{
	const struct regs *regs = w->in->regs;
	struct gpa table = GPA(regs->cr3 & PTE_ADDR);
	unsigned int level;
	enum mem_rc rc;
	bool large;
	u64 val;

	if (w->format == &format_32)
		table = GPA(regs->cr3 & GENMASK_ULL(31, 12));
	else if (w->format->pae)
		table = GPA(regs->cr3 & GENMASK_ULL(31, 5));

	w->entries = 0;
	w->user = true;
	w->write = true;
	w->nx = false;
	for (level = w->format->levels; ; level--) {
		rc = walk_read(w, table, level, &val);
		if (rc != MEM_OK)
			return rc;
		if (!(val & PTE_P))
			return walk_page_fault(w, 0);
		large = walk_is_large(w, level, val);
		if (val & walk_reserved(w, level, large))
			return walk_page_fault(w, PFEC_PRESENT | PFEC_RESERVED);
		if (!w->format->pae || level != 3) {
			w->user = w->user && (val & PTE_U);
			w->write = w->write && (val & PTE_W);
			w->nx = w->nx || (val & PTE_NX);
		}
		if (large || level == 1)
			break;
		table = GPA(val & PTE_ADDR);
	}
	walk_leaf(w, level, val);
	w->out->user = w->user;
	return MEM_OK;
}

/* Does the page's protection key forbid this data access? */
static bool walk_key_denies(const struct walk_state *w, bool write)
{
	const struct regs *regs = w->in->regs;
	u64 key = bits_get(w->entry[w->entries - 1].val, 62, 59);
	u32 rights = w->in->pkru >> (2 * key) & 3;

	if (!(regs->cr4 & CR4_PKE) || !walk_is_long(w->in) || !w->user)
		return false;
	if (rights & 1)
		return true;
	return (rights & 2) && write &&
	       (walk_is_user(w->in) || (regs->cr0 & CR0_WP));
}

/* SDM vol. 3, 4.6.1, without protection keys. */
static bool walk_denies(const struct walk_state *w, bool write, bool fetch)
{
	const struct walk_in *in = w->in;
	const struct regs *regs = in->regs;

	if (fetch && w->nx)
		return true;
	if (walk_is_user(in))
		return !w->user || (write && !w->write);
	if (w->user) {
		if (fetch)
			return regs->cr4 & CR4_SMEP;
		if ((regs->cr4 & CR4_SMAP) &&
		    ((in->access & WALK_IMPLICIT) ||
		     !(regs->rflags & RFLAGS_AC)))
			return true;
	}
	return write && !w->write && (regs->cr0 & CR0_WP);
}

static enum mem_rc walk_check(struct walk_state *w)
{
	bool write = w->in->access & WALK_WRITE;
	bool fetch = w->in->access & WALK_FETCH;
	bool key = !fetch && walk_key_denies(w, write);

	if (key || walk_denies(w, write, fetch))
		return walk_page_fault(w, PFEC_PRESENT | (key ? PFEC_KEY : 0));
	w->out->writable = !walk_denies(w, true, false) &&
			   !walk_key_denies(w, true);
	return MEM_OK;
}

/* Sets @raced when an entry is no longer what was checked. */
static enum mem_rc walk_mark(struct walk_state *w, bool *raced)
{
	unsigned int i;

	for (i = 0; i < w->entries; i++) {
		struct walk_entry *entry = &w->entry[i];
		u64 want = entry->val | PTE_A;
		u64 found = entry->val;
		enum mem_rc rc;

		if (i == w->entries - 1 && (w->in->access & WALK_WRITE))
			want |= PTE_D;
		if (want == entry->val)
			continue;
		rc = w->env->ops->update(w->env, entry->gpa, w->format->bytes,
					 &found, want);
		if (rc != MEM_OK && rc != MEM_MMIO)
			return rc;
		if (rc == MEM_OK && found != entry->val) {
			*raced = true;
			return MEM_OK;
		}
		if (rc == MEM_OK)
			entry->val = want;
	}
	return MEM_OK;
}

static enum mem_rc walk_once(struct walk_state *w, bool *raced)
{
	enum mem_rc rc;

	rc = walk_descend(w);
	if (rc == MEM_OK)
		rc = walk_check(w);
	if (rc == MEM_OK && !(w->in->access & WALK_PROBE))
		rc = walk_mark(w, raced);
	return rc;
}

static void walk_trace(const struct walk_state *w, struct walk_trace *trace)
{
	unsigned int i;

	trace->whole = walk_is_long(w->in);
	trace->entries = w->entries;
	for (i = 0; i < w->entries; i++) {
		trace->gpa[i] = w->entry[i].gpa;
		trace->val[i] = w->entry[i].val;
	}
}

enum mem_rc walk(const struct walk_env *env, const struct walk_in *in,
		 struct walk_out *out)
{
	struct walk_state w = {
		.env = env,
		.in = in,
		.out = out,
		.format = walk_format(in->regs),
	};
	bool raced = false;
	enum mem_rc rc;
	int i;

	*out = (struct walk_out){
		.gpa = GPA((u32)in->gva.v),
		.level = PG_4K,
		.writable = true,
		.user = true,
	};
	if (in->regs->cr0 & CR0_PG) {
		for (i = 0; i < WALK_TRIES; i++) {
			raced = false;
			rc = walk_once(&w, &raced);
			if (rc != MEM_OK)
				return rc;
			if (!raced)
				break;
		}
		if (raced)
			return MEM_RETRY;
	}
	if (in->trace)
		walk_trace(&w, in->trace);
	return walk_translate(&w, &out->gpa,
			      (in->access & (WALK_WRITE | WALK_FETCH)) |
				      WALK_USER);
}
