# The pure sources, and what helps to run them in userspace: for unit tests and
# fuzz targets.

# Pure files in folders that are not pure as a whole.
ENGINE := mem/memslot mem/dirty mem/ring \
	  mmu/tdp mmu/iter mmu/split mmu/inval mmu/ept mmu/npt \
	  core/arbiter core/access core/record irq/msi irq/route_table \
	  svm/asid svm/caps svm/controls svm/exit \
	  svm/avic_mode svm/avic_tables svm/avic_exit \
	  vmx/caps vmx/controls vmx/exit

PURE := $(wildcard kvm/base/*.c kvm/x86/*.c kvm/emu/*.c kvm/dev/*.c) \
	$(wildcard $(ENGINE:%=kvm/%.c))
TESTS := $(wildcard tests/unit/test_*.c)
HELPERS := $(filter-out $(TESTS),$(wildcard tests/unit/*.c)) \
	   $(wildcard tests/shim/*.c tests/shim/*/*.c)
