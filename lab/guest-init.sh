#!/bin/busybox sh
# lab/guest-init.sh: init of the guest that lab/boot-guest.sh boots.  Tries
# out the devices and says on the serial console what worked, one "lab: "
# line each, then powers off.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r ko; do
	insmod "$ko" || echo "guest: $ko does not load"
done </modules

say() { echo "lab: $*"; }

say "userland of Linux $(uname -r)"
say "vcpus $(nproc)"

if mount -t ext4 /dev/vda /mnt && (cd /mnt && sha256sum -c -s SHA256SUMS); then
	say "disk read"
	cp /mnt/data /mnt/copy && umount /mnt &&
	echo 3 >/proc/sys/vm/drop_caches && mount -t ext4 /dev/vda /mnt &&
	cmp /mnt/data /mnt/copy && say "disk written"
	umount /mnt
fi

ip link set lo up
ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 &&
ping -c 3 -w 20 10.0.2.2 && say "network"

# Timers and the scheduler on every CPU.
start=$(cut -d. -f1 /proc/uptime)
sleep 1
end=$(cut -d. -f1 /proc/uptime)
[ $((end - start)) -ge 1 ] && [ $((end - start)) -le 5 ] && say "timer"

say "power-off"
poweroff -f
