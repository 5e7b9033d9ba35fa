/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only door to the host for pure code.
 *
 * Folders base, x86, emu, dev and the engine files of mem, mmu, vmx and svm
 * use nothing of the kernel but what stands here. The userspace build puts
 * tests/shim first on the include path, so that tests/shim/base/host.h
 * answers instead: what is added here must be added there.
 *
 * Invariant: only facilities whose userspace twin is a few lines. Anything
 * that sleeps, takes a lock or knows of a process does not belong here.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/bsearch.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

/**
 * host_zalloc() - zeroed memory, charged to the caller's memory cgroup
 * @size: bytes; may be large, the memory is then only virtually contiguous
 *
 * May sleep. Returns NULL when there is none. Free with host_free().
 */
static inline void *host_zalloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT);
}

/** host_alloc() - host_zalloc() without the zeroing */
static inline void *host_alloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL_ACCOUNT);
}

/** host_free() - free such memory; NULL is allowed; not in an NMI */
static inline void host_free(const void *p)
{
	kvfree(p);
}

/** host_pa() - physical address of a page-table page */
static inline u64 host_pa(const void *table)
{
	return __pa(table);
}

/** host_va() - the page-table page at physical address @pa */
static inline void *host_va(u64 pa)
{
	return __va(pa);
}

#endif
