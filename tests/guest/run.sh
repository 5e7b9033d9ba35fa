#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the guest tests on the KVM modules that are loaded, inside the emulated
# host, and then removes the modules: a test that leaks a reference to them
# fails there.
#
# usage: tests/guest/run.sh [-k] [-t SECONDS] [PATTERN...]
#   -k  keep the modules loaded
#   -t  time limit of a test (60)
# Prints "ok NAME", "not ok NAME: why" or "skip NAME: why" for each test and
# "N passed, N failed, N skipped" at the end; fails if any test failed.
# The program is $PROGRAMS/guest-tests (default: build/programs beside us).

top=$(cd "$(dirname "$0")/../.." && pwd)
program=${PROGRAMS:-$top/build/programs}/guest-tests
keep=""
limit=60
while getopts kt: option; do
	case $option in
	k) keep=1 ;;
	t) limit=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ -x "$program" ] || { echo "run.sh: there is no $program" >&2; exit 2; }
[ -c /dev/kvm ] || { echo "run.sh: there is no /dev/kvm" >&2; exit 2; }

passed=0 failed=0 skipped=0

# One module, with the time the last close() may take to let go of it.
remove() {
	tries=0
	until rmmod "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		busybox usleep 50000
	done
}

remove_modules() {
	for module in kvm_amd kvm_intel kvm; do
		grep -q "^$module " /proc/modules || continue
		if ! remove $module; then
			echo "not ok modules_unload: $module is in use"
			return 1
		fi
	done
	echo "ok modules_unload"
}

# The summary comes from the lines themselves, so a runner that dies amid
# the tests cannot pass.
log=$(mktemp)
"$program" -t "$limit" "$@" | tee "$log" | grep -v '^[0-9]* passed,'
if ! grep -q '^[0-9]* passed,' "$log"; then
	echo "not ok runner: it ended early"
	failed=1
fi
passed=$(grep -c '^ok ' "$log")
skipped=$(grep -c '^skip ' "$log")
failed=$((failed + $(grep -c '^not ok ' "$log")))
rm -f "$log"

if [ -z "$keep" ]; then
	if remove_modules; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
