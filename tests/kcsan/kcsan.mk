# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# make kcsan: the device's tests on a kernel that tells of data races.
#
#   make kcsan                      everything
#   make kcsan TESTS="ring_test race_test"
#
# The first time builds a kernel (half an hour), cached outside of the checkout.
# Results: build/kcsan/.

.PHONY: kcsan kcsan-deps
kcsan-deps: deps
	@scripts/install-deps.sh --kernel

kcsan: kcsan-deps
	@tests/kcsan/run.sh $(TESTS)
