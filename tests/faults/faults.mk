# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# What three tools make of faults, measured in the VM.  Included by tests/tests.mk.
#
#   make faults       the table, on the terminal and into the README
#   make soak         sweeps and kills of 37-faults SOAK times as often, and the
#                     races of race_test twenty times
#
# The kernel has to have the device mapper: Debian's cloud kernels do not.

FAULTS_KERNEL	?= 6.1-full
KILLS		?= 20
SOAK		?= 50

.PHONY: faults soak
FAULTS_TABLE := build/faults/table.md

faults: deps
	@mkdir -p build/faults
	@scripts/vm.sh --kernel $(FAULTS_KERNEL) --timeout 3000 --out build/faults/out -- \
		sh -c 'insmod module/ptap.ko && tests/faults/table.py $(KILLS)' > $(FAULTS_TABLE)
	@cat $(FAULTS_TABLE)
	@awk -v table='$(FAULTS_TABLE)' \
		'/^<!-- faults/ { print; while ((getline line < table) > 0) print line; skip = 1; next } \
		 /^<!-- end of faults/ { skip = 0 } !skip' README.md > build/faults/README.md
	@cp build/faults/README.md README.md

soak: deps
	@scripts/vm.sh --timeout 0 --cpus 2 --mem 4G -- \
		env PTAP_FAULTS=$(SOAK) PTAP_RACES=20 PTAP_TEST_TIMEOUT=36000 \
		PTAP_TEST_SECONDS=7200 tests/vm/run.sh 37-faults race_test
