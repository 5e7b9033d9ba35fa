/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this host offers to guests: the supported CPUID and what follows from
 * it. Computed once, on first use; fixed while a backend is registered.
 *
 * Callers have /dev/kvm open or a VM, either of which keeps the backend: so
 * what they got stays until they are done.
 */
#ifndef CORE_HOSTINFO_H
#define CORE_HOSTINFO_H

#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/msr.h"

/** hostinfo_cpuid() - the supported CPUID, indexed; NULL: no memory; may sleep */
const struct cpuid_set *hostinfo_cpuid(void);

/** hostinfo_cr() - the register bits this host can run; NULL as above */
const struct cr_host *hostinfo_cr(void);

/** hostinfo_msr_env() - for msr_reset() and msr_feature_get(); NULL as above */
const struct msr_feature_env *hostinfo_msr_env(void);

/** hostinfo_free() - the backend goes away: there is no caller any more */
void hostinfo_free(void);

#endif
