/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The intercepts as a function of what is wanted: policy, what the next entry
 * needs, and the host's features. And the MSR permission map's arithmetic.
 *
 * Pure. run.c computes the controls when an input changed, compares them with
 * what the VMCB has and writes the difference; nobody else sets an intercept.
 */
#ifndef SVM_CONTROLS_H
#define SVM_CONTROLS_H

#include "base/host.h"
#include "core/entry.h"
#include "svm/caps.h"

/* What changes from entry to entry. */
#define NEED_CR0_READ BIT(0)	/* the hardware's CR0 is not the guest's */
#define NEED_CR4_READ BIT(1)
#define NEED_CR8_WRITE BIT(2)
#define NEED_VINTR BIT(3)	/* interrupt window */
#define NEED_IRET BIT(4)	/* the guest is in an NMI handler */

struct svm_controls {
	u32 cr, dr, exceptions;
	u32 word3, word4, word5;
	u16 pause_count, pause_threshold;
};

/** svm_controls() - what the VMCB's intercept area has to hold */
struct svm_controls svm_controls(const struct policy *policy, u32 needs,
				 const struct svm_caps *caps);

/* The MSR permission map, APM vol. 2, 15.11: two bits for each of 3 x 8192. */
#define MSRPM_SIZE 8192
#define MSRPM_READ BIT(0)
#define MSRPM_WRITE BIT(1)

/**
 * msrpm_offset() - bit number of @index's read bit; its write bit follows
 *
 * Negative for an MSR the map has no bits for: it is always intercepted.
 */
int msrpm_offset(u32 index);

/** msrpm_allow() - let the guest do @what (MSRPM_*) to @index, and no more */
void msrpm_allow(unsigned long *map, u32 index, u32 what);

#endif
