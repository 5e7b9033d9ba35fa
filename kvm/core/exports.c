// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything a vendor module may call in kvm.ko. Pure code cannot name the
 * kernel's export macro, and one list shows how narrow the boundary is.
 */
#include <linux/export.h>

#include "core/backend.h"
#include "core/request.h"
#include "core/vcpu.h"
#include "dev/lapic.h"
#include "mmu/pte.h"
#include "x86/segment.h"

EXPORT_SYMBOL_GPL(backend_register);
EXPORT_SYMBOL_GPL(backend_unregister);
EXPORT_SYMBOL_GPL(dump_line);
EXPORT_SYMBOL_GPL(ept_format);
EXPORT_SYMBOL_GPL(ept_format_no_ad);
EXPORT_SYMBOL_GPL(event_has_error_code);
EXPORT_SYMBOL_GPL(lapic_msr_plain);
EXPORT_SYMBOL_GPL(npt_format);
EXPORT_SYMBOL_GPL(segment_ar);
EXPORT_SYMBOL_GPL(segment_set_ar);
EXPORT_SYMBOL_GPL(vcpu_wake);
EXPORT_SYMBOL_GPL(vcpu_log_written);
