#!/bin/sh
# lab/tests-inside.sh: the part of make test-lab that happens in the emulated
# host: the guest tests, then a guest boot, on each set of modules in turn.
#
# usage: lab/tests-inside.sh SET...	(ours, intree)
# Counts go to $OUT/SET, "PASSED FAILED SKIPPED", as far as it got.
. lab/guest-lib.sh

# The rows of lab/intel-skips for one set of modules: "NAME why".
skips() {
	[ "$LAB_HOST" = intel ] || return 0
	sed -nE "s/^(all|$1)[[:space:]]+//p" lab/intel-skips
}

# The guest tests that are not left out, all on one line.
tests() {
	skips "$1" | cut -f 1 >/tmp/skipped
	build/programs/guest-tests -l | grep -vxFf /tmp/skipped | tr '\n' ' '
}

rc=0
for set in "$@"; do
	echo "--- $set: loading"
	# What stands if the host goes down on the way.
	echo "0 1 0" >"$OUT/$set"
	if ! load "$set"; then
		rc=1
		unload
		continue
	fi
	echo "--- $set: guest tests"
	# shellcheck disable=SC2046
	build/programs/guest-tests $(tests "$set") >"$OUT/$set.log" 2>&1 || rc=1
	grep -v '^ok ' "$OUT/$set.log"
	skips "$set" | sed -E 's/[[:space:]]+/: /; s/^/skip /' |
		tee -a "$OUT/$set.log"
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
		"$OUT/$set.log")
	read -r passed failed skipped <<-END
		${counts:-0 1 0}
	END
	skipped=$((skipped + $(skips "$set" | wc -l)))
	echo "$passed $((failed + 1)) $skipped" >"$OUT/$set"

	echo "--- $set: Debian under QEMU"
	if sh lab/boot-guest.sh 2 pc >"$OUT/$set-boot.log" 2>&1; then
		passed=$((passed + 1))
		tail -n 1 "$OUT/$set-boot.log"
	else
		failed=$((failed + 1)) rc=1
		cat "$OUT/$set-boot.log"
	fi
	if ! unload; then
		failed=$((failed + 1)) rc=1
	fi
	echo "$passed $failed $skipped" >"$OUT/$set"
done
exit $rc
