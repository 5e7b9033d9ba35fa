// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory that is a file on a disk: what the guest writes reaches the disk,
 * however often the file is written out meanwhile, and the filesystem is never
 * surprised by a dirty page (it would complain in the kernel's log, which fails
 * the run). The disk is a file in /tmp with ext4 on it.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define PAGES_OF_FILE 8
#define PAGES ((unsigned long)PAGES_OF_FILE)
#define SIZE (PAGES * PAGE_SIZE)
#define SYNCS 300

/* Count RAX up, and store it to each page, for ever. */
PAYLOAD(64, counts_in_each,
	sti;
	xor %eax, %eax;
1:	inc %rax;
	mov $GPA_FREE, %esi;
	mov $PAGES_OF_FILE, %ecx;
2:	mov %rax, (%rsi);
	add $PAGE_SIZE, %rsi;
	loop 2b;
	jmp 1b;
)

static bool stop;

static void run_until_stopped(struct vcpu *v)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		REFUSED(EINTR, vcpu_try_run(v));
}

static int run(const char *command)
{
	return system(command);
}

static void mount_disk(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		skip("no mounts of its own");
	if (run("modprobe -q loop && modprobe -q ext4 && cd /tmp &&"
		"truncate -s 8M disk && mkfs.ext4 -q -F disk && mkdir -p mnt &&"
		"mount -o loop disk mnt") != 0)
		skip("no ext4 on a loop device");
}

TEST(fault_file_on_disk)
{
	struct vcpu *v = boot(0, &counts_in_each);
	uint64_t seen[PAGES], word;
	uint64_t *p;
	struct runner r;
	int fd;

	mount_disk();
	fd = open("/tmp/mnt/ram", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, SIZE));
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	OK(vm_add_slot(v->vm, 9, GPA_FREE, SIZE, p));
	runner_start(&r, v, run_until_stopped);
	for (unsigned int i = 0; i < SYNCS; i++) {
		word = *(volatile uint64_t *)p;
		CHECK(!fsync(fd));
		EVENTUALLY(*(volatile uint64_t *)p > word);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&r.done, __ATOMIC_ACQUIRE)) {
		runner_kick(&r);
		wait_a_little();
	}
	runner_join(&r);
	for (unsigned int i = 0; i < PAGES; i++)
		seen[i] = p[i * PAGE_SIZE / 8];
	OK(vm_del_slot(v->vm, 9));
	munmap(p, SIZE);
	close(fd);

	CHECK(!run("umount /tmp/mnt && mount -o loop /tmp/disk /tmp/mnt"));
	fd = open("/tmp/mnt/ram", O_RDONLY);
	CHECK(fd >= 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		CHECK(pread(fd, &word, 8, i * PAGE_SIZE) == 8);
		EQ(word, seen[i]);
	}
	close(fd);
	CHECK(!run("umount /tmp/mnt && rm /tmp/disk"));
}
