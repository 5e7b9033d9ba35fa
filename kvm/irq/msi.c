// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding of MSI address and data: SDM vol. 3, 11.11; with more than 8 bits
 * of destination as in Documentation/virt/kvm/api.rst, KVM_CAP_X2APIC_API.
 *
 * Pure. The address is not held to the 0xfee range: a table of routes may
 * contain entries that were never filled in, and vector 0, which they have,
 * is refused by the LAPICs.
 */
#include "irq/msi.h"

struct apic_msg msi_decode(const struct msi *msi, bool ids32)
{
	bool level = msi->data & BIT(15);

	return (struct apic_msg){
		.dest = (msi->address_lo >> 12 & 0xff) |
			(ids32 ? msi->address_hi & ~0xffU : 0),
		.logical = msi->address_lo & BIT(2),
		.redir_hint = msi->address_lo & BIT(3),
		.vector = msi->data,
		.delivery = msi->data >> 8 & 7,
		.level = level,
		.assert = !level || (msi->data & BIT(14)),
	};
}
