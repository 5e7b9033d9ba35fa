/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Typed addresses: a number of one address space cannot be passed for one of
 * another. Structs of one word cost nothing at -O2.
 *
 *   gva  guest virtual (linear) address
 *   gpa  guest physical address;   gfn  its frame number (gpa >> 12)
 *   hva  host virtual address of the VMM's mapping
 *   hpa  host physical address;    pfn  its frame number
 */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include "base/host.h"

struct gva { u64 v; };
struct gpa { u64 v; };
struct gfn { u64 v; };
struct hva { u64 v; };
struct hpa { u64 v; };
struct pfn { u64 v; };

#define GVA(x) ((struct gva){ .v = (x) })
#define GPA(x) ((struct gpa){ .v = (x) })
#define GFN(x) ((struct gfn){ .v = (x) })
#define HVA(x) ((struct hva){ .v = (x) })
#define HPA(x) ((struct hpa){ .v = (x) })
#define PFN(x) ((struct pfn){ .v = (x) })

/* No frame: beyond every physical address width. */
#define PFN_NONE PFN(U64_MAX)
#define GPA_NONE GPA(U64_MAX)

static inline struct gfn gpa_to_gfn(struct gpa gpa)
{
	return GFN(gpa.v >> PAGE_SHIFT);
}

static inline struct gpa gfn_to_gpa(struct gfn gfn)
{
	return GPA(gfn.v << PAGE_SHIFT);
}

static inline struct pfn hpa_to_pfn(struct hpa hpa)
{
	return PFN(hpa.v >> PAGE_SHIFT);
}

static inline struct hpa pfn_to_hpa(struct pfn pfn)
{
	return HPA(pfn.v << PAGE_SHIFT);
}

static inline struct gfn gfn_add(struct gfn gfn, u64 pages)
{
	return GFN(gfn.v + pages);
}

/* Page-table levels, counted from the leaf as the manuals' names imply. */
enum page_level {
	PG_4K = 1,
	PG_2M = 2,
	PG_1G = 3,
	PG_512G = 4,
	PG_256T = 5,
};

/** pg_pages() - number of 4 KiB pages that one entry of @level maps */
static inline u64 pg_pages(enum page_level level)
{
	return 1ULL << (9 * (level - 1));
}

/** pg_size() - number of bytes that one entry of @level maps */
static inline u64 pg_size(enum page_level level)
{
	return pg_pages(level) << PAGE_SHIFT;
}

/** gfn_round() - the first frame of the @level page that holds @gfn */
static inline struct gfn gfn_round(struct gfn gfn, enum page_level level)
{
	return GFN(gfn.v & ~(pg_pages(level) - 1));
}

#endif
