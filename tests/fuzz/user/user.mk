# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Fuzzers of what user space parses: clang's libFuzzer with ASan and UBSan.
#
#   make fuzz-user                  a few thousand runs of each
#   make fuzz-user FUZZ_RUNS=N

FUZZ_USER := build/fuzz
FUZZ_RUNS ?= 5000
FUZZ_CC ?= clang
FUZZ_FLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -D_GNU_SOURCE \
	      -D_FILE_OFFSET_BITS=64 -DPTAP_VERSION='"$(VERSION)"' \
	      -fno-omit-frame-pointer -fno-sanitize-recover=all \
	      $(PTAP_INCLUDES) -Iuserspace/tapdump -Iuserspace/extcap
FUZZ_TARGETS := $(patsubst tests/fuzz/user/%.c,$(FUZZ_USER)/%,\
		  $(wildcard tests/fuzz/user/*_fuzz.c))
FUZZ_PARTS := $(patsubst userspace/%.c,$(FUZZ_USER)/obj/%.o,$(LIB_SRC) \
		$(filter-out %/main.c,$(TAPDUMP_SRC)))

$(FUZZ_USER)/obj/%.o: userspace/%.c $(wildcard userspace/*/*.h module/*.h)
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CLANG $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined \
		-c -o $@ $<

# The toolbar's side of extcap has nothing of tapdump.
$(FUZZ_USER)/control_fuzz: FUZZ_LINK := $(FUZZ_USER)/obj/extcap/control.o
$(FUZZ_USER)/control_fuzz: $(FUZZ_USER)/obj/extcap/control.o
$(FUZZ_USER)/%_fuzz: FUZZ_LINK ?= $(FUZZ_PARTS) $(TAPDUMP_LIBS)
$(FUZZ_USER)/options_fuzz: FUZZ_LINK := $(FUZZ_PARTS) $(TAPDUMP_LIBS) \
					-Wl,--wrap=exit

$(FUZZ_USER)/%_fuzz: tests/fuzz/user/%_fuzz.c tests/fuzz/user/target.h \
		     $(FUZZ_PARTS)
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CLANG $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined \
		-o $@ $< $(FUZZ_LINK)

.PHONY: fuzz-user fuzz-user-deps
fuzz-user-deps:
	@scripts/install-deps.sh --check

fuzz-user: fuzz-user-deps $(FUZZ_TARGETS)
	@tests/fuzz/user/run.sh $(FUZZ_USER) $(FUZZ_RUNS)

# What is made once stays.
.PRECIOUS: $(FUZZ_USER)/obj/%.o
