// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory through the VMM's mapping: see guest.h.
 *
 * An access is judged whole before its first byte moves: each page has a slot
 * that allows it, or nothing is transferred. The slots cannot change between,
 * the caller keeps the set it loaded. The mapping itself can: an access that
 * fails half way has transferred what came before, as on hardware.
 *
 * Host addresses need no access_ok(): memslot_check() keeps every slot below
 * the end of the process's part of the address space.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "mem/guest.h"

/* Bytes of [gpa, gpa + len) in the page of @gpa. */
static u32 in_page(struct gpa gpa, u32 len)
{
	return min_t(u32, len, PAGE_SIZE - offset_in_page(gpa.v));
}

static const struct memslot *slot_for(const struct memslots *slots,
				      struct gpa gpa, bool write)
{
	const struct memslot *slot = memslots_find(slots, gpa_to_gfn(gpa));

	if (slot && write && (slot->flags & KVM_MEM_READONLY))
		return NULL;
	return slot;
}

static enum mem_rc check_range(const struct memslots *slots, struct gpa gpa,
			       u32 len, bool write)
{
	u32 n;

	if (gpa.v + len < gpa.v)
		return MEM_MMIO;
	for (; len; len -= n, gpa.v += n) {
		n = in_page(gpa, len);
		if (!slot_for(slots, gpa, write))
			return MEM_MMIO;
	}
	return MEM_OK;
}

static void __user *user_address(const struct memslot *slot, struct gpa gpa)
{
	struct hva hva = memslot_hva(slot, gpa_to_gfn(gpa));

	return (void __user *)(hva.v + offset_in_page(gpa.v));
}

enum mem_rc guest_read(struct mem *mem, struct gpa gpa, void *buf, u32 len)
{
	const struct memslots *slots = mem_slots(mem);
	enum mem_rc rc;
	u32 n;

	if (!mem_is_ours(mem))
		return MEM_ERROR;
	rc = check_range(slots, gpa, len, false);
	if (rc != MEM_OK)
		return rc;
	for (; len; len -= n, gpa.v += n, buf += n) {
		const struct memslot *slot = slot_for(slots, gpa, false);

		n = in_page(gpa, len);
		if (__copy_from_user(buf, user_address(slot, gpa), n))
			return MEM_ERROR;
	}
	return MEM_OK;
}

/* @buf NULL: zeros. */
static enum mem_rc write_range(struct mem *mem, struct gpa gpa,
			       const void *buf, u32 len)
{
	const struct memslots *slots = mem_slots(mem);
	enum mem_rc rc;
	u32 n;

	if (!mem_is_ours(mem))
		return MEM_ERROR;
	rc = check_range(slots, gpa, len, true);
	if (rc != MEM_OK)
		return rc;
	for (; len; len -= n, gpa.v += n) {
		const struct memslot *slot = slot_for(slots, gpa, true);
		void __user *to = user_address(slot, gpa);
		unsigned long left;

		n = in_page(gpa, len);
		if (buf) {
			left = __copy_to_user(to, buf, n);
			buf += n;
		} else {
			left = __clear_user(to, n);
		}
		/* Even if it failed: some bytes may have been written. */
		memslot_mark_dirty(slot, gpa_to_gfn(gpa));
		if (left)
			return MEM_ERROR;
	}
	return MEM_OK;
}

enum mem_rc guest_write(struct mem *mem, struct gpa gpa, const void *buf,
			u32 len)
{
	return write_range(mem, gpa, buf, len);
}

enum mem_rc guest_clear(struct mem *mem, struct gpa gpa, u32 len)
{
	return write_range(mem, gpa, NULL, len);
}

#define GUEST_LINE 64	/* bytes of a cache line */

#define CMPXCHG_USER(type, to, old, new) ({				\
	type _found = (type)*(old);					\
	int _err = __try_cmpxchg_user((type __user *)(to), &_found,	\
				      (type)(new), fault_##type);	\
	*(old) = _found;						\
	_err < 0 ? MEM_ERROR : MEM_OK; })

static enum mem_rc cmpxchg_user(void __user *to, u64 *old, u64 new, u32 len)
{
	switch (len) {
	case 1:
		return CMPXCHG_USER(u8, to, old, new);
	case 2:
		return CMPXCHG_USER(u16, to, old, new);
	case 4:
		return CMPXCHG_USER(u32, to, old, new);
	case 8:
		return CMPXCHG_USER(u64, to, old, new);
	}
	return MEM_ERROR;
}

enum mem_rc guest_probe(struct mem *mem, struct gpa gpa, bool write)
{
	return slot_for(mem_slots(mem), gpa, write) ? MEM_OK : MEM_MMIO;
}

enum mem_rc guest_cmpxchg(struct mem *mem, struct gpa gpa, u64 *old, u64 new,
			  u32 len)
{
	const struct memslot *slot;
	enum mem_rc rc;

	if (!mem_is_ours(mem))
		return MEM_ERROR;
	slot = slot_for(mem_slots(mem), gpa, true);
	if (!slot)
		return MEM_MMIO;
	if (gpa.v % GUEST_LINE + len > GUEST_LINE)
		return MEM_ERROR;
	rc = cmpxchg_user(user_address(slot, gpa), old, new, len);
	if (rc == MEM_OK)
		memslot_mark_dirty(slot, gpa_to_gfn(gpa));
	return rc;
}
