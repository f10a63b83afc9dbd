# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# What three tools make of faults, measured in the VM.  Included by tests/tests.mk.
#
#   make faults       the table, on the terminal and into the README
#   make soak         these three:
#   make soak-faults  sweeps and kills of 37-faults SOAK times as often; only
#                     some of them: SOAK_ROUNDS="limit torn kill term"
#   make soak-races   the races of race_test SOAK_RACES times as often
#   make soak-hotplug the same in the VM, where processors go offline as well

# In the VM: what makes one start of tshark do for many files.
build/tests/faults/tshark_each.so: tests/faults/tshark_each.c
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $< -ldl

device-tests: build/tests/faults/tshark_each.so

FAULTS_KERNEL	?= 6.1
KILLS		?= 20
SOAK		?= 50
SOAK_ROUNDS	?= limit torn kill term
SOAK_RACES	?= 20

.PHONY: faults soak soak-faults soak-races soak-hotplug
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

# One after the other, in any case: each has both processors.
soak:
	@$(MAKE) --no-print-directory soak-faults
	@$(MAKE) --no-print-directory soak-races
	@$(MAKE) --no-print-directory soak-hotplug

# On the sanitizer kernel, which is not emulated: a capture starts and ends there
# ten times as fast as in the VM, and the kernel sees what goes wrong.
SOAK_JOB := PTAP_TEST_TIMEOUT=36000 PTAP_TEST_SECONDS=7200
soak-faults soak-races: export PTAP_SANITIZE_LIMIT = 36000

soak-faults: sanitize-deps
	@PTAP_SANITIZE_NAME=soak-faults tests/sanitize/run.sh sh \
		"$(SOAK_JOB) PTAP_FAULTS=$(SOAK) PTAP_ROUNDS='$(SOAK_ROUNDS)' tests/vm/run.sh 37-faults"

soak-races: sanitize-deps
	@PTAP_SANITIZE_NAME=soak-races tests/sanitize/run.sh sh \
		"$(SOAK_JOB) PTAP_RACES=$(SOAK_RACES) tests/vm/run.sh race_test"

# What that kernel has not: processors that go offline.
soak-hotplug: deps
	@scripts/vm.sh --timeout 0 --cpus 2 --mem 4G -- env $(SOAK_JOB) \
		PTAP_RACES=$(SOAK_RACES) tests/vm/run.sh race_test
