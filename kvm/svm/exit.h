/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the hardware says of an exit to the neutral struct exit.
 *
 * Pure: reads nothing but the VMCB it is given, so that the manual's encodings
 * are tested without hardware.
 */
#ifndef SVM_EXIT_H
#define SVM_EXIT_H

#include "base/host.h"
#include "core/entry.h"
#include "svm/caps.h"

struct vmcb;

/**
 * svm_exit_decode() - fill all of @exit but nmi_unblocked
 * @vmcb: as it is right after the exit; not one that VMRUN refused
 *
 * Two codes are left to the caller: VMEXIT_IRET and #DB of a single step it
 * asked for. exit->inflight is what hardware was delivering, soft events
 * included: event.c decides whether they are to be delivered again.
 */
void svm_exit_decode(const struct vmcb *vmcb, const struct svm_caps *caps,
		     struct exit *exit);

/** svm_event_decode() - EXITINTINFO, or EVENTINJ, as an event */
struct event svm_event_decode(u64 info);

/** svm_event_encode() - @event as EVENTINJ; 0 for EVENT_NONE */
u64 svm_event_encode(const struct event *event);

#endif
