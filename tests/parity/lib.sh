# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120,SC2154 # they share names with what sources them
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# lib.sh - run one kind of interfaces through the matrix.
#
# run_kind builds the kind's network (kinds.sh), starts a tcpdump for each
# different reference and a tapdump for each set of options (options.sh), all
# at the same time, sends all the traffic that the interface can carry
# (traffic.py), ends them, and has judge.py compare each tapdump's file with its
# reference.  Each pair is a cell; cells are reported as TAP by the functions of
# tests/vm/lib.sh, and kept in $results for the table.
#
# Rings are large on both sides, so that a loss means an error: a cell with
# losses on either side is not compared but reported as such.

# shellcheck source=../vm/lib.sh
. "$top/tests/vm/lib.sh"
# shellcheck source=options.sh
. "$here/options.sh"
results=${PARITY_OUT:-/out}/parity.tsv
tap_ring=16384 tcp_ring=65536
declare -A cap_pid cap_err

# cap ID NAMESPACE COMMAND...: in the background, not waited for
cap() {
	local id=$1 ns=$2

	run_in "$ns" "${@:3}" 2>"$work/$id.err" </dev/null >/dev/null &
	cap_pid[$id]=$! cap_err[$id]=$work/$id.err
}

listening() { grep -q 'listening on' "$work/$1.err" || ! kill -0 "${cap_pid[$1]}"; }

# Those that end instead of listening are told by their files.
caps_wait() {
	local id

	for id in "${!cap_pid[@]}"; do
		wait_for 60 listening "$id"
	done
}

caps_stop() {
	local id

	# tcpdump sees a packet when its block is retired
	sleep 1.5
	for id in "${!cap_pid[@]}"; do
		kill -INT "${cap_pid[$id]}" 2>/dev/null
	done
	for id in "${!cap_pid[@]}"; do
		wait "${cap_pid[$id]}"
		echo "exit status $?" >>"$work/$id.err"
	done
	cap_pid=()
}

# start_ref POINT NAMESPACE INTERFACE REFERENCE
start_ref() {
	local id=$1.$4.tcp

	[[ ! ${cap_pid[$id]:-} ]] || return 0
	# shellcheck disable=SC2086 # options are words
	cap "$id" "$2" tcpdump -Z root -B "$tcp_ring" -w "$work/$id" -i "$3" \
		${refs[$4]}
}

# start_cell POINT NAMESPACE INTERFACE SET: a line in $work/cells, and its two
start_cell() {
	local point=$1 ns=$2 iface=$3 set=$4 ref more other filter='' args=(-i "$3")
	local merge=''

	read -r ref more <<<"$(set_row "$set")"
	case $ref in
	any*)
		iface=any args=(-i any)
		start_ref "$point" "$ns" any "$ref"
		;;
	several)
		[[ ${several:-} ]] || return 0
		for other in $several; do
			args+=(-i "$other")
		done
		if [[ $more == *pcapng* ]]; then
			ref=full
			for other in $several; do
				start_ref "$point-$other" "$ns" "$other" full
				merge+=" $point-$other.full.tcp"
			done
			start_ref "$point" "$ns" "$iface" full
		else
			# the same header as any's; only these interfaces
			ref=any
			start_ref "$point" "$ns" any any
			for other in $iface $several; do
				filter+="${filter:+ or }ifindex $(in_ns "$ns" cat "/sys/class/net/$other/ifindex")"
			done
		fi
		;;
	*) start_ref "$point" "$ns" "$iface" "$ref" ;;
	esac
	# shellcheck disable=SC2086 # options are words
	cap "$point.$set.tap" "$ns" tapdump -B "$tap_ring" \
		-w "$work/$point.$set.tap" "${args[@]}" ${refs[$ref]:-} $more
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$kind" "$point" "$set" \
		"$point.$set.tap" "$point.$ref.tcp" "$merge" "$filter" >>"$work/cells"
}

start_point() { # NUMBER NAMESPACE INTERFACE LIST
	local set

	for set in $4; do
		start_cell "$3" "$2" "$3" "$set"
	done
}

# Tell judge.py's lines as TAP.
report() {
	local verdict cell note

	while IFS=$'\t' read -r verdict cell note; do
		case $verdict in
		equal | better) result ok "$cell: $verdict${note:+, $note}" ;;
		skipped) skip "$cell" "$note" ;;
		DIFFERENT) result 'not ok' "$cell: DIFFERENT" && diag "$note" ;;
		'#') diag "$cell" ;;
		esac
	done
	# "not ok" is no reason to stop
	return 0
}

skip_kind() { # NAME REASON
	skip "$1" "$2"
	printf 'cell\t%s\t-\t-\tskipped\t0\t%s\n' "$1" "$2" >>"$results"
}

remove_kind() {
	local ns pid

	for pid in "${helpers[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	for ns in $(ip netns list | awk '/^pt-/ { print $1 }'); do
		ip netns del "$ns"
	done
	rm -rf "${work:?}"/*
	# namespaces go in the background, and cards come back from them
	wait_for 5 test -z "$(ip netns list | grep '^pt-')"
}

# run_kind NAME: all its cells
run_kind() {
	local point list

	kind=$1 why='' flags='' several='' points=() helpers=() end_a='' end_b=''
	after=:
	if ! "kind_${kind//-/_}" >"$work/setup.log" 2>&1; then
		[[ $why ]] || why="cannot be made here: $(tail -n 1 "$work/setup.log")"
		skip_kind "$kind" "$why"
		remove_kind
		return
	fi
	: >"$work/cells"
	: >"$work/phases"
	list=$first_list
	for point in "${points[@]}"; do
		# shellcheck disable=SC2086 # two words
		start_point x $point "$list"
		list=$other_list
	done
	caps_wait
	# shellcheck disable=SC2154 # set by the caller of this file
	python3 "$here/traffic.py" "$work/phases" "$flags${sample:+,sample}" \
		"$end_a" "$end_b" >"$work/traffic.log" 2>&1 ||
		diag "the traffic ended early: $(tail -n 3 "$work/traffic.log")"
	"$after" >/dev/null 2>&1
	caps_stop
	report < <(python3 "$here/judge.py" "$work" "$results")
	[[ ! ${PARITY_KEEP:-} ]] || cp -r "$work" "${PARITY_OUT:-/out}/$kind"
	remove_kind
}
