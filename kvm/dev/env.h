/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device model may ask of the world around it: the time and a timer.
 *
 * A device embeds or points to a struct dev_env; whoever owns the device
 * (irq/chip.c, core, or a test) fills it in. Given the same calls and the
 * same times a device behaves the same: there is no other input. Devices do
 * no locking, unless their header says so; the owner holds one lock around
 * each call.
 */
#ifndef DEV_ENV_H
#define DEV_ENV_H

#include "base/host.h"

struct dev_env;

struct dev_env_ops {
	/* CLOCK_MONOTONIC in ns */
	u64 (*now)(struct dev_env *env);
	/* (re)arm the device's single timer to fire at @when (now()'s scale);
	 * the owner then calls the device's *_timer_fired()
	 */
	void (*timer_arm)(struct dev_env *env, u64 when);
	/* disarm; a callback already under way may still come */
	void (*timer_cancel)(struct dev_env *env);
};

struct dev_env {
	const struct dev_env_ops *ops;
};

/* Delivery modes of the ICR, of redirection entries and MSIs: SDM vol. 3,
 * figure 11-12. (The kernel has macros named APIC_DM_*.)
 */
enum apic_delivery {
	DELIVER_FIXED = 0,
	DELIVER_LOWEST = 1,
	DELIVER_SMI = 2,
	DELIVER_NMI = 4,
	DELIVER_INIT = 5,
	DELIVER_STARTUP = 6,
	DELIVER_EXTINT = 7,
};

/* An interrupt message on its way from a source to the local APICs. */
struct apic_msg {
	u32 dest;		/* APIC id, logical or cluster id */
	u8 vector;
	u8 delivery;		/* enum apic_delivery */
	bool logical;		/* destination mode */
	bool level;		/* trigger mode: level */
	bool assert;		/* level-triggered INIT: assert or de-assert */
	bool redir_hint;	/* MSI: deliver to one of the destinations */
	u8 shorthand;		/* ICR destination shorthand, 0 for none */
};

#endif
