# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# bash completion for tapdump: options from its --help, so that they are always
# those of the program; interfaces from -D, link types from -L.

_tapdump()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local words='' i iface='' tool=${COMP_WORDS[0]}

	[[ $prev == '=' ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
	[[ $cur == '=' ]] && cur=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -i ]] || iface=${COMP_WORDS[i + 1]}
	done
	case $prev in
	-i | --interface)
		words=$("$tool" -D 2>/dev/null |
			sed -n 's/^[0-9]*\.\([^ ]*\).*/\1/p') ;;
	-Q | --direction) words='in out inout' ;;
	-y | --linktype)
		words="LINUX_SLL LINUX_SLL2 $("$tool" ${iface:+-i "$iface"} -L \
			2>/dev/null | awk '/^  / { print $1 }')" ;;
	-j | --time-stamp-type)
		words=$("$tool" ${iface:+-i "$iface"} -J 2>/dev/null |
			awk '/^  / { print $1 }') ;;
	--time-stamp-precision) words='micro nano' ;;
	--clock) words='host tsc' ;;
	--meta) words='none light all flags drops id queue hash host stats' ;;
	--stats) words='json json= prometheus= none' ;;
	--on-full) words='stop wait ring' ;;
	--compress) words='zstd lz4 gzip' ;;
	--autostop) words='duration: filesize: files: packets:' ;;
	--ring-buffer)
		words='filesize: duration: interval: packets: files: total: disk:' ;;
	-Z | --relinquish-privileges) words=$(compgen -u) ;;
	-w | -r | -F | -V | --verify)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	-z)
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		return ;;
	*)
		[[ $cur == -* ]] || return
		words=$("$tool" --help 2>/dev/null |
			grep -oE -- '[ ,](--[a-z][a-z-]+=?|-[A-Za-z] )' |
			tr -d ' ,' | sort -u) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace
}

complete -o default -F _tapdump tapdump
