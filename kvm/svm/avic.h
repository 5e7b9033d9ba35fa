/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AVIC: the tables by which hardware delivers interrupts to a guest, what its
 * two exits mean, and when it may be used. APM vol. 2, 15.29.
 *
 * Pure, and not in use: no call leads here from the run path, as nothing that
 * emulates AVIC exists to run it on. Unit tests hold it to the manual.
 *
 * The backing page is the local APIC's register page itself. An entry of the
 * physical table is written by its vCPU's thread ("owner") only, and read by
 * hardware and whoever delivers; the logical table has a lock of its VM.
 */
#ifndef SVM_AVIC_H
#define SVM_AVIC_H

#include "base/host.h"
#include "svm/vmcb.h"

/* Guest APIC ids: FFh is broadcast in xAPIC mode; one page of entries. */
#define AVIC_MAX_ID 254
#define X2AVIC_MAX_ID 511
#define AVIC_MSR_DOORBELL 0xc001011b	/* write: a host APIC id */

/* Physical APIC ID table, an entry for each guest APIC id: 15.29.4 */
#define AVIC_PHYS_HOST GENMASK_ULL(11, 0)
#define AVIC_PHYS_PAGE GENMASK_ULL(51, 12)
#define AVIC_PHYS_RUNNING BIT_ULL(62)
#define AVIC_PHYS_VALID BIT_ULL(63)

/* Logical APIC ID table, xAPIC mode: by the bit of the logical id in flat
 * mode, by 4 x cluster + bit in cluster mode, where cluster 15 is no one's.
 */
#define AVIC_LOG_ID GENMASK(7, 0)
#define AVIC_LOG_VALID BIT(31)
#define AVIC_LOG_FLAT 8
#define AVIC_LOG_COUNT 60

static_assert((X2AVIC_MAX_ID + 1) * sizeof(u64) == PAGE_SIZE);
static_assert(!(AVIC_PHYS_HOST & AVIC_PHYS_PAGE));
static_assert(AVIC_MAX_ID <= AVIC_LOG_ID);

/* IA32_APIC_BASE: 16.3.1 */
#define AVIC_BASE_EXTD BIT_ULL(10)
#define AVIC_BASE_EN BIT_ULL(11)
#define AVIC_BASE_ADDR GENMASK_ULL(51, 12)
#define AVIC_BASE_DEFAULT 0xfee00000ULL

/* ---- mode: avic_mode.c ------------------------------------------------- */

enum avic_mode {
	AVIC_OFF = 0,
	AVIC_XAPIC = 1,
	AVIC_X2APIC = 2,
};

/*
 * What AVIC cannot do: X(name, modes, why). Modes: 1 xAPIC, 2 x2APIC, 3 both.
 * All but the last three are the VM's. The end of an edge interrupt does not
 * exit; V_IRQ is ignored, so nobody says when an 8259's vector fits.
 */
#define AVIC_INHIBITS(X)						\
	X(NO_LAPIC, 3, "no local APIC in the kernel")			\
	X(PIT_REINJECT, 3, "the PIT counts its interrupts")		\
	X(EOI_WATCH, 3, "the end of an edge interrupt is awaited")	\
	X(AUTO_EOI, 3, "Hyper-V synthetic interrupts")			\
	X(ID_LIMIT, 3, "an APIC id the tables have no room for")	\
	X(MIXED, 3, "APICs in different modes")				\
	X(ID_MODIFIED, 1, "an APIC id was changed")			\
	X(BASE_MOVED, 1, "an APIC was moved")				\
	X(LOGICAL, 1, "logical ids the table cannot say")		\
	X(IRQ_WINDOW, 3, "an interrupt of the 8259 waits")		\
	X(NESTED, 3, "a nested guest runs")				\
	X(BLOCK_IRQ, 3, "a debugger holds interrupts off")

enum avic_inhibit {
#define X(name, modes, why) AVIC_NO_##name,
	AVIC_INHIBITS(X)
#undef X
	AVIC_INHIBIT_COUNT,
};
static_assert(AVIC_INHIBIT_COUNT <= 32);

struct avic_features {
	bool avic, x2avic;
	u32 host_max;		/* largest host APIC id an entry can hold */
};

/** avic_features() - CPUID 8000_000A EDX and the module's two settings */
struct avic_features avic_features(u32 svm_edx, bool avic, bool x2avic);

/** avic_mode() - for one vCPU; @inhibits: BIT(AVIC_NO_*), its and its VM's */
enum avic_mode avic_mode(const struct avic_features *f, u64 apic_base,
			 u32 inhibits);

/** avic_inhibit_name() - why, for a trace; NULL past the last */
const char *avic_inhibit_name(unsigned int inhibit);

/* Physical addresses, with the memory encryption bit where there is one. */
struct avic_pages {
	u64 backing, logical, physical;
	u32 max_id;		/* largest guest APIC id of the VM */
};

/** avic_vmcb() - write @mode to the VMCB; returns the CLEAN_* bits to drop */
u32 avic_vmcb(struct vmcb_control *control, enum avic_mode mode,
	      const struct avic_pages *pages);

#define AVIC_DO_VMCB BIT(0)	/* avic_vmcb() */
#define AVIC_DO_MSRPM BIT(1)	/* avic_msrpm() */
#define AVIC_DO_PAGE BIT(2)	/* map or unmap the APIC's page */
#define AVIC_DO_RESYNC BIT(3)	/* hardware changed IRR, ISR and TPR */

/**
 * avic_switch() - AVIC_DO_*: what a change of a vCPU's mode entails
 *
 * Second-level tables are the VM's: the APIC's page is mapped while all vCPUs
 * are in AVIC_XAPIC; else accesses fault and are emulated, as without AVIC.
 */
u32 avic_switch(enum avic_mode from, enum avic_mode to);

/* ---- tables: avic_tables.c --------------------------------------------- */

/* What one vCPU's APIC registers say. */
struct avic_member {
	u32 id;			/* vCPU id: x2APIC id, index of its entry */
	u64 apic_base;
	u8 xapic_id;		/* APIC ID register, bits 31:24 */
	u8 ldr;			/* LDR, bits 31:24 */
	u8 dfr;			/* DFR, bits 31:28 */
	bool sw_enabled;	/* SVR, bit 8 */
};

struct avic_survey {
	u32 inhibits;
	u32 logical[AVIC_LOG_COUNT];
};

/** avic_reachable() - takes fixed interrupts: then its entry is valid */
bool avic_reachable(const struct avic_member *m);

/**
 * avic_survey() - the logical table of @n vCPUs, and what inhibits AVIC
 *
 * Hardware looks logical ids up by the sender's DFR, so all have to agree on
 * it, and one id has one bit. Again whenever an APIC's id, base, LDR, DFR or
 * SVR changes.
 */
void avic_survey(struct avic_survey *s, const struct avic_member *m,
		 unsigned int n);

/** avic_logical_write() - into the table, word by word: readers run on */
void avic_logical_write(u32 *table, const struct avic_survey *s);

struct avic_vcpu {
	u64 *entry;		/* of the physical table */
	const void *page;	/* the register page */
	bool on;		/* its mode is not AVIC_OFF */
	bool blocked;		/* between avic_block() and avic_unblock() */
};

/** avic_enable() - owner: the entry is valid, with @page_pa, or void; valid
 * if reachable, AVIC on or not: a broadcast passes over void entries
 */
void avic_enable(struct avic_vcpu *v, u64 page_pa, bool on);

/**
 * avic_load() - owner, preemption off: it now runs on host APIC @host
 * avic_put() - owner: and no longer
 *
 * Load again when v->on has changed; look at the IRR after it was turned off.
 * Off, blocked, or on a host id above the limit, it is never "running": then
 * it is kicked, as without AVIC.
 */
void avic_load(struct avic_vcpu *v, const struct avic_features *f, u32 host);
void avic_put(struct avic_vcpu *v);

/**
 * avic_block() - owner: before the thread sleeps in HLT
 * avic_unblock() - owner, preemption off: it goes on, on @host
 *
 * False: an interrupt is there, do not sleep. From block to unblock, loads and
 * puts of the thread included, whoever sets an IRR bit kicks.
 */
bool avic_block(struct avic_vcpu *v);
void avic_unblock(struct avic_vcpu *v, const struct avic_features *f,
		  u32 host);

/** avic_pending() - is an interrupt in IRR above TPR and ISR */
bool avic_pending(const void *page);

/**
 * avic_doorbell() - any thread, right after it set an IRR bit
 *
 * True: write *@host to AVIC_MSR_DOORBELL; should the vCPU have gone by then,
 * its next entry looks at the IRR. False: kick it.
 */
bool avic_doorbell(const u64 *entry, u32 *host);

/* ---- exits: avic_exit.c ------------------------------------------------ */

enum avic_access {
	AVIC_DONE,		/* by hardware */
	AVIC_TRAP,		/* exits after it; EOI and ICR: at times */
	AVIC_FAULT,		/* exits instead */
};

enum avic_act {
	AVIC_EMULATE,		/* not executed: emulate the access */
	AVIC_WRITTEN,		/* do what a write of the register does */
	AVIC_SURVEY,		/* the same, and avic_survey() anew */
	AVIC_EOI,		/* of a level vector: tell the I/O APICs */
	AVIC_UNDO,		/* not a register here: 0 again in the page */
};

struct avic_reg {
	u16 first, last;	/* offsets */
	u8 read, write;		/* enum avic_access */
	u8 act;			/* enum avic_act of a trap */
	u8 x2;			/* MSRPM_*: not intercepted in x2AVIC mode */
};

extern const struct avic_reg avic_regs[];
extern const unsigned int avic_reg_count;

struct avic_noaccel {
	u16 offset;
	bool write;
	bool trap;		/* RIP is at the next instruction */
	u8 act;			/* enum avic_act */
	u8 vector;		/* of AVIC_EOI */
};

/** avic_noaccel() - decode VMEXIT_AVIC_NOACCEL; 15.29.9.2 */
struct avic_noaccel avic_noaccel(u64 info1, u64 info2);

enum avic_ipi_act {
	AVIC_IPI_SEND,		/* by software, as if written just now */
	AVIC_IPI_KICK,		/* IRR bits are set: kick who does not run */
	AVIC_IPI_BROKEN,	/* our table is wrong: an internal error */
};

struct avic_ipi {
	u64 icr;		/* both halves, as written */
	u32 cause;
	u16 index;		/* of the entry at fault; unchecked */
	u8 act;			/* enum avic_ipi_act */
};

/** avic_ipi() - decode VMEXIT_AVIC_INCOMPLETE_IPI, a trap; 15.29.9.1 */
struct avic_ipi avic_ipi(u64 info1, u64 info2);

/**
 * avic_msrpm() - the x2APIC MSRs in the permission map, as @mode wants
 *
 * Open in x2AVIC mode: what hardware does alone. A write that would trap is
 * intercepted, so that the check for #GP comes before it.
 */
void avic_msrpm(unsigned long *map, enum avic_mode mode);

#endif
