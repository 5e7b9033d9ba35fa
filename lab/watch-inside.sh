#!/bin/sh
# lab/watch-inside.sh: the part of make watch that happens in the emulated host,
# on the watching kernel: our modules under guest tests, failing allocations, a
# hostile VMM and a hostile guest, then unloaded, and a search for what leaked.
#
# usage: lab/watch-inside.sh SECONDS SEED PART...
# PART: tests, fail, vmm, guest; the hostile ones run SECONDS each.  Lines "ok
# NAME", "not ok NAME: why" and "skip NAME: why" are the result.
. lab/guest-lib.sh
seconds=$1 seed=$2
shift 2
export OURS=/src/build/watch

# Objects that nothing points to, by two scans: what is young is not counted.
leaks() {
	leak=/sys/kernel/debug/kmemleak
	[ -w $leak ] || { echo "skip leaks: the kernel has no kmemleak"; return; }
	for scan in 1 2; do
		echo scan >$leak
		[ $scan = 2 ] || sleep 6	# younger objects are none to it
	done
	cat $leak >/tmp/leaks
	if grep -q '^unreferenced' /tmp/leaks; then
		head -n 60 /tmp/leaks | sed 's/^/  | /'
		echo "not ok leaks: $(grep -c '^unreferenced' /tmp/leaks) objects"
	else
		echo "ok leaks"
	fi
}

load ours || { echo "not ok modules_load"; exit 1; }
echo "ok modules_load"
# What was there before is none of the modules'.
[ ! -w /sys/kernel/debug/kmemleak ] || echo clear >/sys/kernel/debug/kmemleak
for part in "$@"; do
	case $part in
	tests) build/programs/guest-tests -v -t 180 ;;
	fail) build/programs/fail-nth || [ $? = 1 ] || echo "not ok fail-nth" ;;
	vmm|guest) build/programs/hostile "$part" -t "$seconds" -s "$seed" ;;
	esac
	rc=$?
	[ $rc -le 1 ] || echo "not ok $part: status $rc"
done
if unload; then echo "ok modules_unload"; else echo "not ok modules_unload"; fi
leaks
