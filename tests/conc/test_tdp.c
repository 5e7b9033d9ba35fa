// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table engine under threads: a guest of several vCPUs whose memory the
 * host moves about while its writes are logged.
 *
 * A vCPU thread walks the tables as hardware does, caches what it finds in a
 * TLB of its own until it is told to flush, and faults as mmu/fault.c does. Two
 * host threads move single pages and whole 2 MiB blocks to new frames under
 * the notifier's protocol. One thread switches the dirty log on, copies dirty
 * pages in rounds, stops the vCPUs and compares.
 *
 * All of it twice: with a log of faults, and with one of the dirty bits that
 * the vCPUs set in the tables.
 *
 * What must hold: no vCPU touches a frame that the host has taken back; no
 * write is missing from the copy; every table is freed. Run under TSan, so
 * that an access without the right atomics is an error as well.
 */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/tdp_world.h"
#include "mem/dirty.h"
#include "mem/memslot.h"
#include "rcu.h"

#define VCPUS 3
#define BLOCKS 3
#define PAGES (BLOCKS * 512)
#define BASE 0x200ULL		/* first frame of the slot */
#define FRAMES (1 << 20)
#define LOG_CYCLES 15
#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
	abort(); } } while (0)

struct tlb {
	u64 pfn;
	bool valid, write, dirty;
};

struct vcpu {
	unsigned long guest;	/* odd: in guest mode */
	int flush;		/* request */
	int parked;
	u64 accesses, faults;
	struct tlb tlb[PAGES];
	unsigned int seed;
};

static struct vcpu vcpus[VCPUS];
static struct tdp_root root;
static int logging;			/* dirty bits count */
static struct memslots *slots;		/* published */
static long tables;
static int flushing;
static int stop, pause_all;

/* The notifier's side: row 10. Host addresses are frame numbers here. */
static pthread_rwlock_t mm_lock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned long mm_seq;
static int mm_active;
static u64 mm_start, mm_end;

/* The host's page tables and memory. */
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static u64 host_pfn[PAGES];
static bool host_large[BLOCKS];
static u64 next_frame;
static u64 content[FRAMES];
static u8 taken_back[FRAMES];

/* ---- work on the tables, as mmu/pages.c -------------------------------- */

struct op {
	struct world w;
	bool counted, flush;
};

static struct memslots *get_slots(void)
{
	return smp_load_acquire(&slots);
}

static void op_written(struct tdp_env *env, struct gfn gfn)
{
	if (!__atomic_load_n(&logging, __ATOMIC_SEQ_CST))
		return;
	/* The entry is gone: let the log be read before it is noted. */
	sched_yield();
	memslot_mark_dirty(memslots_find(get_slots(), gfn), gfn);
}

static void flush_vcpus(void)
{
	for (int i = 0; i < VCPUS; i++)
		__atomic_store_n(&vcpus[i].flush, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS; i++)
		wait_while_inside(&vcpus[i].guest);
}

static void op_prepare(struct tdp_env *env)
{
	world_of(env)->prepared++;
	__atomic_add_fetch(&flushing, 1, __ATOMIC_SEQ_CST);
}

static void op_flush(struct tdp_env *env)
{
	world_of(env)->prepared--;
	flush_vcpus();
	__atomic_sub_fetch(&flushing, 1, __ATOMIC_SEQ_CST);
}

static void op_init(struct op *op)
{
	world_init(&op->w);
	op->w.env.prepare = op_prepare;
	op->w.env.flush = op_flush;
	op->w.env.written = op_written;
	op->counted = op->flush = false;
}

static void op_begin(struct op *op)
{
	op_init(op);
	op->counted = true;
	__atomic_add_fetch(&flushing, 1, __ATOMIC_SEQ_CST);
}

static void op_end(struct op *op)
{
	if (op->counted) {
		if (op->flush ||
		    __atomic_load_n(&flushing, __ATOMIC_SEQ_CST) > 1)
			flush_vcpus();
		__atomic_sub_fetch(&flushing, 1, __ATOMIC_SEQ_CST);
	}
	if (op->w.retired_count)
		grace_period();
	world_release(&op->w);
	__atomic_add_fetch(&tables, op->w.tables, __ATOMIC_SEQ_CST);
}

/* One piece: beside faults, or alone where it met one. */
static void piece_begin(struct tdp_range *range, bool locked)
{
	range->alone = range->held;
	if (range->alone)
		pthread_rwlock_wrlock(&mm_lock);
	else if (locked)
		pthread_rwlock_rdlock(&mm_lock);
	read_begin();
}

static void piece_end(const struct tdp_range *range, bool locked)
{
	read_end();
	if (range->alone || locked)
		pthread_rwlock_unlock(&mm_lock);
}

static void unmap_range(struct op *op, u64 start, u64 end)
{
	struct tdp_range range = {
		.start = GFN(start), .end = GFN(end), .budget = 64,
	};
	bool more;

	do {
		piece_begin(&range, true);
		more = tdp_unmap(&root, &range, &op->w.env, &op->flush);
		piece_end(&range, true);
	} while (more);
}

static void protect_range(struct op *op, u64 start, u64 end)
{
	struct tdp_range range = {
		.start = GFN(start), .end = GFN(end), .budget = 64,
	};
	bool more;

	do {
		piece_begin(&range, false);
		more = tdp_protect(&root, &range, &op->flush);
		piece_end(&range, false);
	} while (more);
}

static void harvest_all(struct op *op, unsigned long *mask)
{
	const struct tdp_log log = { .base = GFN(BASE), .mask = mask };
	struct tdp_range range = {
		.start = GFN(BASE), .end = GFN(BASE + PAGES), .budget = 64,
	};
	bool more;

	do {
		piece_begin(&range, false);
		more = tdp_harvest(&root, &range, &log, &op->flush);
		piece_end(&range, false);
	} while (more);
}

/* ---- a fault, as mmu/fault.c ------------------------------------------- */

static void log_write(u64 gfn, bool write)
{
	if (write)
		memslot_mark_dirty(memslots_find(get_slots(), GFN(gfn)),
				   GFN(gfn));
}

static bool fault_fast(u64 gfn, bool write, u64 generation, bool logged)
{
	u32 wanted = PTE_READ | (write ? PTE_WRITE : 0);
	bool fixed = false;

	pthread_rwlock_rdlock(&mm_lock);
	read_begin();
	if (get_slots()->generation == generation)
		fixed = tdp_touch(&root, GFN(gfn), wanted,
				  logged ? PG_4K : PG_1G) != TDP_RETRY;
	if (fixed)
		log_write(gfn, write);
	read_end();
	pthread_rwlock_unlock(&mm_lock);
	return fixed;
}

/* The largest page at @gfn that the host's state of now allows. */
static enum page_level level_locked(u64 gfn, u64 pfn, bool logged)
{
	u64 block = (gfn - BASE) / 512, first = BASE + block * 512;
	bool large;

	if (logged || (mm_active && first < mm_end && first + 512 > mm_start))
		return PG_4K;
	pthread_mutex_lock(&host_lock);
	large = host_large[block] && host_pfn[gfn - BASE] == pfn;
	pthread_mutex_unlock(&host_lock);
	return large ? PG_2M : PG_4K;
}

/* Map the pages after @gfn, too, up to a multiple of 16. */
static void fault_around(u64 gfn, u64 generation)
{
	struct tdp_map map = {
		.gfn = GFN(gfn + 1), .access = PTE_READ | PTE_WRITE,
		.host_writable = true,
	};
	u64 end = ALIGN(gfn + 1, 16);
	struct pfn pfn[16];
	unsigned long seq;

	seq = __atomic_load_n(&mm_seq, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&host_lock);
	for (u64 at = gfn + 1; at < end; at++)
		pfn[at - gfn - 1] = PFN(host_pfn[at - BASE]);
	pthread_mutex_unlock(&host_lock);
	pthread_rwlock_rdlock(&mm_lock);
	if (get_slots()->generation == generation && mm_seq == seq &&
	    !(mm_active && gfn + 1 < mm_end && end > mm_start)) {
		read_begin();
		tdp_fill(&root, &map, pfn, end - gfn - 1);
		read_end();
	}
	pthread_rwlock_unlock(&mm_lock);
}

static bool active_locked(u64 first, u64 end)
{
	return mm_active && first < mm_end && end > mm_start;
}

static void around_locked(u64 gfn)
{
	struct tdp_map map = {
		.gfn = GFN(gfn + 1), .access = PTE_READ | PTE_WRITE,
		.host_writable = true,
	};
	u64 end = ALIGN(gfn + 1, 16);
	struct pfn pfn[16];

	if (active_locked(gfn + 1, end))
		return;
	pthread_mutex_lock(&host_lock);
	for (u64 at = gfn + 1; at < end; at++)
		pfn[at - gfn - 1] = PFN(host_pfn[at - BASE]);
	pthread_mutex_unlock(&host_lock);
	tdp_fill(&root, &map, pfn, end - gfn - 1);
}

static bool quick_locked(u64 gfn, bool write)
{
	struct tdp_map map = {
		.wanted = PTE_READ | (write ? PTE_WRITE : 0),
		.access = PTE_READ | PTE_WRITE,
		.host_writable = true,
	};
	enum tdp_rc rc;
	bool follows;
	u64 pfn;

	if (memslots_find(get_slots(), GFN(gfn))->dirty ||
	    active_locked(gfn, gfn + 1))
		return false;
	pthread_mutex_lock(&host_lock);
	pfn = host_pfn[gfn - BASE];
	pthread_mutex_unlock(&host_lock);
	map.level = level_locked(gfn, pfn, false);
	map.gfn = gfn_round(GFN(gfn), map.level);
	map.pfn = PFN(pfn & ~(pg_pages(map.level) - 1));
	rc = tdp_add(&root, &map, &follows);
	if (rc == TDP_OK && follows && map.level == PG_4K)
		around_locked(gfn);
	return rc != TDP_RETRY;
}

/* As mmu_fault_quick(): all under one lock, no sequence. */
static bool fault_quick(u64 gfn, bool write)
{
	bool done;

	if (pthread_rwlock_tryrdlock(&mm_lock))
		return false;
	read_begin();
	done = quick_locked(gfn, write);
	read_end();
	pthread_rwlock_unlock(&mm_lock);
	return done;
}

static void fault(u64 gfn, bool write)
{
	struct tdp_map map = {
		.wanted = PTE_READ | (write ? PTE_WRITE : 0),
		.access = PTE_READ,
		.host_writable = true,
	};
	u64 generation, pfn;
	unsigned long seq;
	bool logged;
	struct op op;

	read_begin();
	generation = get_slots()->generation;
	logged = memslots_find(get_slots(), GFN(gfn))->dirty;
	read_end();
	if (fault_fast(gfn, write, generation, logged))
		return;

	seq = __atomic_load_n(&mm_seq, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&host_lock);
	pfn = host_pfn[gfn - BASE];
	pthread_mutex_unlock(&host_lock);

	op_init(&op);
	pthread_rwlock_rdlock(&mm_lock);
	if (get_slots()->generation == generation && mm_seq == seq &&
	    !(mm_active && gfn < mm_end && gfn + 1 > mm_start)) {
		map.level = level_locked(gfn, pfn, logged);
		map.gfn = gfn_round(GFN(gfn), map.level);
		map.pfn = PFN(pfn & ~(pg_pages(map.level) - 1));
		map.clean = logged && !write;
		if (write || !logged || root.format->log_by_dirty)
			map.access |= PTE_WRITE;
		read_begin();
		if (tdp_map(&root, &map, &op.w.env) <= TDP_SPURIOUS)
			log_write(gfn, write);
		read_end();
	}
	pthread_rwlock_unlock(&mm_lock);
	op_end(&op);
	if (!logged && map.level == PG_4K)
		fault_around(gfn, generation);
}

/* ---- vCPUs ------------------------------------------------------------- */

/*
 * As hardware does: down to the leaf, whose dirty bit a write sets in one step
 * with the look at it. 0: a fault.
 */
static u64 hardware_walk(u64 gfn, bool write, enum page_level *level)
{
	const struct pte_format *f = root.format;
	u64 *table = root.table, *entry, pte;

	for (*level = root.level;; --*level) {
		entry = &table[gfn >> (9 * (*level - 1)) & 511];
		pte = READ_ONCE(*entry);
		if (!pte_is_present(f, pte))
			return 0;
		if (pte_is_leaf(pte, *level))
			break;
		table = pte_to_table(f, pte);
	}
	while (write && (pte & f->write) && !(pte & f->dirty)) {
		if (try_cmpxchg64(entry, &pte, pte | f->dirty))
			return pte | f->dirty;
		if (!pte_is_present(f, pte) || !pte_is_leaf(pte, *level))
			return 0;
	}
	return pte;
}

static bool access_page(struct vcpu *v, u64 gfn, bool write)
{
	struct tlb *tlb = &v->tlb[gfn - BASE];
	enum page_level level;
	u64 pte;

	if (!tlb->valid || (write && !(tlb->write && tlb->dirty))) {
		/* Hardware: no lock; flushes wait for us. */
		pte = hardware_walk(gfn, write, &level);
		if (!pte)
			return false;
		tlb->pfn = pte_pfn_of(root.format, pte).v + gfn % pg_pages(level);
		tlb->write = pte_allows(root.format, pte, PTE_WRITE);
		tlb->dirty = pte & root.format->dirty;
		tlb->valid = true;
		if (write && !tlb->write)
			return false;
	}
	CHECK(!__atomic_load_n(&taken_back[tlb->pfn], __ATOMIC_RELAXED));
	if (write)
		__atomic_add_fetch(&content[tlb->pfn], 1, __ATOMIC_RELAXED);
	CHECK(!__atomic_load_n(&taken_back[tlb->pfn], __ATOMIC_RELAXED));
	v->accesses++;
	return true;
}

static void park(struct vcpu *v)
{
	__atomic_store_n(&v->parked, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&pause_all, __ATOMIC_SEQ_CST))
		sched_yield();
	__atomic_store_n(&v->parked, 0, __ATOMIC_SEQ_CST);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;

	self = v - vcpus;
	v->seed = self;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		u64 gfn = BASE;
		bool write = false, ok = true;

		if (__atomic_load_n(&pause_all, __ATOMIC_SEQ_CST))
			park(v);
		__atomic_add_fetch(&v->guest, 1, __ATOMIC_SEQ_CST);
		if (__atomic_exchange_n(&v->flush, 0, __ATOMIC_SEQ_CST))
			memset(v->tlb, 0, sizeof(v->tlb));
		for (int i = 0; ok && i < 32; i++) {
			gfn = BASE + rand_r(&v->seed) % PAGES;
			write = rand_r(&v->seed) % 2;
			ok = access_page(v, gfn, write);
		}
		__atomic_add_fetch(&v->guest, 1, __ATOMIC_SEQ_CST);
		if (ok)
			continue;
		v->faults++;
		if (rand_r(&v->seed) % 4 && fault_quick(gfn, write))
			continue;
		fault(gfn, write);
	}
	return NULL;
}

/* ---- the host ---------------------------------------------------------- */

static void move_locked(u64 first, u64 n, u64 align)
{
	u64 to = ALIGN(next_frame, align);

	next_frame = to + n;
	for (u64 i = 0; i < n; i++) {
		u64 old = host_pfn[first + i];

		content[to + i] = __atomic_load_n(&content[old],
						  __ATOMIC_RELAXED);
		host_pfn[first + i] = to + i;
		__atomic_store_n(&taken_back[old], 1, __ATOMIC_RELAXED);
	}
	host_large[first / 512] = n == 512;
}

static void invalidate(u64 first, u64 n)
{
	u64 start = BASE + first, end = start + n;
	struct op op;

	pthread_rwlock_wrlock(&mm_lock);
	if (mm_active++) {
		mm_start = min(mm_start, start);
		mm_end = max(mm_end, end);
	} else {
		mm_start = start;
		mm_end = end;
	}
	pthread_rwlock_unlock(&mm_lock);

	op_begin(&op);
	unmap_range(&op, start, end);
	op_end(&op);

	pthread_mutex_lock(&host_lock);
	if (next_frame + 2048 < FRAMES)
		move_locked(first, n, n);
	pthread_mutex_unlock(&host_lock);

	pthread_rwlock_wrlock(&mm_lock);
	__atomic_add_fetch(&mm_seq, 1, __ATOMIC_SEQ_CST);
	mm_active--;
	pthread_rwlock_unlock(&mm_lock);
}

static void *host_thread(void *arg)
{
	unsigned int seed = self = VCPUS + (long)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		u64 page = rand_r(&seed) % PAGES;

		if (rand_r(&seed) % 3)
			invalidate(page, 1);
		else
			invalidate(page & ~511ULL, 512);
		for (int i = 0; i < 20; i++)
			sched_yield();
	}
	return NULL;
}

/* ---- the dirty log, as mem/region.c and mem/log.c ---------------------- */

static void wait_for_faults(void)
{
	pthread_rwlock_wrlock(&mm_lock);
	pthread_rwlock_unlock(&mm_lock);
}

static void publish(bool log)
{
	struct memslots *old = slots;
	struct memslot *was = memslots_find_id(old, 0);
	struct memslot *slot = calloc(1, sizeof(*slot));

	*slot = (struct memslot){ .base = GFN(BASE), .npages = PAGES };
	if (log)
		slot->dirty = calloc(dirty_longs(PAGES), sizeof(long));
	smp_store_release(&slots, memslots_replace(old, was, slot));
	wait_for_faults();
	grace_period();
	if (was)
		free(was->dirty);
	free(memslots_retire(old));
}

static u64 copy[PAGES];

static void copy_page(u64 page)
{
	pthread_mutex_lock(&host_lock);
	copy[page] = __atomic_load_n(&content[host_pfn[page]],
				     __ATOMIC_RELAXED);
	pthread_mutex_unlock(&host_lock);
}

static void take(unsigned long *mask)
{
	dirty_take(memslots_find_id(slots, 0), 0, PAGES / 64, mask);
}

static void log_round(void)
{
	unsigned long mask[PAGES / 64] = {};
	u64 at = 0, n;
	struct op op;

	if (!root.format->log_in_tables)
		take(mask);
	op_begin(&op);
	if (root.format->log_in_tables) {
		harvest_all(&op, mask);
		wait_for_faults();
		take(mask);
	} else {
		for (; (n = dirty_next_run(mask, PAGES, &at)); at += n)
			protect_range(&op, BASE + at, BASE + at + n);
	}
	op_end(&op);
	for (u64 i = 0; i < PAGES; i++)
		if (test_bit(i, mask))
			copy_page(i);
}

static void compare(void)
{
	pthread_mutex_lock(&host_lock);
	for (u64 i = 0; i < PAGES; i++)
		CHECK(copy[i] == content[host_pfn[i]]);
	pthread_mutex_unlock(&host_lock);
}

static void log_cycle(unsigned int rounds)
{
	struct op op;

	publish(true);
	if (root.format->log_in_tables)
		__atomic_store_n(&logging, 1, __ATOMIC_SEQ_CST);
	wait_for_faults();
	op_begin(&op);
	protect_range(&op, BASE, BASE + PAGES);
	op_end(&op);
	for (u64 i = 0; i < PAGES; i++)
		copy_page(i);
	while (rounds--)
		log_round();

	__atomic_store_n(&pause_all, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS; i++)
		while (!__atomic_load_n(&vcpus[i].parked, __ATOMIC_SEQ_CST))
			sched_yield();
	log_round();
	compare();
	__atomic_store_n(&pause_all, 0, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS; i++)
		while (__atomic_load_n(&vcpus[i].parked, __ATOMIC_SEQ_CST))
			sched_yield();

	publish(false);
	op_begin(&op);
	for (u64 block = 0; block < BLOCKS; block++) {
		bool large;

		pthread_mutex_lock(&host_lock);
		large = host_large[block];
		pthread_mutex_unlock(&host_lock);
		if (large)
			unmap_range(&op, BASE + block * 512,
				    BASE + (block + 1) * 512);
	}
	op_end(&op);
	/* Let large pages come back. */
	for (int i = 0; i < 400; i++)
		sched_yield();
}

static void free_table(void *ctx, void *table)
{
	tables--;
	free(table);
}

static int run(const struct pte_format *format)
{
	pthread_t thread[VCPUS + 2];
	u64 accesses = 0, faults = 0;
	struct op op;

	self = VCPUS + 2;
	root = (struct tdp_root){
		.format = format, .table = world_table(), .level = 4,
	};
	slots = memslots_empty();
	publish(false);
	next_frame = 512;
	for (u64 block = 0; block < BLOCKS; block++)
		move_locked(block * 512, 512, 512);
	memset(taken_back, 0, sizeof(taken_back));

	for (long i = 0; i < VCPUS; i++)
		pthread_create(&thread[i], NULL, vcpu_thread, &vcpus[i]);
	for (long i = 0; i < 2; i++)
		pthread_create(&thread[VCPUS + i], NULL, host_thread,
			       (void *)i);
	for (unsigned int i = 0; i < LOG_CYCLES; i++)
		log_cycle(i % 10);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS + 2; i++)
		pthread_join(thread[i], NULL);

	op_begin(&op);
	unmap_range(&op, 0, U64_MAX);
	op_end(&op);
	tdp_destroy(&root, free_table, NULL);
	CHECK(tables == -1);
	for (int i = 0; i < VCPUS; i++) {
		accesses += vcpus[i].accesses;
		faults += vcpus[i].faults;
	}
	CHECK(accesses > 1000 && faults > 100);
	printf("%llu accesses, %llu faults, %llu frames\n", accesses,
	       faults, next_frame);
	return 0;
}

int main(void)
{
	static struct pte_format formats[2];
	int status;

	formats[0] = formats[1] = npt_format;
	formats[1].log_by_dirty = formats[1].log_in_tables = true;
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (!child)
			return run(&formats[i]);
		CHECK(waitpid(child, &status, 0) == child);
		if (status)
			return 1;
	}
	return 0;
}
