/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every statistic: X(name, type, unit, exponent, field).
 *
 * The name is the ABI's and is unique in its scope; type and unit are those of
 * KVM_STATS_TYPE_ and KVM_STATS_UNIT_; the value counts in 10^exponent of the
 * unit. The field, of struct vm or struct vcpu, is 64 bits wide. The order is
 * that of the file: new rows go last, so that offsets stay.
 *
 * A number that nobody counts has no row.
 */
#ifndef API_STATS_ROWS_H
#define API_STATS_ROWS_H

#define STATS_VM_ROWS(X)						\
	X(remote_tlb_flush, CUMULATIVE, NONE, 0, stat.remote_tlb_flush)

#define STATS_VCPU_ROWS(X)						\
	X(exits, CUMULATIVE, NONE, 0, stat.exits)			\
	X(irq_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_HOST_IRQ])

#endif
