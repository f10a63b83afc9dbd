#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest.sh JOB [ARGUMENT]... - what is done on the sanitizer kernel, as TAP.
#
#   tests [NAME]...      files of tests/vm and programs of build/tests
#   fuzz CALLS SEED      the fuzzer of the device
#   sh COMMAND           anything
#
# The first traffic flows without the module: what the kernel complains about
# then is its own, and known afterwards.  At the end kmemleak looks for memory
# that nothing points to.

set -u
cd /ptap || exit 1
PATH=$PATH:/ptap/build
debug=/sys/kernel/debug
export PTAP_KNOWN=/run/known PTAP_TEST_TIMEOUT=1800 PTAP_TEST_SECONDS=600
export PTAP_TEST_TIMES=1

# The kernel's own complaints, as run.sh compares them: without times, numbers.
complaints() {
	dmesg | sed -E 's/^\[[^]]*\] *//; s/0x[0-9a-f]+|[0-9a-f]{8,}|[0-9]+/N/g'
}

bare_traffic() {
	(
		# shellcheck source=../vm/lib.sh
		. tests/vm/lib.sh
		make_pair
		make_vlan
		start_tcpdump bare pt-a -i any
		traffic
		ip -n pt-a link del va
		stop bare
		drop_pair
		rm -rf "$work"
	) >/out/bare.log 2>&1
}

# Faults hit what would wait for memory, too, and say nothing.
prepare_faults() {
	local kind

	for kind in failslab fail_page_alloc fail_usercopy; do
		[[ -d $debug/$kind ]] || continue
		echo 0 >$debug/$kind/verbose
		[[ ! -e $debug/$kind/ignore-gfp-wait ]] ||
			echo N >$debug/$kind/ignore-gfp-wait
	done
	echo N >$debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >$debug/fail_page_alloc/min-order
}

# SLUB keeps objects to hand out in arrays for each CPU ("sheaves") and does not
# clear their places when it hands them out.  kmemleak finds those pointers, and
# nothing is lost for it until a place is used anew.  So each array is emptied, all of
# its places are used anew, and what that took is given back.
forget_objects() {
	local f cpu

	for f in /sys/kernel/slab/*/shrink; do
		echo 1 >"$f"
	done
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c $cpu insmod /out/canary.ko mistake=refill 2>/dev/null
	done
	for f in /sys/kernel/slab/*/shrink; do
		echo 1 >"$f"
	done
}

# What kmemleak tells of is older than five seconds; two scans, so that what
# only a register held the first time is not told of.
leaks() {
	sleep 6
	forget_objects
	echo scan >$debug/kmemleak
	sleep 1
	echo scan >$debug/kmemleak
	cat $debug/kmemleak
}

# The kernel tells of mistakes that are made on purpose.  Each turns lockdep off.
canaries() {
	local mistake words told

	dmesg -C
	while read -r mistake words; do
		insmod /out/canary.ko mistake="$mistake" 2>/dev/null
		told=$(if [[ $mistake == leak ]]; then leaks; else dmesg; fi)
		echo "$mistake: $told" >>/out/canaries.log
		check "the kernel tells of a mistake: $mistake" \
			"$(grep -c "$words" <<<"$told")"
		[[ $mistake != leak ]] || check "and of each time: leak" \
			"$(($(grep -c "size 128" <<<"$told") == 8))"
	done <<-END
		order possible circular locking
		leak unreferenced object
		freed KASAN: slab-use-after-free
		beyond KASAN: slab-out-of-bounds
		shift UBSAN: shift-out-of-bounds
		sleep sleeping function called\\|scheduling while atomic
	END
}

check() { # NAME VALUE: is it not 0?
	if [[ $2 != 0 ]]; then
		echo "ok 0 - $1"
	else
		echo "not ok 0 - $1"
	fi
}

# What was run of the module, if it was built to tell: kept when it is unloaded.
# Now and then, too, for a job that does not come to its end.
keep_coverage() {
	local f

	mkdir -p /out/gcov
	find $debug/gcov -name '*.gcda' -path '*/src/module/*' 2>/dev/null |
		while read -r f; do
			cat "$f" >"/out/gcov/${f##*/}"
		done
}

ip link set lo up
dmesg -n 1
echo "# kernel $(uname -r), $(nproc) processors"
bare_traffic
leaks >/out/bare.leaks
complaints >$PTAP_KNOWN
cp $PTAP_KNOWN /out/bare.dmesg
# What follows from a fault is no mistake; mistakes have a line of their own.
printf '%s\n' 'Call Trace:' \
	'kmemleak: Cannot allocate a scan area, scanning the full object' \
	>>$PTAP_KNOWN
echo clear >$debug/kmemleak
prepare_faults

while sleep 60; do keep_coverage; done >/dev/null 2>&1 &
keeper=$!
read -ra job <<<"$1"
case ${job[0]} in
tests) PTAP_MORE=build/tests/sanitize tests/vm/run.sh "${job[@]:1}" ;;
fuzz)
	PTAP_TEST_TIMEOUT=10000 PTAP_FUZZ_CALLS=${job[1]} \
		PTAP_FUZZ_SEED=${job[2]} tests/vm/run.sh 95-fuzz
	;;
sh) bash -c "${1#sh }" ;;
esac
kill $keeper
wait $keeper 2>/dev/null
leaks >/out/leaks
check "no memory was left behind" "$([[ -s /out/leaks ]]; echo $?)"
head -n 60 /out/leaks | sed 's/^/# /'
check "lockdep was on all the time" \
	"$(awk '/debug_locks:/ { print $2 }' /proc/lockdep_stats)"
dmesg >/out/dmesg
keep_coverage
canaries
echo "# end of the job"
