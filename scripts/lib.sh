# shellcheck shell=bash
# lib.sh - what scripts share: messages, checks, long commands, counting TAP.
#
# Sourced, never run. It owns the form of every message ("script: sentence"),
# the place of the cache, and the way in which a command that takes long is
# shown: one line that counts seconds on a terminal, a line at the start and
# one at the end otherwise, everything that it prints in a log file.
# It changes no file but that log.

PTAP_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PTAP_CACHE=${PTAP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/ptap}
PTAP_SCRIPT=${0##*/}
PATH=$PATH:/usr/sbin:/sbin
# shellcheck disable=SC2034 # read by the scripts that source this file
readonly PTAP_ROOT PTAP_CACHE PTAP_SCRIPT

note() {
	printf '%s: %s\n' "$PTAP_SCRIPT" "$*" >&2
}

# die STATUS SENTENCE...
die() {
	local status=$1

	shift
	note "$@"
	exit "$status"
}

# usage FILE: print the comment block at the top of a script as its help.
usage() {
	sed -n '2,/^[^#]/{/^#/!q; s/^# \{0,1\}//; p;}' "$1"
}

# need_tools TOOL...: stop unless every one of them is on the PATH.
need_tools() {
	local tool missing=()

	for tool; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) ||
		die 126 "this machine lacks ${missing[*]}; run scripts/install-deps.sh first"
}

need_root() {
	((EUID == 0)) ||
		die 126 "$1 needs root; run the same command with sudo"
}

# apt_archive LABEL: where this machine's apt finds Debian's archive (label Debian)
# or its security archive (Debian-Security). apt tells only what it has lists
# of.
apt_archive() {
	# shellcheck disable=SC2016 # apt-get's own names
	apt-get indextargets 'Created-By: Packages' \
		--format '$(ORIGIN) $(LABEL) $(REPO_URI)' |
		awk -v label="$1" '
			$1 == "Debian" && $2 == label && !uri { uri = $3 }
			END { print uri }'
}

# show_progress LOG TITLE: one line on the terminal, until it is killed.
show_progress() {
	local log=$1 title=$2 start=$SECONDS width last

	width=$(tput cols 2>/dev/null || echo 80)
	while :; do
		last=$(tail -c 300 "$log" 2>/dev/null | tr '\r\033' '\n ' | tail -n 1)
		printf '\r\e[K%.*s' $((width - 1)) \
			"$PTAP_SCRIPT: $title: $((SECONDS - start)) s  $last" >&2
		sleep 0.5
	done
}

# run_logged LOG TITLE COMMAND...: run a long command, its output in LOG.
# On failure show the end of LOG and return the command's status. With
# RUN_LOGGED_QUIET success shows nothing where there is no terminal.
run_logged() {
	local log=$1 title=$2 pid progress='' stop='' start=$SECONDS status=0

	shift 2
	mkdir -p "$(dirname "$log")"
	trap 'stop=1' INT TERM HUP
	# A group of its own, so that all of it can be ended.
	setsid -- "$@" >"$log" 2>&1 </dev/null &
	pid=$!
	if [[ -t 2 ]]; then
		show_progress "$log" "$title" &
		progress=$!
	elif [[ -z ${RUN_LOGGED_QUIET:-} ]]; then
		note "$title ..."
	fi
	wait "$pid" || status=$?
	trap - INT TERM HUP
	if [[ $progress ]]; then
		kill "$progress"
		wait "$progress" 2>/dev/null || :
		printf '\r\e[K' >&2
	fi
	if [[ $stop ]]; then
		kill -- "-$pid" 2>/dev/null || :
		wait "$pid" || :
		note "$title was interrupted"
		exit 130
	fi
	if ((status)); then
		tail -n "${RUN_LOGGED_TAIL:-40}" "$log" >&2
		note "$title failed (status $status); the whole log is $log"
	elif [[ -z ${RUN_LOGGED_QUIET:-} ]]; then
		note "$title: done in $((SECONDS - start)) s"
	fi
	return "$status"
}

# tap_count: the results of the TAP that it reads, as "passed failed skipped".
tap_count() {
	awk '
		/^ok [0-9]+.*# SKIP/ { s++; next }
		/^ok [0-9]+/ { p++ }
		/^not ok [0-9]+/ { f++ }
		END { print p + 0, f + 0, s + 0 }'
}

# tap_summary: the last line of a test suite, of the TAP that it reads; fails if a
# test did.
tap_summary() {
	local p f s

	read -r p f s < <(tap_count)
	echo "$p passed, $f failed, $s skipped"
	((f == 0))
}
