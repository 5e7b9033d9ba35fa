// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvm.ko tells under /sys/module/kvm/parameters: see core/fact.h.
 */
#include "core/fact.h"

/* No prefix makes the guest's next instruction go to the emulator. */
FACT(force_emulation_prefix, int, 0);

/* Guests have no performance counters. */
FACT(enable_pmu, bool, false);
