#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh [NAME]... - run the tests of this folder in the VM, as root.
#
# Each test is a file NN-name.sh here or a program build/tests/name, and prints
# TAP.  For each of them: the module is loaded, the test runs under a timeout,
# the module is unloaded, and the kernel's log is looked through for anything
# that a kernel only says when something is wrong.  These three are tests too.
# The output is one TAP stream with continuous numbers; a line "# file NAME"
# stands before each file, so that the host knows what did not run if the VM
# dies.  PTAP_MORE names another folder of programs, PTAP_KNOWN a file of lines
# that the kernel's log has without the module, too (tests/sanitize), and
# PTAP_LOG_FILTER a command that the log goes through first (tests/kcsan).

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top" || exit 1
PATH=$top/build:$PATH
module=$top/module/ptap.ko
timeout=${PTAP_TEST_TIMEOUT:-1500}
total=0 failed=0

bad='BUG|WARNING|Oops|Call Trace|KASAN|UBSAN|KCSAN|KMSAN|general protection|refcount_t|kmemleak|possible (circular|recursive)|inconsistent lock|suspicious RCU|scheduling while atomic|sleeping function|hung|soft lockup|unregister_netdevice: waiting|page allocation failure|Bad page|stack-protector'

list() {
	local f

	for f in "$here"/[0-9]*.sh; do
		echo "$f"
	done
	for f in "$top"/build/tests/* ${PTAP_MORE:+"$top/$PTAP_MORE"/*}; do
		[[ ! -x $f || -d $f ]] || echo "$f"
	done
}

the_log() {
	# shellcheck disable=SC2086 # a command and its arguments
	dmesg | ${PTAP_LOG_FILTER:-cat}
}

# What of the kernel's log is bad.
complaints() {
	if [[ ${PTAP_KNOWN:-} ]]; then
		the_log | sed -E 's/^\[[^]]*\] *//; s/0x[0-9a-f]+|[0-9a-f]{8,}|[0-9]+/N/g' |
			grep -E "$bad" | grep -vxFf "$PTAP_KNOWN"
	else
		the_log | grep -E "$bad"
	fi
}

# Number the lines of a test anew; say which file they are from.
renumber() {
	local name=$1 line seen=0 plan=''

	while IFS= read -r line; do
		if [[ $line =~ ^(ok|not\ ok)\ [0-9]+\ ?-?\ ?(.*)$ ]]; then
			total=$((total + 1)) seen=$((seen + 1))
			echo "${BASH_REMATCH[1]} $total - $name: ${BASH_REMATCH[2]}"
			[[ ${BASH_REMATCH[1]} == ok ]] || failed=$((failed + 1))
		elif [[ $line =~ ^1\.\.([0-9]+) ]]; then
			plan=${BASH_REMATCH[1]}
		else
			echo "$line"
		fi
	done
	[[ $plan == "$seen" ]] ||
		verdict 1 "$name: ran to its end" "planned ${plan:-nothing}, ran $seen"
}

verdict() { # STATUS NAME [DIAGNOSTIC]
	total=$((total + 1))
	if (($1 == 0)); then
		echo "ok $total - $2"
	else
		echo "not ok $total - $2"
		failed=$((failed + 1))
		[[ ! ${3:-} ]] || sed 's/^/# /' <<<"$3"
	fi
}

clean_up() {
	local ns

	for ns in $(ip netns list | awk '/^pt-/ { print $1 }'); do
		ip netns del "$ns"
	done
	pkill -KILL -x tapdump
	pkill -KILL -x tcpdump
	rm -rf /tmp/ptap-test.*
}

unload() {
	local i

	# Namespaces go in the background, and with them who is in them.
	for i in {1..100}; do
		rmmod ptap 2>/dev/null && return 0
		sleep 0.1
	done
	echo "the module is in use: $(cat /sys/module/ptap/refcnt 2>&1)"
	return 1
}

run_one() {
	local file=$1 name out log start=$SECONDS

	name=$(basename "$file" .sh)
	echo "# file $name"
	dmesg -C
	echo "ptap-test: $name" >/dev/kmsg
	if [[ ! -e /sys/module/ptap ]] && ! out=$(insmod "$module" 2>&1); then
		verdict 1 "$name: the module loads" "$out"
		return
	fi
	# What a shell runs beside itself ignores both, and newer timeouts leave it so.
	renumber "$name" < <(
		timeout -k 10 "$timeout" env --default-signal=INT,QUIT "$file" \
			2>&1 </dev/null
		status=$?
		((status != 124 && status != 137)) ||
			echo "# $name took longer than $timeout s"
	)
	clean_up >/dev/null 2>&1
	out=$(unload)
	verdict $? "$name: the module unloads" "$out"
	log=$(complaints)
	[[ ! $log || ! ${PTAP_KNOWN:-}${PTAP_LOG_FILTER:-} ]] ||
		log+=$'\n'$(the_log)
	verdict "$([[ $log ]] && echo 1 || echo 0)" \
		"$name: the kernel's log is clean" "$log"
	echo "# $name: $((SECONDS - start)) s"
}

for file in $(list); do
	name=$(basename "$file" .sh)
	if (($#)); then
		[[ " $* " == *" $name "* ]] || continue
	fi
	run_one "$file"
done
echo "1..$total"
echo "# end of the tests"
exit $((failed != 0))
