# Builds the fuzz targets; tests/run-fuzz runs this inside the root.
#
# The pure sources, as tests/unit.mk lists them, compiled by clang with
# libFuzzer's coverage, in one library; each tests/fuzz/fuzz_*.c is a program.

OUT := build/fuzz
include tests/pure.mk

CC := clang
CPPFLAGS := -Itests/shim -Ikvm -Itests/unit -Itests/fuzz
CFLAGS := -std=gnu11 -O1 -g -Wall -Wno-unused-parameter -Wno-unknown-warning-option \
	  -Wno-initializer-overrides -Wno-gnu-variable-sized-type-not-at-end \
	  -fno-strict-aliasing -fno-omit-frame-pointer \
	  -fsanitize=address,undefined -fno-sanitize-recover=all

OBJECTS := $(PURE:%.c=$(OUT)/%.o) $(HELPERS:%.c=$(OUT)/%.o)

.DELETE_ON_ERROR:
.SECONDARY:

$(OUT)/%.o: %.c tests/fuzz.mk
	@mkdir -p $(@D)
	@echo "  CLANG   $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(OUT)/libpure.a: $(OBJECTS)
	@rm -f $@
	@ar qcs $@ $^

$(OUT)/fuzz_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/libpure.a
	@echo "  LD      $@"
	@$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ -lcmocka

-include $(OBJECTS:.o=.d)
