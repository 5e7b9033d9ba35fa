# Builds the unit tests; tests/run-unit runs this inside the root.
#
# Every pure source, compiled in userspace with tests/shim in the place of
# the host, goes into one library; each tests/unit/test_*.c is a program
# linked to it.  Other .c files in tests/unit and tests/shim are helpers and
# go into the library too.  A file that does not compile is left out of the
# library (make -k), so it fails only the tests that need it.

OUT := build/unit

include tests/pure.mk
CC := gcc
CPPFLAGS := -Itests/shim -Ikvm -Itests/unit
CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-unused-parameter \
	  -fno-strict-aliasing -fno-omit-frame-pointer \
	  -fsanitize=address,undefined -fno-sanitize-recover=all

OBJECTS := $(PURE:%.c=$(OUT)/%.o) $(HELPERS:%.c=$(OUT)/%.o)
TEST_OBJECTS := $(TESTS:%.c=$(OUT)/%.o)
PROGRAMS := $(TESTS:tests/unit/%.c=$(OUT)/%)

.PHONY: objects programs list
.DELETE_ON_ERROR:
.SECONDARY:

objects: $(OBJECTS)
programs: $(PROGRAMS)
list:
	@printf '%s\n' $(PROGRAMS)

$(OUT)/%.o: %.c tests/unit.mk
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Whatever compiled; made anew by tests/run-unit after "objects".  q, not r:
# folders have files of the same name.
$(OUT)/libpure.a: $(wildcard $(OBJECTS))
	@rm -f $@
	@ar qcs $@ $^

$(OUT)/test_%: $(OUT)/tests/unit/test_%.o $(OUT)/libpure.a
	@echo "  LD      $@"
	@$(CC) $(CFLAGS) -o $@ $^ -lcmocka -lpthread

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)
