// SPDX-License-Identifier: GPL-2.0-only
/*
 * Alignment checks: a guest that asks for them gets them, one that does not
 * does not, and none keeps the CPU for itself with them.
 */
#include "harness.h"

#include <cpuid.h>
#include <errno.h>

#define CR0_AM 0x40000
#define USER_FLAGS 0x202
#define AC 0x40000
#define SEL_UCODE32 0x3b
#define GPA_IDT32 GPA_DATA

static void need_alignment_checks(void)
{
	if (on_tcg())
		skip("TCG has no alignment checks");
}

/* To ring 3 with the flags in EDI; there a read at an odd address. */
PAYLOAD_LABEL(odd_read);
PAYLOAD(64, reads_odd,
	mov GPA_TRAP, %eax;
	mov %cr0, %rax;
	or $CR0_AM, %eax;
	mov %rax, %cr0;
	push $SEL_UDATA;
	push $GPA_STACK + 0x3000;
	push %rdi;
	push $SEL_UCODE;
	push $GPA_CODE + odd_read - reads_odd_start;
	iretq;
odd_read:
	mov GPA_DATA + 1, %ebx;
	int $0x77;
)

static struct vcpu *odd(uint64_t flags)
{
	struct vcpu *v = boot(0, &reads_odd);
	struct kvm_regs regs = get_regs(v);

	vm_set_isr(v->vm, 0x77, ISR_PLAIN);
	regs.rdi = flags;
	set_regs(v, &regs);
	return v;
}

TEST(alignment_check)
{
	struct vcpu *v;

	need_alignment_checks();
	v = odd(USER_FLAGS | AC);
	expect_trap(v, 17);
	EQ(stack_word(v, 0), 0);
	EQ(stack_word(v, 1), LABEL_GPA(reads_odd, odd_read));
	EQ(stack_word(v, 2), SEL_UCODE);
}

static bool has_svm(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0x80000001, eax, ebx, ecx, edx);
	return ecx & 4;
}

TEST(alignment_check_not_wanted)
{
	if (on_bochs() && has_svm())
		skip("Bochs' VMRUN does not look at the guest's EFLAGS.AC");
	expect_irq(odd(USER_FLAGS), 0x77);
}

/* In ring 0 the flag means nothing, even to a split lock. */
PAYLOAD(64, locks_split,
	mov %cr0, %rax;
	or $CR0_AM, %eax;
	mov %rax, %cr0;
	pushfq;
	orl $AC, (%rsp);
	popfq;
	lock incl GPA_DATA + 0x3e;
	mov GPA_DATA + 0x3e, %eax;
	out %eax, $0x80;
)

TEST(alignment_split_lock_in_ring_0)
{
	expect_out(boot(0, &locks_split), 0x80, 4, 1);
}

/*
 * The delivery of the alignment check is itself misaligned, and has one more,
 * and so on: no instruction of the guest ends any more. CVE-2015-5307
 */
PAYLOAD(32, checks_for_ever,
	mov %cr0, %eax;
	or $CR0_AM, %eax;
	mov %eax, %cr0;
	push $SEL_UDATA;
	push $GPA_STACK + 0x3001;
	push $USER_FLAGS + AC;
	push $SEL_UCODE32;
	push $GPA_CODE + odd_push - checks_for_ever_start;
	iret;
odd_push:
	push %eax;
	jmp odd_push;
)

/* Its handler runs in ring 3, on the stack that there is. */
static void set_endless_gate(struct vcpu *v)
{
	uint64_t *gdt = (uint64_t *)(v->vm->ram + GPA_GDT);
	uint64_t *idt = (uint64_t *)(v->vm->ram + GPA_IDT32);
	struct kvm_sregs s = get_sregs(v);

	gdt[SEL_UCODE32 / 8] = 0x00cffb000000ffff;
	idt[17] = (GPA_CODE & 0xffff) | SEL_UCODE32 << 16 | 0xeeULL << 40 |
		  (uint64_t)GPA_CODE >> 16 << 48;
	s.idt.base = GPA_IDT32;
	s.idt.limit = 32 * 8 - 1;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
}

static long run_result;

static void run_once(struct vcpu *v)
{
	run_result = vcpu_try_run(v);
}

/* In-tree ends such a VM; ours lets it go round, exit by exit. */
TEST(alignment_check_without_end)
{
	struct vcpu *v = boot(0, &checks_for_ever);
	struct runner r;

	need_alignment_checks();
	set_endless_gate(v);
	EQ(vcpu_stat(v, "exits"), 0);
	runner_start(&r, v, run_once);
	EVENTUALLY(__atomic_load_n(&r.done, __ATOMIC_ACQUIRE) ||
		   vcpu_stat(v, "exits") > 1000);
	runner_kick(&r);
	runner_join(&r);
	if (run_result == 0 && v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		skip_on_reference("it gives up the VM");
	EQ(run_result, -EINTR);
	CHECK(get_regs(v).rsp & 1);
}
