#!/bin/sh
# lab/host-init.sh: process 1 of the emulated host, started from the initrd
# with the build root mounted read-only as / and the repository as /src.
#
# Runs the command lab/host left in /lab/out/.cmd with its output on the
# virtio console, writes its exit status to /lab/out/.status and the kernel
# log to /lab/out/dmesg, and powers off.  A command that outlives its limit
# is reported with the kernel's view of every blocked task.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TERM=dumb LC_ALL=C.UTF-8

mount -t proc proc /proc
mount -t sysfs sys /sys
for dir in /tmp /run /var/tmp /lab /dev/shm /dev/pts; do
	[ -d "$dir" ] || mkdir "$dir"
	[ "$dir" = /dev/pts ] || mount -t tmpfs -o mode=1777 tmp "$dir"
done
mount -t devpts devpts /dev/pts
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
ip link set lo up

mkdir -p /lab/in /lab/out
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none \
	labout /lab/out || busybox poweroff -f
in=$(cat /lab/out/.in)
[ -z "$in" ] || mount --bind "$in" /lab/in

modprobe virtio_console
while [ ! -c /dev/hvc0 ]; do :; done
exec </dev/null >/dev/hvc0 2>&1
stty -F /dev/hvc0 raw
export IN=/lab/in OUT=/lab/out
cd /src || exit

limit=$(cat /lab/out/.limit)
setsid sh /lab/out/.cmd &
cmd=$!
(
	exec >/dev/null 2>&1
	sleep "$limit"
	echo 7 >/proc/sysrq-trigger
	for key in l w; do echo $key >/proc/sysrq-trigger; done
	echo timeout >/lab/out/.status
	kill -KILL -- "-$cmd"
	sleep 5		# it may be past killing
	dmesg >/lab/out/dmesg
	busybox poweroff -f
) &
wait $cmd
status=$?
[ -e /lab/out/.status ] || echo $status >/lab/out/.status
dmesg >/lab/out/dmesg
sync
busybox poweroff -f
