/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Result types: one vocabulary per question. errno exists only at the ioctl
 * edge (api/, host/) and in set-up code.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

#include "base/host.h"

/* What the run loop does after an exit was handled. */
enum run_next {
	RUN_AGAIN,	/* enter the guest again */
	RUN_USER,	/* kvm_run is filled in: return 0 to the VMM */
	RUN_FAULT,	/* return -EFAULT to the VMM */
	RUN_NOMEM,	/* return -ENOMEM to the VMM, which may try again */
	RUN_DEAD,	/* the VM is marked dead: return -EIO */
};

/* A guest exception that an operation raises instead of completing. */
struct fault {
	u8 vector;		/* SDM vol. 3, table 6-1 */
	bool has_error_code;
	bool has_cr2;
	u32 error_code;
	u64 cr2;
};

#define VEC_DE 0
#define VEC_DB 1
#define VEC_NMI 2
#define VEC_BP 3
#define VEC_OF 4
#define VEC_BR 5
#define VEC_UD 6
#define VEC_NM 7
#define VEC_DF 8
#define VEC_TS 10
#define VEC_NP 11
#define VEC_SS 12
#define VEC_GP 13
#define VEC_PF 14
#define VEC_MF 16
#define VEC_AC 17
#define VEC_MC 18
#define VEC_XM 19
#define VEC_CP 21
#define VEC_NONE 0xff

/* Outcome of an access to guest memory. */
enum mem_rc {
	MEM_OK,
	MEM_FAULT,	/* a guest exception: struct fault says which */
	MEM_MMIO,	/* no memory there: the device bus or the VMM decides */
	MEM_PENDING,	/* the VMM has to supply or take the data first */
	MEM_RETRY,	/* others keep changing it: let the guest try again */
	MEM_ERROR,	/* the VMM's mapping failed: -EFAULT */
};

/* Outcome of emulating one instruction. */
enum emu_rc {
	EMU_OK,		/* done: registers and RIP are committed */
	EMU_FAULT,	/* raises ctxt->fault; nothing else was changed */
	EMU_USER,	/* waits for the VMM to finish an I/O, then emulate again */
	EMU_RETRY,	/* lost a race, nothing was changed: enter the guest */
	EMU_UNHANDLED,	/* not an instruction this emulator knows */
	EMU_ERROR,	/* the VMM's mapping failed: -EFAULT */
};

/* Outcome of reading or writing an MSR. */
enum msr_rc {
	MSR_OK,
	MSR_UNKNOWN,	/* no such MSR for this vCPU */
	MSR_BAD,	/* known, but the value or direction is refused: #GP */
};

#endif
