// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two entry formats against the manuals' tables, bit by bit: the numbers
 * here are the manuals', not the sources' names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "mmu/pte.h"

#define RWX (PTE_READ | PTE_WRITE | PTE_EXEC)
#define B(n) (1ULL << (n))

static const struct pte_format *const formats[] = {
	&npt_format, &ept_format, &ept_format_no_ad,
};

/* APM vol. 2, figures 5-20 to 5-23: P 0, R/W 1, U/S 2, A 5, D 6, PS 7, NX 63 */
static void npt_entries(void **state)
{
	const struct pte_format *f = &npt_format;
	struct pfn pfn = PFN(0x123456000ULL >> 12);

	assert_int_equal(pte_table(f, 0x7000), 0x7000 | B(0) | B(1) | B(2) |
			 B(5));
	assert_int_equal(pte_leaf(f, pfn, PG_4K, RWX, PTE_MEM_RAM),
			 0x123456000ULL | B(0) | B(1) | B(2) | B(5) | B(6));
	assert_int_equal(pte_leaf(f, pfn, PG_4K, PTE_READ, PTE_MEM_RAM),
			 0x123456000ULL | B(0) | B(2) | B(5) | B(63));
	assert_int_equal(pte_leaf(f, PFN(0x200), PG_2M, PTE_READ | PTE_EXEC,
				  PTE_MEM_RAM),
			 0x200000 | B(0) | B(2) | B(5) | B(7));
	assert_int_equal(pte_leaf(f, PFN(0x40000), PG_1G, RWX, PTE_MEM_RAM),
			 0x40000000 | B(0) | B(1) | B(2) | B(5) | B(6) | B(7));
	/* PWT 3, PCD 4, PAT: host PAT0 for whatever type. */
	for (int t = 0; t < PTE_MEM_COUNT; t++)
		assert_int_equal(f->memtype[t], 0);
}

/* SDM vol. 3, tables 29-2 to 29-7: R 0 W 1 X 2, type 5:3, IPAT 6, A 8, D 9 */
static void ept_entries(void **state)
{
	const struct pte_format *f = &ept_format;
	u64 wb = 6 << 3 | B(6);

	assert_int_equal(pte_table(f, 0x7000), 0x7000 | 7 | B(8));
	assert_int_equal(pte_leaf(f, PFN(0x123), PG_4K, RWX, PTE_MEM_RAM),
			 0x123000 | 7 | wb | B(8) | B(9));
	assert_int_equal(pte_leaf(f, PFN(0x123), PG_4K, PTE_READ, PTE_MEM_RAM),
			 0x123000 | 1 | wb | B(8));
	assert_int_equal(pte_leaf(f, PFN(0x200), PG_2M, PTE_READ | PTE_EXEC,
				  PTE_MEM_RAM),
			 0x200000 | 5 | wb | B(7) | B(8));
	/* Device memory: UC, and the guest's PAT counts. */
	assert_int_equal(pte_leaf(f, PFN(0x123), PG_4K, RWX, PTE_MEM_MMIO),
			 0x123000 | 7 | B(8) | B(9));

	f = &ept_format_no_ad;
	assert_int_equal(pte_table(f, 0x7000), 0x7000 | 7);
	assert_int_equal(pte_leaf(f, PFN(0x123), PG_4K, RWX, PTE_MEM_RAM),
			 0x123000 | 7 | wb);
}

/* 29.3.3.1: writable but not readable is a misconfiguration. */
static void ept_never_misconfigured(void **state)
{
	for (u32 access = PTE_READ; access <= RWX; access += 2) {
		u64 pte = pte_leaf(&ept_format, PFN(1), PG_4K, access,
				   PTE_MEM_RAM);
		u64 type = pte >> 3 & 7;

		assert_true(pte & 1);
		assert_true(type == 0 || type == 6);
	}
}

/* APM vol. 2, 7.10.3: the C-bit, beside the addresses of the system's memory. */
static void encrypted_memory(void **state)
{
	struct pte_format f = npt_format;
	u64 table, leaf, device;

	for (int bit = 47; bit <= 51; bit++) {
		f.encrypted = B(bit);
		table = pte_table(&f, 0x7000);
		assert_int_equal(table, 0x7000 | B(bit) | B(0) | B(1) | B(2) |
				 B(5));
		assert_int_equal(pte_pa(&f, table), 0x7000);
		assert_ptr_equal(pte_to_table(&f, table), host_va(0x7000));
		for (enum page_level l = PG_4K; l <= PG_1G; l++) {
			leaf = pte_leaf(&f, PFN(0x40000), l, RWX, PTE_MEM_RAM);
			device = pte_leaf(&f, PFN(0x40000), l, RWX,
					  PTE_MEM_MMIO);
			assert_int_equal(leaf, device | B(bit));
			assert_false(device & B(bit));
			assert_int_equal(pte_pfn_of(&f, leaf).v, 0x40000);
			assert_int_equal(pte_pfn_of(&f, device).v, 0x40000);
			assert_true(pte_same_page(&f, leaf, leaf & ~B(1)));
			assert_false(pte_same_page(&f, leaf, device));
		}
	}
	assert_false(npt_format.encrypted | ept_format.encrypted |
		     ept_format_no_ad.encrypted);
}

static void software_bits(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct pte_format *f = formats[i];
		u64 hw = f->present | f->table | f->read | f->write | f->exec |
			 f->noexec | f->accessed | f->dirty | f->memtype[0] |
			 f->memtype[1] | PTE_ADDR | PTE_LARGE;

		assert_false(hw & (PTE_HOST_WRITABLE | PTE_FROZEN |
				   PTE_UNLINKED));
		assert_false(pte_is_present(f, PTE_FROZEN));
		assert_false(pte_is_present(f, PTE_UNLINKED));
		assert_false(pte_is_present(f, 0));
		assert_true(pte_is_present(f, pte_table(f, 0x1000)));
		assert_false(pte_is_leaf(pte_table(f, 0x1000), PG_2M));
		assert_false((PTE_FROZEN | PTE_UNLINKED) & PTE_ADDR);
	}
}

static void access_round_trip(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		for (u32 access = PTE_READ; access <= RWX; access += 2) {
			u64 pte = pte_leaf(formats[i], PFN(0x40000), PG_1G,
					   access, PTE_MEM_RAM);

			assert_true(pte_is_leaf(pte, PG_1G));
			assert_int_equal(pte_pfn_of(formats[i], pte).v,
					 0x40000);
			for (u32 want = 0; want <= RWX; want++)
				assert_int_equal(pte_allows(formats[i], pte,
							    want | PTE_READ),
						 !(want & ~access));
		}
		assert_false(pte_allows(formats[i], 0, PTE_READ));
		assert_false(pte_allows(formats[i], PTE_FROZEN, PTE_READ));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(npt_entries),
		cmocka_unit_test(ept_entries),
		cmocka_unit_test(ept_never_misconfigured),
		cmocka_unit_test(encrypted_memory),
		cmocka_unit_test(software_bits),
		cmocka_unit_test(access_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
