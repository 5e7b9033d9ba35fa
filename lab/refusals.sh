#!/bin/sh
# lab/refusals.sh: in the emulated Intel host, checks that kvm-intel.ko refuses
# what it cannot use: its load fails with one line in the kernel's log, and
# leaves nothing behind.
#
# usage: lab/refusals.sh taken		(VMX in use, on each CPU, in two ways)
#        lab/refusals.sh NAME LINE	(this host: the line has to end so)
# Prints lines as lab/tests-inside.sh does.  No KVM module is loaded before or
# after it.
. lab/guest-lib.sh
rc=0

# What there would be of a loaded vendor module, or half of one.
traces() {
	grep -E '^kvm_(intel|amd) ' /proc/modules
	grep -w kvm /proc/misc
	ls -d /dev/kvm /sys/module/kvm_intel /sys/class/misc/kvm 2>/dev/null
}

# One load of kvm-intel.ko on CPU $1 that has to fail, saying $2.
check() {
	before=$(dmesg | wc -l)
	if taskset -c "$1" insmod build/modules/kvm-intel.ko 2>/tmp/insmod; then
		rmmod kvm_intel
		echo "it loads"
		return
	fi
	said=$(dmesg | tail -n +$((before + 1)) | sed 's/^\[[^]]*\] //')
	case $said in
	*"
"*)	echo "more than one line: $said" ;;
	"kvm-intel: $2"|"kvm-intel: CPU "[0-9]*": $2") ;;
	*)	echo "it says \"$said\", not \"$2\"" ;;
	esac
	left=$(traces)
	[ -z "$left" ] || echo "it leaves $left"
}

refused() {
	name=refused_$1
	echo "run $name"
	why=$(check "$2" "$3")
	if [ -z "$why" ]; then
		echo "ok $name"
	else
		echo "not ok $name: $why"
		rc=1
	fi
}

insmod_kvm() {
	load_dependencies build/modules/kvm.ko &&
		load_dependencies build/modules/kvm-intel.ko &&
		insmod build/modules/kvm.ko
}

insmod_kvm || exit 1
if [ "$1" != taken ]; then
	refused "$1" 0 "$2"
	rmmod kvm && exit $rc
	exit 1
fi

# Loaded on each CPU, which asks the one that it is on first.
last=$(($(nproc) - 1))
for vmxon in 1 0; do
	way=$([ $vmxon = 1 ] && echo vmxon || echo vmxe)
	insmod build/test-modules/vmx-taken.ko cpu=$last vmxon=$vmxon || exit 1
	for cpu in $(seq 0 $last); do
		refused "${way}_taken_on_${last}_seen_from_$cpu" "$cpu" \
			"VMX is in use already"
	done
	rmmod vmx_taken || exit 1
done
rmmod kvm && exit $rc
exit 1
