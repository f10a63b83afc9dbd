#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [NAME]... - tests of tests/vm on the KCSAN kernel (7.3-kcsan), in the VM.
#
# A report of a data race in which the module's code stands is a failure of the
# test that was running.  What should have run and did not is counted as skipped,
# a kernel that ends before its tests as a failure.  The last line is "N passed,
# N failed, N skipped".  PTAP_KCSAN_LIMIT (seconds) is the machine's.  The kernel's
# log, with the reports, and their number are in build/kcsan.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
. scripts/lib.sh
work=$top/build/kcsan

# What makes accesses meet.
TESTS=(
	40-overload 70-interfaces
	filter_test life_test mmap_test poll_test race_test read_test ring_test
)

(($#)) || set -- "${TESTS[@]}"
mkdir -p "$work"
# Its own races would end it, and the console tells of them at length.
scripts/vm.sh --kernel 7.3-kcsan --mem 3G --out "$work/out" \
	--timeout "${PTAP_KCSAN_LIMIT:-7200}" \
	--append 'panic_on_warn=0 loglevel=0 init_on_alloc=0' \
	-- tests/kcsan/guest.sh "$@" | tee "$work/guest.tap"
status=${PIPESTATUS[0]}

end=''
grep -q '^# end of the job' "$work/guest.tap" && ((status == 0)) ||
	end="not ok 0 - the kernel came to its end (status $status; $work/out.console.log)"
for name; do
	grep -qx "# file $name" "$work/guest.tap" ||
		end+=$'\n'"ok 0 - $name # SKIP it was not come to"
done
[[ ! $end ]] || echo "$end"
{
	cat "$work/guest.tap"
	echo "$end"
} | tap_summary
