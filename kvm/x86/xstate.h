/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The XSAVE area: where its components lie and whether an image that the VMM
 * hands over may be loaded.
 *
 * Pure functions. A struct xstate_layout is made from the subleaves of CPUID
 * leaf 0xD, of the host's or of a guest's set. SDM vol. 1, 13.4 and 13.5;
 * vol. 2A, CPUID leaf 0xD.
 */
#ifndef X86_XSTATE_H
#define X86_XSTATE_H

#include "base/host.h"

/*
 * Components that guests can have: x87, SSE, AVX, AVX-512, PKRU. Tiles are not
 * among them: they are given to a process, not to all (arch_prctl(2)).
 */
#define XCR0_OFFERED 0x2e7ULL

/* Components that can be described; those beyond are never supported. */
#define XSTATE_COMPONENTS 20

/* The legacy region and the header. */
#define XSTATE_LEGACY 512
#define XSTATE_MIN 576

struct xstate_comp {
	u32 size;		/* 0: not there */
	u32 offset;		/* in the standard format */
	bool supervisor;	/* in IA32_XSS, not in XCR0 */
	bool align;		/* at 64 bytes in the compacted format */
};

struct xstate_layout {
	struct xstate_comp comp[XSTATE_COMPONENTS];
};

/**
 * xstate_layout_set() - take over one subleaf of CPUID leaf 0xD
 * @index: the subleaf; 0, 1 and what is beyond XSTATE_COMPONENTS is ignored
 * @out: EAX, EBX, ECX, EDX
 */
void xstate_layout_set(struct xstate_layout *layout, u32 index,
		       const u32 out[4]);

/** xstate_size() - bytes of a standard format area for these components */
u32 xstate_size(const struct xstate_layout *layout, u64 components);

/** xstate_size_compact() - bytes of a compacted area for these components */
u32 xstate_size_compact(const struct xstate_layout *layout, u64 components);

/**
 * xstate_image_ok() - may a standard format image be loaded
 * @area: @size bytes, at least XSTATE_MIN
 * @supported: components the guest may have
 * @mxcsr_mask: bits MXCSR may have
 *
 * Loading with XRSTOR would fault otherwise: SDM vol. 1, 13.8. The components
 * themselves take any value.
 */
bool xstate_image_ok(const u8 *area, u32 size, u64 supported, u32 mxcsr_mask);

#endif
