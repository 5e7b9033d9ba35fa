#!/bin/sh
# lab/host-init.sh: process 1 of the emulated host, started from the initrd
# with the build root mounted read-only as / and the repository as /src.
# $LAB_EMULATOR is qemu or bochs, $LAB_HOST the name in lab/hosts.
#
# Runs the command lab/host left in /lab/out/.cmd, its output going to lab/host
# as it comes, writes its exit status to /lab/out/.status and the kernel log to
# /lab/out/dmesg, and powers off.  A command that outlives its limit is
# reported with the kernel's view of every blocked task.
#
# QEMU: /lab/out is a directory of the machine, the output a virtio console.
# Bochs: the output is the second serial port, and /lab/out goes as an archive
# to a disk.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TERM=dumb LC_ALL=C.UTF-8

mount -t proc proc /proc
mount -t sysfs sys /sys
# Another kernel than the root's (lab/watch-kernel) brings its own modules.
if [ -n "${LAB_WATCH:-}" ]; then
	for modules in /lab/$LAB_WATCH/lib/modules /src/.lab/modules; do
		[ ! -d $modules ] || mount --bind $modules /lib/modules
	done
fi
mount -t tmpfs -o mode=1777 tmp /lab
mkdir -p /lab/in /lab/out
case $LAB_EMULATOR in
bochs)
	cp -a /src/.lab/out/. /lab/out/
	mount --bind /src/.lab/in /lab/in
	live=/dev/ttyS1
	;;
*)
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=none \
		labout /lab/out || busybox poweroff -f
	# It may lie under the machine's /tmp, which is still to be seen.
	in=$(cat /lab/out/.in)
	[ -z "$in" ] || mount --bind "$in" /lab/in
	modprobe virtio_console
	live=/dev/hvc0
	while [ ! -c $live ]; do :; done
	;;
esac
for dir in /tmp /run /var/tmp /dev/shm /dev/pts; do
	[ -d "$dir" ] || mkdir "$dir"
	[ "$dir" = /dev/pts ] || mount -t tmpfs -o mode=1777 tmp "$dir"
done
mount -t devpts devpts /dev/pts
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
ip link set lo up
[ "$LAB_EMULATOR" = qemu ] || stty -F $live 115200
exec </dev/null >$live 2>&1
stty -F $live raw
export IN=/lab/in OUT=/lab/out
cd /src || exit

# Whoever comes first ends the host.  stty waits for output to be out.
finish() {
	mkdir /lab/finished 2>/dev/null || sleep 1000
	[ -e /lab/out/.status ] || echo "$1" >/lab/out/.status
	dmesg >/lab/out/dmesg
	sync
	if [ "$LAB_EMULATOR" = bochs ]; then
		stty -F /dev/ttyS1 raw
		modprobe -a ata_piix sd_mod
		until [ -b /dev/sda ]; do busybox usleep 10000; done
		tar -C /lab/out -cf /dev/sda .
		sync
	fi
	busybox poweroff -f
}

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
	finish
) &
wait $cmd
finish $?
