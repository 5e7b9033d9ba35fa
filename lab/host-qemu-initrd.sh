#!/bin/busybox sh
# lab/host-qemu-initrd.sh: init of the QEMU host's initrd.  Loads 9p, mounts
# the build root read-only, and goes on there with lab/host-init.sh.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
while read -r ko; do
	insmod "$ko" || echo "host-initrd: $ko does not load"
done </modules
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro \
	hostroot /mnt || poweroff -f
umount /proc
mount -o move /dev /mnt/dev
exec switch_root /mnt /src/lab/host-init.sh
