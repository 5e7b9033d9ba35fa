/* SPDX-License-Identifier: GPL-2.0-only */
/* The MSR file of a vCPU: the rows that core and the backend answer. */
#ifndef CORE_MSRS_H
#define CORE_MSRS_H

struct vcpu;

/** msrs_init() - connect vcpu->msrs to its vCPU; vCPU creation */
void msrs_init(struct vcpu *vcpu);

#endif
