#!/bin/bash
# tests/check/test_host.sh: what scripts/host refuses, and that it changes
# nothing then.  The machine is a directory of files and commands that only
# write down that they were called.  Runs anywhere, as any user.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
dir=$(mktemp -d)
trap 'rm -rf "$dir" build/host/6.12.0-test' EXIT
export SYSROOT=$dir/root
calls=$dir/calls bin=$dir/bin passed=0 failed=0

stub() { printf '#!/bin/sh\n%s\n' "$2" >"$bin/$1"; chmod +x "$bin/$1"; }

# A 6.12 machine with AMD-V, headers, the kernel's own modules loaded, ours
# built, nothing in use.
machine() {
	local m=$SYSROOT/lib/modules/6.12.0-test
	rm -rf "$SYSROOT" "$bin"
	mkdir -p "$bin" "$m/build" "$m/kernel/kvm" build/host/6.12.0-test \
		"$SYSROOT"/sys/module/{kvm/holders/kvm_amd,kvm_amd} "$SYSROOT/proc"
	touch "$m/build/Makefile" "$m/kernel/kvm/"{kvm,kvm-amd}.ko.xz \
		build/host/6.12.0-test/{kvm,kvm-amd}.ko
	echo "flags : fpu svm" >"$SYSROOT/proc/cpuinfo"
	printf 'kvm_amd 1 0 -\nkvm 1 1 kvm_amd\n' >"$SYSROOT/proc/modules"
	echo 0 >"$SYSROOT/sys/module/kvm_amd/refcnt"
	echo 1 >"$SYSROOT/sys/module/kvm/refcnt"
	echo >"$SYSROOT/sys/module/kvm/taint"
	: >"$calls"
	stub id 'echo 0'
	stub uname 'echo 6.12.0-test'
	stub modinfo 'exit 0'
	stub make "echo make >>$calls"
	stub gcc 'exit 0'
	stub insmod "echo insmod \$1 >>$calls"
	stub modprobe "echo modprobe \$1 >>$calls"
	stub rmmod "echo rmmod \$1 >>$calls
		sed -i \"/^\$1 /d\" $SYSROOT/proc/modules"
}

report() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok      $1"
	else
		failed=$((failed + 1))
		echo "FAILED  $1: $(tail -n 1 "$dir/out")"
	fi
}

# NAME COMMAND SENTENCE: fails with one line that has SENTENCE, and no module
# moves.
refuses() {
	local bad=0
	PATH=$bin:$PATH scripts/host "$2" >"$dir/out" 2>&1 && bad=1
	grep -q "$3" "$dir/out" || bad=1
	[ "$(wc -l <"$dir/out")" = 1 ] || bad=1
	[ ! -s "$calls" ] || bad=1
	report "$1" $bad
}

# NAME COMMAND STATUS CALLS: ends so, having called just these.
does() {
	local rc=0 bad=0
	PATH=$bin:$PATH scripts/host "$2" >"$dir/out" 2>&1 || rc=$?
	[ $rc = "$3" ] || bad=1
	[ "$(sed "s#insmod .*/##" "$calls" | tr '\n' ',')" = "$4" ] || bad=1
	report "$1" $bad
}

machine; stub uname 'echo 6.1.0-18-amd64'
refuses "build: another kernel" build "are for Linux 6.12, and this is 6.1.0"
machine; stub uname 'echo 6.120.1'
refuses "build: 6.120 is not 6.12" build "are for Linux 6.12"
machine; rm -r "$SYSROOT/lib/modules/6.12.0-test/build"
refuses "build: no headers" build "install linux-headers-6.12.0-test"
machine; mkdir -p "$SYSROOT/lib/modules/6.12.0-test/build/include/config"
echo CONFIG_PREEMPT_RT=y \
	>"$SYSROOT/lib/modules/6.12.0-test/build/include/config/auto.conf"
refuses "build: PREEMPT_RT" build "6.12.0-test is one"
machine; mkdir -p "$SYSROOT/sys/kernel"; echo 1 >"$SYSROOT/sys/kernel/realtime"
refuses "load: PREEMPT_RT" load "do not run on real-time kernels"
machine; stub id 'echo 1000'
refuses "load: not root" load "root rights"
machine; stub id 'echo 1000'
refuses "back: not root" back "root rights"
machine; stub uname 'echo 6.13.1'
refuses "load: another kernel" load "and this is 6.13.1"
machine; rm build/host/6.12.0-test/kvm-amd.ko
refuses "load: not built" load "run scripts/host build"
machine; echo "flags : fpu" >"$SYSROOT/proc/cpuinfo"
refuses "load: no virtualization" load "neither AMD-V nor VT-x"
machine; echo 1 >"$SYSROOT/sys/module/kvm_amd/refcnt"
refuses "load: a VM runs" load "KVM is in use: end the virtual machines"
machine; echo 2 >"$SYSROOT/sys/module/kvm/refcnt"
refuses "load: kvm is held" load "KVM is in use"
machine; mkdir -p "$SYSROOT/proc/77/fd"
ln -s anon_inode:kvm-vm "$SYSROOT/proc/77/fd/9"
echo 1 >"$SYSROOT/sys/module/kvm_amd/refcnt"
refuses "load: says who runs a VM" load "in use by process 77:"
machine; mkdir "$SYSROOT/sys/module/kvm/holders/kvmgt"
refuses "load: another module holds kvm" load "kvmgt uses kvm"
machine; : >"$SYSROOT/proc/modules"
refuses "load: built in" load "built into this kernel"
machine; mkdir -p "$SYSROOT/sys/kernel/security"
echo "none [integrity] confidentiality" >"$SYSROOT/sys/kernel/security/lockdown"
refuses "load: Secure Boot" load "signed modules only"
machine; echo O >"$SYSROOT/sys/module/kvm/taint"
echo 1 >"$SYSROOT/sys/module/kvm_amd/refcnt"
refuses "back: a VM runs" back "KVM is in use"
machine; echo O >"$SYSROOT/sys/module/kvm/taint"
rm -r "$SYSROOT/lib/modules/6.12.0-test/kernel"
refuses "back: nothing to go back to" back "no kvm.ko of its own"

machine
does "build" build 0 "make,"
machine
does "load" load 0 "rmmod kvm_amd,rmmod kvm,kvm.ko,kvm-amd.ko,"
machine; stub insmod "echo insmod \$1 >>$calls; case \$1 in *6.12.0-test/kvm-amd.ko) false;; esac"
does "load: ours fail, the own return" load 1 \
	"rmmod kvm_amd,rmmod kvm,kvm.ko,kvm-amd.ko,kvm.ko.xz,kvm-amd.ko.xz,"
machine; echo O >"$SYSROOT/sys/module/kvm/taint"
does "back" back 0 "rmmod kvm_amd,rmmod kvm,kvm.ko.xz,kvm-amd.ko.xz,"
machine
does "back: is there already" back 0 ""

# What kbuild says, whoever calls it; nothing is built.
printf 'obj: ;\ninclude kvm/Kbuild\n' >"$dir/Makefile"
bad=0
make -nf "$dir/Makefile" src=kvm srctree=/none >"$dir/out" 2>&1 || bad=1
report "kbuild: another kernel" $bad
bad=0
make -nf "$dir/Makefile" src=kvm srctree=/none CONFIG_PREEMPT_RT=y \
	>"$dir/out" 2>&1 && bad=1
grep -q "does not run on real-time kernels" "$dir/out" || bad=1
report "kbuild: PREEMPT_RT" $bad

echo "host: $passed passed, $failed failed"
[ $failed = 0 ]
