#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# bench.sh - run the benchmark; "make bench" builds the programs and calls it.
#
# Makes the benchmark's kernel if the cache has none, builds the modules for it,
# and runs the contenders in it (tests/bench/run.py). Environment:
#   BENCH=quick     what the targets need, in five minutes
#   BENCH_ONLY=A,B  only these workloads (tests/bench/plan.py)
#   BENCH_REPS=N    so many repetitions of each
#   BENCH_PROFILE=CONTENDER  where the sender's time goes, by perf, with
#                   BENCH_ONLY=WORKLOAD; BENCH_CPU=1: the reader's
#   BENCH_VARIANTS="same NAME"  beside each contender of ptap's, CONTENDER@NAME:
#                   the module with tests/bench/variants/NAME.patch, which tells
#                   what a part of it costs; "same" is a copy, which tells noise
#   BENCH_MEM=6G    the kernel's memory; as much must be free in /dev/shm
# Writes build/bench/: results.json (every sample, and "targets"), table.txt,
# plots, um/ (work files and logs). The exit status is 0 when every run's
# packets are accounted for, whatever the targets say.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

out=$PTAP_ROOT/build/bench
work=$out/um
args=()

# variant NAME: $work/NAME.ko
variant() {
	local name=$1 patch=$PTAP_ROOT/tests/bench/variants/$1.patch
	local dir=$work/variants/$1

	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$PTAP_ROOT/module" "$dir"
	if [[ $name != same ]]; then
		[[ -e $patch ]] || die 2 "there is no variant '$name': $patch"
		patch -s -d "$dir" -p1 <"$patch" ||
			die 1 "$patch does not fit the module any more"
	fi
	PTAP_MODULE=$dir/module "$PTAP_ROOT/scripts/um-kernel.sh" bench \
		--modules "$dir/out" >/dev/null
	cp "$dir/out/ptap.ko" "$work/$name.ko"
}

case ${1:-} in
'') ;;
--help | -h)
	usage "$0"
	exit 0
	;;
*) die 2 "unknown option '$1'; see $0 --help" ;;
esac
case ${BENCH:-full} in
full) ;;
quick) args+=(--quick) ;;
*) die 2 "BENCH is 'quick' or unset, not '$BENCH'" ;;
esac
[[ -z ${BENCH_ONLY:-} ]] || args+=(--only "$BENCH_ONLY")
[[ -z ${BENCH_REPS:-} ]] || args+=(--reps "$BENCH_REPS")
[[ -z ${BENCH_PROFILE:-} ]] || args+=(--profile "$BENCH_PROFILE")
[[ -z ${BENCH_CPU:-} ]] || args+=(--cpu "$BENCH_CPU")
[[ -z ${BENCH_VARIANTS:-} ]] || args+=(--variants "$BENCH_VARIANTS")
[[ -z ${BENCH_MEM:-} ]] || args+=(--mem "$BENCH_MEM")

need_tools python3 insmod ip mount
[[ -z ${BENCH_VARIANTS:-} ]] || need_tools patch
for program in v3reader ptapreader capcheck tapdump tcpblast latency middleman; do
	[[ -x $work/bin/$program ]] ||
		die 1 "$work/bin/$program is missing; run make bench, which builds it"
done
# Each page of the kernel's memory can be a mapping here.
maps=$(</proc/sys/vm/max_map_count)
if ((maps < 1048576)); then
	note "vm.max_map_count is 1048576 while the benchmark runs"
	echo 1048576 >/proc/sys/vm/max_map_count ||
		note "it cannot be set: runs with large rings may fail"
	trap 'echo "$maps" >/proc/sys/vm/max_map_count' EXIT
fi

kernel=$("$PTAP_ROOT/scripts/um-kernel.sh" bench --modules "$work")
for name in ${BENCH_VARIANTS:-}; do
	variant "$name"
done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$PTAP_ROOT/tests/bench \
	python3 "$PTAP_ROOT/tests/bench/run.py" --kernel "$kernel/linux" \
	--work "$work" --results "$out/results.json" "${args[@]}" |
	tee "$out/table.txt"
