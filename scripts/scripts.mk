# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# What the user calls through make and a script does.

.PHONY: deps demo check abi-record

# Debian packages that the targets below need, installed if they are missing.
deps:
	@scripts/install-deps.sh

# tapdump and tcpdump side by side in the test VM, compared; see build/demo/.
demo: deps
	@scripts/demo.sh

# Every static gate; one whose tool is missing prints SKIP.
check:
	@scripts/check.sh

# What "make check" compares libptap's binary interface with.
abi-record: $(B)/$(SONAME)
	abidw --no-corpus-path --no-comp-dir-path --no-show-locs \
		--type-id-style hash --drop-private-types \
		--headers-dir userspace/libptap --headers-dir module/uapi \
		--out-file tests/abi/$(SONAME).abi $<
