/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What fuzz targets share: the input as a stream of numbers. It ends in zeros.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const u8 *data;
	size_t left;
};

static inline void take(struct input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	if (have)
		memcpy(to, in->data, have);
	in->data += have;
	in->left -= have;
}

static inline u8 take8(struct input *in)
{
	u8 v;

	take(in, &v, 1);
	return v;
}

static inline u16 take16(struct input *in)
{
	u16 v;

	take(in, &v, 2);
	return v;
}

static inline u32 take32(struct input *in)
{
	u32 v;

	take(in, &v, 4);
	return v;
}

static inline u64 take64(struct input *in)
{
	u64 v;

	take(in, &v, 8);
	return v;
}

/* Ends the program, as a crash would, when @what does not hold. */
#define must(what)						\
	do {							\
		if (!(what)) {					\
			fprintf(stderr, "%s:%d: not so: %s\n",	\
				__FILE__, __LINE__, #what);	\
			abort();				\
		}						\
	} while (0)

#endif
