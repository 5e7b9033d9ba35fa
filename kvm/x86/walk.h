/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's own page tables, walked by software.
 *
 * Hardware walks them for the guest. This walk is for what is done in its
 * name: fetching and emulating an instruction, KVM_TRANSLATE. It knows paging
 * off, 32-bit with and without PSE, PAE, 4-level and 5-level, checks the
 * access as hardware would, sets accessed and dirty bits, and on a violation
 * gives the #PF to inject.
 *
 * The walker owns nothing and holds nothing: guest memory is reached through
 * struct walk_env, whose owner brings locks and lifetime. The guest may change
 * its tables at any moment: every entry is read once, and accessed and dirty
 * bits are set by compare-exchange against what was checked; when that fails
 * the walk starts over, a bounded number of times.
 *
 * SDM vol. 3, chapter 4; APM vol. 2, chapter 5.
 */
#ifndef X86_WALK_H
#define X86_WALK_H

#include "base/host.h"
#include "base/rc.h"
#include "base/types.h"
#include "x86/regs.h"

/* What the access does; a mask. Neither write nor fetch: a data read. */
#define WALK_WRITE BIT(0)
#define WALK_FETCH BIT(1)
#define WALK_USER BIT(2)	/* CPL 3; without: supervisor */
#define WALK_IMPLICIT BIT(3)	/* descriptor tables, TSS: supervisor at any CPL */
#define WALK_PROBE BIT(4)	/* leave accessed and dirty bits alone */

/* Bits of a page fault's error code, SDM vol. 3, 4.7 */
#define PFEC_PRESENT BIT(0)
#define PFEC_WRITE BIT(1)
#define PFEC_USER BIT(2)
#define PFEC_RESERVED BIT(3)
#define PFEC_FETCH BIT(4)
#define PFEC_KEY BIT(5)

struct walk_env;

/* Guest-physical accesses to table entries, 4 or 8 bytes, aligned. */
struct walk_ops {
	/*
	 * MEM_OK, MEM_ERROR, MEM_PENDING, or MEM_MMIO where there is no
	 * memory: the entry then reads as all ones, as a bus would have it.
	 */
	enum mem_rc (*read)(const struct walk_env *env, struct gpa gpa,
			    unsigned int bytes, u64 *val);
	/*
	 * Replace *@old by @new, if it is still there; *@old becomes what was
	 * found. MEM_MMIO where memory is read-only: the bit is then not set.
	 */
	enum mem_rc (*update)(const struct walk_env *env, struct gpa gpa,
			      unsigned int bytes, u64 *old, u64 new);
	/*
	 * Nested paging: where @gpa of the walked tables really is; @access is
	 * a WALK_* mask. NULL: it is there. What it returns but MEM_OK, and
	 * the fault it filled in, is the walk's result.
	 */
	enum mem_rc (*translate)(const struct walk_env *env, struct gpa *gpa,
				 u32 access, struct fault *fault);
};

/* Embedded by its owner, who finds itself by container_of(). */
struct walk_env {
	const struct walk_ops *ops;
};

/*
 * What a walk read, for who wants to know later whether another one would come
 * to the same: each entry with the value it was left with. Not @whole: there
 * was more.
 */
struct walk_trace {
	struct gpa gpa[5];
	u64 val[5];		/* 8 bytes each */
	unsigned int entries;
	bool whole;
};

struct walk_in {
	const struct regs *regs;	/* needs RG_CR; RG_RIP for SMAP */
	struct gva gva;
	u32 access;			/* WALK_* */
	u32 pkru;			/* of the guest; used with CR4.PKE */
	/* The CPU's, where it would walk: it does not ask the guest's CPUID. */
	bool gbpages;			/* there are 1 GiB pages */
	u64 gpa_reserved;		/* physical address bits there are not */
	const u64 *pdpte;		/* PAE's four, loaded; NULL: in memory */
	struct walk_trace *trace;	/* filled in when MEM_OK; or NULL */
};

struct walk_out {
	struct gpa gpa;
	u8 level;		/* enum page_level; PG_2M for PSE's 4 MiB, too */
	bool writable;		/* a write by this privilege would pass */
	bool user;		/* the page is a user page */
	bool nested;		/* the fault is translate()'s */
	struct fault fault;	/* when MEM_FAULT is returned */
};

/**
 * walk() - translate a guest linear address
 *
 * The address is taken to be canonical: segmentation checked that. @out->gpa
 * holds the byte's address; it is good for the bytes up to the end of the page.
 *
 * MEM_OK, MEM_FAULT, what a callback failed with, or MEM_RETRY when the guest
 * kept changing the entries.
 */
enum mem_rc walk(const struct walk_env *env, const struct walk_in *in,
		 struct walk_out *out);

#endif
