// SPDX-License-Identifier: GPL-2.0-only
/*
 * All of mem/ and mmu/ under threads, the kernel's side of it by kernel_mm.h and
 * host_model.h: vCPUs use memory while its slots come, go, move and log, and the
 * host moves pages and takes them back.
 *
 * A vCPU thread walks the tables as hardware does, with a TLB of its own, and
 * faults by the real mmu_fault(). Two threads are the host, one changes slots by
 * the real mem_set_region(). Once for each way in which a format logs writes, and
 * each in two parts: slots that come and go, and one that moves while it logs.
 *
 * What must hold:
 *  - no vCPU touches a frame that the host has taken back;
 *  - when a change of slots has returned, what vCPUs reach is what it says;
 *  - no write is missing from a copy that follows the dirty log;
 *  - no table is left when the VM is gone.
 */
#include <sys/wait.h>

#include "host_model.h"
#include "mem/mem.h"
#include "mmu/mmu.h"
#include "mmu/notifier.h"

#define VCPUS 3
#define HOSTS 2
#define BASE 0x200ULL			/* of what vCPUs use */
#define WINDOW 3072ULL
#define PIECES 6			/* slots that come and go, from id 1 on */
#define PIECES_BASE (BASE + 2048)
#define NOWHERE U32_MAX

struct tlb {
	u64 pfn;
	bool valid, write, dirty;
};

struct vcpu {
	struct epoch_reader reader;
	unsigned long guest;		/* odd: in guest mode */
	int flush, parked;		/* atomic */
	u64 accesses, faults, mmio;
	struct tlb tlb[WINDOW];
	u64 pml[64];
	unsigned int pml_count, seed;
};

static struct vcpu vcpus[VCPUS];
static struct mem mem;
static struct mmu mmu;
static int pause_all;

/* Which of the VMM's pages is at each frame, while the number is even. */
static u32 layout[WINDOW];
static unsigned long layout_seq;

static void wait_for_guests(void)
{
	for (int i = 0; i < VCPUS; i++)
		wait_while_inside(&vcpus[i].guest);
}

static void flush(struct mmu *m)
{
	for (int i = 0; i < VCPUS; i++)
		__atomic_store_n(&vcpus[i].flush, 1, __ATOMIC_SEQ_CST);
	/* Let others come by while entries are frozen. */
	for (int i = 0; i < 10; i++)
		sched_yield();
	wait_for_guests();
}

static void quiesce(struct mmu *m)
{
	wait_for_guests();
}

static const struct mmu_ops ops = { .flush = flush, .quiesce = quiesce };

/* ---- vCPUs ----------------------------------------------------------------- */

static void drain_pml(struct vcpu *v)
{
	epoch_enter(&v->reader);
	mem_log_written(&mem, v->pml, v->pml_count);
	epoch_exit(&mem.epoch, &v->reader);
	v->pml_count = 0;
}

static void set_bits(u64 *entry, u64 *pte, u64 bits)
{
	if (try_cmpxchg64(entry, pte, *pte | bits))
		*pte |= bits;
	else
		*pte = 0;
}

/* As hardware does; 0: a fault. */
static u64 hardware_walk(struct vcpu *v, u64 gfn, bool write,
			 enum page_level *level)
{
	const struct pte_format *f = mmu.format;
	u64 *table = mmu.main.root.table, *entry, pte;

	for (*level = mmu.main.root.level;; --*level) {
		entry = &table[gfn >> (9 * (*level - 1)) & 511];
		pte = READ_ONCE(*entry);
		if (!pte_is_present(f, pte))
			return 0;
		if (pte_is_leaf(pte, *level))
			break;
		table = pte_to_table(f, pte);
	}
	if (f->accessed && !(pte & f->accessed))
		set_bits(entry, &pte, f->accessed);
	if (!write || !pte || !(pte & f->write) || !f->dirty ||
	    (pte & f->dirty))
		return pte;
	set_bits(entry, &pte, f->dirty);
	if (pte && READ_ONCE(mmu.logging) && !f->log_in_tables)
		v->pml[v->pml_count++] = gfn << PAGE_SHIFT;
	return pte;
}

static bool load_tlb(struct vcpu *v, struct tlb *tlb, u64 gfn, bool write)
{
	const struct pte_format *f = mmu.format;
	enum page_level level;
	u64 pte = hardware_walk(v, gfn, write, &level);

	if (!pte)
		return false;
	*tlb = (struct tlb){
		.pfn = pte_pfn_of(f, pte).v + gfn % pg_pages(level),
		.write = pte & f->write,
		.dirty = !f->dirty || (pte & f->dirty),
		.valid = true,
	};
	return !write || tlb->write;
}

/* The guest is what the slots say, but in the midst of a change. */
static void check_layout(u64 gfn, u64 pfn, unsigned long seq, u32 page)
{
	if (!(seq & 1) && __atomic_load_n(&layout_seq, __ATOMIC_SEQ_CST) == seq)
		CHECK(page == frame_page[pfn]);
}

static bool access_page(struct vcpu *v, u64 gfn, bool write)
{
	unsigned long seq = __atomic_load_n(&layout_seq, __ATOMIC_SEQ_CST);
	u32 page = __atomic_load_n(&layout[gfn - BASE], __ATOMIC_SEQ_CST);
	struct tlb *tlb = &v->tlb[gfn - BASE];

	if ((!tlb->valid || (write && !(tlb->write && tlb->dirty))) &&
	    !load_tlb(v, tlb, gfn, write))
		return false;
	CHECK(!__atomic_load_n(&taken_back[tlb->pfn], __ATOMIC_RELAXED));
	if (write)
		__atomic_add_fetch(&content[tlb->pfn], 1, __ATOMIC_RELAXED);
	CHECK(!__atomic_load_n(&taken_back[tlb->pfn], __ATOMIC_RELAXED));
	check_layout(gfn, tlb->pfn, seq, page);
	v->accesses++;
	return true;
}

/* Interrupts off are an RCU section as well. */
static bool fault_quick(const struct memslots *set, const struct memslot *slot,
			const struct fault_in *in)
{
	bool done;

	rcu_read_lock();
	done = mmu_fault_quick(&mmu, set, slot, in);
	rcu_read_unlock();
	return done;
}

static void fault(struct vcpu *v, u64 gfn, bool write)
{
	const struct fault_in in = {
		.gpa = GPA(gfn << PAGE_SHIFT), .read = true, .write = write,
		.present = v->tlb[gfn - BASE].valid,
	};
	const struct memslots *set;
	const struct memslot *slot;
	enum fault_rc rc = FAULT_MMIO;

	epoch_enter(&v->reader);
	set = mem_slots(&mem);
	slot = memslots_find(set, GFN(gfn));
	v->faults++;
	if (slot && (rand_r(&v->seed) % 4 == 0 ||
		     !fault_quick(set, slot, &in)))
		rc = mmu_fault(&mmu, &v->reader, &in);
	epoch_exit(&mem.epoch, &v->reader);
	v->mmio += rc == FAULT_MMIO;
	CHECK(rc <= FAULT_MMIO);
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
	while (!stopped()) {
		u64 gfn = BASE;
		bool write = false, ok = true;

		if (__atomic_load_n(&pause_all, __ATOMIC_SEQ_CST))
			park(v);
		__atomic_add_fetch(&v->guest, 1, __ATOMIC_SEQ_CST);
		if (__atomic_exchange_n(&v->flush, 0, __ATOMIC_SEQ_CST))
			memset(v->tlb, 0, sizeof(v->tlb));
		for (int i = 0; ok && i < 32; i++) {
			gfn = BASE + rand_r(&v->seed) % WINDOW;
			write = rand_r(&v->seed) % 2;
			ok = access_page(v, gfn, write);
		}
		drain_pml(v);
		__atomic_add_fetch(&v->guest, 1, __ATOMIC_SEQ_CST);
		if (!ok)
			fault(v, gfn, write);
	}
	return NULL;
}

/* ---- the host ------------------------------------------------------------- */

static bool may_drop;

static void *host_thread(void *arg)
{
	unsigned int seed = self = VCPUS + (long)arg;

	while (!stopped()) {
		u64 page = rand_r(&seed) % HOST_PAGES, block = page & ~511ULL;
		enum host_change change = may_drop ?
			rand_r(&seed) % HOST_CHANGES : HOST_MOVE;

		switch (rand_r(&seed) % 6) {
		case 0:
			host_invalidate(block, 512, change);
			break;
		case 1:
			host_age(page, 1, rand_r(&seed) % 2);
			break;
		case 2:
			host_age(block, 512, true);
			break;
		default:
			host_invalidate(page, 1, change);
		}
		for (int i = 0; i < 20; i++)
			sched_yield();
	}
	return NULL;
}

static void *rcu_thread(void *arg)
{
	self = VCPUS + HOSTS;
	while (!stopped()) {
		rcu_run();
		for (int i = 0; i < 20; i++)
			sched_yield();
	}
	return NULL;
}

/* ---- slots ------------------------------------------------------------------ */

struct slot {
	u64 base, page, npages;		/* npages 0: is not there */
	u32 flags;
};

static struct slot slots[1 + PIECES];

static void show(const struct slot *slot, bool there)
{
	for (u64 i = 0; i < slot->npages; i++)
		__atomic_store_n(&layout[slot->base - BASE + i],
				 there ? slot->page + i : NOWHERE,
				 __ATOMIC_SEQ_CST);
}

/* What slot @id is to be; refused if it may not. */
static bool set_slot(u32 id, struct slot next)
{
	const struct slot *what = next.npages ? &next : &slots[id];
	const struct kvm_userspace_memory_region2 in = {
		.slot = id,
		.flags = next.flags,
		.guest_phys_addr = what->base << PAGE_SHIFT,
		.memory_size = next.npages << PAGE_SHIFT,
		.userspace_addr = page_hva(what->page),
	};
	int err;

	__atomic_add_fetch(&layout_seq, 1, __ATOMIC_SEQ_CST);
	err = mem_set_region(&mem, &in);
	CHECK(!err || err == -EEXIST || (err == -EINVAL && !slots[id].npages));
	if (!err) {
		show(&slots[id], false);
		slots[id] = next;
		show(&slots[id], true);
	}
	__atomic_add_fetch(&layout_seq, 1, __ATOMIC_SEQ_CST);
	return !err;
}

/* By a few pages, as that is where old and new place overlap. */
static u64 another_base(unsigned int *seed)
{
	static const u64 bases[] = { 0, 1, 7, 512, 513, 600 };

	return BASE + bases[rand_r(seed) % ARRAY_SIZE(bases)];
}

static void change_large(unsigned int *seed)
{
	struct slot next = slots[0];

	switch (rand_r(seed) % 4) {
	case 0:
		set_slot(0, (struct slot){ 0 });
		next = (struct slot){ .base = another_base(seed),
				      .npages = HOST_PAGES };
		break;
	case 1:
		next.flags ^= KVM_MEM_LOG_DIRTY_PAGES;
		break;
	default:
		next.base = another_base(seed);
	}
	set_slot(0, next);
}

static void change_piece(unsigned int *seed)
{
	u32 id = 1 + rand_r(seed) % PIECES;
	struct slot next = slots[id];

	if (!next.npages) {
		next.page = rand_r(seed) % HOST_PAGES;
		next.npages = 1 + rand_r(seed) %
			      min(HOST_PAGES - (int)next.page, 200);
	} else if (rand_r(seed) % 3 == 0) {
		next = (struct slot){ 0 };
	} else if (rand_r(seed) % 3 == 0) {
		next.flags ^= KVM_MEM_LOG_DIRTY_PAGES;
	}
	if (next.npages && rand_r(seed) % 2)
		next.base = 0;
	if (next.npages && !next.base)
		next.base = PIECES_BASE + rand_r(seed) % (1024 - next.npages);
	set_slot(id, next);
}

static void change_slots(unsigned int changes)
{
	unsigned int seed = 7;

	set_slot(0, (struct slot){ .base = BASE, .npages = HOST_PAGES });
	while (changes-- && frames_left()) {
		if (rand_r(&seed) % 3)
			change_piece(&seed);
		else
			change_large(&seed);
		for (int i = rand_r(&seed) % 40; i; i--)
			sched_yield();
	}
}

/* ---- the dirty log ---------------------------------------------------------- */

static u64 copy[HOST_PAGES];
static bool moves_over;

static void copy_page(u64 page)
{
	u64 pte;

	pthread_mutex_lock(&host_lock);
	pte = host_pte[page];
	copy[page] = pte ? __atomic_load_n(&content[HOST_FRAME(pte)],
					   __ATOMIC_RELAXED) : 0;
	pthread_mutex_unlock(&host_lock);
}

static void log_round(void)
{
	unsigned long mask[HOST_PAGES / 64];

	CHECK(!mem_get_dirty_log(&mem, 0, mask));
	for (u64 i = 0; i < HOST_PAGES; i++)
		if (test_bit(i, mask))
			copy_page(i);
}

static void *moving_thread(void *arg)
{
	unsigned int seed = 3;

	self = VCPUS + HOSTS + 1;
	while (!__atomic_load_n(&moves_over, __ATOMIC_SEQ_CST)) {
		struct slot next = slots[0];

		next.base = another_base(&seed);
		set_slot(0, next);
		for (int i = 0; i < 30; i++)
			sched_yield();
	}
	return NULL;
}

static void log_cycle(unsigned int rounds)
{
	struct slot plain = slots[0], logged = slots[0];
	pthread_t mover;
	u64 pte;

	logged.flags = KVM_MEM_LOG_DIRTY_PAGES;
	set_slot(0, logged);
	for (u64 i = 0; i < HOST_PAGES; i++)
		copy_page(i);
	__atomic_store_n(&moves_over, false, __ATOMIC_SEQ_CST);
	pthread_create(&mover, NULL, moving_thread, NULL);
	while (rounds--)
		log_round();
	__atomic_store_n(&moves_over, true, __ATOMIC_SEQ_CST);
	pthread_join(mover, NULL);

	__atomic_store_n(&pause_all, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS; i++)
		while (!__atomic_load_n(&vcpus[i].parked, __ATOMIC_SEQ_CST))
			sched_yield();
	log_round();
	pthread_mutex_lock(&host_lock);
	for (u64 i = 0; i < HOST_PAGES; i++) {
		pte = host_pte[i];
		CHECK(!pte || copy[i] == content[HOST_FRAME(pte)]);
	}
	pthread_mutex_unlock(&host_lock);
	__atomic_store_n(&pause_all, 0, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS; i++)
		while (__atomic_load_n(&vcpus[i].parked, __ATOMIC_SEQ_CST))
			sched_yield();
	plain.base = BASE;
	set_slot(0, plain);
	for (int i = 0; i < 200; i++)
		sched_yield();
}

static void move_while_logging(unsigned int cycles)
{
	set_slot(0, (struct slot){ .base = BASE, .npages = HOST_PAGES });
	for (unsigned int i = 0; i < cycles && frames_left(); i++)
		log_cycle(2 + i % 10);
}

/* ---- one after the other ---------------------------------------------------- */

static bool is_mapped(u64 gfn)
{
	enum page_level level;

	return tdp_lookup(&mmu.main.root, GFN(gfn), &level);
}

static void map_all(u64 base)
{
	for (u64 i = 0; i < HOST_PAGES; i++)
		fault(&vcpus[0], base + i, true);
	CHECK(is_mapped(base) && is_mapped(base + HOST_PAGES - 1));
}

/* A slot has left the set, and its translations are there still. */
static void notifier_finds_what_goes(void)
{
	struct memslots *old, *next;
	struct memslot *slot;

	CHECK(set_slot(0, (struct slot){ .base = BASE, .npages = HOST_PAGES }));
	map_all(BASE);
	old = mem_slots(&mem);
	slot = memslots_find_id(old, 0);
	next = memslots_replace(old, slot, NULL);
	mem.ops->publish(&mem, next, slot);
	host_invalidate(HOST_PAGES - 1, 1, HOST_DROP);
	CHECK(!is_mapped(BASE + HOST_PAGES - 1));
	CHECK(is_mapped(BASE));
	mem.ops->forget(&mem);
	CHECK(!is_mapped(BASE) && !mem.going);
	free(memslots_retire(old));
	show(&slots[0], false);
	slots[0] = (struct slot){ 0 };
}

/* ---- */

static void run_threads(void (*work)(unsigned int n), unsigned int n)
{
	pthread_t thread[VCPUS + HOSTS + 1];

	stop = 0;
	for (long i = 0; i < VCPUS; i++)
		pthread_create(&thread[i], NULL, vcpu_thread, &vcpus[i]);
	for (long i = 0; i < HOSTS; i++)
		pthread_create(&thread[VCPUS + i], NULL, host_thread,
			       (void *)i);
	pthread_create(&thread[VCPUS + HOSTS], NULL, rcu_thread, NULL);
	work(n);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < VCPUS + HOSTS + 1; i++)
		pthread_join(thread[i], NULL);
}

static int run(const struct pte_format *format)
{
	u64 accesses = 0, faults = 0, mmio = 0;

	self = VCPUS + HOSTS + 2;
	arena_init();
	memset(layout, 0xff, sizeof(layout));
	next_frame = 512;
	for (u64 i = 0; i < HOST_BLOCKS; i++)
		replace_locked(i * 512, 512, false);
	CHECK(!mem_setup(&mem));
	CHECK(!mmu_init(&mmu, &mem, format, 4, &ops));
	for (int i = 0; i < VCPUS; i++)
		epoch_add_reader(&mem.epoch, &vcpus[i].reader);

	notifier_finds_what_goes();
	may_drop = true;
	run_threads(change_slots, 200);
	for (u32 id = 0; id <= PIECES; id++)
		set_slot(id, (struct slot){ 0 });
	may_drop = false;
	run_threads(move_while_logging, 3);

	mmu_free(&mmu);
	mem_free(&mem);
	rcu_run();
	CHECK(!atomic64_read(&mmu.tables) && arena_count == ARENA_PAGES);
	for (int i = 0; i < VCPUS; i++) {
		accesses += vcpus[i].accesses;
		faults += vcpus[i].faults;
		mmio += vcpus[i].mmio;
	}
	CHECK(accesses > 1000 && faults > 1000 && mmio > 100);
	printf("%llu accesses, %llu faults, %llu frames\n", accesses, faults,
	       next_frame);
	return 0;
}

int main(void)
{
	static struct pte_format formats[4];
	int status;

	formats[0] = ept_format_no_ad;
	formats[1] = npt_format;
	formats[2] = npt_format;
	formats[2].log_by_dirty = formats[2].log_in_tables = true;
	formats[3] = ept_format;
	formats[3].log_by_dirty = true;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (!child)
			return run(&formats[i]);
		CHECK(waitpid(child, &status, 0) == child);
		if (status) {
			printf("format %zu: status %d\n", i, status);
			return 1;
		}
	}
	return 0;
}
