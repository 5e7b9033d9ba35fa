#!/bin/sh
# lab/tests-inside.sh: the part of make test-lab that happens in the emulated
# host: on each set of modules in turn the guest tests, examples/lifecycle, a
# Debian guest, and the unloading.  Ours on Intel begin with lab/refusals.sh, and
# with what concerns APIC virtualization; the rest there is without it.  A part is
# run without EPT's accessed and dirty bits, too.
#
# usage: lab/tests-inside.sh all|again|stress|tests|guests SET...	(ours, intree)
# "guests" are the two programs, "tests" is all but these. On AMD the tests
# removal_* are apart, as "stress": see lab/run-tests.
# What it says is the result, lab/run-tests counts it: between "=== SET" and
# "=== SET done" a line "ok NAME", "not ok NAME: why" or "skip NAME: why" for
# each test, after a line "run NAME".  So it is known which one a host that
# went down or hangs was at.
. lab/guest-lib.sh
part=$1
shift
# Patterns for guest-tests: none is all of them, AMD's are all but removal_*.
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

for set in "$@"; do
	echo "=== $set"
	if [ "$LAB_HOST $set $part" = "intel ours tests" ]; then
		sh lab/refusals.sh taken
		export PARAMETERS=""
		as_test modules_load_apicv load "$set"
		build/programs/guest-tests -v "apicv*"
		as_test modules_unload_apicv unload
		# Without EPT's accessed and dirty bits, as older CPUs are.
		export PARAMETERS="enable_apicv=0 eptad=0"
		as_test modules_load_eptad_0 load "$set"
		build/programs/guest-tests -v "dirty_log_of_*"
		as_test modules_unload_eptad_0 unload
		unset PARAMETERS
	fi
	as_test modules_load load "$set"
	if [ -c /dev/kvm ] && [ "$part" != guests ]; then
		# shellcheck disable=SC2086
		build/programs/guest-tests -v $patterns
		rc=$?
		[ $rc -le 1 ] || echo "not ok guest-tests: status $rc"
	fi
	if [ -c /dev/kvm ] && [ "$part" != tests ] && [ "$part" != stress ]; then
		as_test lifecycle build/programs/lifecycle
		as_test debian_pc_2_vcpus sh lab/boot-guest.sh 2 pc
	fi
	as_test modules_unload unload
	echo "=== $set done"
done
