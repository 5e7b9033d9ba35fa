// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: its registers as the guest and the VMM reach them.
 *
 * Three ways lead to the same registers: the MMIO page in xAPIC mode, MSRs
 * 0x800 to 0x8ff in x2APIC mode, KVM_GET/SET_LAPIC. One row per register says
 * which way it can be read and written and which of its bits exist; what a
 * write does besides storing is in reg_write(). SDM vol. 3, tables 11-1 and
 * 11-6, and the figures of chapter 11.
 *
 * xAPIC mode is lenient (bits that do not exist are dropped, an unknown
 * register is an ESR error), x2APIC mode raises #GP.
 *
 * Callers: the owner only. Locks: none.
 */
#include "dev/lapic.h"

#define XR BIT(0)		/* readable by MMIO */
#define XW BIT(1)		/* writable by MMIO */
#define MR BIT(2)		/* readable by RDMSR */
#define MW BIT(3)		/* writable by WRMSR */
#define SV BIT(4)		/* stored as is by KVM_SET_LAPIC */

#define LVT_BUSY BIT(12)
#define LVT_SOURCE (LVT_VECTOR | LVT_DELIVERY | LVT_MASKED)
#define LVT_PIN (LVT_SOURCE | BIT(13) | BIT(15))

#define ICR_BUSY BIT(12)
#define ICR_X2APIC_RESERVED (GENMASK(31, 20) | GENMASK(17, 16) | BIT(13))

struct reg_row {
	u8 access;
	u32 bits;		/* that a write stores */
	u32 fixed;		/* that a write by MSR may have, unstored */
};

#define BITMAP_ROWS(reg)						\
	[(reg) >> 4 ... ((reg) >> 4) + 7] = {				\
		.access = XR | XW | MR | SV, .bits = ~0U }

static const struct reg_row reg_rows[64] = {
	[LAPIC_ID >> 4] = { .access = XR | XW | MR },
	[LAPIC_VERSION >> 4] = { .access = XR | XW | MR },
	[LAPIC_TPR >> 4] = { .access = XR | XW | MR | MW | SV, .bits = 0xff },
	[LAPIC_APR >> 4] = { .access = XR | XW },
	[LAPIC_PPR >> 4] = { .access = XR | XW | MR },
	[LAPIC_EOI >> 4] = { .access = XR | XW | MW },
	[LAPIC_RRD >> 4] = { .access = XR | XW },
	[LAPIC_LDR >> 4] = { .access = XR | XW | MR | SV,
			     .bits = 0xff000000 },
	[LAPIC_DFR >> 4] = { .access = XR | XW | SV, .bits = 0xf0000000 },
	[LAPIC_SVR >> 4] = { .access = XR | XW | MR | MW | SV,
			     .bits = 0x3ff | SVR_NO_EOI_BROADCAST },
	BITMAP_ROWS(LAPIC_ISR),
	BITMAP_ROWS(LAPIC_TMR),
	BITMAP_ROWS(LAPIC_IRR),
	[LAPIC_ESR >> 4] = { .access = XR | XW | MR | MW | SV },
	[LAPIC_LVT_CMCI >> 4] = { .access = XR | XW | MR | MW | SV,
				  .bits = LVT_SOURCE, .fixed = LVT_BUSY },
	[LAPIC_ICR >> 4] = { .access = XR | XW | MR | MW | SV,
			     .bits = (u32)~ICR_BUSY },
	[LAPIC_ICR2 >> 4] = { .access = XR | XW | SV, .bits = 0xff000000 },
	[LAPIC_LVT_TIMER >> 4] = { .access = XR | XW | MR | MW | SV,
				   .bits = LVT_VECTOR | LVT_MASKED |
					   LVT_TIMER_MODE,
				   .fixed = LVT_BUSY },
	[LAPIC_LVT_THERMAL >> 4] = { .access = XR | XW | MR | MW | SV,
				     .bits = LVT_SOURCE, .fixed = LVT_BUSY },
	[LAPIC_LVT_PC >> 4] = { .access = XR | XW | MR | MW | SV,
				.bits = LVT_SOURCE, .fixed = LVT_BUSY },
	[LAPIC_LVT0 >> 4] = { .access = XR | XW | MR | MW | SV,
			      .bits = LVT_PIN,
			      .fixed = LVT_BUSY | LVT_REMOTE_IRR },
	[LAPIC_LVT1 >> 4] = { .access = XR | XW | MR | MW | SV,
			      .bits = LVT_PIN,
			      .fixed = LVT_BUSY | LVT_REMOTE_IRR },
	[LAPIC_LVT_ERROR >> 4] = { .access = XR | XW | MR | MW | SV,
				   .bits = LVT_VECTOR | LVT_MASKED,
				   .fixed = LVT_BUSY },
	[LAPIC_TMICT >> 4] = { .access = XR | XW | MR | MW | SV,
			       .bits = ~0U },
	[LAPIC_TMCCT >> 4] = { .access = XR | XW | MR },
	[LAPIC_TDCR >> 4] = { .access = XR | XW | MR | MW | SV, .bits = 0xb },
	[LAPIC_SELF_IPI >> 4] = { .access = MW, .bits = 0xff },
};

static_assert(ARRAY_SIZE(reg_rows) * 16 == sizeof(struct kvm_lapic_state));

/* The row of @reg as this APIC's configuration leaves it; reg < 0x400 */
static struct reg_row reg_row(const struct lapic *l, u32 reg)
{
	struct reg_row row;

	row = reg_rows[array_index_nospec(reg >> 4, ARRAY_SIZE(reg_rows))];
	if (reg == LAPIC_LVT_TIMER && !l->has_tsc_deadline)
		row.bits &= ~BIT(18);
	if (reg == LAPIC_SVR && !l->cfg->directed_eoi)
		row.bits &= ~SVR_NO_EOI_BROADCAST;
	if (reg == LAPIC_LVT_CMCI && !l->has_cmci)
		row = (struct reg_row){ .access = 0 };
	return row;
}

/* SDM vol. 3, figure 11-7: an integrated APIC with six or seven LVT entries */
u32 lapic_version(const struct lapic *l)
{
	return 0x14 | (l->has_cmci ? 6 : 5) << 16 |
	       (l->cfg->directed_eoi ? BIT(24) : 0);
}

static u32 reg_read(struct lapic *l, u32 reg)
{
	switch (reg) {
	case LAPIC_VERSION:
		return lapic_version(l);
	case LAPIC_TMCCT:
		return lapic_timer_count(l);
	default:
		return lapic_get(l, reg);
	}
}

static void write_svr(struct lapic *l, u32 value)
{
	u32 reg;

	/* Requests of before are held: SDM vol. 3, 11.4.7.2 */
	if (!(value & SVR_ENABLE))
		lapic_take_accepted(l);
	lapic_put(l, LAPIC_SVR, value);
	if (value & SVR_ENABLE)
		return;
	/* SDM vol. 3, 11.4.7.2: masked, and not to be unmasked */
	for (reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg += 16)
		lapic_put(l, reg, lapic_get(l, reg) | LVT_MASKED);
	lapic_put(l, LAPIC_LVT_CMCI,
		  lapic_get(l, LAPIC_LVT_CMCI) | LVT_MASKED);
}

static void write_lvt(struct lapic *l, u32 reg, u32 value)
{
	if (!(lapic_get(l, LAPIC_SVR) & SVR_ENABLE))
		value |= LVT_MASKED;
	if (reg == LAPIC_LVT_TIMER)
		lapic_timer_write_lvt(l, value);
	else
		lapic_put(l, reg, value);
}

/* Where the high half of ICR is. */
static u32 icr_high(const struct lapic *l)
{
	return l->cfg->icr_wide && lapic_x2apic(l) ? LAPIC_ICR_WIDE :
						     LAPIC_ICR2;
}

/* @value has only bits that @reg stores. */
static void reg_write(struct lapic *l, u32 reg, u32 value)
{
	switch (reg) {
	case LAPIC_TPR:
		lapic_set_tpr(l, value);
		break;
	case LAPIC_EOI:
		lapic_eoi(l);
		break;
	case LAPIC_LDR:
	case LAPIC_ICR2:
		lapic_put(l, reg, value);
		break;
	case LAPIC_DFR:
		lapic_put(l, reg, value | 0x0fffffff);
		break;
	case LAPIC_SVR:
		write_svr(l, value);
		break;
	case LAPIC_ESR:
		lapic_put(l, reg, xchg(&l->errors, 0));
		break;
	case LAPIC_ICR:
		lapic_put(l, reg, value);
		lapic_send_icr(l, (u64)lapic_get(l, icr_high(l)) << 32 | value);
		break;
	case LAPIC_LVT_CMCI:
	case LAPIC_LVT_TIMER:
	case LAPIC_LVT_THERMAL:
	case LAPIC_LVT_PC:
	case LAPIC_LVT0:
	case LAPIC_LVT1:
	case LAPIC_LVT_ERROR:
		write_lvt(l, reg, value);
		break;
	case LAPIC_TMICT:
		lapic_timer_write_count(l, value);
		break;
	case LAPIC_TDCR:
		lapic_timer_write_divide(l, value);
		break;
	case LAPIC_SELF_IPI:
		lapic_send_self(l, value);
		break;
	default:		/* read-only */
		break;
	}
}

static bool mmio_open(const struct lapic *l)
{
	return lapic_enabled(l) && !lapic_x2apic(l);
}

bool lapic_mmio_answers(const struct lapic *l)
{
	return mmio_open(l) || !l->cfg->no_mmio_hole;
}

void lapic_mmio_read(struct lapic *l, u32 offset, unsigned int len, void *data)
{
	u32 reg = offset & ~15U, skip = offset & 15;
	u8 bytes[16] = { 0 };
	u32 value;

	if (!mmio_open(l)) {
		memset(data, 0xff, len);
		return;
	}
	if (reg >= sizeof(struct kvm_lapic_state) ||
	    !(reg_row(l, reg).access & XR)) {
		lapic_error(l, ESR_ILLEGAL_REG);
	} else {
		value = reg_read(l, reg);
		memcpy(bytes, &value, sizeof(value));
	}
	memset(data, 0, len);
	memcpy(data, bytes + skip, min_t(u32, len, sizeof(bytes) - skip));
}

void lapic_mmio_write(struct lapic *l, u32 offset, unsigned int len,
		      const void *data)
{
	struct reg_row row;
	u32 value;

	if (!mmio_open(l) || (offset & 15) || len < sizeof(value))
		return;
	row.access = 0;
	if (offset < sizeof(struct kvm_lapic_state))
		row = reg_row(l, offset);
	if (!(row.access & XW)) {
		lapic_error(l, ESR_ILLEGAL_REG);
		return;
	}
	memcpy(&value, data, sizeof(value));
	reg_write(l, offset, value & row.bits);
}

static u32 msr_reg(u32 msr)
{
	return (msr - LAPIC_MSR_BASE) << 4;
}

enum msr_rc lapic_msr_read(struct lapic *l, u32 msr, u64 *value)
{
	u32 reg = msr_reg(msr);

	if (!lapic_x2apic(l) || reg >= sizeof(struct kvm_lapic_state) ||
	    !(reg_row(l, reg).access & MR))
		return MSR_BAD;
	*value = reg_read(l, reg);
	if (reg == LAPIC_ICR)
		*value |= (u64)lapic_get(l, icr_high(l)) << 32;
	return MSR_OK;
}

enum msr_rc lapic_msr_write(struct lapic *l, u32 msr, u64 value)
{
	u32 reg = msr_reg(msr);
	struct reg_row row;

	if (!lapic_x2apic(l) || reg >= sizeof(struct kvm_lapic_state))
		return MSR_BAD;
	row = reg_row(l, reg);
	if (!(row.access & MW))
		return MSR_BAD;
	if (reg == LAPIC_ICR) {
		if (value & ICR_X2APIC_RESERVED)
			return MSR_BAD;
		lapic_put(l, icr_high(l), value >> 32);
	} else if (value & ~(u64)(row.bits | row.fixed)) {
		return MSR_BAD;
	}
	reg_write(l, reg, value & row.bits);
	return MSR_OK;
}

bool lapic_msr_plain(u32 msr)
{
	u32 reg = msr_reg(msr);

	if (reg >= sizeof(struct kvm_lapic_state))
		return false;
	switch (reg) {
	case LAPIC_ICR:		/* 64 bits, of two places */
	case LAPIC_TMCCT:	/* counts */
	case LAPIC_LVT_CMCI:	/* not every guest has it */
		return false;
	default:
		return reg_rows[reg >> 4].access & MR;
	}
}

void lapic_hw_wrote(struct lapic *l, u32 offset)
{
	u32 reg = offset & ~15U;
	struct reg_row row;

	if (reg >= sizeof(struct kvm_lapic_state))
		return;
	row = reg_row(l, reg);
	if (reg == LAPIC_ID)
		lapic_put(l, reg, lapic_x2apic(l) ? l->id : l->id << 24);
	else if (row.access & (XW | MW))
		reg_write(l, reg, lapic_get(l, reg) & row.bits);
	else
		lapic_put(l, reg, 0);
}

static u32 *state_reg(struct kvm_lapic_state *s, u32 reg)
{
	return (u32 *)&s->regs[reg];
}

static u32 state_get(const struct kvm_lapic_state *s, u32 reg)
{
	u32 value;

	memcpy(&value, &s->regs[reg], sizeof(value));
	return value;
}

static u32 state_id(const struct lapic *l)
{
	return lapic_x2apic(l) && l->cfg->ids_32bit ? l->id : l->id << 24;
}

void lapic_get_state(struct lapic *l, struct kvm_lapic_state *s)
{
	lapic_timer_catch_up(l);
	/* Takes in what is in the inbox. */
	lapic_highest_irr(l);
	memcpy(s, l->regs, sizeof(*s));
	*state_reg(s, LAPIC_ID) = state_id(l);
	*state_reg(s, LAPIC_VERSION) = lapic_version(l);
	*state_reg(s, LAPIC_TMCCT) = lapic_timer_count(l);
	*state_reg(s, LAPIC_ICR_WIDE) = 0;
	*state_reg(s, LAPIC_ICR2) = lapic_get(l, icr_high(l));
}

bool lapic_check_state(const struct lapic *l, const struct kvm_lapic_state *s)
{
	return !lapic_x2apic(l) || !l->cfg->ids_32bit ||
	       state_get(s, LAPIC_ID) == l->id;
}

void lapic_set_state(struct lapic *l, const struct kvm_lapic_state *s)
{
	u32 reg, value;

	/* The state given is all there is: empty the inbox. */
	lapic_highest_irr(l);
	for (reg = 0; reg < sizeof(*s); reg += 16) {
		struct reg_row row = reg_row(l, reg);

		if (!(row.access & SV))
			continue;
		value = state_get(s, reg);
		switch (reg) {
		case LAPIC_DFR:
			value |= 0x0fffffff;
			break;
		case LAPIC_ESR:
			value &= 0xff;
			break;
		case LAPIC_ICR2:
			if (!lapic_x2apic(l))
				value &= row.bits;
			break;
		case LAPIC_ISR:
			/* Nothing is in service that cannot be delivered. */
			value &= ~0xffffU;
			break;
		default:
			value &= row.bits;
			break;
		}
		lapic_put(l, reg, value);
	}
	lapic_put(l, icr_high(l), lapic_get(l, LAPIC_ICR2));
	if (lapic_x2apic(l))
		lapic_put(l, LAPIC_LDR, lapic_x2apic_ldr(l->id));
	WRITE_ONCE(l->errors, 0);
	lapic_resync(l);
	if (l->posted)
		l->cfg->ops->eoi_map(l);
	lapic_timer_restore(l, state_get(s, LAPIC_TMCCT));
}
