#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh tests [NAME]... - tests of tests/vm on the sanitizer kernel.
# run.sh fuzz CALLS SEED - the fuzzer of the device on it.
# run.sh sh COMMAND      - anything.
#
# The kernel is a program (scripts/um-kernel.sh makes it once), its system that
# of the test VM's image.  Passes the guest's TAP on as it comes and counts it;
# what should have run and did not is counted as skipped, a kernel that ends
# before its tests as a failure.  The last line is "N passed, N failed, N
# skipped".  PTAP_SANITIZE_MEM and PTAP_SANITIZE_LIMIT (seconds) are the
# machine's.  PTAP_SANITIZE_GCOV=1 tells afterwards which lines of the module were
# run.  Logs and results: build/sanitize, and of several machines at once
# build/sanitize.NAME with PTAP_SANITIZE_NAME.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
. scripts/lib.sh
image=6.1
work=$top/build/sanitize${PTAP_SANITIZE_NAME:+.$PTAP_SANITIZE_NAME}
limit=${PTAP_SANITIZE_LIMIT:-3600}

# What needs nothing but what a User-Mode Linux guest has.
TESTS=(
	10-cat 20-parity 21-devices 30-filter 40-overload 50-errors 60-signals
	70-interfaces 77-records 90-sessions
	confine_test filter_test ioctl_test library_test life_test mmap_test
	poll_test race_test read_test rights_test ring_test fail_nth
)

fail() {
	echo "not ok 0 - $*"
	exit 1
}

boot() { # KERNEL JOB
	local rootfs

	rootfs=$(scripts/vm-image.sh "$image")/rootfs || return
	# The kernel takes apart its command line itself: quotes are for it.
	TMPDIR=/dev/shm timeout -k 10 "$limit" "$1/linux" \
		mem="${PTAP_SANITIZE_MEM:-3G}" ncpus=2 seccomp=on root=/dev/root \
		rootfstype=hostfs rootflags=/ rw con=null con0=fd:0,fd:1 panic=-1 \
		kasan_multi_shot slab_debug=- \
		init="$top/tests/sanitize/guest-init.sh" "PTAP_ROOTFS=$rootfs" \
		"PTAP_PROJECT=$top/build/vm/$image/ptap" "PTAP_WORK=$work" \
		"PTAP_JOB=\"$2\"" </dev/null >"$work/console.log" 2>&1
}

# Lines of the module that were run, by gcov, a file each and all; which were not
# is marked in gcov/*.gcov.
coverage() {
	cp "$work"/src/module/*.{gcno,c,h} "$work/gcov/" &&
		(cd "$work/gcov" && gcov -r -s "$work/src/module" ./*.gcda) \
			>"$work/gcov/table" 2>/dev/null
	awk -F"['%:]| of " '
		/^File/ { file = $2 }
		/^Lines/ && file ~ /\.[ch]$/ {
			lines += $NF; run += $NF * $2 / 100
			printf "# %-16s %6.2f %% of %4d lines\n", file, $2, $NF
			file = ""
		}
		END {
			if (lines)
				printf "# all              %6.2f %% of %4d lines\n",
					100 * run / lines, lines
		}' "$work/gcov/table"
}

job=$*
[[ $job != tests ]] || job="tests ${TESTS[*]}"
[[ $job == tests* || $job == fuzz* || $job == sh* ]] ||
	{ sed -n '4,6s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$work"
rm -rf "$work"/{guest.tap,leaks,dmesg,gcov,fuzz.stop,*.log}
scripts/vm-build.sh "$image" || fail "building the tests"
flags=KCOV_INSTRUMENT=y
[[ ! ${PTAP_SANITIZE_GCOV:-} ]] || flags=GCOV_PROFILE=y
kernel=$(UM_MODULE_FLAGS=$flags scripts/um-kernel.sh sanitize --modules "$work") ||
	fail "building the kernel or the module"
: >"$work/guest.tap"
boot "$kernel" "$job" &
pid=$!
tail -q -n +1 -s 0.5 --pid=$pid -F "$work/guest.tap" 2>/dev/null
wait $pid
status=$?

end=''
if ! grep -q '^# end of the job' "$work/guest.tap"; then
	end="not ok 0 - the kernel ended early (status $status; $work/console.log)"
	tail -n 40 "$work/console.log" | sed 's/^/# /'
	echo "$end"
fi
for name in ${job#* }; do
	[[ $job == tests* ]] || break
	grep -qx "# file $name" "$work/guest.tap" ||
		end+=$'\n'"ok 0 - $name # SKIP it was not come to"
done
[[ ! ${PTAP_SANITIZE_GCOV:-} ]] || coverage
{
	cat "$work/guest.tap"
	echo "$end"
} | tap_summary
