#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh NAME... - tests of tests/vm on the KCSAN kernel, as TAP.
#
# First the kernel has to tell of races made on purpose, and not of what is none.
# Then the tests run; after each, tests/vm/run.sh looks through the kernel's log
# without the races of the kernel with itself (reports.py).  /out gets the whole
# log and how many reports there were.

set -u
cd /ptap || exit 1
control=/sys/kernel/debug/kcsan
reports=tests/kcsan/reports.py
export PTAP_TEST_TIMEOUT=1800 PTAP_TEST_SECONDS=900
export PTAP_LOG_FILTER="$reports ptap"

# canary RACE: the reports of it
canary() {
	dmesg -C
	insmod tests/kcsan/canary/racecanary.ko race="$1" 2>/dev/null
	dmesg | tee -a /out/canaries.log | $reports racecanary | grep -c 'BUG: KCSAN'
}

check() { # NAME VALUE: is it not 0?
	if [[ $2 != 0 ]]; then
		echo "ok 0 - $1"
	else
		echo "not ok 0 - $1"
	fi
}

dmesg -n 1
echo "# kernel $(uname -r), $(nproc) processors"
echo on >$control
check "the kernel tells of a plain data race" "$(canary plain)"
check "the kernel tells of a missing barrier" "$(canary barrier)"
check "the kernel tells of no race where none is" "$(($(canary none) == 0))"
dmesg -C
dmesg --follow >/out/dmesg &
follow=$!
tests/vm/run.sh "$@"
echo off >$control
sleep 1
kill $follow
grep -vE '^(\[[^]]*\])? *$' $control | sed 's/^/# kcsan: /'
$reports --count ptap </out/dmesg | tee /out/reports
echo "# end of the job"
