/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock and the timer of a chip under fuzz: a time that the target moves,
 * and when the chip wants to be called. One chip a program.
 */
#ifndef FUZZ_CLOCK_H
#define FUZZ_CLOCK_H

#include "dev/env.h"

static u64 now, timer = U64_MAX;	/* timer: U64_MAX when not armed */

static u64 env_now(struct dev_env *env)
{
	return now;
}

static void env_arm(struct dev_env *env, u64 when)
{
	timer = when;
}

static void env_cancel(struct dev_env *env)
{
	timer = U64_MAX;
}

static const struct dev_env_ops env_ops = {
	.now = env_now,
	.timer_arm = env_arm,
	.timer_cancel = env_cancel,
};

#endif
