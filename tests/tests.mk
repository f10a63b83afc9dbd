# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# The tests: unit tests on this machine, everything else in the VM.

UNIT_DEPS := $(B)/libptap.a
UNIT_LIBS := -lpcap -lzstd -llz4 -lz
include tests/unit/unit.mk
include tests/vm/device/device.mk
include tests/parity/parity.mk
include tests/bench/bench.mk
include tests/faults/faults.mk
include tests/matrix/matrix.mk
include tests/sanitize/sanitize.mk
include tests/kcsan/kcsan.mk
include tests/fuzz/fuzz.mk
include tests/fuzz/user/user.mk

# Everything; ends with a line "N passed, N failed, N skipped".
# TESTS="name ..." runs only these files of tests/vm.
.PHONY: test
test: deps
	@tests/run.sh $(TESTS)

# The library on the real device.
build/tests/library_test: tests/vm/library_test.c $(B)/libptap.a
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) $(BASE_FLAGS) -Imodule/uapi $(CFLAGS) -o $@ $< $(B)/libptap.a -lpcap

device-tests: build/tests/library_test examples

# The ring protocol's model, checked by spin: every order of its accesses.
.PHONY: model
model:
	@scripts/install-deps.sh --check
	@tests/model/run.sh $(B)

# What tapdump may do at work, tried with its own objects.
CONFINE_OBJ := $(filter-out %/main.o,$(TAPDUMP_OBJ))
build/tests/confine_test: tests/vm/confine_test.c $(CONFINE_OBJ) $(B)/libptap.a \
			  $(DEVICE_OBJ)/tap.o $(DEVICE_OBJ)/net.o
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) $(BASE_FLAGS) $(PTAP_INCLUDES) $(CFLAGS) -pthread -o $@ \
		$(filter-out %.h,$^) $(TAPDUMP_LIBS)

device-tests: build/tests/confine_test

# Modules of the tests' own.  One that a kernel does not take is left out, and
# what needs it is skipped.
.PHONY: test-modules
test-modules: modules
	@for dir in stampdev recordtest; do \
		$(MAKE) -C '$(KDIR)' M='$(CURDIR)/tests/'$$dir modules || \
			echo "tests/$$dir: not for this kernel"; \
	done
