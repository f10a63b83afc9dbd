# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Tests of /dev/tap that run in the test VM: build/tests/NAME for each of
# DEVICE_TESTS, all of them by device-tests.  Included by tests/tests.mk.

DEVICE_DIR := tests/vm/device
DEVICE_OBJ := build/tests/device
DEVICE_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Imodule/uapi -pthread

DEVICE_TESTS := ioctl_test mmap_test read_test poll_test ring_test \
		filter_test life_test rights_test race_test
DEVICE_COMMON := tap net frame session capture tally rings link

ioctl_test_parts := ioctl_test ioctl_args ioctl_setup ioctl_filter
mmap_test_parts := mmap_test mmap_life mmap_abuse
read_test_parts := read_test read_wait read_format read_link
poll_test_parts := poll_test poll_idle
ring_test_parts := ring_test ring_hostile ring_fresh
filter_test_parts := filter_test filter_swap
life_test_parts := life_test life_session life_stress
rights_test_parts := rights_test
race_test_parts := race_test race_churn

DEVICE_BINS := $(addprefix build/tests/,$(DEVICE_TESTS))

.PHONY: device-tests
device-tests: $(DEVICE_BINS) $(DEVICE_OBJ)/reader32

# Of 32 bits, without the libraries for it; where the compiler cannot do even
# that, its test is skipped.
$(DEVICE_OBJ)/reader32: $(DEVICE_DIR)/reader32.c module/uapi/linux/ptap.h
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) -m32 -march=pentium4 -O2 -Wall -Wextra -Werror -ffreestanding \
		-fno-pie -fno-stack-protector -fno-tree-loop-distribute-patterns \
		-fcf-protection=none -nostdlib -static -no-pie -Imodule/uapi \
		-idirafter /usr/include/x86_64-linux-gnu -o $@ $< || \
		echo "reader32 is not built: no compiler for it"

$(DEVICE_OBJ)/%.o: $(DEVICE_DIR)/%.c $(wildcard $(DEVICE_DIR)/*.h) \
		   module/uapi/linux/ptap.h
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) $(DEVICE_CFLAGS) -c -o $@ $<

define device_program
build/tests/$(1): $(patsubst %,$(DEVICE_OBJ)/%.o,$($(1)_parts) $(DEVICE_COMMON))
	@printf "  %-7s %s\n" LD $$@
	$$(Q)$$(CC) $$(DEVICE_CFLAGS) -o $$@ $$^
endef
$(foreach t,$(DEVICE_TESTS),$(eval $(call device_program,$(t))))
