#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# um-kernel.sh KIND [--modules OUT] - make a User-Mode Linux kernel and modules.
#
# KIND is a folder of tests with an um.config: "bench", built for speed, or
# "sanitize", with everything that finds a mistake. Without an option: prints
# the folder of the kernel, after building it when the cache has none:
#   src/     the source tree, built; what modules are compiled against
#   linux    the kernel, a program of this machine
#   release  its release, as uname -r says it
# With --modules: also builds ptap.ko, the modules in KIND's folder and, for
# "sanitize", tests/recordtest against it, from copies, and puts them in OUT.
#
# The source is Debian's package of it (kernel-source.sh). The folder is named by
# a hash over what shapes it (the package's name, patches, configuration,
# compiler, the functions below). One build at a time (a lock in the cache). The
# first takes ten minutes or more and 3 GiB of disk while it works; one that was
# interrupted goes on.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=kernel-source.sh
. "$PTAP_ROOT/scripts/kernel-source.sh"

# build DIR KIND: fill DIR, where an interrupted build may have left something.
build() {
	local dir=$1 kind=$2

	if [[ ! -e $dir/unpacked ]]; then
		unpack_source "$dir" "$kind"
		touch "$dir/unpacked"
	fi
	configure "$dir/src" um "$PTAP_ROOT/tests/$kind/um.config"
	nice -n 10 make -C "$dir/src" ARCH=um -j"$(nproc)" linux modules
	cp "$dir/src/linux" "$dir/linux"
	# What modules do not need is most of the room.
	rm -rf "$dir"/src/{Documentation,sound,tools/testing,drivers/{gpu,media,staging}}
	make -s -C "$dir/src" ARCH=um kernelrelease >"$dir/release"
}

# recipe_hash KIND
recipe_hash() {
	local dir=$PTAP_ROOT/tests/$1 patch

	{
		echo "$SOURCE_PACKAGE $SOURCE_SUITE"
		gcc -dumpfullversion
		grep -v '^#' "$dir/um.config"
		for patch in "$dir"/*.patch; do
			[[ ! -e $patch ]] || sed -n '/^--- a/,$p' "$patch"
		done
		declare -f fetch_source unpack_source configure build
	} | sha256sum | cut -c1-12
}

# kernel KIND
kernel() {
	local kind=$1 base=$PTAP_CACHE/$1 dir

	dir=$base-$(recipe_hash "$kind")
	if [[ ! -e $dir/release ]]; then
		need_tools "${BUILD_TOOLS[@]}"
		mkdir -p "$PTAP_CACHE"
		exec 9>"$base.lock"
		flock -n 9 || {
			note "waiting for another run that builds the kernel"
			flock 9
		}
	fi
	if [[ ! -e $dir/release ]]; then
		find "$PTAP_CACHE" -mindepth 1 -maxdepth 1 -type d \
			-name "$kind-*" -mtime +7 \
			-exec rm -rf --one-file-system {} +
		mkdir -p "$dir.tmp"
		run_logged "$base.log" "building the $kind kernel (once, ten minutes or more)" \
			"$0" --build "$dir.tmp" "$kind" || exit 126
		mv "$dir.tmp" "$dir"
	fi
	touch "$dir"
	echo "$dir"
}

# build_module KERNEL SOURCE OUT: SOURCE is a folder with a Kbuild file. From
# a copy: objects for another architecture lie in the checkout. What is set in
# UM_MODULE_FLAGS goes to make.
build_module() {
	local kernel=$1 source=$2 out=$3 copy flags=()

	copy=$out/src/$(basename "$source")
	mkdir -p "$copy"
	(cd "$source" && find . \( -name '*.[ch]' -o -name '*.sh' -o -name Kbuild \) \
		! -name compat-probes.h ! -name '*.mod.c' -print0 |
		xargs -0 cp --parents -p -u -t "$copy")
	read -ra flags <<<"${UM_MODULE_FLAGS:-}"
	make -s -C "$kernel/src" ARCH=um M="$copy" "${flags[@]}" modules
	cp "$copy"/*.ko "$out/"
}

# modules KIND OUT
modules() {
	local kind=$1 out=$2 dir source sources

	dir=$(kernel "$kind")
	mkdir -p "$out"
	out=$(cd "$out" && pwd -P)
	sources=("${PTAP_MODULE:-$PTAP_ROOT/module}" "$PTAP_ROOT/tests/$kind"/*/)
	# After the module, whose source it takes.
	[[ $kind != sanitize ]] || sources+=("$PTAP_ROOT/tests/recordtest")
	for source in "${sources[@]}"; do
		source=${source%/}
		[[ -e $source/Kbuild ]] || continue
		RUN_LOGGED_QUIET=1 run_logged "$out/${source##*/}.log" \
			"building ${source##*/} for the $kind kernel" \
			"$0" --build-module "$dir" "$source" "$out" || exit 126
	done
	echo "$dir"
}

case ${1:---help} in
--build) build "$2" "$3" ;;
--build-module) build_module "${@:2}" ;;
--help | -h) usage "$0" ;;
-*) die 2 "unknown option '$1'; see $0 --help" ;;
*)
	[[ -e $PTAP_ROOT/tests/$1/um.config ]] ||
		die 2 "there is no tests/$1/um.config; see $0 --help"
	case ${2:-} in
	'') kernel "$1" ;;
	--modules) modules "$1" "${3:?--modules needs a folder}" ;;
	*) die 2 "unknown option '$2'; see $0 --help" ;;
	esac
	;;
esac
