// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_STATS_FD: the statistics of a VM or a vCPU as a file.
 *
 * The file is read-only and in four parts, whose places its header tells: the
 * header, an id string, one descriptor for each statistic, and the values, 8
 * bytes each, in the order of the descriptors. All but the values is constant
 * and made from stats_rows.h. Values are read as they are at that moment,
 * without a lock: see core/stat.h.
 *
 * A file holds one reference on the VM, with which its vCPUs live on, so it
 * outlives the descriptors that it came from. Any process may read it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/dispatch.h"
#include "api/ioctl_rows.h"
#include "api/stats_rows.h"

#define STATS_ID_SIZE KVM_STATS_NAME_SIZE

static_assert(sizeof(struct kvm_stats_header) == 24);
static_assert(offsetof(struct kvm_stats_desc, name) == 16);
static_assert(sizeof(struct kvm_stats_desc) == 16 + KVM_STATS_NAME_SIZE);

/* ---- from rows to descriptors ----------------------------------------- */

/* The values as the file has them, only to tell their offsets. */
#define X(name, ...) u64 name;
struct stats_vm_values { STATS_VM_ROWS(X) };
struct stats_vcpu_values { STATS_VCPU_ROWS(X) };
#undef X

#define DESC(values, name_, type_, unit_, exponent_)			\
	{								\
		.flags = KVM_STATS_TYPE_##type_ |			\
			 KVM_STATS_UNIT_##unit_ | KVM_STATS_BASE_POW10,	\
		.exponent = exponent_,					\
		.size = 1,						\
		.offset = offsetof(struct values, name_),		\
		.name = #name_,						\
	},

#define X(name, type, unit, exponent, field)				\
	DESC(stats_vm_values, name, type, unit, exponent)
static const struct kvm_stats_desc stats_vm_descs[] = { STATS_VM_ROWS(X) };
#undef X
#define X(name, type, unit, exponent, field)				\
	DESC(stats_vcpu_values, name, type, unit, exponent)
static const struct kvm_stats_desc stats_vcpu_descs[] = {
	STATS_VCPU_ROWS(X)
};
#undef X

/* Where in struct vm and struct vcpu the values are. */
#define X(name, type, unit, exponent, field) offsetof(struct vm, field),
static const u32 stats_vm_fields[] = { STATS_VM_ROWS(X) };
#undef X
#define X(name, type, unit, exponent, field) offsetof(struct vcpu, field),
static const u32 stats_vcpu_fields[] = { STATS_VCPU_ROWS(X) };
#undef X

#define X(name, type, unit, exponent, field)				\
	static_assert(sizeof_field(struct vm, field) == sizeof(u64));
STATS_VM_ROWS(X)
#undef X
#define X(name, type, unit, exponent, field)				\
	static_assert(sizeof_field(struct vcpu, field) == sizeof(u64));
STATS_VCPU_ROWS(X)
#undef X

struct stats_scope {
	const struct kvm_stats_desc *descs;
	const u32 *fields;
	unsigned int count;
};

static const struct stats_scope stats_vm_scope = {
	.descs = stats_vm_descs,
	.fields = stats_vm_fields,
	.count = ARRAY_SIZE(stats_vm_descs),
};

static const struct stats_scope stats_vcpu_scope = {
	.descs = stats_vcpu_descs,
	.fields = stats_vcpu_fields,
	.count = ARRAY_SIZE(stats_vcpu_descs),
};

/* ---- the file --------------------------------------------------------- */

#define STATS_MAX 64
static_assert(ARRAY_SIZE(stats_vm_descs) <= STATS_MAX);
static_assert(ARRAY_SIZE(stats_vcpu_descs) <= STATS_MAX);

struct stats_file {
	struct vm *vm;
	const void *object;	/* what the scope's fields are in */
	const struct stats_scope *scope;
	struct kvm_stats_header header;
	char id[STATS_ID_SIZE];
};

static void stats_values(const struct stats_file *f, u64 *values)
{
	unsigned int i;

	for (i = 0; i < f->scope->count; i++)
		values[i] = READ_ONCE(*(const u64 *)(f->object +
						     f->scope->fields[i]));
}

struct stats_part {
	const void *data;
	size_t start, size;	/* in the file */
};

/* Copy what of @part lies at *@pos, which it moves; bytes or -EFAULT. */
static ssize_t stats_copy(const struct stats_part *part, char __user *to,
			  size_t room, loff_t *pos)
{
	size_t skip, n;

	if (*pos < part->start || *pos >= part->start + part->size)
		return 0;
	skip = *pos - part->start;
	n = min(room, part->size - skip);
	if (copy_to_user(to, part->data + skip, n))
		return -EFAULT;
	*pos += n;
	return n;
}

static ssize_t stats_read(struct file *file, char __user *user, size_t room,
			  loff_t *pos)
{
	const struct stats_file *f = file->private_data;
	const struct kvm_stats_header *h = &f->header;
	u64 values[STATS_MAX];
	const struct stats_part parts[] = {
		{ .data = h, .size = sizeof(*h) },
		{ .data = f->id, .start = h->id_offset, .size = STATS_ID_SIZE },
		{ .data = f->scope->descs, .start = h->desc_offset,
		  .size = h->data_offset - h->desc_offset },
		{ .data = values, .start = h->data_offset,
		  .size = f->scope->count * sizeof(*values) },
	};
	unsigned int i;
	ssize_t done = 0, n;

	stats_values(f, values);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		n = stats_copy(&parts[i], user + done, room - done, pos);
		if (n < 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

static loff_t stats_llseek(struct file *file, loff_t offset, int whence)
{
	const struct stats_file *f = file->private_data;

	return fixed_size_llseek(file, offset, whence, f->header.data_offset +
				 f->scope->count * sizeof(u64));
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_file *f = file->private_data;

	vm_put(f->vm);
	kfree(f);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.release = stats_release,
	.read = stats_read,
	.llseek = stats_llseek,
};

static void stats_fill_header(struct stats_file *f)
{
	struct kvm_stats_header *h = &f->header;

	h->name_size = KVM_STATS_NAME_SIZE;
	h->num_desc = f->scope->count;
	h->id_offset = sizeof(*h);
	h->desc_offset = h->id_offset + STATS_ID_SIZE;
	h->data_offset = h->desc_offset +
			 f->scope->count * sizeof(struct kvm_stats_desc);
}

/* Takes @f over, whatever comes of it. */
static long stats_open(struct stats_file *f, const char *name)
{
	struct file *file;
	int fd;

	stats_fill_header(f);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		kfree(f);
		return fd;
	}
	file = anon_inode_getfile_fmode(name, &stats_fops, f, O_RDONLY,
					FMODE_PREAD | FMODE_LSEEK);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		kfree(f);
		return PTR_ERR(file);
	}
	vm_get(f->vm);
	fd_install(fd, file);
	return fd;
}

long stats_vm_fd(struct ioctl_ctx *ctx, void *data)
{
	struct stats_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	f->vm = ctx->vm;
	f->object = ctx->vm;
	f->scope = &stats_vm_scope;
	snprintf(f->id, sizeof(f->id), "kvm-%d", task_tgid_nr(current));
	return stats_open(f, "kvm-vm-stats");
}

long stats_vcpu_fd(struct ioctl_ctx *ctx, void *data)
{
	struct stats_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	char name[32];

	if (!f)
		return -ENOMEM;
	f->vm = ctx->vm;
	f->object = ctx->vcpu;
	f->scope = &stats_vcpu_scope;
	snprintf(f->id, sizeof(f->id), "kvm-%d/vcpu-%d",
		 task_tgid_nr(current), ctx->vcpu->id);
	snprintf(name, sizeof(name), "kvm-vcpu-stats:%d", ctx->vcpu->id);
	return stats_open(f, name);
}
