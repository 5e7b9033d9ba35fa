// SPDX-License-Identifier: GPL-2.0-only
/*
 * PAE paging in 32-bit guests: who loads the four page-directory-pointer
 * entries, and when. Intel's hardware keeps them apart and needs them loaded
 * for it; AMD's reads them from memory at each walk, under nested paging.
 *
 * The window at WINDOW is what the tables differ in: each leads there to
 * another 2 MiB page of the same memory, or to none.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#define WINDOW	0xc0000000	/* PDPTE 3 */
#define PDPT_A	(GPA_DATA + 0x20)
#define PDPT_B	(GPA_DATA + 0x40)
#define PD_A	0x22000		/* first entry: page 0; second: MMIO */
#define PD_B	0x23000		/* first entry: none; second: page 0 */
#define WORD	0x24000		/* in page 0 */
#define VALUE	0x12345678

#define P	1
#define PAGE	0xe7		/* present, write, user, A, D, large */

#define CR4_PAE 0x20

/* The identity map of the harness serves for the first three entries. */
static void fill_pdpt(struct vm *vm, uint64_t pdpt, uint64_t pd)
{
	uint64_t *e = (uint64_t *)(vm->ram + pdpt);

	for (unsigned int i = 0; i < 3; i++)
		e[i] = (GPA_PD + i * PAGE_SIZE) | P;
	e[3] = pd | P;
}

static void fill_tables(struct vm *vm)
{
	uint64_t *a = (uint64_t *)(vm->ram + PD_A);
	uint64_t *b = (uint64_t *)(vm->ram + PD_B);

	fill_pdpt(vm, PDPT_A, PD_A);
	fill_pdpt(vm, PDPT_B, PD_B);
	a[0] = PAGE;
	a[1] = GPA_MMIO | PAGE;
	b[1] = PAGE;
	*(uint32_t *)(vm->ram + WORD) = VALUE;
}

static bool on_amd(struct vm *vm)
{
	return find_cpuid(supported_cpuid(vm->kvm), 0, 0)->ecx == 0x444d4163;
}

PAYLOAD(32, look,
	mov WINDOW + WORD, %eax;
	out %eax, $0x80;
	mov WINDOW + 0x200000, %eax;
	out %eax, $0x81;
	mov $PDPT_B, %eax;
	mov %eax, %cr3;
	mov WINDOW + 0x200000 + WORD, %eax;
	out %eax, $0x82;
	hlt;
)

/* Everything the payload does with the tables; it starts under PDPT_A. */
static void check_look(struct vcpu *v)
{
	expect_out(v, 0x80, 4, VALUE);
	expect_read(v, GPA_MMIO, 4, 0xabcdef01);
	expect_out(v, 0x81, 4, 0xabcdef01);
	expect_out(v, 0x82, 4, VALUE);
	expect_halt(v);
}

static struct kvm_sregs paging(struct vcpu *v)
{
	struct kvm_sregs s = get_sregs(v);

	s.cr0 |= 1u << 31;
	s.cr3 = PDPT_A;
	s.cr4 |= CR4_PAE;
	return s;
}

TEST(pae_by_set_sregs)
{
	struct vcpu *v = boot(0, &look);
	struct kvm_sregs s = paging(v);

	fill_tables(v->vm);
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	check_look(v);
}

PAYLOAD(32, turn_on,
	mov $PDPT_A, %eax;
	mov %eax, %cr3;
	mov %cr4, %eax;
	or $CR4_PAE, %eax;
	mov %eax, %cr4;
	mov %cr0, %eax;
	or $0x80000000, %eax;
	mov %eax, %cr0;
	mov WINDOW + WORD, %eax;
	out %eax, $0x80;
	mov WINDOW + 0x200000, %eax;
	out %eax, $0x81;
	mov $PDPT_B, %eax;
	mov %eax, %cr3;
	mov WINDOW + 0x200000 + WORD, %eax;
	out %eax, $0x82;
	hlt;
)

TEST(pae_by_the_guest)
{
	struct vcpu *v = boot(0, &turn_on);

	fill_tables(v->vm);
	check_look(v);
}

/* PAE, then PG: 2-level paging would not find the window. */
PAYLOAD(32, through_cr4,
	mov $PDPT_A, %eax;
	mov %eax, %cr3;
	mov %cr4, %eax;
	or $CR4_PAE | 0x80, %eax;
	mov %eax, %cr4;
	mov %cr0, %eax;
	or $0x80000000, %eax;
	mov %eax, %cr0;
	mov WINDOW + WORD, %ebx;
	movl $PD_B + 1, PDPT_A + 24;
	mov %cr4, %eax;
	xor $0x80, %eax;
	mov %eax, %cr4;
	mov WINDOW + 0x200000 + WORD, %eax;
	out %eax, $0x80;
	hlt;
)

TEST(pae_entries_are_read_again_by_cr4)
{
	struct vcpu *v = boot(0, &through_cr4);

	if (on_tcg())
		skip_on_reference("an entry that TCG marked as accessed is #GP");
	fill_tables(v->vm);
	expect_out(v, 0x80, 4, VALUE);
	EQ((uint32_t)get_regs(v).rbx, VALUE);
	expect_halt(v);
}

/* Reserved bits: #GP where they are loaded, #PF where they are walked. */
TEST(pae_entries_with_reserved_bits)
{
	struct vcpu *v = boot(0, &turn_on);
	struct kvm_sregs s = get_sregs(v);

	if (on_tcg())
		skip("TCG does not look at them");
	fill_tables(v->vm);
	*(uint64_t *)(v->vm->ram + PDPT_A) |= 1 << 6;
	s.idt.limit = 0;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	expect_exit(v, KVM_EXIT_SHUTDOWN);
}

/* TCG marks entries as accessed that have no bit for it. */
static void check_entries_(const struct kvm_sregs2 *s, struct vm *vm,
			   uint64_t pdpt)
{
	for (unsigned int i = 0; i < 4; i++)
		if ((s->pdptrs[i] ^ ram64(vm, pdpt + 8 * i)) & ~0x20ull)
			fail("entry %u is %#llx", i, s->pdptrs[i]);
}

#define check_entries(...)						\
	(here(__FILE__, __LINE__), check_entries_(__VA_ARGS__))

static struct kvm_sregs2 get2(struct vcpu *v)
{
	struct kvm_sregs2 s;

	OK(IOCTL(v->fd, KVM_GET_SREGS2, &s));
	return s;
}

TEST(pae_sregs2_round_trip)
{
	struct vcpu *v = boot(0, &turn_on);
	struct kvm_sregs2 s;

	need_cap(v->vm, KVM_CAP_SREGS2);
	fill_tables(v->vm);
	EQ(get2(v).flags, 0);
	expect_out(v, 0x80, 4, VALUE);
	s = get2(v);
	EQ(s.flags, KVM_SREGS2_FLAGS_PDPTRS_VALID);
	check_entries(&s, v->vm, PDPT_A);
	EQ(s.cr3, PDPT_A);
	OK(IOCTL(v->fd, KVM_SET_SREGS2, &s));
	expect_read(v, GPA_MMIO, 4, 1);
	expect_out(v, 0x81, 4, 1);
	expect_out(v, 0x82, 4, VALUE);
	if (on_amd(v->vm))
		skip_on_reference("it tells of entries from before MOV CR3");
	s = get2(v);
	check_entries(&s, v->vm, PDPT_B);
	expect_halt(v);
}

/* What the guest loaded lives on in the vCPU, whatever memory holds by now. */
TEST(pae_sregs2_carries_what_was_loaded)
{
	struct vcpu *v = boot(0, &turn_on);
	struct kvm_sregs2 s;

	need_cap(v->vm, KVM_CAP_SREGS2);
	if (on_amd(v->vm))
		skip("this hardware keeps nothing");
	fill_tables(v->vm);
	expect_out(v, 0x80, 4, VALUE);
	memset(v->vm->ram + PDPT_A, 0, 32);
	s = get2(v);
	EQ(s.pdptrs[3], PD_A | P);
	OK(IOCTL(v->fd, KVM_SET_SREGS2, &s));
	expect_read(v, GPA_MMIO, 4, 1);
	expect_out(v, 0x81, 4, 1);
}

TEST(pae_sregs2_refuses)
{
	struct vcpu *v = boot(0, &look);
	struct kvm_sregs2 s;

	need_cap(v->vm, KVM_CAP_SREGS2);
	s = get2(v);
	s.flags = 1 << 1;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS2, &s));
	s.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;	/* without PAE */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS2, &s));
	s.flags = 0;
	OK(IOCTL(v->fd, KVM_SET_SREGS2, &s));
}

TEST(pae_sregs2_without_entries_reads_them)
{
	struct vcpu *v = boot(0, &look);
	struct kvm_sregs2 s;

	need_cap(v->vm, KVM_CAP_SREGS2);
	fill_tables(v->vm);
	s = get2(v);
	s.cr0 |= 1u << 31;
	s.cr3 = PDPT_A;
	s.cr4 |= CR4_PAE;
	OK(IOCTL(v->fd, KVM_SET_SREGS2, &s));
	check_look(v);
}
