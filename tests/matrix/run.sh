#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [NAME]... - the VM tests, or some of them, on every kernel of the table.
#
# For each kernel of KERNELS (default: all that vm-image.sh --list names, without
# other architectures, the flavour that only has more drivers and the one for
# make kcsan): the module compiles without a warning, plain and with W=1;
# tests/run.sh --kernel; a row of the table. What a test said is kept in build/matrix/KERNEL/NAME.tap and
# the test is not run again there, until something that it is made of changes or
# FRESH=1 is set, so that an interrupted run goes on where it was. The table is
# printed and left in build/matrix/table.txt.
#
# The exit status is 0 if every row has passed.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$top" || exit 1
. scripts/lib.sh
mkdir -p build/matrix
read -ra kernels <<<"${KERNELS:-$(scripts/vm-image.sh --list |
	grep -vE -- '-(full|kcsan|arm64|s390x)$' | tr '\n' ' ')}"

say() { echo "# $*"; }

# What results depend on: the sources of the module, the programs and the tests.
key() {
	git ls-files -z --cached --others --exclude-standard -- \
		Kbuild Makefile module userspace tests/vm scripts/vm-init |
		xargs -0 sha256sum 2>/dev/null | sha256sum
}

# harvest KERNEL: the tests that were run to their ends, a file each. A test's
# last line tells its seconds.
harvest() {
	local dir=build/matrix/$1

	mkdir -p "$dir"
	cat "build/test/$1"/vm*.tap 2>/dev/null | awk -v dir="$dir" '
		/^# file / { name = $3; text = ""; next }
		name { text = text $0 "\n" }
		name && $0 ~ "^# " name ": [0-9]+ s$" {
			printf "%s", text >(dir "/" name ".tap")
			close(dir "/" name ".tap")
			name = ""
		}'
	rm -f "build/test/$1"/vm*.tap
}

compile() { # KERNEL
	local dir=build/matrix/$1

	[[ ! -e $dir/warnings.tap ]] || return 0
	if scripts/vm-build.sh --warnings "$1" >"$dir/warnings.log" 2>&1; then
		echo "ok 1 - the module compiles without a warning"
	else
		echo "not ok 1 - the module compiles without a warning"
		sed 's/^/# /' "$dir/warnings.log"
	fi >"$dir/warnings.tap"
}

one() { # KERNEL [NAME]...
	local kernel=$1 dir=build/matrix/$1 todo=() name

	shift
	harvest "$kernel"
	if [[ ${FRESH:-} || $(cat "$dir/key" 2>/dev/null) != "$key" ]]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		echo "$key" >"$dir/key"
	fi
	compile "$kernel"
	for name in $(tests/run.sh --list "$@"); do
		[[ -e $dir/$name.tap ]] || todo+=("$name")
	done
	((${#todo[@]})) || return 0
	tests/run.sh --kernel "$kernel" "${todo[@]}" >"$dir/run.log" 2>&1
	harvest "$kernel"
	for name in "${todo[@]}"; do
		[[ -e $dir/$name.tap ]] || {
			say "$kernel: $name did not come to its end"
			tail -n 20 "$dir/run.log"
			return
		}
	done
}

# A row: kernel, release, passed, failed, skipped, not run, seconds.
row() { # KERNEL [NAME]...
	local kernel=$1 dir=build/matrix/$1 files=() name not_run=0 image p f s t

	shift
	files=("$dir/warnings.tap")
	for name in $(tests/run.sh --list "$@"); do
		if [[ -e $dir/$name.tap ]]; then
			files+=("$dir/$name.tap")
		else
			not_run=$((not_run + 1))
		fi
	done
	image=$(scripts/vm-image.sh "$kernel")
	read -r p f s < <(cat "${files[@]}" 2>/dev/null | tap_count)
	t=$(cat "${files[@]}" 2>/dev/null |
		awk '/^# [^ ]+: [0-9]+ s$/ { t += $3 } END { print t + 0 }')
	printf '%-8s %-26s %6d %6d %7d %7d %7d\n' "$kernel" \
		"$(cat "$image/release" 2>/dev/null)" "$p" "$f" "$s" $not_run "$t"
}

# What failed, with the first lines of its explanation.
failures() { # KERNEL
	awk -v kernel="$1" '
		/^(not )?ok / { left = /^not/ ? 12 : 0 }
		/^not ok / { print "# " kernel ": " $0; next }
		/^# / && left-- > 0 { print "#   " substr($0, 3, 200) }' \
		build/matrix/"$1"/*.tap 2>/dev/null
}

key=$(key)
for kernel in "${kernels[@]}"; do
	say "kernel $kernel"
	one "$kernel" "$@"
	row "$kernel" "$@"
done
{
	printf '%-8s %-26s %6s %6s %7s %7s %7s\n' kernel release passed failed \
		skipped 'not run' seconds
	for kernel in "${kernels[@]}"; do
		row "$kernel" "$@"
	done
} | tee build/matrix/table.txt
for kernel in "${kernels[@]}"; do
	failures "$kernel"
done
awk 'NR > 1 { p += $3; f += $4 + $6; s += $5 }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' \
	build/matrix/table.txt
