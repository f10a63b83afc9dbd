# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Unit tests, included by the top-level Makefile; paths are relative to it.
#
# Each tests/unit/NAME_test.c becomes $(BUILD)/unit/NAME_test, NAME_test.tsan
# (ThreadSanitizer) and NAME_test.asan (AddressSanitizer and UBSan).  The target
# unit builds the plain ones, unit-all all of them; unit-check, unit-tsan and
# unit-asan build and run one kind.  $(BUILD)/libptap.a is linked if it exists;
# UNIT_DEPS names what has to be built first.

BUILD		?= build

unit-dir	:= $(BUILD)/unit
unit-names	:= $(basename $(notdir $(wildcard tests/unit/*_test.c)))
unit-plain	:= $(unit-names:%=$(unit-dir)/%)
unit-tsan	:= $(unit-plain:%=%.tsan)
unit-asan	:= $(unit-plain:%=%.asan)

UNIT_CFLAGS	?= -O2 -g
unit-cflags	:= -std=gnu11 -Wall -Wextra -Werror -pthread -MD -MP \
		   -Imodule/uapi -idirafter module \
		   -Iuserspace/libptap
unit-build	= $(CC) $(unit-cflags) $(UNIT_CFLAGS) $(1) -MF $@.d -o $@ $< \
		  $$(ls $(BUILD)/libptap.a 2>/dev/null) $(UNIT_LIBS)

$(unit-plain): $(unit-dir)/%: tests/unit/%.c $(UNIT_DEPS)
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(call unit-build)

$(unit-tsan): $(unit-dir)/%.tsan: tests/unit/%.c $(UNIT_DEPS)
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(call unit-build,-fsanitize=thread)

$(unit-asan): $(unit-dir)/%.asan: tests/unit/%.c $(UNIT_DEPS)
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(call unit-build,-fsanitize=address$(comma)undefined \
		-fno-sanitize-recover=all)

comma		:= ,

.PHONY: unit unit-all unit-check unit-tsan unit-asan
unit: $(unit-plain)

unit-all: $(unit-plain) $(unit-tsan) $(unit-asan)

unit-check: $(unit-plain)
	tests/unit/run.sh $(BUILD) '*_test'

unit-tsan: $(unit-tsan)
	tests/unit/run.sh $(BUILD) '*_test.tsan'

unit-asan: $(unit-asan)
	tests/unit/run.sh $(BUILD) '*_test.asan'

-include $(wildcard $(unit-dir)/*.d)
