// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder, and the two short ones that stand in for it on fast paths: a
 * length lies within what was fetched, and the short ones agree with it.
 */
#include "input.h"
#include "emu_world.h"
#include "emu/move.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *worlds[MODE_LONG + 1];
	enum x86_mode mode;
	struct regs before;
	unsigned int simple;
	struct world *w;
	enum emu_rc rc;

	if (size < 2)
		return 0;
	mode = data[0] % (MODE_LONG + 1);
	if (!worlds[mode])
		worlds[mode] = world_make(mode);
	w = worlds[mode];
	size = size - 1 < EMU_MAX_LEN ? size - 1 : EMU_MAX_LEN;
	world_context(w);
	before = w->regs;
	rc = emu_decode(&w->c, data + 1, size);
	must(!memcmp(&before, &w->regs, sizeof(before)));
	simple = emu_simple_length(mode, data + 1, size);
	if (rc != EMU_OK) {
		must(rc == EMU_FAULT || rc == EMU_UNHANDLED);
		return 0;
	}
	must(w->c.insn.len && w->c.insn.len <= EMU_MAX_LEN);
	must(w->c.insn.len <= w->c.insn.fetched);
	must(!simple || simple == w->c.insn.len);
	return 0;
}
