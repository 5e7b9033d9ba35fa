/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace twin of kvm/base/host.h: the same names with the C library and
 * compiler builtins behind them. Used by unit tests and fuzzers only.
 */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <linux/kvm.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;
typedef unsigned __int128 u128;
typedef __int128 s128;
typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;

#define __must_check	__attribute__((warn_unused_result))
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#define noinline	__attribute__((noinline))
#define __packed	__attribute__((packed))
#define __aligned(x)	__attribute__((aligned(x)))
#define __maybe_unused	__attribute__((unused))
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define fallthrough	__attribute__((fallthrough))
#define __rcu
#define __user
#define __iomem
#define __force
#define __read_mostly
#define __ro_after_init
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define barrier()	__asm__ volatile("" ::: "memory")
#define unreachable()	__builtin_unreachable()

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#define S32_MAX		((s32)(U32_MAX >> 1))
#define S64_MAX		((s64)(U64_MAX >> 1))
#define BITS_PER_LONG	64
#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))
#define GENMASK(h, l)	((~0UL << (l)) & (~0UL >> (63 - (h))))
#define GENMASK_ULL(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define BITS_TO_LONGS(n) (((n) + 63) / 64)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ALIGN(x, a)	(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)
#ifndef static_assert
#define static_assert	_Static_assert
#endif
#define BUILD_BUG_ON(c)	static_assert(!(c), #c)
#define sizeof_field(t, m) sizeof(((t *)0)->m)
#define offsetofend(t, m) (offsetof(t, m) + sizeof_field(t, m))
#define struct_size(p, m, n) (sizeof(*(p)) + sizeof((p)->m[0]) * (n))
#define container_of(p, t, m) \
	((t *)((char *)(p) - offsetof(t, m)))

#define min(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); \
		     _a < _b ? _a : _b; })
#define max(a, b) ({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); \
		     _a > _b ? _a : _b; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define clamp(v, lo, hi) min((__typeof__(v))max(v, lo), hi)
#define swap(a, b) do { __typeof__(a) _t = (a); (a) = (b); (b) = _t; } while (0)

/* The kernel's orders what is reached through the value read. */
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_CONSUME)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
#define smp_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__after_atomic() barrier()
#define smp_mb__before_atomic() barrier()
#define cpu_relax()	__builtin_ia32_pause()
#define xchg(p, v)	__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define cmpxchg(p, o, n) ({ __typeof__(*(p)) _o = (o); \
	__atomic_compare_exchange_n((p), &_o, (n), false, \
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); _o; })
#define cmpxchg64	cmpxchg
#define try_cmpxchg(p, po, n) \
	__atomic_compare_exchange_n((p), (po), (n), false, \
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define try_cmpxchg64	try_cmpxchg

#define atomic_read(v)	READ_ONCE((v)->counter)
#define atomic_set(v, i) WRITE_ONCE((v)->counter, (i))
#define atomic_inc(v)	((void)__atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(v)	((void)__atomic_sub_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_add(i, v) ((void)__atomic_add_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST))
#define atomic_inc_return(v) __atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(v) (__atomic_sub_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST) == 0)
#define atomic_xchg(v, i) __atomic_exchange_n(&(v)->counter, (i), __ATOMIC_SEQ_CST)
#define atomic64_read(v) READ_ONCE((v)->counter)
#define atomic64_set(v, i) WRITE_ONCE((v)->counter, (i))
#define atomic64_inc(v)	((void)__atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic64_add(i, v) ((void)__atomic_add_fetch(&(v)->counter, (i), __ATOMIC_SEQ_CST))

static inline bool test_bit(long nr, const volatile unsigned long *p)
{
	return READ_ONCE(p[nr / 64]) >> (nr % 64) & 1;
}

static inline void set_bit(long nr, volatile unsigned long *p)
{
	__atomic_fetch_or(p + nr / 64, 1UL << (nr % 64), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(long nr, volatile unsigned long *p)
{
	__atomic_fetch_and(p + nr / 64, ~(1UL << (nr % 64)), __ATOMIC_SEQ_CST);
}

static inline bool test_and_set_bit(long nr, volatile unsigned long *p)
{
	return __atomic_fetch_or(p + nr / 64, 1UL << (nr % 64),
				 __ATOMIC_SEQ_CST) >> (nr % 64) & 1;
}

static inline bool test_and_clear_bit(long nr, volatile unsigned long *p)
{
	return __atomic_fetch_and(p + nr / 64, ~(1UL << (nr % 64)),
				  __ATOMIC_SEQ_CST) >> (nr % 64) & 1;
}

#define __set_bit(nr, p) ((p)[(nr) / 64] |= 1UL << ((nr) % 64))
#define __clear_bit(nr, p) ((p)[(nr) / 64] &= ~(1UL << ((nr) % 64)))

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#define ffs(x)		__builtin_ffs(x)
#define __ffs(x)	((unsigned long)__builtin_ctzl(x))
#define __fls(x)	((unsigned long)(63 - __builtin_clzl(x)))
#define hweight8(x)	__builtin_popcount((u8)(x))
#define hweight16(x)	__builtin_popcount((u16)(x))
#define hweight32(x)	__builtin_popcount(x)
#define hweight64(x)	__builtin_popcountll(x)

static inline unsigned long find_next_bit(const unsigned long *p,
					  unsigned long size, unsigned long at)
{
	for (; at < size; at++)
		if (test_bit(at, p))
			return at;
	return size;
}

#define find_first_bit(p, size) find_next_bit((p), (size), 0)
#define for_each_set_bit(bit, p, size) \
	for ((bit) = find_first_bit((p), (size)); (bit) < (size); \
	     (bit) = find_next_bit((p), (size), (bit) + 1))
#define bitmap_zero(p, n) memset((p), 0, BITS_TO_LONGS(n) * sizeof(long))
#define bitmap_fill(p, n) memset((p), 0xff, BITS_TO_LONGS(n) * sizeof(long))

#define array_index_nospec(i, n) ({ __typeof__(i) _i = (i); _i < (n) ? _i : 0; })
#define check_add_overflow(a, b, d) __builtin_add_overflow((a), (b), (d))
#define check_sub_overflow(a, b, d) __builtin_sub_overflow((a), (b), (d))
#define check_mul_overflow(a, b, d) __builtin_mul_overflow((a), (b), (d))

static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}

static inline u64 div64_u64_rem(u64 a, u64 b, u64 *rem)
{
	*rem = a % b;
	return a / b;
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 c)
{
	return (u64)((u128)a * b / c);
}

static inline u64 mul_u64_u32_div(u64 a, u32 b, u32 c)
{
	return (u64)((u128)a * b / c);
}

static inline u64 mul_u64_u64_shr(u64 a, u64 b, unsigned int shift)
{
	return (u64)((u128)a * b >> shift);
}

#define get_unaligned(p) ({ __typeof__(*(p)) _v; memcpy(&_v, (p), sizeof(_v)); _v; })
#define put_unaligned(v, p) do { __typeof__(*(p)) _v = (v); \
				 memcpy((p), &_v, sizeof(_v)); } while (0)

static inline void sort(void *base, size_t num, size_t size,
			int (*cmp)(const void *, const void *), void *swap_fn)
{
	(void)swap_fn;
	qsort(base, num, size, cmp);
}

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

/* Single-threaded tests need no RCU; tests/conc/kernel_mm.h has another one. */
#ifndef SHIM_RCU
#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)
#define rcu_dereference_protected(p, c) (p)
#define RCU_INIT_POINTER(p, v)	((p) = (v))
#define kfree_rcu(p, m)		free(p)
#define kvfree_rcu(p, m)	free(p)
#define call_rcu(head, fn)	((fn)(head))
#endif

/* For tests of what happens without memory: so many calls get it; < 0: all. */
__attribute__((weak)) int host_alloc_left = -1;

static inline void *host_alloc(size_t size)
{
	if (host_alloc_left >= 0 && !host_alloc_left--) {
		host_alloc_left = 0;
		return NULL;
	}
	return malloc(size);
}

static inline void *host_zalloc(size_t size)
{
	void *p = host_alloc(size);

	return p ? memset(p, 0, size) : NULL;
}

static inline void host_free(const void *p)
{
	free((void *)p);
}

static inline u64 host_pa(const void *table)
{
	return (uintptr_t)table;
}

static inline void *host_va(u64 pa)
{
	return (void *)(uintptr_t)pa;
}

#endif
