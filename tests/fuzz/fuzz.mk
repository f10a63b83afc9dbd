# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Fuzzing.
#
#   make fuzz                       the device, 1,000,000 calls on the sanitizer
#                                   kernel; then the parsers
#   make fuzz FUZZ_CALLS=N FUZZ_SEED=N
#   touch build/sanitize/fuzz.stop  ends it, with the results so far
#
# tests/vm/95-fuzz.sh does some thousand calls in the test VM.

FUZZ_DIR := tests/fuzz
FUZZ_OBJ := build/tests/fuzz/obj
FUZZ_CALLS ?= 1000000
FUZZ_SEED ?= $(shell date +%s)
FUZZ_DEVICE := $(patsubst %,$(FUZZ_OBJ)/%.o,main calls args fault cover world)

$(FUZZ_OBJ)/%.o: $(FUZZ_DIR)/%.c $(FUZZ_DIR)/fuzz.h module/uapi/linux/ptap.h
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) $(DEVICE_CFLAGS) -c -o $@ $<

build/tests/fuzz/device: $(FUZZ_DEVICE)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(DEVICE_CFLAGS) -o $@ $^

device-tests: build/tests/fuzz/device

.PHONY: fuzz
fuzz: sanitize-deps
	@tests/sanitize/run.sh fuzz $(FUZZ_CALLS) $(FUZZ_SEED)
