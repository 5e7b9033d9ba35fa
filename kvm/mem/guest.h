/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to guest-physical memory through the VMM's own mapping.
 *
 * Callers: a vCPU's thread inside its epoch, or a holder of mem->slots_lock,
 * in the VM's own process (else MEM_ERROR); all of these may sleep on a page
 * fault. Writes are logged where the slot logs dirty pages.
 *
 * Results: MEM_OK; MEM_MMIO when some byte has no slot, or is written and its
 * slot is read-only (then nothing was transferred); MEM_ERROR when the VMM's
 * mapping does not allow the access. Never MEM_FAULT or MEM_PENDING.
 */
#ifndef MEM_GUEST_H
#define MEM_GUEST_H

#include "base/rc.h"
#include "base/types.h"
#include "mem/mem.h"

/** guest_probe() - is there memory at @gpa, to be written: MEM_OK or MEM_MMIO */
enum mem_rc guest_probe(struct mem *mem, struct gpa gpa, bool write);

/** guest_read() - copy @len bytes at @gpa to @buf; may cross pages */
enum mem_rc guest_read(struct mem *mem, struct gpa gpa, void *buf, u32 len);

/** guest_write() - copy @len bytes of @buf to @gpa; may cross pages */
enum mem_rc guest_write(struct mem *mem, struct gpa gpa, const void *buf,
			u32 len);

/** guest_clear() - write @len zero bytes at @gpa */
enum mem_rc guest_clear(struct mem *mem, struct gpa gpa, u32 len);

/**
 * guest_cmpxchg() - compare-exchange @len bytes (1, 2, 4, 8) at @gpa
 * @gpa: all of it lies in one cache line, else MEM_ERROR: hosts that detect
 *	split locks do not survive one of the kernel's
 * @old: in: the value expected; out: the value found
 *
 * With MEM_OK, @new was stored if and only if *@old is what it was.
 */
enum mem_rc guest_cmpxchg(struct mem *mem, struct gpa gpa, u64 *old, u64 new,
			  u32 len);

#endif
