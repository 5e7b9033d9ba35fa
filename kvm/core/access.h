/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An access by linear address, as an instruction under emulation makes it:
 * translated, cut at the end of a page, and taken to memory or to a device.
 *
 * Pure: how a page is translated, what memory holds and where devices are is
 * struct access_ops' to say. Owns nothing, holds nothing.
 *
 * Of an access that crosses a page both pages are translated before a byte
 * moves, so that a fault leaves nothing half done. Of one that is half a
 * device's the device comes first: it may have to wait for the VMM, and until
 * then memory is as it was.
 */
#ifndef CORE_ACCESS_H
#define CORE_ACCESS_H

#include "base/host.h"
#include "base/rc.h"
#include "base/types.h"

#define ACCESS_DEVICE_MAX 8	/* bytes that a device gets at once */
#define ACCESS_LOCK_LINE 64	/* bytes that a locked access stays within */

struct access_env;

struct access_ops {
	/* @access is a WALK_* mask; MEM_MMIO is no answer here */
	enum mem_rc (*translate)(const struct access_env *env, u64 linear,
				 u32 access, struct gpa *gpa);
	/* Is there memory at @gpa that may be accessed so: MEM_OK, MEM_MMIO */
	enum mem_rc (*probe)(const struct access_env *env, struct gpa gpa,
			     bool write);
	/* In one page; MEM_MMIO: no memory */
	enum mem_rc (*read)(const struct access_env *env, struct gpa gpa,
			    void *buf, unsigned int len);
	enum mem_rc (*write)(const struct access_env *env, struct gpa gpa,
			     const void *buf, unsigned int len);
	/* The same for 1, 2, 4 or 8 bytes that access_is_atomic() */
	enum mem_rc (*exchange)(const struct access_env *env, struct gpa gpa,
			    u64 *old, u64 new, unsigned int len);
	/* At most ACCESS_DEVICE_MAX bytes */
	enum mem_rc (*device)(const struct access_env *env, struct gpa gpa,
			      void *buf, unsigned int len, bool write);
};

/* Embedded by its owner, who finds itself by container_of(). */
struct access_env {
	const struct access_ops *ops;
	bool wide;		/* linear addresses have 64 bits, else 32 */
};

/* What is accessed and how. */
struct access_what {
	u64 linear;
	unsigned int size;
	u32 access;		/* WALK_* */
};

/* access_read(), access_write() - move @what.size bytes */
enum mem_rc access_read(const struct access_env *env, struct access_what what,
			void *buf);
enum mem_rc access_write(const struct access_env *env, struct access_what what,
			 const void *buf);

/**
 * access_check() - what an access would come to, without one
 *
 * For one page, or less. MEM_MMIO: translated, and there is no memory.
 */
enum mem_rc access_check(const struct access_env *env,
			 struct access_what what);

/**
 * access_swap() - compare and swap, as emu_ops.cmpxchg
 * @old: in: what is expected; out: what was found
 *
 * Atomic where access_is_atomic(). Elsewhere, and on a device, a write: a
 * processor would lock the bus for it, and nothing here can.
 */
enum mem_rc access_swap(const struct access_env *env, struct access_what what,
			void *old, const void *new);

/**
 * access_is_atomic() - can @size bytes at @gpa be swapped at once
 *
 * Not across cache lines: the host's kernel is killed for such an access where
 * the processor reports split locks.
 */
static inline bool access_is_atomic(struct gpa gpa, unsigned int size)
{
	return size <= 8 &&
	       gpa.v % ACCESS_LOCK_LINE + size <= ACCESS_LOCK_LINE;
}

#endif
