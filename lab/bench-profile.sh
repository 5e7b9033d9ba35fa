#!/bin/sh
# lab/bench-profile.sh: the part of make profile that happens in the emulated
# host, whose QEMU counts instructions (bench/profile.c).
#
# usage: lab/bench-profile.sh MODULES BENCHMARK[:ROW]...
# Leaves the rows in $OUT/rows.N, beside the counts, and the kernel's symbols
# in $OUT/symbols.
. lab/guest-lib.sh
modules=$1
shift
export OURS="$IN"
load "$modules" || exit 1
cat /proc/kallsyms >"$OUT/symbols"
n=0
for which in "$@"; do
	row=${which##*:}
	[ "$row" != "$which" ] || row=0
	if [ "$which" = boot ]; then
		"$IN/bench" -m start
		sh lab/boot-guest.sh 1 pc >"$OUT/boot.log" 2>&1 ||
			echo "the guest did not boot"
		"$IN/bench" -m stop
		printf '%s\n' 'a boot of Debian' 'profiled 1' >"$OUT/rows.$n"
	else
		"$IN/bench" -p "$row" "${which%:*}" >"$OUT/rows.$n"
	fi
	"$IN/bench" -m next
	n=$((n + 1))
done
unload
