#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh DIR RUNS - run the fuzzers of parsers in DIR, each RUNS times.
#
# Each begins with the seeds, and with what earlier runs in DIR have found to
# reach something new.  What breaks one is left in DIR/NAME-*, to be given to
# the program as an argument.  Prints TAP; the last line is "N passed, N failed,
# N skipped".

set -u
dir=$1 runs=$2
here=$(dirname "${BASH_SOURCE[0]}")
passed=0 failed=0

"$here/seeds.py" "$dir/seeds" || exit 1
for target in "$dir"/*_fuzz; do
	name=$(basename "$target" _fuzz)
	mkdir -p "$dir/corpus/$name"
	# What is given up when an option is refused was the program's.
	leaks=1
	[[ $name != options ]] || leaks=0
	export ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1
	if "$target" -runs="$runs" -max_len=4096 -timeout=20 -verbosity=1 \
		-artifact_prefix="$dir/$name-" \
		"$dir/corpus/$name" "$dir/seeds/$name" >"$dir/$name.log" 2>&1; then
		passed=$((passed + 1))
		echo "ok $((passed + failed)) - $name: $(grep -c . < <(ls "$dir/corpus/$name")) inputs kept, $(
			awk '/^Done/ { print $2 " runs in " $5 " s" }' "$dir/$name.log")"
	else
		failed=$((failed + 1))
		echo "not ok $((passed + failed)) - $name ($dir/$name.log)"
		grep -E 'ERROR|runtime error|not so|#[0-9]+ .*userspace' "$dir/$name.log" |
			head -n 12 | sed 's/^/# /'
	fi
done
echo "1..$((passed + failed))"
echo "$passed passed, $failed failed, 0 skipped"
exit $((failed != 0))
