#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh BUILD_DIR - check the model of the ring protocol, and that it can fail.
#
# The model as it is must have no error in any order of events; with any one of
# its rules broken (ring.pml: BREAK) spin must find one.  PACKETS=N makes it
# larger.  TAP; the number of states is in a comment.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:?usage: run.sh BUILD_DIR}/model
nr=0 failed=0
mkdir -p "$out" && cd "$out" || exit 1

command -v spin >/dev/null || {
	echo "1..0 # SKIP no spin here: scripts/install-deps.sh --check installs it"
	exit 0
}

# verify N: one search; its report is in report.N
verify() {
	mkdir -p "$1" && (
		cd "$1" || exit 1
		cp "$here/ring.pml" .
		spin -DBREAK="$1" -DPACKETS="${PACKETS:-4}" -a ring.pml &&
			gcc -O2 -DCOLLAPSE -DSAFETY -o pan pan.c &&
			timeout 1200 ./pan -m1000000
	) >"report.$1" 2>&1
}

result() { # STATUS NAME REPORT
	nr=$((nr + 1))
	if (($1 == 0)); then
		echo "ok $nr - $2"
	else
		echo "not ok $nr - $2"
		failed=1
		sed 's/^/# /' "report.$3" | head -n 30
	fi
}

# No error, and the search was not cut off.
whole() { grep -q 'errors: 0$' report.0 && ! grep -q 'max search depth' report.0; }

verify 0
whole
result $? "the ring protocol holds in every order" 0
sed -n 's/^ *\([0-9]* states, stored\).*/# \1/p' report.0
for n in 1 2 3 4 5 6 7 8; do
	verify $n
	grep -q 'errors: 1$' report.$n
	result $? "found: $(sed -n "s/^ \*   $n  //p" "$here/ring.pml")" $n
done
echo "1..$nr"
exit $failed
