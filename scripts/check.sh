#!/bin/bash
# check.sh [GATE]... - every static gate over the tree, or only some of them.
#
# A gate prints PASS, FAIL with what it found, or SKIP when its tool is missing.
# The exit status is 0 if none failed.  Gates:
#
#   kernel     the module compiles with W=1 and sparse, without a warning
#   style      the form of C files: tabs, 80 columns, no trailing blanks, ...
#   cppcheck   user space and module
#   tidy       clang-tidy over user space
#   clang      user space compiles with clang -Wall -Wextra -Werror
#   analyzer   gcc -fanalyzer over user space and module
#   shell      shellcheck over all shell scripts
#   uapi       the interface header compiles alone, in C and C++, 32 and 64 bits,
#              and has no implicit padding
#   versions   kernel differences are known to the compat files only
#   size       no file has grown past one room (600 lines)
#   man        mandoc -Tlint over the man pages
#   abi        libptap's binary interface is the recorded one, and no function is
#              missing in the record (libabigail; make abi-record records it)
#   cocci      rules of our own for the module (scripts/cocci)
#   docs       links lead to files, each row of "Works with" to a test, the code
#              compiles, pictures are small, the table in tapdump(8) has all that
#              tcpdump's manual has
#   variants   the patches of the benchmark's modules (tests/bench/variants) fit
#   licence    each source file names its licence
#
# style and licence answer to the names format and spdx as well.
#
# KDIR is the kernel build folder (default: the newest installed headers).

set -u
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$PTAP_ROOT" || exit 1
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Files of the tree that match the patterns, as git sees them.
files() { git ls-files --cached --others --exclude-standard -- "$@"; }

missing() { # TOOL...: is one of them not here?
	local tool

	for tool; do
		command -v "$tool" >/dev/null || {
			echo "no $tool here: scripts/install-deps.sh --check installs it"
			return 0
		}
	done
	return 1
}

# A gate is a function gate_NAME: prints what it found; 0 pass, 1 fail, 77 skip.

gate_kernel() {
	local kdir=${KDIR:-} dir=$work/kernel

	if [[ ! $kdir ]]; then
		kdir=$(printf '%s\n' /lib/modules/*/build | sort -V | tail -n 1)
	fi
	[[ -d $kdir ]] || {
		echo "no kernel headers here: install linux-headers-cloud-amd64, or set KDIR"
		return 77
	}
	missing sparse && return 77
	mkdir -p "$dir"
	cp -r Kbuild module "$dir/"
	make -C "$kdir" M="$dir" clean >/dev/null 2>&1
	make -C "$kdir" M="$dir" W=1 C=2 modules >"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log"
		return 1
	}
	! grep -E "$dir.*(warning|error)" "$dir/log"
}

gate_style() {
	awk '
		function bad(what) { print FILENAME ":" FNR ": " what; found = 1 }
		/[ \t]+$/ { bad("blank at the end of the line") }
		/^ +[^ *]/ && FILENAME ~ /\.[ch]$/ { bad("indented by spaces") }
		/\/\/ / && !/SPDX/ && !/https?:\/\// { bad("comment of the other style") }
		/^(if|for|while|switch)\(/ || /[ \t](if|for|while|switch)\(/ { bad("no space after the keyword") }
		/^typedef/ && FILENAME !~ /atomics\.h$/ { bad("typedef") }
		/\t\{$/ && !/^\t*\{$/ { bad("brace after a tab") }
		/printk|pr_(err|warn|info|debug)/ && FILENAME ~ /module\/(hook|record|ring|iface|wake)\.c$/ { bad("printing in the path of packets") }
		/^static inline/ && FILENAME ~ /\.c$/ && FILENAME !~ /module\/compat/ { bad("inline in a .c file") }
		/TODO|FIXME|XXX|HACK/ { bad("note to self") }
		{
			n = 0
			for (i = 1; i <= length($0); i++)
				n = substr($0, i, 1) == "\t" ? n + 8 - n % 8 : n + 1
			if (n > 80 && !/"[^"]*$|"/) bad("longer than 80 columns")
		}
		END { exit found }
	' $(files '*.c' '*.h')
}

gate_cppcheck() {
	missing cppcheck && return 77
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 \
		--enable=warning,portability --library=posix \
		--suppress=missingInclude --suppress=missingIncludeSystem \
		--suppress=unknownMacro -Imodule/uapi -Imodule -Iuserspace/libptap \
		-DPTAP_VERSION='"x"' \
		$(files 'userspace/*.c') 2>&1
}

gate_tidy() {
	missing clang-tidy && return 77
	# shellcheck disable=SC2046 # file names without blanks
	clang-tidy --quiet --warnings-as-errors='*' \
		--checks='-*,clang-analyzer-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-assignment-in-if-condition,-bugprone-narrowing-conversions,-bugprone-macro-parentheses,-bugprone-branch-clone,-bugprone-implicit-widening-of-multiplication-result,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling,-clang-analyzer-valist.Uninitialized,-bugprone-suspicious-string-compare,-bugprone-suspicious-include,-bugprone-not-null-terminated-result' \
		$(files 'userspace/*.c') -- -std=gnu11 -D_GNU_SOURCE -Imodule/uapi \
		-idirafter module -Iuserspace/libptap -DPTAP_VERSION='"x"' 2>/dev/null
}

gate_clang() {
	local f

	missing clang && return 77
	for f in $(files 'userspace/*.c'); do
		clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
			-Imodule/uapi -idirafter module -Iuserspace/libptap \
			-DPTAP_VERSION='"x"' "$f" || return 1
	done
}

# Of user space without what it says of programs that end with an error: what
# they hold then is given up.  clock.c:76, that both ends of an empty loop are not
# set, is wrong: the loop is never empty.
gate_analyzer() {
	local kdir=${KDIR:-} dir=$work/analyzer f bad=0

	echo 'int x;' | gcc -fanalyzer -x c -c -o /dev/null - 2>/dev/null || {
		echo "this gcc has no -fanalyzer"
		return 77
	}
	for f in $(files 'userspace/*.c'); do
		gcc -fanalyzer -O1 -std=gnu11 -D_GNU_SOURCE -Werror \
			-Wno-analyzer-malloc-leak -Wno-analyzer-file-leak \
			-Wno-analyzer-null-dereference -Imodule/uapi \
			-idirafter module -Iuserspace/libptap \
			-DPTAP_VERSION='"x"' -c -o /dev/null "$f" || bad=1
	done
	if [[ ! $kdir ]]; then
		kdir=$(printf '%s\n' /lib/modules/*/build | sort -V | tail -n 1)
	fi
	[[ -d $kdir ]] || return $bad
	mkdir -p "$dir"
	cp -r Kbuild module "$dir/"
	make -C "$kdir" M="$dir" clean >/dev/null 2>&1
	make -C "$kdir" M="$dir" modules \
		KCFLAGS='-fanalyzer -Wno-analyzer-use-of-uninitialized-value' \
		>"$dir/log" 2>&1 || {
		tail -n 30 "$dir/log"
		return 1
	}
	! grep -E "$dir.*(warning|error)" "$dir/log" && return $bad
}

shell_files() {
	files '*.sh'
	grep -lE '^#!/bin/(ba)?sh|^# shellcheck shell' -- \
		$(files 'scripts/*' '.ci/*' 'tests/*' | grep -v '\.sh$')
}

gate_shell() {
	missing shellcheck && return 77
	# shellcheck disable=SC2046
	shellcheck -x -P SCRIPTDIR -e SC2317,SC2001,SC2034,SC2046,SC2086,SC2016 \
		$(shell_files | sort -u)
}

gate_uapi() {
	local header=module/uapi/linux/ptap.h std

	for std in "gcc -std=c90 -x c" "gcc -std=gnu11 -x c" "g++ -std=c++17 -x c++"; do
		missing "${std%% *}" && return 77
		$std -Wall -Wextra -Werror -Wpadded -fsyntax-only -Imodule/uapi \
			-include linux/ptap.h /dev/null || return 1
	done
	grep -nE '\b(int|long|short|unsigned|size_t|bool)\b' "$header" |
		grep -vE '^[0-9]+:( \*|/\*)' && return 1
	return 0
}

gate_versions() {
	! grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\(|PTAP_HAVE_' \
		$(files 'module/*' | grep -v '^module/compat')
}

gate_size() {
	! wc -l $(files '*.c' '*.h' '*.sh' '*.py' 'scripts/*' | grep -v 'COPYING') |
		awk '$2 != "total" && $1 > 600' | grep .
}

gate_man() {
	missing mandoc && return 77
	mandoc -Tlint -W warning $(files 'userspace/man/*')
}

gate_abi() {
	missing abidiff && return 77
	make -s build/libptap.so.1 || return 1
	comm -23 <(sed -n 's/^\t\(ptap_[a-z_]*\);/\1/p' \
		userspace/libptap/libptap.map | sort) \
		<(sed -n "s/.*<elf-symbol name='\([^']*\)'.*/\1/p" \
			tests/abi/libptap.so.1.abi | sort) |
		sed 's/$/ is not recorded: make abi-record/' | grep . && return 1
	abidiff --no-added-syms --suppressions tests/abi/suppressions \
		tests/abi/libptap.so.1.abi build/libptap.so.1
}

# Options of tcpdump, by its manual if it is here, that tapdump's table lacks.
missing_options() {
	local manual=/usr/share/man/man8/tcpdump.8.gz table option

	[[ -e $manual ]] || return 0
	table=$(sed -n '/^\.Sh COMPATIBILITY/,/^\.El/{s/\\//g;/^\.It/p}' \
		userspace/man/tapdump.8)
	for option in $(zcat "$manual" | sed 's/\\//g' |
		sed -n '/^\.SH OPTIONS/,/^\.SH EXAMPLES/p' |
		grep -oE '^\.BI? "?-(-[a-z][-a-z]+|[A-Za-z#])' | sed 's/^[^-]*//' | sort -u); do
		grep -qE -- "^\.It ([^T]*[ ,])?${option}[ ,]" <<<"$table" ||
			echo "userspace/man/tapdump.8: tcpdump's $option is not in the table"
	done
}

gate_docs() {
	local file link rows bad=0

	for file in $(files '*.md'); do
		while IFS= read -r link; do
			[[ -e $(dirname "$file")/$link ]] || {
				echo "$file: there is no $link"
				bad=1
			}
		done < <(grep -oP '\]\((?!https?:|#)\K[^)#]+' "$file")
	done
	rows=$(sed -n '/^## Works with/,/^## [^W]/p' README.md | grep '^|' | tail -n +3)
	[[ $rows ]] && ! grep -vE '\]\((tests|scripts/check\.sh)' <<<"$rows" || bad=1
	{
		printf '%s\n' '#include <err.h>' '#include <ptap.h>' \
			'void handle(const void *, unsigned int, unsigned long long);' \
			'int f(const char *iface) { int ret; struct ptap_packet pkt;'
		sed -n '/^```c$/,/^```$/{/^```/!p}' userspace/doc/migration.md
		echo 'return ret; }'
	} >"$work/snippet.c"
	"${CC:-cc}" -Wall -Wextra -Wno-declaration-after-statement -Werror \
		-fsyntax-only -Imodule/uapi -Iuserspace/libptap "$work/snippet.c" || bad=1
	! find userspace/doc -name '*.png' -size +150k | grep . || bad=1
	! missing_options | grep . || bad=1
	return $bad
}

gate_variants() {
	local patch bad=0

	for patch in $(files 'tests/bench/variants/*.patch'); do
		git apply --check "$patch" || bad=1
	done
	return $bad
}

gate_licence() {
	! grep -L 'SPDX-License-Identifier' $(files '*.c' '*.h' '*.py' 'Kbuild' 'module/Kbuild') | grep .
}

gate_cocci() {
	local rule found

	missing spatch && return 77
	for rule in scripts/cocci/*.cocci; do
		found+=$(spatch --very-quiet --sp-file "$rule" -I module -I module/uapi \
			--recursive-includes --include-headers module/*.c 2>&1)
	done
	[[ ! $found ]] || { echo "$found"; return 1; }
}

run_gate() {
	local name=$1 out status

	out=$("gate_$name" 2>&1)
	status=$?
	case $status in
	0) echo "PASS $name" ;;
	77) echo "SKIP $name: $out" ;;
	*)
		echo "FAIL $name"
		sed 's/^/     /' <<<"$out"
		failed=1
		;;
	esac
}

gates=(kernel style cppcheck tidy clang analyzer shell uapi versions size man abi cocci docs variants licence)
(($# == 0)) || gates=("$@")
for gate in "${gates[@]}"; do
	case $gate in
	format) gate=style ;;
	spdx) gate=licence ;;
	esac
	declare -F "gate_$gate" >/dev/null ||
		die 2 "no gate '$gate'; there are: ${gates[*]}"
	run_gate "$gate"
done
exit $failed
