#!/bin/sh
# lab/bench-inside.sh: the part of make bench that happens in the emulated
# host: the benchmarks on each set of modules in turn.
#
# usage: lab/bench-inside.sh SETS RUNS DIVISOR LIMIT BOOTS [PATTERN...]
# SETS is like intree,ours, LIMIT the seconds that a benchmark and a boot may take.
# The rows go to $OUT/SET.RUN, and the kernel's release to $OUT/kernel.  With BOOTS=1, a guest is booted on each set of modules, between
# the profiler's marks; its addresses' names are in $OUT/symbols.SET.
. lab/guest-lib.sh
sets=$(echo "$1" | tr , ' ') runs=$2 divisor=$3 limit=$4 boots=$5
shift 5
export OURS="$IN"
[ "$(kvm_vendor)" = amd ] || export PARAMETERS="enable_apicv=0"

rc=0
run=1
uname -r >"$OUT/kernel"
while [ "$run" -le "$runs" ]; do
	for set in $sets; do
		echo "--- bench: $set, run $run of $runs"
		echo "<4>set: $set" >/dev/kmsg
		load "$set" || exit 1
		# Nothing waits for a file outside while it is timed.
		"$IN/bench" -d "$divisor" -t "$limit" "$@" >"/tmp/$set.$run" || rc=1
		cp "/tmp/$set.$run" "$OUT"
		grep failed: "$OUT/$set.$run"
		if [ "$boots" = 1 ]; then
			echo "--- bench: a boot of Debian on $set"
			echo "<4>bench: boot" >/dev/kmsg
			grep '\[kvm' /proc/kallsyms >"$OUT/symbols.$set"
			# shellcheck disable=SC2046
			cat /usr/bin/qemu-system-x86_64 /boot/vmlinuz-* \
				/usr/share/seabios/* build/guest/* \
				$(ldd /usr/bin/qemu-system-x86_64 |
				  sed -n 's/.*=> \(.*\) (.*/\1/p') >/dev/null
			"$IN/bench" -m start
			OUT=/tmp sh lab/boot-guest.sh 1 pc "$limit" >/tmp/boot.log 2>&1 ||
				rc=1
			"$IN/bench" -m stop
			"$IN/bench" -m next
			cp /tmp/boot.log "$OUT/boot.$set.log"
			tail -n 1 /tmp/boot.log
		fi
		unload || exit 1
	done
	run=$((run + 1))
done
exit $rc
