#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Help that fits a screen, and the completions of bash and zsh, which come from
# it.

. "$(dirname "$0")/lib.sh"
completions=$(cd "$(dirname "$0")/../../userspace/completions" && pwd)

tapdump --help >"$work/help"
check "--help fits a screen" test "$(wc -l <"$work/help")" -le 24
is "... and its width" "$(awk 'length > 80' "$work/help")" ""

# complete WORDS...: what bash offers for the last of them
complete_bash() {
	bash -c '
		. "$0/tapdump.bash"
		compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_tapdump
		printf "%s\n" "${COMPREPLY[@]}"' "$completions" "$@"
}

check "bash: interfaces" grep -qx lo <(complete_bash tapdump -i '')
is "bash: directions" "$(complete_bash tapdump -Q i | xargs)" "in inout"
is "bash: a long option" "$(complete_bash tapdump --list-s)" "--list-sessions"
is "bash: its value" "$(complete_bash tapdump --clock = t)" "tsc"
# Each option that is offered is one.
complete_bash tapdump - >"$work/options"
check "bash: all options" test "$(wc -l <"$work/options")" -gt 35
bad=$(while read -r option; do
	tapdump "$option" x --version 2>&1 </dev/null |
		grep -q 'unrecognized\|invalid option' && echo "$option"
done < <(grep -vxE -- '-[rV]' "$work/options"))
is "bash: each of them exists" "$bad" ""

# Both as they are used: on a terminal, with the Tab key.
typed() { # NAME WANTED TYPED INIT SHELL...
	check "$1" "$(dirname "$0")/type_tab.py" "${@:2}"
}
typed "bash: Tab" 'tapdump --list-sessions' 'tapdump --list-s' \
	". $completions/tapdump.bash" bash --norc -i
if command -v zsh >/dev/null; then
	typed "zsh: Tab" 'tapdump --list-sessions' 'tapdump --list-s' \
		"fpath=($completions \$fpath); autoload -U compinit; compinit -u -D" zsh -f -i
	typed "zsh: Tab after an option's =" '--clock=tsc' 'tapdump --clock=t' \
		"fpath=($completions \$fpath); autoload -U compinit; compinit -u -D" zsh -f -i
fi

if command -v zsh >/dev/null; then
	# compadd and _describe as they are called, without a terminal.
	complete_zsh() {
		zsh -f -c '
			fpath=("$0" $fpath)
			autoload -U _tapdump
			compadd() { shift; print -l -- "$@" }
			_describe() { print -l -- ${(P)2} }
			compset() { PREFIX=${PREFIX#*=} }
			words=("$@") CURRENT=$# PREFIX=${@[-1]}
			_tapdump' "$completions" "$@"
	}
	check "zsh: interfaces" grep -qx lo <(complete_zsh tapdump -i '')
	check "zsh: options" grep -qx -- --list-sessions <(complete_zsh tapdump -)
	is "zsh: a value" "$(complete_zsh tapdump --clock=t | xargs)" "host tsc"
	is "zsh: as many as in bash" "$(complete_zsh tapdump - | sort -u | wc -l)" \
		"$(wc -l <"$work/options")"
else
	skip "zsh" "there is no zsh here"
fi

finish
