#!/bin/sh
# lab/tests-inside.sh: the part of make test-lab that happens in the emulated
# host: on each set of modules in turn the guest tests, examples/lifecycle, a
# Debian guest, and the unloading.  Ours on the host "intel" begin with
# lab/refusals.sh, and a part of the tests is run without EPT's accessed and
# dirty bits there, too.
#
# usage: lab/tests-inside.sh all|again|tests|stress [-p PARAMETERS] SET...
# SET is ours or intree; PARAMETERS are those of the vendor module.  "all" is the
# guest tests and the two programs.  On QEMU's hosts the tests removal_* are apart,
# as "stress": see lab/run-tests.
# What it says is the result, lab/run-tests counts it: between "=== SET" and
# "=== SET done" a line "ok NAME", "not ok NAME: why" or "skip NAME: why" for
# each test, after a line "run NAME".  So it is known which one a host that
# went down or hangs was at.  What ends the emulator (lab/faults) is not run.
. lab/guest-lib.sh
part=$1
shift
if [ "$1" = -p ]; then
	export PARAMETERS="$2"
	shift 2
fi
# Patterns for guest-tests: none is all of them, QEMU's are all but removal_*.
set -f
patterns=""
[ "$LAB_EMULATOR" != qemu ] || patterns="[!r]* r[!e]* re[!m]*"
[ "$part" != stress ] || patterns="removal_*"

# A test that is a command.
as_test() {
	name=$1
	shift
	echo "run $name"
	rm -f /tmp/failed
	{ "$@" 2>&1 || echo $? >/tmp/failed; } | sed -u 's/^/  | /'
	if [ -e /tmp/failed ]; then
		echo "not ok $name: status $(cat /tmp/failed)"
	else
		echo "ok $name"
	fi
}

guest_tests() {
	lab/judge --ends "$LAB_HOST" >/tmp/ends
	while read -r row; do
		set -- -x "$row" "$@"
	done </tmp/ends
	build/programs/guest-tests -v "$@"
	rc=$?
	[ $rc -le 1 ] || echo "not ok guest-tests: status $rc"
}

# Ours on "intel": what VMX in use means, and EPT as older CPUs have it.
more_of_intel() (
	sh lab/refusals.sh taken
	export PARAMETERS="eptad=0"
	as_test modules_load_eptad_0 load ours
	guest_tests "dirty_log_of_*"
	as_test modules_unload_eptad_0 unload
)

for set in "$@"; do
	echo "=== $set"
	if [ "$LAB_HOST $set $part" = "intel ours all" ]; then
		more_of_intel
	fi
	as_test modules_load load "$set"
	if [ -c /dev/kvm ]; then
		# shellcheck disable=SC2086
		guest_tests $patterns
	fi
	if [ -c /dev/kvm ] && [ "$part" != tests ] && [ "$part" != stress ]; then
		as_test lifecycle build/programs/lifecycle
		as_test debian_pc_2_vcpus sh lab/boot-guest.sh 2 pc
	fi
	as_test modules_unload unload
	echo "=== $set done"
done
