#!/bin/sh
# lab/bench-inside.sh: the part of make bench that happens in the emulated
# host: the benchmarks on each set of modules in turn.
#
# usage: lab/bench-inside.sh RUNS DIVISOR [PATTERN...]
# The rows go to $OUT/SET.RUN (sets: intree, ours).
. lab/guest-lib.sh
runs=$1 divisor=$2
export OURS="$IN"
shift 2

rc=0
run=1
while [ "$run" -le "$runs" ]; do
	for set in intree ours; do
		echo "--- bench: $set, run $run of $runs"
		load "$set" || exit 1
		build/programs/bench -d "$divisor" "$@" >"$OUT/$set.$run" ||
			rc=1
		grep failed: "$OUT/$set.$run"
		unload || exit 1
	done
	run=$((run + 1))
done
uname -r >"$OUT/kernel"
exit $rc
