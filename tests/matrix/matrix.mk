# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# The tests on other kernels.  Included by tests/tests.mk.
#
#   make matrix       the VM tests on every kernel of scripts/vm.sh --kernel list;
#                     KERNELS="5.10 7.3-rt" some of them, TESTS="30-filter ..."
#                     some tests; what has run already is not run again
#   make smoke        05-smoke and 77-records on the oldest and the newest kernel, as in
#                     make test
#   make test-arch    a smoke on other architectures (ARCHES="arm64 s390x"), built
#                     by cross compilers

ARCHES ?= arm64 s390x
ARCH_TESTS ?= 05-smoke read_test ring_test

.PHONY: matrix smoke test-arch
matrix: deps
	@tests/matrix/run.sh $(TESTS)

smoke: deps
	@tests/run.sh --smoke

test-arch: deps
	@scripts/install-deps.sh --arch
	@for arch in $(ARCHES); do \
		tests/run.sh --kernel "6.1-$$arch" $(ARCH_TESTS) || exit 1; \
	done
