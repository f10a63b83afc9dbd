#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [NAME]... - the whole test suite, or only some files of tests/vm.
#
# Builds, runs the unit tests here and the others in the test VM, passes their
# TAP on as it comes, and counts it.  What should have run and did not is
# counted as skipped, never as passed; a VM that ends before its tests is a
# failure.  The last line is "N passed, N failed, N skipped".  The exit status
# is 0 only if nothing failed.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
log=build/test
mkdir -p "$log"
rm -f "$log"/*.tap
passed=0 failed=0 skipped=0

say() { echo "# $*"; }

# count FILE: add up the results of a TAP stream
count() {
	local p f s

	read -r p f s < <(awk '
		/^ok [0-9]+.*# SKIP/ { s++; next }
		/^ok [0-9]+/ { p++ }
		/^not ok [0-9]+/ { f++ }
		END { print p + 0, f + 0, s + 0 }' "$1")
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

fail() { # NAME
	echo "not ok 0 - $*"
	failed=$((failed + 1))
}

build() {
	say "building user space and unit tests"
	if ! make -j"$(nproc)" userspace unit-all >"$log/build.log" 2>&1; then
		tail -n 40 "$log/build.log"
		fail "build: user space and unit tests ($log/build.log)"
		return 1
	fi
}

unit_tests() {
	say "unit tests: plain, under ThreadSanitizer, under ASan and UBSan"
	tests/unit/run.sh build 2>&1 | tee "$log/unit.tap"
	[[ ${PIPESTATUS[0]} == 0 ]] || grep -q '^not ok' "$log/unit.tap" ||
		fail "unit tests: ended early"
	count "$log/unit.tap"
}

# The files that the VM has to come to, by name.
vm_files() {
	local f

	for f in tests/vm/[0-9]*.sh tests/vm/*_test.c tests/vm/device/*_test.c; do
		f=${f##*/}
		f=${f%.*}
		(($# == 0)) || [[ " $* " == *" $f "* ]] || continue
		echo "$f"
	done
}

vm_tests() {
	local status name

	say "tests in the VM"
	scripts/vm.sh --timeout 3600 --cpus 2 --mem 2G --append 'init_on_alloc=0' \
		-- tests/vm/run.sh "$@" \
		> >(tee "$log/vm.tap") 2> >(tee "$log/vm.err" >&2)
	status=$?
	# The output's readers may be a moment behind.
	sleep 1
	count "$log/vm.tap"
	if ! grep -q '^# end of the tests' "$log/vm.tap"; then
		fail "VM: the tests ended early (status $status; $log/vm.err)"
	fi
	for name in $(vm_files "$@"); do
		grep -qx "# file $name" "$log/vm.tap" && continue
		echo "ok 0 - $name # SKIP it was not come to"
		skipped=$((skipped + 1))
	done
}

# failures FILE...: what failed, each with the first lines of its explanation
failures() {
	awk '/^(not )?ok / { left = /^not/ ? 12 : 0 }
	     /^not ok / { print "# " $0; next }
	     /^# / && left-- > 0 { print "#   " substr($0, 3, 200) }' "$@" 2>/dev/null
}

start=$SECONDS
if build; then
	(($#)) || unit_tests
	vm_tests "$@"
fi
say "$((SECONDS - start)) s"
failures "$log"/*.tap
echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed != 0))
