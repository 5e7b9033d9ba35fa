/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the hardware says of an exit to the neutral struct exit.
 *
 * Pure: run.c takes a struct svm_raw from the VMCB, so that the manual's
 * encodings are tested without hardware.
 */
#ifndef SVM_EXIT_H
#define SVM_EXIT_H

#include "base/host.h"
#include "core/entry.h"
#include "svm/caps.h"

/* The VMCB's fields, as they were right after the exit. */
struct svm_raw {
	u64 code, info1, info2;
	u64 int_info;		/* EXITINTINFO */
	u64 next_rip, rip;
	u64 dr6;
	u64 vintr;		/* at 060h */
	u64 shadow;		/* at 068h */
	u8 fetched;
	u8 bytes[15];
};

/**
 * svm_exit_decode() - fill all of @exit but nmi_unblocked
 *
 * Two codes are left to the caller: VMEXIT_IRET and #DB of a single step it
 * asked for. exit->inflight is what hardware was delivering, soft events
 * included: event.c decides whether they are to be delivered again.
 */
void svm_exit_decode(const struct svm_raw *raw, const struct svm_caps *caps,
		     struct exit *exit);

/** svm_event_decode() - EXITINTINFO, or EVENTINJ, as an event */
struct event svm_event_decode(u64 info);

/** svm_event_encode() - @event as EVENTINJ; 0 for EVENT_NONE */
u64 svm_event_encode(const struct event *event);

#endif
