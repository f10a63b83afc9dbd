#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [--kernel KERNEL] [NAME]... - the whole test suite, or only some files of
# tests/vm, or these on another kernel of scripts/vm-image.sh.
# run.sh --list [NAME]... - names of the files of tests/vm.
# run.sh --smoke - 05-smoke and 77-records on the oldest and the newest kernel.
#
# Builds, runs the unit tests here and the others in two test VMs at a time,
# passes their TAP on as it comes, and counts it.  What should have run and did
# not is counted as skipped, never as passed; a VM that ends before its tests is
# a failure.  The last line is "N passed, N failed, N skipped".  The exit status
# is 0 only if nothing failed.
#
# The whole suite has the smoke in it.  What is said is in build/test, or in
# build/test/KERNEL.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
. scripts/lib.sh

# The files that the VM has to come to, by name.
vm_files() { # [NAME]...
	local f

	for f in tests/vm/[0-9]*.sh tests/vm/*_test.c tests/vm/device/*_test.c; do
		f=${f##*/}
		f=${f%.*}
		(($# == 0)) || [[ " $* " == *" $f "* ]] || continue
		echo "$f"
	done
}

if [[ ${1:-} == --list ]]; then
	vm_files "${@:2}"
	exit
fi
kernel=''
smoke_kernels=(5.10 7.3)
if [[ ${1:-} == --kernel ]]; then
	kernel=${2:?--kernel needs a name}
	shift 2
fi
log=build/test${kernel:+/$kernel}
mkdir -p "$log"
rm -rf "$log"/*.tap "$log"/vm*
passed=0 failed=0 skipped=0 nr=0

say() { echo "# $*"; }

# count FILE: add up the results of a TAP stream
count() {
	local p f s

	read -r p f s < <(tap_count <"$1")
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

# vm NR KERNEL NAME...: these files in a VM of their own; it uses one core and a
# bit.  Its /out is its own: vm.sh empties the folder that it comes to.  A kernel
# that fails before the first file, without our module, gets a second chance:
# emulated CPUs lose a race in patching their code now and then.
vm() {
	local nr=$1 kernel=$2 status

	shift 2
	for _ in 1 2; do
		scripts/vm.sh --kernel "${kernel:-6.1}" --timeout 3600 --cpus 2 \
			--mem 2G --append 'init_on_alloc=0' --out "$log/vm$nr.out" \
			-- tests/vm/run.sh "$@" >"$log/vm$nr.tap" 2>"$log/vm$nr.err"
		status=$?
		if ((status != 125)) || [[ -s $log/vm$nr.tap ]]; then break; fi
		echo "VM $nr: its kernel failed before the first test" >&2
	done
	echo $status >"$log/vm$nr.status"
}

vm_count() { # NR
	count "$log/vm$1.tap"
	cat "$log/vm$1.err" >&2
	grep -q '^# end of the tests' "$log/vm$1.tap" ||
		fail "VM $1: the tests ended early (status $(<"$log/vm$1.status"); $log/vm$1.err)"
}

# Seconds of the files that take much longer than the others do, which take 40, on
# a slow machine.
declare -A long=(
	[20-parity]=121 [25-matrix]=134 [30-filter]=179 [35-meta]=221
	[37-faults]=163 [38-output]=123 [40-overload]=93 [55-options]=127
	[65-rotation]=343 [66-rings]=144 [67-compress]=104 [90-sessions]=100
	[91-extcap]=180 [92-examples]=100 [93-remote]=115 [96-tutorial]=305
	[poll_test]=66 [race_test]=88 [ring_test]=60
)

vm_tests() {
	local files one=() two=() f jobs behind=0

	mapfile -t files < <(vm_files "$@")
	((${#files[@]})) || { fail "no test has one of the names: $*"; return; }
	# Each to the VM that has less to do so far.
	for f in "${files[@]}"; do
		if ((behind > 0)); then
			two+=("$f")
			behind=$((behind - ${long[$f]:-40}))
		else
			one+=("$f")
			behind=$((behind + ${long[$f]:-40}))
		fi
	done
	say "tests in the VM"
	vm 1 "$kernel" "${one[@]}" &
	jobs=$!
	((${#two[@]} == 0)) || {
		vm 2 "$kernel" "${two[@]}" &
		jobs+=" $!"
	}
	# Shown as they come; the second one's when the first one is through.
	for f in $jobs; do
		nr=$((nr + 1))
		tail -q -n +1 -s 0.2 --pid="$f" -F "$log/vm$nr.tap" 2>/dev/null
		vm_count $nr
	done
	for f in "${files[@]}"; do
		grep -qx "# file $f" "$log"/vm*.tap && continue
		echo "ok 0 - $f # SKIP it was not come to"
		skipped=$((skipped + 1))
	done
}

# The systems for the smoke, while there is something else to wait for.
smoke_images() {
	local kernel

	for kernel; do
		nice scripts/vm-image.sh "$kernel" >"$log/image-$kernel.log" 2>&1
	done
}

# smoke KERNEL...: does it live there? Two VMs at a time.
smoke() {
	local kernel first=$nr i has=()

	say "smoke on $*"
	# Other releases' mirrors may be out of reach.
	for kernel; do
		if scripts/vm-image.sh "$kernel" >/dev/null 2>&1; then
			has+=("$kernel")
			continue
		fi
		echo "ok 0 - $kernel 05-smoke, 77-records # SKIP no system could be made ($log/image-$kernel.log)"
		skipped=$((skipped + 1))
	done
	set -- "${has[@]}"
	for kernel; do
		nr=$((nr + 1))
		vm $nr "$kernel" 05-smoke 77-records &
	done
	wait
	for ((i = first + 1; i <= nr; i++)); do
		sed -i "s/^\(\(not \)\?ok [0-9]* - \)/\1$1 /; s/^# file/# smoke on $1,/" \
			"$log/vm$i.tap"
		cat "$log/vm$i.tap"
		vm_count $i
		shift
	done
}

# failures FILE...: what failed, each with the first lines of its explanation
failures() {
	awk '/^(not )?ok / { left = /^not/ ? 12 : 0 }
	     /^not ok / { print "# " $0; next }
	     /^# / && left-- > 0 { print "#   " substr($0, 3, 200) }' "$@" 2>/dev/null
}

start=$SECONDS
if [[ ${1:-} == --smoke ]]; then
	smoke_images "${smoke_kernels[@]}"
	smoke "${smoke_kernels[@]}"
elif [[ $kernel ]]; then
	vm_tests "$@"
elif build; then
	(($#)) || {
		smoke_images "${smoke_kernels[@]}" &
		images=$!
		unit_tests
	}
	vm_tests "$@"
	(($#)) || {
		wait "$images"
		smoke "${smoke_kernels[@]}"
	}
fi
say "$((SECONDS - start)) s"
failures "$log"/*.tap
echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed != 0))
