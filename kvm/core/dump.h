/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A failed VM entry, for whoever looks for the reason.
 */
#ifndef CORE_DUMP_H
#define CORE_DUMP_H

struct vcpu;
struct exit;

/** dump_failure() - tell of the failed entry @exit; loaded, preemption on */
void dump_failure(struct vcpu *vcpu, const struct exit *exit);

#endif
