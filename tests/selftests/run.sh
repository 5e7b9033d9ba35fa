#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the kernel's own KVM tests, inside the emulated host, on one set of
# modules: loads it, runs what tests/selftests/expected lists, removes it.
#
# usage: tests/selftests/run.sh ours|intree [PATTERN...]
# A PATTERN is a shell pattern for the program's name; default: all.
#
# Prints for each test one line and the time it took:
#   ok NAME            it passed
#   skip NAME: why     it asked for what is not offered
#   known NAME: why    it fails, and the list says so
#   not ok NAME: why   it fails; or it left a module in use or made the
#                      kernel complain; or the list is out of date
# and "N passed, N failed, N skipped, N known" at the end; fails if any failed.
# What a test said is in $OUT/NAME.log ($OUT: see lab/host).
. lab/guest-lib.sh
set -f

bin=/src/build/selftests/bin
list=/src/tests/selftests/expected
out=${OUT:-/tmp}
set=${1:-}
case $set in
ours|intree) shift ;;
*) sed -n 's/^# \(usage: .*\)/\1/p' "$0" >&2; exit 2 ;;
esac
# shellcheck disable=SC2048,SC2086
set -- ${*:-*}
passed=0 failed=0 skipped=0 known=0

complaints() {
	dmesg | grep -cE 'WARNING:|BUG:|Oops|Call Trace|general protection'
}

# Whether the last VM is gone; the last reference is put after close().
is_idle() {
	tries=0
	until [ "$(cat "/sys/module/kvm_$vendor/refcnt")" = 0 ]; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || return 1
		busybox usleep 100000
	done
}

# A failed assertion's place and message, or the last line.
failure_of() {
	awk '
	/Test Assertion Failure/ { place = 1; next }
	place == 1 { sub(/^ +/, ""); at = $0; place = 2; next }
	/^  [^ ]/ && place == 2 && !/pid=/ { sub(/^ +/, ""); message = $0 }
	/^not ok / { message = $0 }
	NF { last = $0 }
	END {
		if (at && message) print at ": " message
		else print at ? at : message ? message : last
	}' "$1" | tr -c '[:print:]\n' ' ' | cut -c 1-150
}

# One row: EXPECTED LIMIT NAME [ARGS...]; the result is one line.
run_one() {
	expected=$1 limit=$2 name=$3
	shift 3
	log=$out/$(echo "$name" | tr / -).log
	before=$(complaints)
	start=$(date +%s%N)
	timeout -k 5 "$limit" "$bin/$name" "$@" >"$log" 2>&1
	rc=$?
	ms=$((($(date +%s%N) - start) / 1000000))

	case $rc in
	0) result=pass why="" ;;
	4) result=skip why=$(sed -n 's/.*# SKIP *-* *//p' "$log")
	   [ -n "$why" ] || why=$(tail -n 1 "$log") ;;
	124|137) result=slow why="more than $limit s" ;;
	*) result=fail why="$(failure_of "$log") (status $rc)" ;;
	esac

	if ! is_idle; then
		verdict="not ok" why="it leaves a VM behind${why:+; $why}"
	elif [ "$(complaints)" != "$before" ]; then
		verdict="not ok" why="the kernel complains${why:+; $why}"
	else
		case $expected:$result in
		pass:pass|skip:skip) verdict=$result ;;
		skip:pass|fail:pass|fail:skip|slow:pass|slow:skip)
			verdict=$result why="$why (the list says $expected)" ;;
		fail:*|slow:*) verdict=known ;;
		*) verdict="not ok" why="$result: $why" ;;
		esac
	fi
	case $verdict in
	pass) verdict=ok passed=$((passed + 1)) ;;
	skip) skipped=$((skipped + 1)) ;;
	known) known=$((known + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
	echo "$verdict $name${why:+: $why} [$ms ms]"
}

is_wanted() {
	name=$1
	shift
	for pattern; do
		# shellcheck disable=SC2254
		case $name in $pattern) return 0 ;; esac
	done
	return 1
}

[ -d $bin ] || { echo "selftests: there is no ${bin#/src/}" >&2; exit 2; }
vendor=$(kvm_vendor) && load "$set" || exit 2
while read -r intree ours limit name args <&3; do
	case $intree in ""|\#*) continue ;; esac
	is_wanted "$name" "$@" || continue
	if [ "$set" = ours ]; then
		expected=$ours
	else
		expected=$intree
	fi
	# shellcheck disable=SC2086
	run_one "$expected" "$limit" "$name" ${args%%#*}
done 3<$list
if unload; then
	echo "ok modules_unload"
	passed=$((passed + 1))
else
	echo "not ok modules_unload"
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped, $known known"
[ $failed = 0 ]
