/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC of one vCPU: SDM vol. 3, chapter 11 (and APM vol. 2, 16).
 *
 * The register file is one page supplied by the owner, laid out as the manual
 * does (one 32-bit register every 16 bytes); its first 1024 bytes are also
 * the format of KVM_GET_LAPIC. What the page does not hold (the base MSR,
 * cached priorities, the timer) is in struct lapic.
 *
 * Two kinds of callers:
 *   owner  the vCPU's thread, or whoever holds vcpu->mutex; not in guest mode
 *   any    every context, interrupts off and hardirq included, no lock held
 * Interrupts come in from any thread by atomic operations on the page (IRR,
 * TMR) and on the fields marked [a]. Where hardware can work on the page while
 * the guest runs, the IRR is the owner's and the hardware's, and senders go
 * through the inbox, `posted`. All else belongs to the owner; the few
 * registers that senders look at for matching are single words which they
 * read once, so that a match against a guest that is reprogramming its APIC
 * sees the old or the new value, as on a bus.
 *
 * Fields: [I] fixed after lapic_init, [v] owner, [v/r] written by the owner,
 * read by any thread, [a] atomic, any thread.
 */
#ifndef DEV_LAPIC_H
#define DEV_LAPIC_H

#include "base/host.h"
#include "base/rc.h"
#include "dev/env.h"
#include "dev/posted.h"

struct lapic;

/* Offsets in the register page: SDM vol. 3, table 11-1. The x2APIC MSR of a
 * register is LAPIC_MSR_BASE + (offset >> 4): table 11-6.
 */
enum lapic_reg {
	LAPIC_ID = 0x020,
	LAPIC_VERSION = 0x030,
	LAPIC_TPR = 0x080,
	LAPIC_APR = 0x090,
	LAPIC_PPR = 0x0a0,
	LAPIC_EOI = 0x0b0,
	LAPIC_RRD = 0x0c0,
	LAPIC_LDR = 0x0d0,
	LAPIC_DFR = 0x0e0,
	LAPIC_SVR = 0x0f0,
	LAPIC_ISR = 0x100,	/* eight registers each */
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_LVT_CMCI = 0x2f0,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_WIDE = 0x304,		/* its high half: icr_wide */
	LAPIC_ICR2 = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_THERMAL = 0x330,
	LAPIC_LVT_PC = 0x340,
	LAPIC_LVT0 = 0x350,
	LAPIC_LVT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_TMICT = 0x380,
	LAPIC_TMCCT = 0x390,
	LAPIC_TDCR = 0x3e0,
	LAPIC_SELF_IPI = 0x3f0,
};

#define LAPIC_MSR_BASE 0x800
#define LAPIC_MSR_LAST 0x8ff
#define LAPIC_MMIO_SIZE 0x1000
#define LAPIC_DEFAULT_BASE 0xfee00000ULL

/* IA32_APIC_BASE, MSR 0x1b: SDM vol. 3, figure 11-26 */
#define APIC_BASE_BSP BIT_ULL(8)
#define APIC_BASE_EXTD BIT_ULL(10)
#define APIC_BASE_EN BIT_ULL(11)

/* LVT entries: SDM vol. 3, figure 11-8 */
#define LVT_VECTOR 0xffU
#define LVT_DELIVERY 0x700U	/* enum apic_delivery << 8 */
#define LVT_REMOTE_IRR BIT(14)
#define LVT_MASKED BIT(16)
#define LVT_TIMER_MODE 0x60000U

#define SVR_ENABLE BIT(8)
#define SVR_NO_EOI_BROADCAST BIT(12)

/* ESR: SDM vol. 3, figure 11-9 */
#define ESR_SEND_ILLEGAL 5
#define ESR_RECV_ILLEGAL 6
#define ESR_ILLEGAL_REG 7

/* ICR destination shorthands: SDM vol. 3, figure 11-12 */
enum apic_shorthand {
	APIC_SH_NONE = 0,
	APIC_SH_SELF = 1,
	APIC_SH_ALL = 2,
	APIC_SH_OTHERS = 3,
};

/* What became of a message. Larger is better: an owner delivering to several
 * may keep the maximum.
 */
enum lapic_rc {
	LAPIC_IGNORED,		/* disabled, masked or nothing to latch */
	LAPIC_COALESCED,	/* that vector was requested already */
	LAPIC_DELIVERED,
};

struct lapic_ops {
	/* Any: make the vCPU look at its LAPIC again before it runs guest
	 * code or sleeps. What to look at was stored before the call; a full
	 * barrier has to stand before the look at what the vCPU is doing.
	 */
	void (*kick)(struct lapic *l);
	/* Any: the same, for an interrupt that waits in the inbox: hardware
	 * that delivers by itself need only be told.
	 */
	void (*post)(struct lapic *l);
	/* Any: with an inbox: hardware that ends interrupts itself has to
	 * call lapic_eoi_map() before the vCPU runs guest code.
	 */
	void (*eoi_map)(struct lapic *l);
	/* Any: count one NMI in the owner's inbox, and kick. */
	void (*nmi)(struct lapic *l);
	/* Owner: take the message to every LAPIC that lapic_match()es it. */
	void (*send_ipi)(struct lapic *l, const struct apic_msg *msg);
	/* Owner: the guest ended @vector. Called when it was level-triggered
	 * (the IOAPICs see that) or is in eoi_watch.
	 */
	void (*eoi)(struct lapic *l, u8 vector, bool level);
	/* Owner: the guest's time-stamp counter now. */
	u64 (*read_tsc)(struct lapic *l);
	/* Owner: instead of the host timer, see to it that the guest does not
	 * run much beyond @tsc, and that lapic_timer_sync() is called then.
	 * Replaces what was armed before; timer_arm() and timer_cancel()
	 * replace it. False: not possible, timer_arm() follows. May be NULL.
	 */
	bool (*deadline)(struct lapic *l, u64 tsc);
};

/* What all LAPICs of a VM share. The owner may change the values that are
 * not [I] while no vCPU runs.
 */
struct lapic_config {
	const struct lapic_ops *ops;		/* [I] */
	const struct dev_env_ops *env_ops;	/* [I] the timer of env */
	u64 base_reserved;	/* bits of the base MSR above MAXPHYADDR */
	u32 bsp_id;		/* id of the bootstrap processor */
	u32 bus_cycle_ns;	/* timer input clock; 1 to LAPIC_MAX_CYCLE_NS */
	u32 min_period_ns;	/* shorter periodic timers are slowed down */
	bool ids_32bit;		/* KVM_X2APIC_API_USE_32BIT_IDS */
	bool no_ff_broadcast;	/* KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK */
	bool no_mmio_hole;	/* KVM_X86_QUIRK_LAPIC_MMIO_HOLE disabled */
	bool no_lint0_extint;	/* KVM_X86_QUIRK_LINT0_REENABLED disabled */
	bool icr_wide;		/* x2APIC's ICR is 64 bits at 300H */
	bool directed_eoi;	/* the IOAPIC has an EOI register */
	unsigned long eoi_watch[4]; /* [a] edge vectors whose EOI is of use */
};

#define LAPIC_CYCLE_NS 1U		/* a default for bus_cycle_ns */
#define LAPIC_MAX_CYCLE_NS (1U << 20)
#define LAPIC_MIN_PERIOD_NS 200000U	/* a default for min_period_ns */

struct lapic_timer {
	bool armed;		/* [v] counting down, or a deadline is set */
	bool hint;		/* [a] the host timer fired: look at the time */
	u8 mode;		/* [v] the LVT's, as of the last write handled */
	u64 unit;		/* [v] ns per count, of the count under way */
	u64 expires;		/* [v] now() when the count reaches 0 */
	u64 period;		/* [v] ns of one whole count */
	u64 tsc_deadline;	/* [v] IA32_TSC_DEADLINE; 0 is disarmed */
};

/* Bits of lapic.events */
#define LAPIC_EV_INIT 0
#define LAPIC_EV_SIPI 1

struct lapic {
	void *regs;		/* [I] the page; contents as said above */
	struct posted *posted;	/* [I] the inbox; NULL: none is needed */
	const struct lapic_config *cfg;	/* [I] */
	u32 id;			/* [I] x2APIC id = vCPU id */
	u64 base;		/* [v/r] IA32_APIC_BASE */

	unsigned long irr_words; /* [a] registers of the IRR with bits set */
	s16 isr_highest;	/* [v] -1 for none */
	unsigned long events;	/* [a] LAPIC_EV_* */
	u8 sipi_vector;		/* [a] of LAPIC_EV_SIPI */
	u32 lowest_taken;	/* [a] arbitration: messages won, may be lost */
	unsigned long errors;	/* [a] ESR_* bits since the last ESR write */

	bool has_x2apic;	/* [v] CPUID.1:ECX[21], set by the owner */
	bool has_tsc_deadline;	/* [v] CPUID.1:ECX[24] */
	bool has_cmci;		/* [v] IA32_MCG_CAP[10] */
	u32 tsc_khz;		/* [v] of read_tsc() */
	struct lapic_timer timer;
	struct dev_env env;	/* [I] container_of() leads back to us */
};

/* ---- lapic.c: life, delivery, priorities; lapic_reg.c: registers ---- */

/**
 * lapic_init() - set up and power-on reset
 * @cfg: shared, must outlive the LAPIC
 * @regs: a zeroed page, which the caller frees after the LAPIC's last use
 * @id: x2APIC id; the xAPIC id is its low byte
 *
 * It is the bootstrap processor's if @id is the configuration's, until the
 * base MSR says otherwise.
 */
void lapic_init(struct lapic *l, const struct lapic_config *cfg, void *regs,
		u32 id);

/**
 * lapic_reset() - owner: power-on or INIT reset; SDM vol. 3, 11.4.7.1, 11.4.7.3
 * @init: INIT: the base MSR, thus the mode, and the ids are kept
 *
 * Cancels the timer. Pending INIT and SIPI are the owner's and stay.
 */
void lapic_reset(struct lapic *l, bool init);

/** lapic_enabled() - any: is the APIC globally enabled (IA32_APIC_BASE[11]) */
static inline bool lapic_enabled(const struct lapic *l)
{
	return READ_ONCE(l->base) & APIC_BASE_EN;
}

/** lapic_x2apic() - any: enabled and in x2APIC mode */
static inline bool lapic_x2apic(const struct lapic *l)
{
	u64 both = APIC_BASE_EN | APIC_BASE_EXTD;

	return (READ_ONCE(l->base) & both) == both;
}

/** lapic_get() - any: a register as it stands in the page, no side effect */
static inline u32 lapic_get(const struct lapic *l, u32 reg)
{
	return READ_ONCE(*(const u32 *)((const char *)l->regs + reg));
}

/** lapic_sw_enabled() - any: enabled globally and by SVR[8] */
static inline bool lapic_sw_enabled(const struct lapic *l)
{
	return lapic_enabled(l) && (lapic_get(l, LAPIC_SVR) & SVR_ENABLE);
}

/**
 * lapic_set_base() - owner: write IA32_APIC_BASE
 * @host: by the VMM: every transition to a legal state is legal
 *
 * MSR_BAD: reserved bits, x2APIC without enable or without CPUID, or a
 * transition that SDM vol. 3, 11.12.5 forbids; nothing changed. The value is
 * l->base. The caller lets CPUID.1:EDX[9] follow APIC_BASE_EN.
 */
enum msr_rc lapic_set_base(struct lapic *l, u64 value, bool host);

/* lapic_mmio_claims(), for an access that does hit the page */
bool lapic_mmio_answers(const struct lapic *l);

/** lapic_mmio_claims() - owner: does an access to guest physical @gpa hit the
 * APIC's page. In x2APIC mode and when disabled it reads as ones and ignores
 * writes, or is not claimed with no_mmio_hole.
 */
static inline bool lapic_mmio_claims(const struct lapic *l, u64 gpa)
{
	u64 page = l->base & ~(u64)(LAPIC_MMIO_SIZE - 1);

	return unlikely(gpa - page < LAPIC_MMIO_SIZE) && lapic_mmio_answers(l);
}

/** lapic_mmio_read() - owner: read @len bytes (1 to 8) at @offset of 4096 */
void lapic_mmio_read(struct lapic *l, u32 offset, unsigned int len,
		     void *data);

/** lapic_mmio_write() - owner: write; only aligned ones of >= 4 bytes act */
void lapic_mmio_write(struct lapic *l, u32 offset, unsigned int len,
		      const void *data);

/** lapic_msr_read() - owner: RDMSR of 0x800 to 0x8ff; SDM vol. 3, 11.12.1 */
enum msr_rc lapic_msr_read(struct lapic *l, u32 msr, u64 *value);

/** lapic_msr_write() - owner: WRMSR of 0x800 to 0x8ff */
enum msr_rc lapic_msr_write(struct lapic *l, u32 msr, u64 value);

/**
 * lapic_request() - any: request @vector (16 to 255), and kick or post
 * @level: trigger mode, kept in the TMR
 *
 * Lock-free. Coalesced if it was requested already.
 */
enum lapic_rc lapic_request(struct lapic *l, u8 vector, bool level);

/** lapic_request_self() - owner: the same for an edge from within, no kick */
void lapic_request_self(struct lapic *l, u8 vector);

/** lapic_deliver() - any: take a message meant for this LAPIC, and kick */
enum lapic_rc lapic_deliver(struct lapic *l, const struct apic_msg *msg);

/** lapic_accepts_extint() - any: does the 8259's output reach the processor:
 * LINT0 is unmasked and ExtINT, or the APIC is disabled and the pin is INTR
 */
bool lapic_accepts_extint(const struct lapic *l);

/* Is there, or may there be, a bit in the IRR or the inbox? */
static inline bool lapic_maybe_requested(const struct lapic *l)
{
	return READ_ONCE(l->irr_words) ||
	       (l->posted && posted_pending(l->posted));
}

/* lapic_highest_irr(), where the hints say that it is worth a look */
int lapic_scan_irr(struct lapic *l);

/** lapic_highest_irr() - owner: highest requested vector of any priority, -1 */
static inline int lapic_highest_irr(struct lapic *l)
{
	return lapic_maybe_requested(l) ? lapic_scan_irr(l) : -1;
}

/* lapic_pending_irq(), likewise */
int lapic_next_irq(struct lapic *l);

/**
 * lapic_pending_irq() - owner: the vector to inject now, or -1
 *
 * The highest requested vector if its class is above the processor priority.
 * Takes in an expired timer first. Whether the guest is interruptible is the
 * caller's question.
 */
static inline int lapic_pending_irq(struct lapic *l)
{
	if (likely(!READ_ONCE(l->timer.hint)) && !lapic_maybe_requested(l))
		return -1;
	return lapic_next_irq(l);
}

/** lapic_ack() - owner: @vector, from lapic_pending_irq(), goes into service */
void lapic_ack(struct lapic *l, u8 vector);

/** lapic_eoi() - owner: end of interrupt of the highest vector in service */
void lapic_eoi(struct lapic *l);

/** lapic_set_tpr() - owner: write the task priority (0 to 255) */
void lapic_set_tpr(struct lapic *l, u8 tpr);

/** lapic_get_cr8() - owner: TPR[7:4] */
static inline u8 lapic_get_cr8(const struct lapic *l)
{
	return lapic_get(l, LAPIC_TPR) >> 4;
}

/** lapic_set_cr8() - owner: MOV to CR8; 0 to 15, checked by the caller */
static inline void lapic_set_cr8(struct lapic *l, u8 cr8)
{
	lapic_set_tpr(l, (cr8 & 15) << 4);
}

/* ---- hardware that works on the page while the guest runs ---- */

/**
 * lapic_hw_ran() - owner: the guest ran with hardware that delivers and ends
 * interrupts; @in_service is the highest vector it has in service, -1: none
 */
void lapic_hw_ran(struct lapic *l, int in_service);

/**
 * lapic_hw_wrote() - owner: the guest's write to the register at @offset of
 * the page is done; do what follows from it. SDM vol. 3, 30.4.3.3
 */
void lapic_hw_wrote(struct lapic *l, u32 offset);

/**
 * lapic_hw_ended() - owner: hardware ended @vector, and somebody wants to know
 */
void lapic_hw_ended(struct lapic *l, u8 vector);

/**
 * lapic_eoi_map() - owner: a bit for each vector whose end somebody wants to
 * know: level-triggered ones and eoi_watch
 * @map: what it was, updated
 *
 * Ends that came unnoticed because a vector was not in the map are reported.
 */
void lapic_eoi_map(struct lapic *l, u64 map[4]);

/** lapic_msr_plain() - is RDMSR of @msr a read of 32 bits of the page */
bool lapic_msr_plain(u32 msr);

/** lapic_take_init() - owner: an INIT came in; forgets it */
static inline bool lapic_take_init(struct lapic *l)
{
	return READ_ONCE(l->events) && test_and_clear_bit(LAPIC_EV_INIT,
							  &l->events);
}

/** lapic_take_sipi() - owner: a STARTUP came in (after any INIT); its vector */
static inline bool lapic_take_sipi(struct lapic *l, u8 *vector)
{
	if (!READ_ONCE(l->events) ||
	    !test_and_clear_bit(LAPIC_EV_SIPI, &l->events))
		return false;
	*vector = READ_ONCE(l->sipi_vector);
	return true;
}

/** lapic_events() - any: BIT(LAPIC_EV_*) waiting to be taken */
static inline unsigned long lapic_events(const struct lapic *l)
{
	return READ_ONCE(l->events);
}

/** lapic_get_state() - owner: KVM_GET_LAPIC */
void lapic_get_state(struct lapic *l, struct kvm_lapic_state *s);

/** lapic_check_state() - owner: may @s be set
 *
 * The id is read-only and not looked at, but with 32-bit ids in x2APIC mode
 * (KVM API, KVM_CAP_X2APIC_API): there a VMM that mixes up the formats would
 * put the id into other bits, so it must be right.
 */
bool lapic_check_state(const struct lapic *l, const struct kvm_lapic_state *s);

/** lapic_set_state() - owner: KVM_SET_LAPIC of checked @s. Bits that do not
 * exist are dropped; the timer restarts from the counts.
 */
void lapic_set_state(struct lapic *l, const struct kvm_lapic_state *s);

/** lapic_resync() - owner: recompute what is cached after somebody else (the
 * hardware) changed IRR, ISR or TPR in the page
 */
void lapic_resync(struct lapic *l);

/* ---- lapic_timer.c ---- */

/**
 * lapic_timer_fired() - any, hardirq: what the owner calls when the timer that
 * env->ops->timer_arm() armed fires
 *
 * Touches only timer.hint, and kicks. Everything else, the interrupt and the
 * next period included, is done by the owner in lapic_timer_sync(), which
 * goes by the clock: calls too many do no harm, and a guest that does not run
 * costs no timer interrupts.
 */
void lapic_timer_fired(struct lapic *l);

/** lapic_timer_sync() - owner: after timer.hint: expire the timer if it is due.
 * lapic_pending_irq() calls it.
 */
void lapic_timer_sync(struct lapic *l);

/** lapic_timer_restart() - owner: arm the timer again for a deadline after the
 * relation of guest TSC and time changed (l->tsc_khz, offset), or what
 * ops->deadline() answers. Raises the interrupt if it is due.
 */
void lapic_timer_restart(struct lapic *l);

/** lapic_get_tsc_deadline() - owner: RDMSR IA32_TSC_DEADLINE (0x6e0) */
u64 lapic_get_tsc_deadline(struct lapic *l);

/** lapic_set_tsc_deadline() - owner: WRMSR IA32_TSC_DEADLINE; ignored in other
 * timer modes. A deadline in the past is due at once.
 */
void lapic_set_tsc_deadline(struct lapic *l, u64 deadline);

/* For dev/lapic*.c only; owner.
 * stop: disarm and forget the count or deadline.
 * write_*: the register writes, which these store.
 * catch_up: lapic_timer_sync(), if a count has reached 0, whether or not the
 * host timer has fired.
 * restore: after the page was replaced: go on from @tmcct. Where that is 0, a
 * one-shot is due now, as it may not have raised its interrupt yet, and a
 * period begins. A TSC deadline of before stays armed.
 */
void lapic_timer_stop(struct lapic *l);
void lapic_timer_write_count(struct lapic *l, u32 value);
void lapic_timer_write_lvt(struct lapic *l, u32 value);
void lapic_timer_write_divide(struct lapic *l, u32 value);
u32 lapic_timer_count(struct lapic *l);
void lapic_timer_catch_up(struct lapic *l);
void lapic_timer_restore(struct lapic *l, u32 tmcct);

/* ---- lapic_ipi.c ---- */

/**
 * lapic_match() - any: is @l among the destinations of @msg
 * @src: the LAPIC that sent it by its ICR; NULL for the IOAPIC and MSIs
 *
 * SDM vol. 3, 11.6.2 and 11.12.10. A disabled APIC matches nothing. For lowest
 * priority these are the candidates.
 */
bool lapic_match(const struct lapic *l, const struct lapic *src,
		 const struct apic_msg *msg);

/** lapic_msg_unicast() - any: only the LAPIC with id @msg->dest can match */
bool lapic_msg_unicast(const struct lapic *src, const struct apic_msg *msg);

/** lapic_msg_lowest() - is one of the matching LAPICs to be chosen */
static inline bool lapic_msg_lowest(const struct apic_msg *msg)
{
	return msg->delivery == DELIVER_LOWEST || msg->redir_hint;
}

/**
 * lapic_arbitrate() - any: the better of two candidates for lowest priority
 * @best: the best so far, or NULL
 *
 * Lower processor priority first, then who won least often. Call
 * lapic_arbitrated() on the final winner.
 */
struct lapic *lapic_arbitrate(struct lapic *best, struct lapic *l);

/** lapic_arbitrated() - any: note that @l won */
static inline void lapic_arbitrated(struct lapic *l)
{
	WRITE_ONCE(l->lowest_taken, READ_ONCE(l->lowest_taken) + 1);
}

/** lapic_x2apic_ldr() - logical id in x2APIC mode: SDM vol. 3, 11.12.10.2 */
static inline u32 lapic_x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | 1U << (id & 15);
}

/* For dev/lapic*.c only: request what is in the inbox, whatever SVR is; owner. */
void lapic_take_accepted(struct lapic *l);

/* For dev/lapic*.c only: the version register's value. */
u32 lapic_version(const struct lapic *l);

/* For dev/lapic*.c only: act on a written ICR or SELF_IPI; owner. */
void lapic_send_icr(struct lapic *l, u64 icr);
void lapic_send_self(struct lapic *l, u8 vector);

/* For dev/lapic*.c only: note an ESR_* error and raise LVT_ERROR; any. */
void lapic_error(struct lapic *l, unsigned int bit);

/* For dev/lapic*.c only: store a register; owner, or [a] as the field says. */
static inline void lapic_put(struct lapic *l, u32 reg, u32 value)
{
	WRITE_ONCE(*(u32 *)((char *)l->regs + reg), value);
}

#endif
