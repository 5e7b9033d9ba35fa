#!/bin/busybox sh
# lab/host-bochs-initrd.sh: init of the Bochs host's initrd.  Mounts
# the two file systems that lab/host-bochs put into memory, the build root and
# the repository, and goes on there with lab/host-init.sh.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
while read -r ko; do
	insmod "$ko" || echo "host-initrd: $ko does not load"
done </modules
if ! mount -t erofs -o ro,dax=always /dev/pmem0 /mnt ||
   ! mount -t erofs -o ro,dax=always /dev/pmem1 /mnt/src; then
	poweroff -f
fi
umount /proc
mount -o move /dev /mnt/dev
exec switch_root /mnt /src/lab/host-init.sh
