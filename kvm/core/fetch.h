/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction at RIP without a walk of the guest's page tables.
 *
 * Hardware often does not tell which instruction exited, or how long it is.
 * Code exits at the same places again and again: so for the last few code
 * pages a vCPU keeps where the entries lie that the walk read, what they held,
 * and where the page is. To use that is to read the entries once more and to
 * compare: if nothing has changed, the walk would come to the same. The guest
 * sees no translation that its tables do not have at this moment.
 *
 * Owner: the vCPU's thread. What is kept is void once the memslots change.
 */
#ifndef CORE_FETCH_H
#define CORE_FETCH_H

#include "base/types.h"
#include "x86/walk.h"

struct vcpu;

#define FETCH_BYTES 16		/* that fetch_code() gets; an instruction has 15 */
#define FETCH_PAGES 4
#define FETCH_LEVELS 5

struct fetch_page {
	u64 generation;		/* of the memslots; 0: nothing is kept */
	u64 linear;		/* of 64-bit code */
	u64 cr3, cr4, efer;
	bool user;
	u8 entries;
	u64 __user *at[FETCH_LEVELS];
	u64 val[FETCH_LEVELS];
	u64 __user *code;
};

struct fetch_cache {
	struct fetch_page page[FETCH_PAGES];
};

/**
 * fetch_remember() - a fetch from the page of @linear was translated to @gpa
 * @trace: of that walk
 *
 * Inside the epoch.
 */
void fetch_remember(struct vcpu *vcpu, u64 linear, struct gpa gpa,
		    const struct walk_trace *trace);

/**
 * fetch_code() - FETCH_BYTES bytes of 64-bit code at RIP
 *
 * Inside the epoch; never sleeps, interrupts may be off. False: that takes a
 * walk, or more than one page.
 */
bool fetch_code(struct vcpu *vcpu, u64 code[FETCH_BYTES / 8]);

/** fetch_is() - the same question for four bytes: are they @bytes, in @mask */
bool fetch_is(struct vcpu *vcpu, u32 bytes, u32 mask);

#endif
