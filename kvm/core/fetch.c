// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remembered walks to code pages: see fetch.h.
 *
 * The comparison reads each entry once, in the order of a walk, then the code:
 * as a processor without a TLB would. Accessed bits are part of it: an entry
 * that the guest has cleared of them differs, and the walk sets them again.
 */
#include <linux/uaccess.h>

#include "core/fetch.h"
#include "core/fpu.h"
#include "core/vcpu.h"

static struct fetch_page *fetch_slot(struct vcpu *vcpu, u64 linear)
{
	return &vcpu->work->fetch.page[(linear >> PAGE_SHIFT) % FETCH_PAGES];
}

/* Where @gpa is in the VMM, or NULL; the epoch keeps that so. */
static void __user *fetch_at(const struct memslots *slots, struct gpa gpa)
{
	const struct memslot *slot = memslots_find(slots, gpa_to_gfn(gpa));

	if (!slot)
		return NULL;
	return (void __user *)(memslot_hva(slot, gpa_to_gfn(gpa)).v +
			       offset_in_page(gpa.v));
}

void fetch_remember(struct vcpu *vcpu, u64 linear, struct gpa gpa,
		    const struct walk_trace *trace)
{
	const struct memslots *slots = mem_slots(&vcpu->vm->mem);
	struct fetch_page *page = fetch_slot(vcpu, linear);
	const struct regs *regs = &vcpu->regs;
	unsigned int i;

	if (!trace->whole || regs_mode(regs) != MODE_LONG ||
	    !mem_is_ours(&vcpu->vm->mem))
		return;
	*page = (struct fetch_page){
		.linear = linear & PAGE_MASK,
		.cr3 = regs->cr3,
		.cr4 = regs->cr4,
		.efer = regs->efer,
		.user = regs_cpl(regs) == 3,
		.entries = trace->entries,
		.code = fetch_at(slots, GPA(gpa.v & PAGE_MASK)),
	};
	for (i = 0; i < trace->entries; i++) {
		page->at[i] = fetch_at(slots, trace->gpa[i]);
		page->val[i] = trace->val[i];
		if (!page->at[i])
			return;
	}
	if (page->code)
		page->generation = slots->generation;
}

/* Is @page what a walk for RIP would find, if its entries are as they were? */
static __always_inline bool fetch_fits(struct vcpu *vcpu,
				       const struct fetch_page *page,
				       unsigned int bytes)
{
	const struct regs *regs = vcpu_regs(vcpu, RG_CODE | RG_CR);

	return page->linear == (regs->rip & PAGE_MASK) &&
	       page->generation == mem_slots(&vcpu->vm->mem)->generation &&
	       page->cr3 == regs->cr3 && page->cr4 == regs->cr4 &&
	       page->efer == regs->efer &&
	       /* With that EFER, of which LMA is part, this is 64-bit code. */
	       regs->seg[SEG_CS].l &&
	       page->user == (regs->seg[SEG_SS].dpl == 3) &&
	       offset_in_page(regs->rip) <= PAGE_SIZE - bytes;
}

/* User access has begun. */
static __always_inline bool fetch_unchanged(const struct fetch_page *page)
{
	unsigned int i;
	u64 val;

	for (i = 0; i < page->entries; i++) {
		unsafe_get_user(val, page->at[i], fault);
		if (val != page->val[i])
			return false;
	}
	return true;
fault:
	return false;
}

/* Interrupts may be off: what is not there is left to the walk. */
static bool fetch_read(const struct fetch_page *page, u64 __user *from,
		       u64 code[2])
{
	if (!user_access_begin(page->code, PAGE_SIZE))
		return false;
	if (!fetch_unchanged(page))
		goto fault;
	unsafe_get_user(code[0], from, fault);
	unsafe_get_user(code[1], from + 1, fault);
	user_access_end();
	return true;
fault:
	user_access_end();
	return false;
}

static __always_inline bool fetch_compare(const struct fetch_page *page,
					  u32 __user *from, u32 bytes, u32 mask)
{
	u32 code;

	if (!user_access_begin(page->code, PAGE_SIZE))
		return false;
	if (!fetch_unchanged(page))
		goto fault;
	unsafe_get_user(code, from, fault);
	user_access_end();
	return !((code ^ bytes) & mask);
fault:
	user_access_end();
	return false;
}

bool fetch_code(struct vcpu *vcpu, u64 code[FETCH_BYTES / 8])
{
	const struct fetch_page *page = fetch_slot(vcpu, vcpu->regs.rip);
	unsigned int offset = offset_in_page(vcpu->regs.rip);
	bool ok;

	static_assert(FETCH_BYTES == 2 * sizeof(*code));
	if (!fetch_fits(vcpu, page, FETCH_BYTES))
		return false;
	pagefault_disable();
	ok = fetch_read(page, (void __user *)page->code + offset, code);
	pagefault_enable();
	return ok;
}

bool fetch_is(struct vcpu *vcpu, u32 bytes, u32 mask)
{
	const struct fetch_page *page = fetch_slot(vcpu, vcpu->regs.rip);
	unsigned int offset = offset_in_page(vcpu->regs.rip);
	bool ok;

	if (!fetch_fits(vcpu, page, sizeof(bytes)))
		return false;
	pagefault_disable();
	ok = fetch_compare(page, (void __user *)page->code + offset, bytes,
			   mask);
	pagefault_enable();
	return ok;
}
