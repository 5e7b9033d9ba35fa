// SPDX-License-Identifier: GPL-2.0-only
/*
 * Off, AVIC or x2AVIC: see avic.h. APM vol. 2, 15.29.2, 15.29.3.
 *
 * A guest in x2APIC mode on a CPU without x2AVIC has it off. So has one whose
 * APIC is disabled: its interrupts are the 8259's.
 */
#include "svm/avic.h"

#define SVM_EDX_AVIC BIT(13)
#define SVM_EDX_X2AVIC BIT(18)
#define HOST_MAX_XAPIC 0xff	/* bits 11:8 of an entry are x2AVIC's */

static const struct {
	const char *why;
	u8 modes;		/* enum avic_mode, or'ed */
} inhibit_rows[] = {
#define X(name, modes, why) { why, modes },
	AVIC_INHIBITS(X)
#undef X
};

struct avic_features avic_features(u32 svm_edx, bool avic, bool x2avic)
{
	bool wide = svm_edx & SVM_EDX_X2AVIC;

	avic = avic && (svm_edx & SVM_EDX_AVIC);
	return (struct avic_features){
		.avic = avic,
		.x2avic = avic && x2avic && wide,
		.host_max = wide ? AVIC_PHYS_HOST : HOST_MAX_XAPIC,
	};
}

enum avic_mode avic_mode(const struct avic_features *f, u64 apic_base,
			 u32 inhibits)
{
	bool x2 = apic_base & AVIC_BASE_EXTD;
	enum avic_mode mode = x2 ? AVIC_X2APIC : AVIC_XAPIC;
	unsigned int i;

	if (!(apic_base & AVIC_BASE_EN) || !(x2 ? f->x2avic : f->avic))
		return AVIC_OFF;
	for (i = 0; i < AVIC_INHIBIT_COUNT; i++)
		if ((inhibits & BIT(i)) && (inhibit_rows[i].modes & mode))
			return AVIC_OFF;
	return mode;
}

const char *avic_inhibit_name(unsigned int inhibit)
{
	return inhibit < AVIC_INHIBIT_COUNT ? inhibit_rows[inhibit].why : NULL;
}

/* True: @field had another value. */
static bool put(u64 *field, u64 val)
{
	bool changed = *field != val;

	*field = val;
	return changed;
}

u32 avic_vmcb(struct vmcb_control *c, enum avic_mode mode,
	      const struct avic_pages *pages)
{
	u64 on = mode == AVIC_OFF ? 0 : ~0ULL;
	u32 limit = mode == AVIC_X2APIC ? X2AVIC_MAX_ID : AVIC_MAX_ID;
	u64 vintr = c->vintr & ~(V_AVIC | V_X2AVIC);
	u32 drop = 0;

	if (mode != AVIC_OFF)
		vintr |= V_AVIC;
	if (mode == AVIC_X2APIC)
		vintr |= V_X2AVIC;
	if (put(&c->vintr, vintr))
		drop |= CLEAN_TPR;
	if (put(&c->avic_bar, AVIC_BASE_DEFAULT & on) |
	    put(&c->avic_backing_page, pages->backing & on) |
	    put(&c->avic_logical, pages->logical & on) |
	    put(&c->avic_physical,
		(pages->physical | min(pages->max_id, limit)) & on))
		drop |= CLEAN_AVIC;
	return drop;
}

u32 avic_switch(enum avic_mode from, enum avic_mode to)
{
	if (from == to)
		return 0;
	return AVIC_DO_VMCB |
	       (from == AVIC_X2APIC || to == AVIC_X2APIC ? AVIC_DO_MSRPM : 0) |
	       (from == AVIC_XAPIC || to == AVIC_XAPIC ? AVIC_DO_PAGE : 0) |
	       (from != AVIC_OFF ? AVIC_DO_RESYNC : 0);
}
