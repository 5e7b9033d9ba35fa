// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVIC's tables: see avic.h. APM vol. 2, 15.29.4 to 15.29.6.
 *
 * No interrupt is lost between one who delivers and one who goes to sleep:
 * the first sets the IRR bit, then reads the entry; the other clears
 * is-running in the entry, then reads the IRR. Both have a full barrier in
 * between, so at least one of them sees what the other did. Hardware does the
 * same for an IPI of the guest, and exits when it finds nobody running.
 */
#include "svm/avic.h"

#define DFR_FLAT 0xf
#define DFR_CLUSTER 0

/* Registers of the page: APM vol. 2, 16.3.2 */
#define PAGE_TPR 0x080
#define PAGE_ISR 0x100
#define PAGE_IRR 0x200

bool avic_reachable(const struct avic_member *m)
{
	return (m->apic_base & AVIC_BASE_EN) && m->sw_enabled;
}

static bool in_x2apic(const struct avic_member *m)
{
	return m->apic_base & AVIC_BASE_EXTD;
}

/* What one vCPU says against AVIC, by itself. */
static u32 member_inhibits(const struct avic_member *m)
{
	u32 limit = in_x2apic(m) ? X2AVIC_MAX_ID : AVIC_MAX_ID;
	bool xapic = (m->apic_base & AVIC_BASE_EN) && !in_x2apic(m);
	bool moved = (m->apic_base & AVIC_BASE_ADDR) != AVIC_BASE_DEFAULT;
	u32 set = 0;

	if (xapic && moved)
		set |= BIT(AVIC_NO_BASE_MOVED);
	if (xapic && m->xapic_id != (u8)m->id)
		set |= BIT(AVIC_NO_ID_MODIFIED);
	if (avic_reachable(m) && m->id > limit)
		set |= BIT(AVIC_NO_ID_LIMIT);
	return set;
}

/* The table's index for this logical id; -1: has none, -2: not sayable. */
static int logical_index(const struct avic_member *m)
{
	bool flat = m->dfr == DFR_FLAT;
	u8 bits = flat ? m->ldr : m->ldr & 0xf;
	int first = flat ? 0 : m->ldr >> 4 << 2;

	if (!flat && m->dfr != DFR_CLUSTER)
		return -2;
	if (!bits)
		return -1;
	if (hweight8(bits) > 1 || first >= AVIC_LOG_COUNT)
		return -2;
	return first + ffs(bits) - 1;
}

/* False: the table cannot say what these registers mean. */
static bool logical_add(struct avic_survey *s, const struct avic_member *m)
{
	int i = logical_index(m);

	if (i < 0)
		return i == -1;
	if (s->logical[i] & AVIC_LOG_VALID)
		return false;
	s->logical[i] = AVIC_LOG_VALID | (m->id & AVIC_LOG_ID);
	return true;
}

/* In flat mode FFh means all, with a logical id or without. */
static bool logical_full(const struct avic_survey *s)
{
	unsigned int i;

	for (i = 0; i < AVIC_LOG_FLAT; i++)
		if (!(s->logical[i] & AVIC_LOG_VALID))
			return false;
	return true;
}

void avic_survey(struct avic_survey *s, const struct avic_member *m,
		 unsigned int n)
{
	const struct avic_member *first = NULL;
	bool good = true, nameless = false;
	unsigned int i;

	*s = (struct avic_survey){ };
	for (i = 0; i < n; i++) {
		s->inhibits |= member_inhibits(&m[i]);
		if (!avic_reachable(&m[i]))
			continue;
		first = first ? : &m[i];
		if (in_x2apic(&m[i]) != in_x2apic(first))
			s->inhibits |= BIT(AVIC_NO_MIXED);
		if (in_x2apic(&m[i]))
			continue;
		good &= m[i].dfr == first->dfr && logical_add(s, &m[i]);
		nameless |= !m[i].ldr;
	}
	if (!good || (nameless && first->dfr == DFR_FLAT && logical_full(s)))
		s->inhibits |= BIT(AVIC_NO_LOGICAL);
}

void avic_logical_write(u32 *table, const struct avic_survey *s)
{
	unsigned int i;

	for (i = 0; i < AVIC_LOG_COUNT; i++)
		if (table[i] != s->logical[i])
			WRITE_ONCE(table[i], s->logical[i]);
}

/* A full barrier, too: what was stored before it is seen first. */
static void entry_change(struct avic_vcpu *v, u64 clear, u64 set)
{
	xchg(v->entry, (READ_ONCE(*v->entry) & ~clear) | set);
}

void avic_enable(struct avic_vcpu *v, u64 page_pa, bool on)
{
	entry_change(v, AVIC_PHYS_VALID | AVIC_PHYS_PAGE | AVIC_PHYS_RUNNING,
		     on ? AVIC_PHYS_VALID | (page_pa & AVIC_PHYS_PAGE) : 0);
}

void avic_load(struct avic_vcpu *v, const struct avic_features *f, u32 host)
{
	bool runs = v->on && !v->blocked && host <= f->host_max &&
		    (READ_ONCE(*v->entry) & AVIC_PHYS_VALID);

	entry_change(v, AVIC_PHYS_HOST | AVIC_PHYS_RUNNING,
		     runs ? AVIC_PHYS_RUNNING | host : 0);
}

void avic_put(struct avic_vcpu *v)
{
	entry_change(v, AVIC_PHYS_RUNNING, 0);
}

static u32 page_get(const void *page, unsigned int offset)
{
	return READ_ONCE(*(const u32 *)((const char *)page + offset));
}

/* The highest vector in the 256 bits at @offset, -1 for none. */
static int page_highest(const void *page, unsigned int offset)
{
	int i;

	for (i = 7; i >= 0; i--) {
		u32 word = page_get(page, offset + 16 * i);

		if (word)
			return 32 * i + fls(word) - 1;
	}
	return -1;
}

bool avic_pending(const void *page)
{
	int priority = max(page_highest(page, PAGE_ISR),
			   (int)(page_get(page, PAGE_TPR) & 0xff));
	int irr = page_highest(page, PAGE_IRR);

	return irr >= 0 && (irr >> 4) > (priority >> 4);
}

bool avic_block(struct avic_vcpu *v)
{
	v->blocked = true;
	avic_put(v);
	return !avic_pending(v->page);
}

void avic_unblock(struct avic_vcpu *v, const struct avic_features *f,
		  u32 host)
{
	v->blocked = false;
	avic_load(v, f, host);
}

bool avic_doorbell(const u64 *entry, u32 *host)
{
	u64 val;

	smp_mb();
	val = READ_ONCE(*entry);
	*host = val & AVIC_PHYS_HOST;
	return (val & AVIC_PHYS_VALID) && (val & AVIC_PHYS_RUNNING);
}
