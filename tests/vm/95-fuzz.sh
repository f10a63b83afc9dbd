#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The fuzzer of the device (tests/fuzz): here some thousand calls, which show that
# it works; make fuzz does a million on a kernel that tells more.  To do a run
# again: PTAP_FUZZ_SEED, or what its threads did last in PTAP_FUZZ_REPLAY.  A file
# /out/fuzz.stop (build/sanitize of the host) ends it early, with its results.

cd "$(dirname "$0")/../.." || exit 1
args=(--calls "${PTAP_FUZZ_CALLS:-4000}")
[[ ! ${PTAP_FUZZ_SEED:-} ]] || args+=(--seed "$PTAP_FUZZ_SEED")
[[ ! ${PTAP_FUZZ_REPLAY:-} ]] || args+=(--replay "$PTAP_FUZZ_REPLAY")
[[ ! -d /out ]] || args+=(--programs /out/fuzz.programs --stop /out/fuzz.stop)
# Rings are made and thrown away all the time: none large ones.
echo 16 >/sys/module/ptap/parameters/session_mb
# Half of the time of a long run would be waiting for grace periods.
[[ ! ${PTAP_FUZZ_CALLS:-} || ! -e /sys/kernel/rcu_expedited ]] ||
	echo 1 >/sys/kernel/rcu_expedited
exec build/tests/fuzz/device "${args[@]}"
