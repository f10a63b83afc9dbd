#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh - run the unit tests, and print what they say as one TAP stream.
#
# run.sh BUILD_DIR [PATTERN]: runs the programs in BUILD_DIR/unit that match
# PATTERN (by default all of them: plain, .tsan and .asan), and unless PATTERN
# asks for a sanitizer pcapdiff.sh and verify.sh with BUILD_DIR/pcapdiff and
# BUILD_DIR/tapdump. A test's name gets
# its program's in front. A program that ends otherwise than its TAP says is a
# failed test of its own; so is one that takes longer than PTAP_UNIT_TIMEOUT
# seconds (600). Exit status 1 if any test failed.

here=$(cd "$(dirname "$0")" && pwd)
build=$1
pattern=${2:-*_test*}

if [ ! -d "$build" ]; then
	echo "Bail out! usage: run.sh BUILD_DIR [PATTERN]"
	exit 1
fi
counts=$(mktemp) || exit 1
trap 'rm -f "$counts"' EXIT
echo "0 0" >"$counts"

# tests NAME COMMAND...: run one program, and append its tests to ours
tests() {
	name=$1
	shift
	read -r nr nr_failed <"$counts"
	{
		timeout "${PTAP_UNIT_TIMEOUT:-600}" "$@" 2>&1
		printf '\nexit-status %s\n' $?
	} | awk -v name="$name" -v nr="$nr" -v failed="$nr_failed" \
		-v counts="$counts" '
	function fail(why) {
		printf "not ok %d - %s: %s\n", ++nr, name, why
		failed++
	}
	/^1\.\.[0-9]+/ {
		plan = substr($1, 4) + 0
		planned = 1
		if (!plan)
			print "# " name ": " $0
		next
	}
	/^(not )?ok( |$)/ {
		bad = sub(/^not /, "")
		sub(/^ok *[0-9]* *(- *)?/, "")
		printf "%sok %d - %s: %s\n", bad ? "not " : "", ++nr, name, $0
		own++
		if (bad && !/# *[Tt][Oo][Dd][Oo]/) {
			own_failed++
			failed++
		}
		fflush()
		next
	}
	/^exit-status [0-9]+$/ {
		status = $2
		next
	}
	/^$/ { next }
	{
		sub(/^# ?/, "")
		print "# " $0
		fflush()
	}
	END {
		if (!planned)
			fail("no plan")
		else if (own != plan)
			fail("ran " own + 0 " of " plan " tests")
		if (status && !own_failed)
			fail("exit status " status)
		print nr, failed + 0 >counts
	}'
}

echo "TAP version 13"
for program in "$build"/unit/$pattern; do
	case $program in
	*.d) continue ;;
	esac
	if [ -f "$program" ] && [ -x "$program" ]; then
		case $program in
		/*) ;;
		*) program=./$program ;;
		esac
		tests "$(basename "$program")" "$program"
	fi
done

case $pattern in
*san) ;;
*)
	if [ -x "$build/pcapdiff" ]; then
		tests pcapdiff "$here/pcapdiff.sh" "$build/pcapdiff"
	else
		tests pcapdiff printf '1..1\nok 1 - all # SKIP not built\n'
	fi
	tests judge python3 "$here/judge_test.py"
	if [ -x "$build/tapdump" ]; then
		tests verify "$here/verify.sh" "$(realpath "$build/tapdump")"
	fi
	;;
esac

read -r nr nr_failed <"$counts"
echo "1..$nr"
if [ "$nr" -eq 0 ] || [ "$nr_failed" -gt 0 ]; then
	exit 1
fi
exit 0
