# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# ptap: the module, the library, the reader.
#
#   make                module/ptap.ko and build/ (library, tapdump, pcapdiff)
#   make modules        the module alone, for KDIR (default: the running kernel)
#   make userspace      build/ alone
#   make install        user space to PREFIX (default /usr/local), module to KDIR
#   make dkms, make deb  other ways to install: scripts/install.mk
#   make clean
#
# Variables: KDIR, CC, CFLAGS, LDFLAGS, SANITIZE=address,undefined, PREFIX,
# DESTDIR, V=1 (print commands).
#
#   make demo           tapdump and tcpdump side by side in a VM, compared
#   make test           the test suite; TESTS="NAME ..." for some of tests/vm
#   make check          static gates
#
# These three are in tests/tests.mk and scripts/scripts.mk.

VERSION := 0.1.0

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
CFLAGS ?= -O2 -g
MAKEFLAGS += --no-print-directory
ifneq ($(V),1)
Q := @
endif

.DEFAULT_GOAL := all
.PHONY: all modules modules_install userspace clean
all: modules userspace

# The module ------------------------------------------------------------------

modules:
	@test -e '$(KDIR)/Makefile' || { \
		echo "No kernel headers in $(KDIR): install the package" \
		     "linux-headers-$$(uname -r), or name another kernel's" \
		     "build folder with KDIR=" >&2; exit 1; }
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules

# User space ------------------------------------------------------------------

B := build
SONAME := libptap.so.1

ifneq ($(SANITIZE),)
SANITIZE_FLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
endif

BASE_FLAGS := -std=gnu11 -Wall -Wextra -Werror -MD -MP \
	      -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	      -DPTAP_VERSION='"$(VERSION)"' $(SANITIZE_FLAGS)
PTAP_INCLUDES := -Imodule/uapi -idirafter module -Iuserspace/libptap

LIB_SRC := $(wildcard userspace/libptap/*.c)
TAPDUMP_SRC := $(wildcard userspace/tapdump/*.c)
EXTCAP_SRC := $(wildcard userspace/extcap/*.c)
PCAPDIFF_SRC := $(wildcard userspace/pcapdiff/*.c)

objects = $(patsubst userspace/%.c,$(B)/obj/%.o,$(1))
LIB_OBJ := $(call objects,$(LIB_SRC))
TAPDUMP_OBJ := $(call objects,$(TAPDUMP_SRC))
EXTCAP_OBJ := $(call objects,$(EXTCAP_SRC))
PCAPDIFF_OBJ := $(call objects,$(PCAPDIFF_SRC))
USER_OBJ := $(LIB_OBJ) $(TAPDUMP_OBJ) $(EXTCAP_OBJ) $(PCAPDIFF_OBJ)

LIBRARIES := $(B)/libptap.a $(B)/$(SONAME) $(B)/libptap.so $(B)/ptap.pc
PROGRAMS := $(B)/tapdump $(B)/ptap-extcap $(B)/pcapdiff

userspace: $(LIBRARIES) $(PROGRAMS)

# Everything is built again when how it is built changes.
FLAGS_NOW := $(CC) $(CFLAGS) $(LDFLAGS) $(BASE_FLAGS) $(LINK)
$(B)/obj/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@
.PHONY: FORCE
FORCE:

$(LIB_OBJ): OBJ_FLAGS := -fPIC $(PTAP_INCLUDES)
$(TAPDUMP_OBJ) $(EXTCAP_OBJ): OBJ_FLAGS := $(PTAP_INCLUDES)
$(USER_OBJ): $(B)/obj/%.o: userspace/%.c $(B)/obj/flags
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) $(BASE_FLAGS) $(OBJ_FLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(B)/libptap.a: $(LIB_OBJ)
	@printf "  %-7s %s\n" AR $@
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/$(SONAME): $(LIB_OBJ) userspace/libptap/libptap.map
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -shared \
		-Wl,-soname,$(SONAME) \
		-Wl,--version-script=userspace/libptap/libptap.map \
		-o $@ $(LIB_OBJ) -lpcap

$(B)/libptap.so: $(B)/$(SONAME)
	@printf "  %-7s %s\n" LN $@
	$(Q)ln -sf $(SONAME) $@

# The only file that knows where things are installed.
$(B)/ptap.pc: userspace/libptap/ptap.pc.in FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBDIR@|$(LIBDIR)|' $< | cmp -s - $@ || { \
	printf "  %-7s %s\n" GEN $@; \
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
		-e 's|@LIBDIR@|$(LIBDIR)|' $< > $@; }

# LINK=shared: with the shared library, as distributions want it.
ifeq ($(LINK),shared)
PTAP_LIB := $(B)/libptap.so
else
PTAP_LIB := $(B)/libptap.a
endif
TAPDUMP_LIBS := -lpcap -lseccomp -lzstd -llz4 -lz
$(B)/tapdump: $(TAPDUMP_OBJ) $(PTAP_LIB)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $^ \
		$(TAPDUMP_LIBS)

$(B)/ptap-extcap: $(EXTCAP_OBJ) $(PTAP_LIB)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $^ -lpcap

$(B)/pcapdiff: $(PCAPDIFF_OBJ)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $^ -lpcap

# Examples, which the tests run: as a user of the library builds them.
EXAMPLES := $(patsubst userspace/examples/%.c,$(B)/examples/%,\
	      $(wildcard userspace/examples/*.c))
.PHONY: examples
examples: $(EXAMPLES)
$(EXAMPLES): $(B)/examples/%: userspace/examples/%.c $(B)/libptap.a
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" CC $@
	$(Q)$(CC) $(BASE_FLAGS) $(PTAP_INCLUDES) $(CPPFLAGS) $(CFLAGS) -pthread \
		-o $@ $< $(B)/libptap.a -lpcap

-include $(USER_OBJ:.o=.d)

# Installation: scripts/install.mk ---------------------------------------------

# What the kernel's build leaves behind goes with or without its headers.
clean:
	rm -rf $(B)/obj $(B)/unit $(B)/tests $(LIBRARIES) $(PROGRAMS)
	@if test -e '$(KDIR)/Makefile'; then \
		$(MAKE) -C '$(KDIR)' M='$(CURDIR)' clean; \
	else \
		rm -f module/*.o module/*.ko module/*.mod module/*.mod.c \
			module/.*.cmd module/.*.d module/compat-probes.h \
			modules.order Module.symvers .*.cmd; \
	fi

# Tests, demo, gates ----------------------------------------------------------

include scripts/install.mk
include tests/tests.mk
include scripts/scripts.mk
