#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Records of packets of every form that an skb can have, made by the module's
# own source and by a naive builder: tests/recordtest, which does it all while it
# is being loaded.

. "$(dirname "$0")/lib.sh"
module=$(dirname "$0")/../recordtest/recordtest.ko

if [[ ! -e $module ]]; then
	skip "records of constructed packets" "no tests/recordtest for this kernel"
	finish
fi
check "all records are right" insmod "$module"
log=$(dmesg | sed -n 's/^.*recordtest: //p')
while IFS=: read -r layout counts; do
	read -r records _ wrong _ <<<"$counts"
	if [[ $layout == unreadable && $records == 0 ]]; then
		skip "unreadable packets" "this kernel has none"
		continue
	fi
	check "$layout: $records records" test "$records" -gt 1000
	is "$layout: wrong ones" "$wrong" 0
done < <(grep ' records, .* wrong$' <<<"$log")
is "all layouts were gone through" "$(grep -c ' records, ' <<<"$log")" 5
[[ $failed == 0 ]] || diag "$log"
rmmod recordtest
finish
