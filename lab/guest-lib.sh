# shellcheck shell=sh
# lab/guest-lib.sh: what scripts in the emulated host share (". lab/guest-lib.sh").
#
#   load_ours     insert the modules of build/modules, or of the directory $OURS
#   load_intree   insert the kernel's own, the reference
#                 both with $PARAMETERS for the vendor's module
#   load NAME     one of the two: ours, intree
#   unload        remove whichever is loaded
# Each fails with a sentence on stderr; after a load /dev/kvm is there.

kvm_vendor() {
	if grep -qw svm /proc/cpuinfo; then
		echo amd
	elif grep -qw vmx /proc/cpuinfo; then
		echo intel
	else
		echo "lab: this host has no virtualization" >&2
		return 1
	fi
}

kvm_is_there() {
	[ -c /dev/kvm ] || { echo "lab: no /dev/kvm after loading" >&2; return 1; }
}

# Other kernel modules a module of ours needs.
load_dependencies() {
	for dependency in $(modinfo -F depends "$1" | tr , ' '); do
		[ "$dependency" = kvm ] || modprobe "$dependency" || return 1
	done
}

load_ours() {
	vendor=$(kvm_vendor) || return 1
	for module in kvm "kvm-$vendor"; do
		ko=${OURS:-/src/build/modules}/$module.ko
		[ -e "$ko" ] || { echo "lab: there is no ${ko#/src/}" >&2; return 1; }
		# shellcheck disable=SC2086
		if [ "$module" = kvm ]; then set --; else set -- $PARAMETERS; fi
		if ! load_dependencies "$ko" || ! insmod "$ko" "$@"; then
			echo "lab: $module.ko does not load" >&2
			return 1
		fi
	done
	kvm_is_there
}

load_intree() {
	vendor=$(kvm_vendor) || return 1
	# shellcheck disable=SC2086
	modprobe "kvm_$vendor" $PARAMETERS ||
		{ echo "lab: the in-tree kvm_$vendor does not load" >&2; return 1; }
	kvm_is_there
}

load() {
	case $1 in
	ours|intree) "load_$1" ;;
	*) echo "lab: no modules are called $1" >&2; return 1 ;;
	esac
}

# The last reference to a module may be put a moment after close() returns.
unload() {
	vendor=$(kvm_vendor) || return 1
	for module in "kvm_$vendor" kvm; do
		grep -q "^$module " /proc/modules || continue
		tries=0
		until rmmod "$module" 2>/dev/null; do
			tries=$((tries + 1))
			if [ $tries -ge 50 ]; then
				rmmod "$module"
				echo "lab: $module does not unload" >&2
				return 1
			fi
			busybox usleep 100000
		done
	done
}
