#!/bin/sh
# lab/boot-guest.sh: in the emulated host, boots Debian's unmodified kernel
# under Debian's unmodified QEMU on the KVM modules that are loaded, and
# checks that the guest did all of what lab/guest-init.sh does.
#
# usage: lab/boot-guest.sh [VCPUS [MACHINE [LIMIT]]]	(2 pc 150, Bochs 400)
# The guest's console is shown as it comes and kept in $OUT/guest-*.log.
vcpus=${1:-2} machine=${2:-pc} limit=150 append=""
if [ "$LAB_EMULATOR" = bochs ]; then
	# An interpreter: what its own kernel leaves out, the guest's does too.
	limit=400
	append=$(tr ' ' '\n' </proc/cmdline | grep -E \
		'^(mitigations|init_on|rodata|lsm|audit|cryptomgr|initcall_)' |
		tr '\n' ' ')
fi
limit=${3:-$limit}
log=${OUT:-/tmp}/guest-$machine-$vcpus.log
kernel=$(echo /boot/vmlinuz-*)
start=$(cut -d. -f1 /proc/uptime)

fifo=$(mktemp -u /tmp/console.XXXXXX)
mkfifo "$fifo"
tee "$log" <"$fifo" &
timeout -k 5 "$limit" qemu-system-x86_64 -accel kvm -cpu host \
	-machine "$machine" -smp "$vcpus" -m 512 \
	-nodefaults -display none -no-reboot -serial stdio \
	-kernel "$kernel" -initrd /src/build/guest/initrd.gz \
	-append "console=ttyS0 loglevel=5 panic=-1 oops=panic $append" \
	-drive file=/src/build/guest/disk.img,format=raw,if=virtio,snapshot=on \
	-netdev user,id=n0 -device virtio-net-pci,netdev=n0 \
	</dev/null >"$fifo" 2>&1
status=$?
wait
rm -f "$fifo"

rc=0
if [ $status != 0 ]; then
	echo "boot-guest: QEMU ended with status $status" >&2
	rc=1
fi
for line in "vcpus $vcpus" "disk read" "disk written" network timer power-off; do
	tr -d '\r' <"$log" | grep -qx "lab: $line" && continue
	echo "boot-guest: the guest did not say \"$line\"" >&2
	rc=1
done
if grep -aE 'WARNING:|BUG:|Oops|Call Trace|Kernel panic' "$log" >&2; then
	echo "boot-guest: the guest's kernel complained" >&2
	rc=1
fi
end=$(cut -d. -f1 /proc/uptime)
[ $rc != 0 ] || echo "boot-guest: $machine with $vcpus vCPUs: up and off in" \
	"$((end - start)) s"
exit $rc
