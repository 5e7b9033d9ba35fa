#!/bin/sh
# lab/run-inside.sh: the part of make run that happens in the emulated host.
#
# usage: lab/run-inside.sh MODULES VCPUS MACHINE RUNS
# Counts the guests that booted and powered off in $OUT/booted.
modules=$1 vcpus=$2 machine=$3 runs=$4
. lab/guest-lib.sh

echo 0 >"$OUT/booted"
echo "--- loading the modules ($modules)"
load "$modules" || exit 1

echo "--- examples/lifecycle"
build/programs/lifecycle || { echo "run: lifecycle failed" >&2; exit 1; }

n=0
while [ $n -lt "$runs" ]; do
	echo "--- guest $((n + 1)) of $runs: $machine, $vcpus vCPUs"
	sh lab/boot-guest.sh "$vcpus" "$machine" || exit 1
	n=$((n + 1))
	echo $n >"$OUT/booted"
done

echo "--- unloading the modules"
unload
