# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# make sanitize: the device's tests on a kernel that tells of every mistake.
#
#   make sanitize                   everything, and make kcsan behind it
#   make sanitize TESTS="ring_test fail_nth"
#   make sanitize GCOV=1            and which lines of the module are run
#
# The first time builds a kernel (half an hour), cached outside of the checkout.
# Results: build/sanitize/.

.PHONY: sanitize sanitize-deps
sanitize-deps: deps
	@scripts/install-deps.sh --bench

sanitize: sanitize-deps
	@PTAP_SANITIZE_GCOV=$(GCOV) tests/sanitize/run.sh tests $(TESTS)
	@$(if $(TESTS),,$(MAKE) --no-print-directory kcsan)

# The sweep of faults needs a kernel that injects them.
build/tests/sanitize/fail_nth: tests/sanitize/fail_nth.c \
		$(patsubst %,$(DEVICE_OBJ)/%.o,$(DEVICE_COMMON))
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(DEVICE_CFLAGS) -o $@ $^

device-tests: build/tests/sanitize/fail_nth
