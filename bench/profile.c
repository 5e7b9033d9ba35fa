// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU that counts how often each instruction of the emulated
 * host's kernel is executed between mark_start() and mark_stop() of the bench
 * program (main.c), which lie at addresses no other program uses (Makefile).
 * mark_next() writes down what was counted so far and starts anew.
 *
 * arguments: out=NAME   where the counts go: NAME.0, NAME.1 and so on
 *	      base=ADDR  count only from that address on (default: all of the
 *			 upper half, and what is below it as one)
 *
 * Such a file has one line for every instruction executed: its address and its count,
 * in hexadecimal and decimal; address 0 stands for all below the base. The
 * first line is the number of intervals between the two marks.
 *
 * QEMU's kernel and a guest's may use the same addresses. The first physical
 * place an address is seen at owns it: the host's kernel was there first, and
 * its modules have been used before a guest boots.
 *
 * One CPU (lab/host --icount). The functions and types below are those of
 * QEMU's documented plugin interface, version 4, as far as they are used.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK_START 0x7ab00000
#define MARK_STOP  0x7ab01000
#define MARK_NEXT  0x7ab02000

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;
enum { INLINE_ADD_U64 = 0, CB_NO_REGS = 0, API_VERSION = 4 };

typedef void (*translated_fn)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_fn)(unsigned int vcpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn fn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    executed_fn fn, int flags,
					    void *data);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
	struct qemu_plugin_insn *insn, int op, qemu_plugin_u64 entry,
	uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score,
				  unsigned int vcpu);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = API_VERSION;

/* Instruction 0 is everything below the base. */
#define ROOM (1u << 21)
#define HASH (2 * ROOM)

static uint64_t base = 1ull << 63;
static const char *out;
static struct qemu_plugin_scoreboard *counters;
static struct {
	uint64_t vaddr;
	void *haddr;
	uint64_t before, sum;
} insn_at[ROOM];
static uint32_t hashed[HASH];
static uint32_t used = 1;
static uint64_t intervals;
static bool counting;

static uint32_t find(uint64_t vaddr)
{
	uint32_t at = (vaddr * 0x9e3779b97f4a7c15ull) >> 42;

	for (;; at = (at + 1) % HASH) {
		if (hashed[at] && insn_at[hashed[at]].vaddr != vaddr)
			continue;
		if (!hashed[at] && used < ROOM) {
			insn_at[used].vaddr = vaddr;
			hashed[at] = used++;
		}
		return hashed[at];
	}
}

static void start(unsigned int vcpu, void *data)
{
	const uint64_t *count = qemu_plugin_scoreboard_find(counters, vcpu);

	(void)data;
	for (uint32_t i = 0; i < used; i++)
		insn_at[i].before = count[i];
	counting = true;
}

static void stop(unsigned int vcpu, void *data)
{
	const uint64_t *count = qemu_plugin_scoreboard_find(counters, vcpu);

	(void)data;
	if (!counting)
		return;
	for (uint32_t i = 0; i < used; i++)
		insn_at[i].sum += count[i] - insn_at[i].before;
	counting = false;
	intervals++;
}

static void next(unsigned int vcpu, void *data)
{
	static unsigned int part;
	char name[4096];
	FILE *f;

	(void)vcpu;
	(void)data;
	snprintf(name, sizeof(name), "%s.%u", out, part++);
	f = fopen(name, "w");
	if (!f) {
		perror(name);
		return;
	}
	fprintf(f, "%" PRIu64 "\n", intervals);
	for (uint32_t i = 0; i < used; i++) {
		if (insn_at[i].sum)
			fprintf(f, "%" PRIx64 " %" PRIu64 "\n",
				insn_at[i].vaddr, insn_at[i].sum);
		insn_at[i].sum = 0;
	}
	if (used == ROOM)
		fprintf(stderr, "bench-profile: no room for all addresses\n");
	fclose(f);
	intervals = 0;
	counting = false;
}

static void count_insn(struct qemu_plugin_insn *insn, uint32_t index)
{
	const qemu_plugin_u64 entry = { counters, index * sizeof(uint64_t) };

	qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
		insn, INLINE_ADD_U64, entry, 1);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t vaddr = qemu_plugin_insn_vaddr(insn);
		void *haddr;
		uint32_t index;

		if (vaddr == MARK_START)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, start, CB_NO_REGS, NULL);
		if (vaddr == MARK_STOP)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, stop, CB_NO_REGS, NULL);
		if (vaddr == MARK_NEXT)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, next, CB_NO_REGS, NULL);
		if (vaddr < base) {
			if (base == 1ull << 63)
				count_insn(insn, 0);
			continue;
		}
		index = find(vaddr);
		haddr = qemu_plugin_insn_haddr(insn);
		if (!index)
			continue;
		if (!insn_at[index].haddr)
			insn_at[index].haddr = haddr;
		if (insn_at[index].haddr == haddr)
			count_insn(insn, index);
	}
}

EXPORTED int qemu_plugin_install(uint64_t id, const void *info, int argc,
				 char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
		else if (!strncmp(argv[i], "base=", 5))
			base = strtoull(argv[i] + 5, NULL, 0);
		else
			return -1;
	}
	if (!out)
		return -1;
	counters = qemu_plugin_scoreboard_new(ROOM * sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
