/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dispatch of port and memory-mapped accesses to in-kernel devices.
 *
 * A bus is an immutable sorted array of ranges, a "bus table". A change makes
 * a new table from the old one; publishing it, waiting for those who still
 * read the old one and freeing it is the owner's business (core publishes by
 * rcu_assign_pointer()). Nothing here takes a lock, and a lookup may run
 * anywhere, also with interrupts off, as long as the devices' ops may.
 *
 * Two sorts of ranges: an area, whose device gets every access that lies
 * wholly inside, and an exact one (ioeventfd), which wants one address, one
 * access length or any, and perhaps one value. Ranges may overlap: candidates
 * are tried from the most specific on until a device says it handled the
 * access. The order is: higher start first; of the same start, exact before
 * area, datamatch before none, one length before any, older before newer.
 */
#ifndef DEV_BUS_H
#define DEV_BUS_H

#include "base/host.h"

struct bus_dev;

struct bus_dev_ops {
	/* false: not mine after all, try the next one; NULL: never mine */
	bool (*read)(struct bus_dev *dev, u64 addr, unsigned int len,
		     void *data);
	bool (*write)(struct bus_dev *dev, u64 addr, unsigned int len,
		      const void *data);
};

struct bus_dev {
	const struct bus_dev_ops *ops;
};

enum bus_kind {
	BUS_AREA,	/* [start, start + len) */
	BUS_EXACT,	/* start only; len 0 stands for any length */
};

struct bus_range {
	u64 start;
	u64 len;
	u64 datamatch;		/* BUS_EXACT: only writes of this value */
	bool has_datamatch;
	u8 kind;		/* enum bus_kind */
	struct bus_dev *dev;
};

/* One range with the highest end of all ranges up to here. */
struct bus_entry {
	struct bus_range r;
	u64 max_last;
};

struct bus_table {
	struct rcu_head rcu;	/* the owner's, for freeing */
	unsigned int nr;
	unsigned int longest;	/* candidates that one access may have */
	unsigned int reach;	/* the first that reaches the last one's start */
	struct bus_entry entry[];
};

#define BUS_MAX_RANGES 16384

/* More candidates than this take too long with interrupts off. */
#define BUS_LONG 64

enum bus_rc {
	BUS_OK,
	BUS_EXISTS,	/* an exact range that would match the same writes */
	BUS_NOENT,	/* no such range */
	BUS_INVALID,	/* empty or wrapping range, bad length or value */
	BUS_FULL,	/* BUS_MAX_RANGES reached */
	BUS_NOMEM,
};

/**
 * bus_table_add() - a copy of a table with one more range
 * @old: the present table, or NULL for an empty bus; stays as it is
 * @r: the range
 * @out: the new table, set with BUS_OK only; free with host_free() or by RCU
 *
 * Two exact ranges that could match the same write collide (BUS_EXISTS);
 * areas never do. May sleep.
 */
enum bus_rc __must_check bus_table_add(const struct bus_table *old,
				       const struct bus_range *r,
				       struct bus_table **out);

/**
 * bus_table_remove() - a copy of a table without one range
 * @old: the present table, or NULL
 * @r: the range exactly as it was added, the device included
 * @out: the new table (perhaps with no range), set with BUS_OK only
 *
 * BUS_NOENT when there is none; of several equal ones one goes. May sleep.
 */
enum bus_rc __must_check bus_table_remove(const struct bus_table *old,
					  const struct bus_range *r,
					  struct bus_table **out);

/** bus_is_long() - may an access have more than BUS_LONG candidates */
static inline bool bus_is_long(const struct bus_table *t)
{
	return t && t->longest > BUS_LONG;
}

/**
 * bus_read() - offer a read to the devices
 * @t: the table, NULL for an empty bus; the caller keeps it alive
 * @addr: port or guest physical address
 * @len: bytes, 1 to 8 (an exact range never answers reads)
 * @data: gets @len bytes when the result is true
 *
 * Return: was it handled; if not, @data may be garbage.
 */
bool bus_read(const struct bus_table *t, u64 addr, unsigned int len,
	      void *data);

/** bus_write() - offer a write of @len bytes at @data; see bus_read() */
bool bus_write(const struct bus_table *t, u64 addr, unsigned int len,
	       const void *data);

#endif
