// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulator callbacks on a vCPU, and the outcome of emulation: see emuglue.h.
 *
 * Accesses go through core/access.c: memory is mem/guest.c's, what is not memory
 * core/io.c's.
 */
#include "core/access.h"
#include "core/emuglue.h"
#include "core/exit.h"
#include "core/fetch.h"
#include "core/fpu.h"
#include "core/io.h"
#include "core/regops.h"
#include "core/vcpu.h"
#include "mem/guest.h"
#include "x86/walk.h"

static struct vcpu *emuglue_vcpu(struct emu_ctxt *c)
{
	return c->owner;
}

/* ---- guest page walk -------------------------------------------------- */

struct emuglue_walk {
	struct walk_env env;
	struct mem *mem;
};

static struct mem *emuglue_mem(const struct walk_env *env)
{
	return container_of(env, struct emuglue_walk, env)->mem;
}

static enum mem_rc emuglue_table_read(const struct walk_env *env,
				      struct gpa gpa, unsigned int bytes,
				      u64 *val)
{
	*val = 0;
	return guest_read(emuglue_mem(env), gpa, val, bytes);
}

static enum mem_rc emuglue_table_update(const struct walk_env *env,
					struct gpa gpa, unsigned int bytes,
					u64 *old, u64 new)
{
	return guest_cmpxchg(emuglue_mem(env), gpa, old, new, bytes);
}

static const struct walk_ops emuglue_walk_ops = {
	.read = emuglue_table_read,
	.update = emuglue_table_update,
};

static enum mem_rc emuglue_walk_traced(struct vcpu *vcpu, u64 linear,
				       u32 access, struct walk_trace *trace,
				       struct walk_out *out)
{
	struct emuglue_walk w = {
		.env.ops = &emuglue_walk_ops,
		.mem = &vcpu->vm->mem,
	};
	struct walk_in in = {
		.regs = vcpu_regs(vcpu, RG_CR | RG_SEG | RG_RIP),
		.gva = GVA(linear),
		.access = access,
		.pkru = vcpu->pkru,
		.gbpages = vcpu->limits.host->gbpages,
		.gpa_reserved = cr_host_gpa_reserved(vcpu->limits.host),
		.trace = trace,
	};

	if (backend.caps & BACKEND_PDPTES)
		in.pdpte = in.regs->pdpte;

	return walk(&w.env, &in, out);
}

static enum mem_rc emuglue_walk(struct vcpu *vcpu, u64 linear, u32 access,
				struct walk_out *out)
{
	return emuglue_walk_traced(vcpu, linear, access, NULL, out);
}

/* A fetch, which is likely to be followed by another one of the same page */
static enum mem_rc emuglue_walk_code(struct vcpu *vcpu, u64 linear, u32 access,
				     struct walk_out *out)
{
	struct walk_trace trace = { };
	enum mem_rc rc = emuglue_walk_traced(vcpu, linear, access, &trace, out);

	if (rc == MEM_OK)
		fetch_remember(vcpu, linear, out->gpa, &trace);
	return rc;
}

/* ---- memory callbacks ------------------------------------------------- */

struct emuglue_env {
	struct access_env env;
	struct emu_ctxt *c;
};

static struct emu_ctxt *emuglue_ctxt(const struct access_env *env)
{
	return container_of(env, struct emuglue_env, env)->c;
}

static struct mem *emuglue_env_mem(const struct access_env *env)
{
	return &emuglue_vcpu(emuglue_ctxt(env))->vm->mem;
}

static enum mem_rc emuglue_op_translate(const struct access_env *env,
					u64 linear, u32 access,
					struct gpa *gpa)
{
	struct emu_ctxt *c = emuglue_ctxt(env);
	struct walk_out out;
	enum mem_rc rc;

	rc = access & WALK_FETCH ?
		emuglue_walk_code(emuglue_vcpu(c), linear, access, &out) :
		emuglue_walk(emuglue_vcpu(c), linear, access, &out);
	if (rc == MEM_FAULT)
		c->fault = out.fault;
	*gpa = out.gpa;
	return rc;
}

/* The LAPIC's page is none of memory, whatever slot lies there. */
static bool emuglue_is_apic(const struct access_env *env, struct gpa gpa)
{
	return apic_is_in_front(emuglue_vcpu(emuglue_ctxt(env)), gpa);
}

static enum mem_rc emuglue_op_probe(const struct access_env *env,
				    struct gpa gpa, bool write)
{
	if (emuglue_is_apic(env, gpa))
		return MEM_MMIO;
	return guest_probe(emuglue_env_mem(env), gpa, write);
}

static enum mem_rc emuglue_op_read(const struct access_env *env,
				   struct gpa gpa, void *buf, unsigned int len)
{
	if (emuglue_is_apic(env, gpa))
		return MEM_MMIO;
	return guest_read(emuglue_env_mem(env), gpa, buf, len);
}

static enum mem_rc emuglue_op_write(const struct access_env *env,
				    struct gpa gpa, const void *buf,
				    unsigned int len)
{
	if (emuglue_is_apic(env, gpa))
		return MEM_MMIO;
	return guest_write(emuglue_env_mem(env), gpa, buf, len);
}

static enum mem_rc emuglue_op_swap(const struct access_env *env,
				   struct gpa gpa, u64 *old, u64 new,
				   unsigned int len)
{
	if (emuglue_is_apic(env, gpa))
		return MEM_MMIO;
	return guest_cmpxchg(emuglue_env_mem(env), gpa, old, new, len);
}

static enum mem_rc emuglue_op_device(const struct access_env *env,
				     struct gpa gpa, void *buf,
				     unsigned int len, bool write)
{
	return io_mmio(emuglue_vcpu(emuglue_ctxt(env)), gpa, buf, len, write);
}

static const struct access_ops emuglue_access_ops = {
	.translate = emuglue_op_translate,
	.probe = emuglue_op_probe,
	.read = emuglue_op_read,
	.write = emuglue_op_write,
	.exchange = emuglue_op_swap,
	.device = emuglue_op_device,
};

/* Tables lie anywhere in IA-32e mode, also below 32-bit code. */
static struct emuglue_env emuglue_env(struct emu_ctxt *c, u32 access)
{
	return (struct emuglue_env){
		.env.ops = &emuglue_access_ops,
		.env.wide = c->mode == MODE_LONG ||
			    (access & WALK_IMPLICIT &&
			     c->regs->efer & EFER_LMA_BIT),
		.c = c,
	};
}

static u32 emuglue_access(struct emu_ctxt *c, bool write, unsigned int acc)
{
	u32 access = 0;

	if (write || (acc & EMU_ACC_WRITE))
		access |= WALK_WRITE;
	if (acc & EMU_ACC_IMPLICIT)
		access |= WALK_IMPLICIT;
	else if (regs_cpl(c->regs) == 3)
		access |= WALK_USER;
	return access;
}

/* Code is not fetched from devices: what is no memory stays MEM_MMIO. */
static enum mem_rc emuglue_fetch(struct emu_ctxt *c, u64 linear, void *buf,
				 unsigned int size)
{
	struct emuglue_env e = emuglue_env(c, WALK_FETCH);
	u32 access = emuglue_access(c, false, 0) | WALK_FETCH;
	enum mem_rc rc;
	struct gpa gpa;

	rc = emuglue_op_translate(&e.env, linear, access, &gpa);
	return rc == MEM_OK ? emuglue_op_read(&e.env, gpa, buf, size) : rc;
}

static enum mem_rc emuglue_read(struct emu_ctxt *c, u64 linear, void *buf,
				unsigned int size, unsigned int acc)
{
	struct access_what what = {
		.linear = linear, .size = size,
		.access = emuglue_access(c, false, acc),
	};
	struct emuglue_env e = emuglue_env(c, what.access);

	if (acc & EMU_ACC_PROBE)
		return access_check(&e.env, what);
	if (!(acc & EMU_ACC_IMPLICIT))
		regops_watch(emuglue_vcpu(c), WATCH_READ, linear, size);
	return access_read(&e.env, what, buf);
}

static enum mem_rc emuglue_write(struct emu_ctxt *c, u64 linear,
				 const void *buf, unsigned int size,
				 unsigned int acc)
{
	struct access_what what = {
		.linear = linear, .size = size,
		.access = emuglue_access(c, true, acc),
	};
	struct emuglue_env e = emuglue_env(c, what.access);

	regops_watch(emuglue_vcpu(c), WATCH_WRITE, linear, size);
	return access_write(&e.env, what, buf);
}

static enum mem_rc emuglue_cmpxchg(struct emu_ctxt *c, u64 linear,
				   const struct emu_swap *swap)
{
	struct access_what what = {
		.linear = linear, .size = swap->size,
		.access = emuglue_access(c, true, swap->acc),
	};
	struct emuglue_env e = emuglue_env(c, what.access);

	if (!(swap->acc & EMU_ACC_IMPLICIT))
		regops_watch(emuglue_vcpu(c), WATCH_WRITE, linear, swap->size);
	return access_swap(&e.env, what, swap->old, swap->new);
}

/* ---- ports and registers ---------------------------------------------- */

static enum mem_rc emuglue_pio_in(struct emu_ctxt *c, u16 port,
				  unsigned int size, unsigned int *count,
				  void *buf)
{
	regops_watch(emuglue_vcpu(c), WATCH_PORT, port, size);
	return io_pio_in(emuglue_vcpu(c), port, size, count, buf);
}

static enum mem_rc emuglue_pio_out(struct emu_ctxt *c, u16 port,
				   unsigned int size, unsigned int *count,
				   const void *buf)
{
	regops_watch(emuglue_vcpu(c), WATCH_PORT, port, size);
	return io_pio_out(emuglue_vcpu(c), port, size, count, buf);
}

/*
 * The VMM may have been asked: then interrupts have their chance before it is
 * again. A trap flag and breakpoints trap behind each iteration.
 */
static bool emuglue_iterated(struct emu_ctxt *c)
{
	struct vcpu *vcpu = emuglue_vcpu(c);
	bool go_on = !vcpu->work->record.answered && !vcpu->hits &&
		     !(c->regs->rflags & RFLAGS_TF) &&
		     !(vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP);

	record_reset(&vcpu->work->record);
	return go_on;
}

static enum emu_rc emuglue_fault(struct emu_ctxt *c, u8 vector, bool error)
{
	c->fault = (struct fault){ .vector = vector, .has_error_code = error };
	return EMU_FAULT;
}

static enum emu_rc emuglue_cr_get(struct emu_ctxt *c, unsigned int nr,
				  u64 *value)
{
	*value = regops_get_cr(emuglue_vcpu(c), nr);
	return EMU_OK;
}

static enum emu_rc emuglue_cr_set(struct emu_ctxt *c, unsigned int nr,
				  u64 value)
{
	return regops_set_cr(emuglue_vcpu(c), nr, value) ?
		EMU_OK : emuglue_fault(c, VEC_GP, true);
}

/* DR7.GD turns every MOV DR into #DB: SDM vol. 3, 18.2.4 */
static bool emuglue_general_detect(struct vcpu *vcpu)
{
	struct regs *regs = vcpu_regs(vcpu, RG_DR);

	if (!(regs->dr7 & DR7_GD))
		return false;
	regs->dr7 &= ~DR7_GD;
	regs->dr6 |= DR6_BD;
	regs_touch(regs, RG_DR);
	return true;
}

static enum emu_rc emuglue_dr_get(struct emu_ctxt *c, unsigned int nr,
				  u64 *value)
{
	if (emuglue_general_detect(emuglue_vcpu(c)))
		return emuglue_fault(c, VEC_DB, false);
	*value = regops_get_dr(emuglue_vcpu(c), nr);
	return EMU_OK;
}

static enum emu_rc emuglue_dr_set(struct emu_ctxt *c, unsigned int nr,
				  u64 value)
{
	if (emuglue_general_detect(emuglue_vcpu(c)))
		return emuglue_fault(c, VEC_DB, false);
	return regops_set_dr(emuglue_vcpu(c), nr, value) ?
		EMU_OK : emuglue_fault(c, VEC_GP, true);
}

static enum msr_rc emuglue_msr_get(struct emu_ctxt *c, u32 index, u64 *value)
{
	return msr_get(&emuglue_vcpu(c)->msrs, index, false, value);
}

static enum msr_rc emuglue_msr_set(struct emu_ctxt *c, u32 index, u64 value)
{
	return msr_set(&emuglue_vcpu(c)->msrs, index, false, value);
}

static enum emu_rc emuglue_cpuid(struct emu_ctxt *c, u32 r[4])
{
	struct vcpu *vcpu = emuglue_vcpu(c);

	if (msr_cpuid_faults(&vcpu->msrs) && regs_cpl(c->regs))
		return emuglue_fault(c, VEC_GP, true);
	cpuid_query(vcpu->cpuid, &vcpu->cpuid_dyn, r[0], r[2], r);
	return EMU_OK;
}

static void emuglue_xmm(struct emu_ctxt *c, unsigned int nr, void *data,
			bool set)
{
	fpu_xmm(nr, data, set);
}

static enum emu_rc emuglue_mmx(struct emu_ctxt *c, unsigned int nr,
			       void *data, bool set)
{
	return fpu_mmx(nr, data, set) ? EMU_OK :
					emuglue_fault(c, VEC_MF, false);
}

static u16 emuglue_x87(struct emu_ctxt *c, bool status)
{
	return fpu_x87(status);
}

static enum emu_rc emuglue_system(struct emu_ctxt *c, enum emu_sys what,
				  u64 *arg)
{
	struct vcpu *vcpu = emuglue_vcpu(c);

	switch (what) {
	case EMU_SYS_INVLPG:
		backend_call(flush)(vcpu, FLUSH_GVA, *arg);
		return EMU_OK;
	case EMU_SYS_INVD:
	case EMU_SYS_WBINVD:
		return EMU_OK;
	case EMU_SYS_RDPMC:
		return emuglue_fault(c, VEC_GP, true);
	case EMU_SYS_XSETBV:
		if (!xsetbv_check(&vcpu->limits, 0, *arg))
			return emuglue_fault(c, VEC_GP, true);
		vcpu->regs.xcr0 = *arg;
		vcpu_dyn_changed(vcpu);
		return EMU_OK;
	}
	return EMU_UNHANDLED;
}

static const struct emu_ops emuglue_ops = {
	.fetch = emuglue_fetch,
	.read = emuglue_read,
	.write = emuglue_write,
	.cmpxchg = emuglue_cmpxchg,
	.pio_in = emuglue_pio_in,
	.pio_out = emuglue_pio_out,
	.iterated = emuglue_iterated,
	.cr_get = emuglue_cr_get,
	.cr_set = emuglue_cr_set,
	.dr_get = emuglue_dr_get,
	.dr_set = emuglue_dr_set,
	.msr_get = emuglue_msr_get,
	.msr_set = emuglue_msr_set,
	.cpuid = emuglue_cpuid,
	.xmm = emuglue_xmm,
	.mmx = emuglue_mmx,
	.x87 = emuglue_x87,
	.system = emuglue_system,
};

/* ---- outcomes --------------------------------------------------------- */

/*
 * The guest gets #UD; where it is the kernel's instruction the VMM hears of it,
 * and of the bytes, before that.
 */
static enum run_next emuglue_failed(struct vcpu *vcpu)
{
	const struct emu_insn *insn = &vcpu->work->emu.insn;
	u8 size = min_t(u8, insn->fetched, EMU_MAX_LEN);
	struct kvm_run *run = vcpu->run;

	vcpu->stat.insn_emulation_fail++;
	io_forget(vcpu);
	event_ud(&vcpu->events);
	if (regs_cpl(vcpu_regs(vcpu, RG_CR | RG_SEG)))
		return RUN_AGAIN;
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	memset(&run->emulation_failure, 0, sizeof(run->emulation_failure));
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = 3;
	run->emulation_failure.flags =
		KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = size;
	memcpy(run->emulation_failure.insn_bytes, insn->bytes, size);
	return RUN_USER;
}

static enum run_next emuglue_done(struct vcpu *vcpu, bool tf)
{
	struct emu_ctxt *c = &vcpu->work->emu;

	if (c->iret)
		vcpu->events.nmi_blocked = false;
	regops_stepped(vcpu, c->shadow, tf);
	io_forget(vcpu);
	return c->halted ? exit_hlt(vcpu) : RUN_AGAIN;
}

enum run_next emuglue_again(struct vcpu *vcpu)
{
	struct regs *regs = vcpu_regs(vcpu, RG_ALL);
	bool tf = regs->rflags & RFLAGS_TF;

	vcpu->io.linear_rip = regs_linear_rip(regs);
	vcpu->hits = 0;
	switch (emu_exec(&vcpu->work->emu)) {
	case EMU_OK:
		return emuglue_done(vcpu, tf);
	case EMU_FAULT:
		io_forget(vcpu);
		event_raise(&vcpu->events, &vcpu->work->emu.fault);
		return RUN_AGAIN;
	case EMU_USER:
		return RUN_USER;
	case EMU_RETRY:
		io_forget(vcpu);
		return RUN_AGAIN;
	case EMU_ERROR:
		io_forget(vcpu);
		return RUN_FAULT;
	case EMU_UNHANDLED:
		break;
	}
	return emuglue_failed(vcpu);
}

/* Decode at RIP. RUN_AGAIN with *ok: vcpu->work->emu is ready. */
static enum run_next emuglue_decode(struct vcpu *vcpu, bool *ok)
{
	struct emu_ctxt *c = &vcpu->work->emu;
	const struct exit *exit = &vcpu->exit;
	const void *bytes = exit->insn_bytes;
	unsigned int n = exit->insn_bytes_count;
	u64 code[FETCH_BYTES / 8];

	*ok = false;
	emu_init(c, vcpu_regs(vcpu, RG_ALL), &emuglue_ops);
	c->owner = vcpu;
	c->io_buf = vcpu->pio_data;
	c->io_buf_size = PAGE_SIZE;
	c->amd = vcpu->cpuid && vcpu->cpuid->vendor == CPUID_AMD;
	if (!n && fetch_code(vcpu, code)) {
		bytes = code;
		n = EMU_MAX_LEN;
	}
	switch (emu_decode(c, bytes, n)) {
	case EMU_OK:
		*ok = true;
		return RUN_AGAIN;
	case EMU_FAULT:
		event_raise(&vcpu->events, &c->fault);
		return RUN_AGAIN;
	case EMU_RETRY:
		return RUN_AGAIN;
	case EMU_ERROR:
		return RUN_FAULT;
	case EMU_USER:
	case EMU_UNHANDLED:
		break;
	}
	return emuglue_failed(vcpu);
}

enum run_next emuglue_insn(struct vcpu *vcpu)
{
	enum run_next next;
	bool ok;

	vcpu->stat.insn_emulation++;
	io_forget(vcpu);
	next = emuglue_decode(vcpu, &ok);
	return ok ? emuglue_again(vcpu) : next;
}

/*
 * A store that lies in one page with @gpa as its first byte, and that some
 * device wants.
 */
static bool emuglue_store(struct vcpu *vcpu, struct gpa gpa)
{
	struct emu_store store;

	return !watch_armed(vcpu_regs(vcpu, RG_DR)) &&
	       emu_store(&vcpu->work->emu, &store) &&
	       offset_in_page(store.linear) == offset_in_page(gpa.v) &&
	       offset_in_page(gpa.v) + store.size <= PAGE_SIZE &&
	       io_mmio_write(vcpu, gpa.v, store.size, &store.value);
}

enum run_next emuglue_device(struct vcpu *vcpu, struct gpa gpa, bool write)
{
	enum run_next next;
	bool ok;

	vcpu->stat.insn_emulation++;
	io_forget(vcpu);
	next = emuglue_decode(vcpu, &ok);
	if (!ok)
		return next;
	if (!write || !emuglue_store(vcpu, gpa))
		return emuglue_again(vcpu);
	vcpu->exit.insn_len = vcpu->work->emu.insn.len;
	return emuglue_skip(vcpu);
}

/* As far as it is known without decoding; else 0 */
static unsigned int emuglue_length(struct vcpu *vcpu)
{
	u64 code[FETCH_BYTES / 8];

	if (vcpu->exit.insn_len)
		return vcpu->exit.insn_len;
	return fetch_code(vcpu, code) ?
		emu_simple_length(MODE_LONG, (u8 *)code, EMU_MAX_LEN) : 0;
}

enum run_next emuglue_skip(struct vcpu *vcpu)
{
	struct regs *regs = &vcpu->regs;
	unsigned int len = emuglue_length(vcpu);
	bool tf = regs->rflags & RFLAGS_TF;
	enum run_next next;
	bool ok;

	if (!len) {
		next = emuglue_decode(vcpu, &ok);
		if (!ok) {
			vcpu->hits = 0;
			return next;
		}
		len = vcpu->work->emu.insn.len;
	}
	regs->rip += len;
	if (regs_mode(vcpu_regs(vcpu, RG_CR | RG_CODE)) != MODE_LONG)
		regs->rip = (u32)regs->rip;
	regs->rflags &= ~RFLAGS_RF;
	regs_touch(regs, RG_RIP);
	regops_stepped(vcpu, 0, tf);
	return RUN_AGAIN;
}

bool emuglue_translate(struct vcpu *vcpu, u64 linear, struct gpa *gpa)
{
	struct walk_out out;

	if (emuglue_walk(vcpu, linear, WALK_IMPLICIT | WALK_PROBE, &out) != MEM_OK)
		return false;
	*gpa = out.gpa;
	return true;
}
