# Lean KVM: everything is built and run inside the Debian 13 root (lab/root),
# so results do not depend on the distribution outside.  Output: build/.
# kbuild's own file is kvm/Kbuild; the unit tests' is tests/unit.mk.

SHELL := /bin/bash
IN := lab/in-root
export JOBS ?= $(shell nproc)

HOST ?= amd
MODULES ?= ours
VCPUS ?= 2
MACHINE ?= pc
RUNS ?= 1

.PHONY: help lab modules sparse unit conc check programs run test test-lab \
	matrix refusals test-modules clean selftests bench profile watch soak fuzz

help:
	@sed -n 's/^#: //p' Makefile

#: make run       boot Debian under QEMU on our modules in an emulated host
#:                HOST=amd|intel|... (lab/hosts) MODULES=ours|intree VCPUS=n
#:                MACHINE=pc|q35 RUNS=n guest boots in a row
run: programs guest-image $(if $(filter ours,$(MODULES)),modules)
	@lab/run --host $(HOST) --modules $(MODULES) --vcpus $(VCPUS) \
		--machine $(MACHINE) --runs $(RUNS)

#: make test      all tests: unit conc modules sparse check, test-lab on amd, a
#:                part of matrix and of refusals, and their sum
test:
	@tests/run

#: make modules   build kvm.ko and the vendor modules (WERROR=0: warnings pass)
modules: lab
	@$(IN) env WERROR=$(or $(WERROR),1) JOBS=$(JOBS) lab/build-modules

#: make sparse    check the modules with sparse
sparse: lab
	@$(IN) env WERROR=$(or $(WERROR),1) JOBS=$(JOBS) lab/build-modules --sparse

#: make unit      unit tests in userspace, sanitized; T="bits walk": only those
unit: lab
	@$(IN) env JOBS=$(JOBS) tests/run-unit $(T)

#: make conc      what runs at once, in userspace under ThreadSanitizer
conc: lab
	@$(IN) env JOBS=$(JOBS) tests/run-conc $(T)

#: make check     layer and style rules
check: lab
	@scripts/check

#: make test-lab  tests over /dev/kvm in an emulated host, on ours and in-tree
#:                HOST=amd, or a row of lab/matrix
test-lab: programs guest-image modules test-modules
	@lab/run-tests --host $(HOST)

#: make matrix    the same on all hosts of lab/matrix, two at a time
#:                T="ryzen haswell": only those WHEN=test: what make test runs
matrix: programs guest-image modules test-modules
	@lab/run-matrix $(if $(WHEN),--$(WHEN)) $(T)

#: make refusals  hosts that kvm-intel.ko has to refuse, a short boot for each
#:                T="locked no_ept no_unrestricted_guest": only those
refusals: modules test-modules
	@lab/run-refusals $(T)

test-modules: lab
	@$(IN) env WERROR=$(or $(WERROR),1) JOBS=$(JOBS) lab/build-modules --tests

#: make selftests the kernel's own KVM tests, in the emulated AMD host
#:                MODULES=ours|intree T="x86_64/* steal_time": only those
selftests: lab $(if $(filter ours,$(MODULES)),modules)
	@$(IN) env JOBS=$(JOBS) tests/selftests/build
	@lab/host amd --timeout 1500 --out build/selftests/$(MODULES) -- \
		tests/selftests/run.sh $(MODULES) '$(T)'

#: make watch     our modules on a kernel that watches: guest tests, failing
#:                allocations, a hostile VMM, a hostile guest; HOST= SECONDS=120
#:                SEED=n T="tests fail vmm guest": only those
watch: programs
	@lab/run-watch --host $(HOST) --seconds $(or $(SECONDS),120) \
		$(if $(SEED),--seed $(SEED)) $(T)

#: make soak      the hostile programs of make watch for HOURS=1
soak: programs
	@lab/run-watch --host $(HOST) --seconds $$(($(or $(HOURS),1) * 1800)) \
		$(if $(SEED),--seed $(SEED)) vmm guest

#: make fuzz      fuzz targets of the pure parts; SECONDS=10 each, T="pit walk"
fuzz: lab
	@$(IN) env JOBS=$(JOBS) tests/run-fuzz -t $(or $(SECONDS),10) $(T)

#: make bench     exits, lifecycle, memory: in-tree | ours | ratio, in one boot
#:                HOST=amd|intel WALL=1: by the clock T="cpuid vm_*": only those
#:                DOC=1: also into docs/performance.md
bench: programs guest-image modules
	@set -f; lab/bench --host $(HOST) $(if $(WALL),--wall) $(if $(DOC),--doc) $(T)

#: make profile   the functions one benchmark spends its instructions in
#:                T="cpuid pio_kernel:1 boot" MODULES=ours|intree
profile: programs guest-image $(if $(filter ours,$(MODULES)),modules)
	@set -f; lab/profile $(MODULES) $(T)

#: make programs  examples, guest tests and benchmarks (build/programs)
programs: lab
	@$(IN) make -C tests/guest --no-print-directory -j$(JOBS) \
		OUT=/src/build/programs all
	@$(IN) make -C tests/hostile --no-print-directory -j$(JOBS) \
		OUT=/src/build/programs all
	@$(IN) make -C bench --no-print-directory -j$(JOBS) \
		OUT=/src/build/programs all

.PHONY: guest-image
guest-image: lab
	@$(IN) lab/guest-image

#: make lab       build the root the rest happens in (once, 1-3 minutes)
lab:
	@lab/root >/dev/null

#: make clean     remove build/ (the root stays, see lab/root)
clean:
	rm -rf build
