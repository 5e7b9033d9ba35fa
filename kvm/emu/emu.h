/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder and emulator.
 *
 * It serves operands that lie outside memory (MMIO), port I/O, intercepts of
 * system instructions when the hardware does not decode them, and instruction
 * lengths. It knows the guest through struct regs and through the callbacks
 * of struct emu_ops, and nothing else: no vCPU, no lock, no allocation.
 *
 * Use: emu_init(); emu_decode(); then emu_exec() unless only the length or
 * the operands were wanted. A context holds one instruction at a time.
 *
 * All or nothing: emu_exec() works on a copy of the general registers, RIP
 * and RFLAGS, and stores them only with EMU_OK. Other state (segments,
 * control registers, ...) is changed as the last step of an instruction. The
 * exception is REP: finished iterations count. Where a repetition stops before
 * its end, emu_exec() returns EMU_OK with ctxt->again set: the registers tell
 * of the finished iterations and RIP is still that of the instruction.
 *
 * I/O that the VMM has to finish: a callback answers MEM_PENDING, emu_exec()
 * returns EMU_USER, nothing was committed but finished iterations. When the VMM
 * has delivered, the owner executes the same instruction again; its callbacks
 * replay the accesses that are done and answer MEM_OK to them. This works
 * because the accesses of one instruction, or of one iteration, are the same
 * each time and come in the same order, and memory that a write has changed
 * does not decide what comes before it; probes and instruction fetches need no
 * record. The record is dropped by emu_ops.iterated(), and whenever emu_exec()
 * returns anything but EMU_USER.
 *
 * Single-stepping (RFLAGS.TF) and breakpoints on the finished instruction are
 * the owner's business.
 */
#ifndef EMU_EMU_H
#define EMU_EMU_H

#include "base/host.h"
#include "base/rc.h"
#include "x86/regs.h"

struct emu_ctxt;
struct emu_row;

#define EMU_MAX_LEN 15		/* SDM vol. 2, 2.3.11 */
#define EMU_REP_MAX 1024	/* iterations of one emu_exec() */

/* Register groups that have to be available: to decode, and to execute. */
#define EMU_GROUPS_DECODE (RG_RIP | RG_SEG | RG_CR)
#define EMU_GROUPS (RG_GPR | EMU_GROUPS_DECODE)

/* How memory is accessed. */
#define EMU_ACC_WRITE BIT(0)	/* a read that a write to the same place follows:
				 * check for write permission
				 */
#define EMU_ACC_IMPLICIT BIT(1)	/* supervisor access whatever the CPL: tables */
#define EMU_ACC_PROBE BIT(2)	/* check only, transfer nothing; MEM_MMIO when
				 * there is no memory. buf is NULL
				 */

enum emu_sys {
	EMU_SYS_INVLPG,		/* arg: linear address, not checked */
	EMU_SYS_INVD,
	EMU_SYS_WBINVD,
	EMU_SYS_RDPMC,		/* arg: counter number in, value out */
	EMU_SYS_XSETBV,		/* arg: new XCR0; legality is the owner's */
};

/*
 * Compare and swap: *new replaces *old, @size bytes (at most 16), if memory
 * still holds that; in any case *old becomes what was found. On a device, and
 * where it cannot be done at once: a write.
 */
struct emu_swap {
	void *old;
	const void *new;
	unsigned int size;
	unsigned int acc;	/* EMU_ACC_* */
};

/*
 * What the emulator asks of its owner. Callbacks that return MEM_FAULT or
 * EMU_FAULT have filled in ctxt->fault. A linear address is 32 bits outside
 * 64-bit mode. An access may cross a page if it has up to 16 bytes; longer
 * ones (string I/O, up to a page) do not.
 */
struct emu_ops {
	enum mem_rc (*fetch)(struct emu_ctxt *c, u64 linear, void *buf,
			     unsigned int size);
	enum mem_rc (*read)(struct emu_ctxt *c, u64 linear, void *buf,
			    unsigned int size, unsigned int acc);
	enum mem_rc (*write)(struct emu_ctxt *c, u64 linear, const void *buf,
			     unsigned int size, unsigned int acc);
	enum mem_rc (*cmpxchg)(struct emu_ctxt *c, u64 linear,
			       const struct emu_swap *swap);
	/*
	 * *count items of size (1, 2, 4) bytes at one port; with MEM_OK *count
	 * becomes the number of those done, the first ones and at least one
	 */
	enum mem_rc (*pio_in)(struct emu_ctxt *c, u16 port, unsigned int size,
			      unsigned int *count, void *buf);
	enum mem_rc (*pio_out)(struct emu_ctxt *c, u16 port, unsigned int size,
			       unsigned int *count, const void *buf);
	/*
	 * An iteration of a repetition is complete, and none of its accesses
	 * will be made again. False: stop here, the owner has other things to
	 * do before the next one.
	 */
	bool (*iterated)(struct emu_ctxt *c);
	/* nr is 0, 2, 3, 4 or 8; cr_set checks the value: #GP by EMU_FAULT */
	enum emu_rc (*cr_get)(struct emu_ctxt *c, unsigned int nr, u64 *value);
	enum emu_rc (*cr_set)(struct emu_ctxt *c, unsigned int nr, u64 value);
	/* nr is 0 to 3, 6 or 7; general detect (DR7.GD) is the owner's */
	enum emu_rc (*dr_get)(struct emu_ctxt *c, unsigned int nr, u64 *value);
	enum emu_rc (*dr_set)(struct emu_ctxt *c, unsigned int nr, u64 value);
	/* RDMSR, WRMSR; also the TSC (MSR 10h) and TSC_AUX */
	enum msr_rc (*msr_get)(struct emu_ctxt *c, u32 index, u64 *value);
	enum msr_rc (*msr_set)(struct emu_ctxt *c, u32 index, u64 value);
	/* EAX, EBX, ECX, EDX in and out; #GP where CPUID faults */
	enum emu_rc (*cpuid)(struct emu_ctxt *c, u32 r[4]);
	/* move 16 bytes between XMM register nr and data */
	void (*xmm)(struct emu_ctxt *c, unsigned int nr, void *data, bool set);
	/*
	 * the same for 8 bytes and MM register nr, with what an MMX instruction
	 * does to x87's state; #MF where an exception of that waits
	 */
	enum emu_rc (*mmx)(struct emu_ctxt *c, unsigned int nr, void *data,
			   bool set);
	/* x87's status word, or else its control word */
	u16 (*x87)(struct emu_ctxt *c, bool status);
	enum emu_rc (*system)(struct emu_ctxt *c, enum emu_sys what, u64 *arg);
};

/* Prefixes that were present. */
#define EMU_PFX_66 BIT(0)
#define EMU_PFX_67 BIT(1)
#define EMU_PFX_LOCK BIT(2)
#define EMU_PFX_F3 BIT(3)	/* the last one of F2 and F3 counts */
#define EMU_PFX_F2 BIT(4)

enum emu_map {
	EMU_MAP_1,		/* one-byte opcodes */
	EMU_MAP_0F,
	EMU_MAP_0F38,
	EMU_MAP_0F3A,
	EMU_MAP_VEX,		/* VEX, EVEX, XOP: only the length is known */
};

#define EMU_NO_REG 0xff

/* A decoded instruction. */
struct emu_insn {
	const struct emu_row *row;	/* from rows.h; NULL: not decoded */
	u64 imm, imm2;		/* sign-extended as the row asks */
	u64 disp;		/* sign-extended; also the offset of MOV moffs */
	u8 bytes[EMU_MAX_LEN];
	u8 fetched;		/* valid in bytes[] */
	u8 len;
	u8 map;			/* enum emu_map */
	u8 opcode;
	u8 prefixes;		/* EMU_PFX_* */
	u8 rex;			/* 0 if there is none */
	u8 op_size, addr_size;	/* 2, 4 or 8 bytes */
	u8 modrm;
	u8 mod, reg, rm;	/* reg and rm with their REX bits */
	bool mem;		/* rm names memory */
	bool rip_rel;
	u8 base, index, scale;	/* EMU_NO_REG for none; scale is a shift */
	u8 seg;			/* of the memory operand, override applied */
	u8 seg_override;	/* EMU_NO_REG for none */
};

struct emu_ctxt {
	struct regs *regs;
	const struct emu_ops *ops;
	void *owner;		/* the owner's, untouched */
	void *io_buf;		/* for string I/O, set after emu_init(); NULL: */
	u32 io_buf_size;	/* one item at a time */
	enum x86_mode mode;
	bool amd;		/* AMD's rules where the vendors differ */

	/* results of emu_exec() */
	struct fault fault;
	u8 shadow;		/* SHADOW_* that the instruction leaves behind */
	bool halted;		/* it was HLT */
	bool iret;		/* it was IRET: NMIs are open again */
	bool again;		/* RIP is unchanged, there is more to do */

	struct emu_insn insn;

	/* private to emu/: the state in the making */
	u64 gpr[R_COUNT];
	u64 rip;
	u64 rflags;
	u64 ea;			/* effective address of the memory operand */
	u64 dst, src, src2;	/* operand values */
	u64 dst_old;		/* as read from memory */
	u8 size, src_size;	/* bytes of dst and src */
	bool no_writeback;	/* dst keeps its value */
};

static_assert(sizeof(struct emu_insn) < 200);
static_assert(sizeof(struct emu_ctxt) < 600);

/**
 * emu_init() - make a context for the instruction at RIP
 * @c: the context; all of it is written
 * @regs: register file; EMU_GROUPS_DECODE must be available
 * @ops: callbacks; fetch is enough for decoding
 */
void emu_init(struct emu_ctxt *c, struct regs *regs,
	      const struct emu_ops *ops);

/**
 * emu_decode() - decode the instruction at RIP into @c->insn
 * @c: from emu_init()
 * @bytes: its first bytes, if they are known
 * @n: number of @bytes, 0 to 15; what is missing is fetched
 *
 * SDM vol. 2, chapter 2 and appendix A. Returns EMU_OK; EMU_FAULT with #UD,
 * #GP (too long, beyond the CS limit) or what fetching raised; EMU_UNHANDLED
 * for encodings whose length is not known.
 */
enum emu_rc __must_check emu_decode(struct emu_ctxt *c, const u8 *bytes,
				    unsigned int n);

/**
 * emu_exec() - execute the decoded instruction
 * @c: after emu_decode() returned EMU_OK; EMU_GROUPS must be available
 *
 * Changed groups of c->regs are marked with regs_touch(). On EMU_OK c->shadow
 * replaces the vCPU's interrupt shadow. See the head of this file for the
 * rest.
 */
enum emu_rc __must_check emu_exec(struct emu_ctxt *c);

/* A store of 1, 2, 4 or 8 bytes. */
struct emu_store {
	u64 linear;
	u64 value;
	u8 size;
};

/**
 * emu_store() - is the decoded instruction no more than a store to memory
 * @c: after emu_decode() returned EMU_OK; EMU_GROUPS must be available
 *
 * If so, to carry it out and to step over c->insn.len bytes is to execute it.
 * Changes nothing that emu_exec() would miss. False: it is something else, or
 * segmentation forbids it.
 */
bool emu_store(struct emu_ctxt *c, struct emu_store *store);

/**
 * emu_simple_length() - length of an instruction that is often skipped
 * @mode: mode of the code
 * @bytes: its first bytes
 * @n: number of @bytes
 *
 * For intercepts without a hardware-given length: CPUID, HLT, the MSR, port,
 * TSC, CR and DR instructions, VMCALL and its kin, PAUSE, INVLPG, INT n,
 * cache control. Returns 0 for all others, and if @n bytes are not enough.
 */
unsigned int emu_simple_length(enum x86_mode mode, const u8 *bytes,
			       unsigned int n);

#endif
