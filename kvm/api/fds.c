// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of the ABI: /dev/kvm, VM fds, vCPU fds and the vCPU's mapping.
 *
 * Each VM fd and each vCPU fd holds one reference on the VM. The VM and its
 * vCPUs serve only the process that made the VM: guest memory is reached
 * through the caller's own mappings.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "api/dispatch.h"
#include "host/module.h"
#include "irq/irqfd.h"

/* ---- vCPU fd ---------------------------------------------------------- */

static long fds_vcpu_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	struct vcpu *vcpu = file->private_data;
	struct ioctl_ctx ctx = {
		.vm = vcpu->vm,
		.vcpu = vcpu,
		.arg = arg,
		.user = (void __user *)arg,
	};

	if (!mem_is_ours(&vcpu->vm->mem) || READ_ONCE(vcpu->vm->dead))
		return -EIO;
	return dispatch(&ioctl_vcpu, &ctx, cmd);
}

static vm_fault_t fds_vcpu_fault(struct vm_fault *vmf)
{
	struct vcpu *vcpu = vmf->vma->vm_file->private_data;
	void *page;

	switch (vmf->pgoff) {
	case 0:
		page = vcpu->run;
		break;
	case KVM_PIO_PAGE_OFFSET:
		page = vcpu_pio_page(vcpu);
		if (!page)
			return VM_FAULT_OOM;
		break;
	case KVM_COALESCED_MMIO_PAGE_OFFSET:
		page = vcpu->vm->coalesced_ring;
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	vmf->page = virt_to_page(page);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct fds_vcpu_vm_ops = {
	.fault = fds_vcpu_fault,
};

static int fds_vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &fds_vcpu_vm_ops;
	return 0;
}

static int fds_vcpu_release(struct inode *inode, struct file *file)
{
	struct vcpu *vcpu = file->private_data;

	/* None: creation failed after the file was there. */
	if (!vcpu)
		return 0;
	vcpu_retire(vcpu);
	vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations fds_vcpu_fops = {
	.owner = THIS_MODULE,
	.release = fds_vcpu_release,
	.unlocked_ioctl = fds_vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = fds_vcpu_mmap,
	.llseek = noop_llseek,
};

long fds_create_vcpu(struct vm *vm, u32 id)
{
	struct vcpu *vcpu;
	struct file *file;
	char name[24];
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	if (mutex_lock_killable(&vm->lock)) {
		put_unused_fd(fd);
		return -EINTR;
	}
	/*
	 * The file first: a vCPU once made stays with its VM, so nothing may
	 * fail after it.
	 */
	snprintf(name, sizeof(name), "kvm-vcpu:%u", id);
	file = anon_inode_getfile(name, &fds_vcpu_fops, NULL, O_RDWR);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto unlock;
	err = vcpu_create(vm, id, &vcpu);
	if (err) {
		fput(file);
		goto unlock;
	}
	vm_get(vm);
	file->private_data = vcpu;
	mutex_unlock(&vm->lock);
	fd_install(fd, file);
	return fd;

unlock:
	mutex_unlock(&vm->lock);
	put_unused_fd(fd);
	return err;
}

/* ---- VM fd ------------------------------------------------------------ */

static long fds_vm_dispatch(struct vm *vm, struct ioctl_ctx *ctx, u32 cmd)
{
	ctx->vm = vm;
	if (!mem_is_ours(&vm->mem) || READ_ONCE(vm->dead))
		return -EIO;
	return dispatch(&ioctl_vm, ctx, cmd);
}

static long fds_vm_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg)
{
	struct ioctl_ctx ctx = { .arg = arg, .user = (void __user *)arg };

	return fds_vm_dispatch(file->private_data, &ctx, cmd);
}

/* A pointer inside an argument (KVM_GET_DIRTY_LOG) is the handler's to widen. */
static long fds_vm_compat_ioctl(struct file *file, unsigned int cmd,
				unsigned long arg)
{
	struct ioctl_ctx ctx = {
		.arg = (u32)arg,
		.user = (void __user *)(unsigned long)(u32)arg,
		.compat = true,
	};

	return fds_vm_dispatch(file->private_data, &ctx, cmd);
}

static int fds_vm_release(struct inode *inode, struct file *file)
{
	struct vm *vm = file->private_data;

	/* Eventfds outlive us: from here on they must not reach the VM. */
	irqfd_free_all(vm);
	vm_put(vm);
	return 0;
}

static const struct file_operations fds_vm_fops = {
	.owner = THIS_MODULE,
	.release = fds_vm_release,
	.unlocked_ioctl = fds_vm_ioctl,
	.compat_ioctl = fds_vm_compat_ioctl,
	.llseek = noop_llseek,
};

long fds_create_vm(unsigned long type)
{
	struct file *file;
	struct vm *vm;
	int fd, err;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	err = vm_create(type, &vm);
	if (err)
		goto put_fd;
	file = anon_inode_getfile("kvm-vm", &fds_vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto put_vm;
	}
	fd_install(fd, file);
	return fd;

put_vm:
	vm_put(vm);
put_fd:
	put_unused_fd(fd);
	return err;
}

/* ---- /dev/kvm --------------------------------------------------------- */

static long fds_system_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	struct ioctl_ctx ctx = { .arg = arg, .user = (void __user *)arg };

	return dispatch(&ioctl_system, &ctx, cmd);
}

/* The owner is the vendor module, see host/module.c. */
const struct file_operations system_fops = {
	.unlocked_ioctl = fds_system_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
