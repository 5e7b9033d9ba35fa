// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl dispatcher and its three tables: see dispatch.h.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/dispatch.h"
#include "api/ioctl_rows.h"

/* X() passes sizes as "in, out": one more level of expansion splits them. */
#define ROW(...) ROW_(__VA_ARGS__)
#define ROW_(c, fn, i, o, f) \
	{ .cmd = c, .in = i, .out = o, .flags = f, .handle = fn, .name = #fn },

/* Where its row is: number and direction tell any two of a table apart. */
#define KEY(c) (_IOC_NR(c) << _IOC_DIRBITS | _IOC_DIR(c))
#define KEYS BIT(_IOC_NRBITS + _IOC_DIRBITS)
#define PLACE(c, fn, ...) at_##fn,
#define PLACED(c, fn, ...) [KEY(c)] = at_##fn + 1,

#define TABLE(scope, rows_of)						\
	static const struct ioctl_row scope##_rows[] = { rows_of(ROW) };	\
	enum { rows_of(PLACE) };					\
	static const u8 scope##_at[KEYS] = { rows_of(PLACED) };		\
	static_assert(ARRAY_SIZE(scope##_rows) < U8_MAX, "numbers are u8"); \
	const struct ioctl_table ioctl_##scope = {			\
		.rows = scope##_rows, .at = scope##_at,			\
	}

TABLE(system, IOCTL_SYSTEM_ROWS);
TABLE(vm, IOCTL_VM_ROWS);
TABLE(vcpu, IOCTL_VCPU_ROWS);

static const struct ioctl_row *dispatch_find(const struct ioctl_table *table,
					     u32 cmd)
{
	unsigned int at = table->at[KEY(cmd)];

	if (!at || table->rows[at - 1].cmd != cmd)
		return NULL;
	return &table->rows[at - 1];
}

static long dispatch_call(const struct ioctl_row *row, struct ioctl_ctx *ctx,
			  void *data)
{
	long ret;

	if (row->flags & IOCTL_LOAD)
		vcpu_load(ctx->vcpu);
	ret = row->handle(ctx, data);
	if (row->flags & IOCTL_LOAD)
		vcpu_put(ctx->vcpu);
	return ret;
}

static __always_inline long dispatch_locked(const struct ioctl_row *row,
					    struct ioctl_ctx *ctx, void *data)
{
	struct mutex *lock = NULL;
	long ret;

	if (row->flags & IOCTL_VM_LOCK)
		lock = &ctx->vm->lock;
	else if (row->flags & IOCTL_VCPU_LOCK)
		lock = &ctx->vcpu->mutex;
	if (!lock)
		return dispatch_call(row, ctx, data);
	if (mutex_lock_killable(lock))
		return -EINTR;
	ret = dispatch_call(row, ctx, data);
	mutex_unlock(lock);
	return ret;
}

static __always_inline long dispatch_copy(const struct ioctl_row *row,
					  struct ioctl_ctx *ctx, void *data)
{
	long ret;

	if (row->in && copy_from_user(data, ctx->user, row->in))
		return -EFAULT;
	ret = dispatch_locked(row, ctx, data);
	if (ret >= 0 && row->out && copy_to_user(ctx->user, data, row->out))
		return -EFAULT;
	return ret;
}

/* Apart, so that KVM_RUN does not carry the buffer on its stack. */
static noinline long dispatch_stack(const struct ioctl_row *row,
				    struct ioctl_ctx *ctx)
{
	u64 data[IOCTL_STACK / 8] __uninitialized;

	/* By words, and nothing that is copied in: most of it is short. */
	if (row->out > row->in)
		memset64(data, 0, DIV_ROUND_UP(row->out, 8));
	return dispatch_copy(row, ctx, data);
}

static noinline long dispatch_heap(const struct ioctl_row *row,
				   struct ioctl_ctx *ctx)
{
	void *data = kzalloc(max(row->in, row->out), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!data)
		return -ENOMEM;
	ret = dispatch_copy(row, ctx, data);
	kfree(data);
	return ret;
}

static long dispatch_run(const struct ioctl_row *row, struct ioctl_ctx *ctx)
{
	long ret;

	if (mutex_lock_killable(&ctx->vcpu->mutex))
		return -EINTR;
	ret = row->handle(ctx, NULL);
	mutex_unlock(&ctx->vcpu->mutex);
	return ret;
}

long dispatch(const struct ioctl_table *table, struct ioctl_ctx *ctx, u32 cmd)
{
	const struct ioctl_row *row = dispatch_find(table, cmd);

	if (!row)
		return -ENOTTY;
	if ((row->flags & IOCTL_NO_ARG) && ctx->arg)
		return -EINVAL;
	if (row->flags & IOCTL_DIRECT)
		return dispatch_run(row, ctx);
	if (!(row->in | row->out))
		return dispatch_locked(row, ctx, NULL);
	if (max(row->in, row->out) <= IOCTL_STACK)
		return dispatch_stack(row, ctx);
	return dispatch_heap(row, ctx);
}
