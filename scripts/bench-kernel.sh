#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# bench-kernel.sh [--modules OUT] - make the benchmark's kernel and modules.
#
# Without an option: prints the folder of the User-Mode Linux kernel, after
# building it when the cache has none:
#   src/     the source tree, built; what modules are compiled against
#   linux    the kernel, a program of this machine
#   release  its release, as uname -r says it
# With --modules: also builds ptap.ko and the benchmark's nullhook.ko against
# it, from copies, and puts them in OUT.
#
# The source is Debian's package of it, fetched and verified by apt with the
# machine's own mirror. The folder is named by a hash over what shapes it (the
# package's name, patch, configuration, compiler, the functions below). One
# build at a time (a lock in the cache). The first takes some ten minutes and
# 3 GiB of disk while it works.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SOURCE_PACKAGE=linux-source-7.3
SOURCE_SUITE=trixie-backports
BENCH=$PTAP_ROOT/tests/bench
BASE=$PTAP_CACHE/bench

# Packages beyond the project's own that building a kernel needs.
BUILD_TOOLS=(gcc make flex bison bc xz patch flock apt-get dpkg-deb perl)

# apt_archive: where this machine's apt finds Debian's archive.
apt_archive() {
	# shellcheck disable=SC2016 # apt-get's own names
	apt-get indextargets 'Created-By: Packages' \
		--format '$(ORIGIN) $(LABEL) $(REPO_URI)' |
		awk '$1 == "Debian" && $2 == "Debian" && !uri { uri = $3 }
			END { print uri }'
}

# fetch_source DIR: the package's tar file, in DIR. apt gets lists and a source
# of its own, so that the machine's stay as they are.
fetch_source() {
	local dir=$1 uri keys='' f opts

	uri=$(apt_archive)
	if [[ ! $uri ]]; then
		apt-get update -q
		uri=$(apt_archive)
	fi
	[[ $uri ]] || {
		echo "apt on this machine has no Debian archive; add one to its sources and run apt-get update"
		return 1
	}
	f=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ ! -e $f ]] || keys="[signed-by=$f] "
	mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial"
	echo "deb $keys$uri $SOURCE_SUITE main" >"$dir/apt/sources.list"
	opts=(
		-q -o "Dir::State::Lists=$dir/apt/lists"
		-o "Dir::Etc::SourceList=$dir/apt/sources.list"
		-o Dir::Etc::SourceParts=/dev/null -o "Dir::Cache=$dir/apt"
		-o Acquire::Languages=none -o APT::Sandbox::User=root
	)
	apt-get "${opts[@]}" update
	(cd "$dir" && apt-get "${opts[@]}" download "$SOURCE_PACKAGE")
	dpkg-deb --fsys-tarfile "$dir/$SOURCE_PACKAGE"_*.deb |
		tar -x -C "$dir" -f - "./usr/src/$SOURCE_PACKAGE.tar.xz"
	mv "$dir/usr/src/$SOURCE_PACKAGE.tar.xz" "$dir/source.tar.xz"
	rm -rf "${dir:?}"/{apt,usr} "$dir/$SOURCE_PACKAGE"_*.deb
}

# configure TREE: um.config over nothing; every line of it must have held.
configure() {
	local tree=$1 line status=0

	make -C "$tree" ARCH=um KCONFIG_ALLCONFIG="$BENCH/um.config" allnoconfig
	while read -r line; do
		[[ $line == CONFIG_* ]] || continue
		grep -qxF "$line" "$tree/.config" || {
			echo "the kernel's configuration lost $line"
			status=1
		}
	done <"$BENCH/um.config"
	return "$status"
}

# build DIR: fill DIR.
build() {
	local dir=$1

	fetch_source "$dir"
	mkdir "$dir/src"
	echo "unpacking the source"
	tar -x -f "$dir/source.tar.xz" -C "$dir/src" --strip-components=1
	rm "$dir/source.tar.xz"
	patch -d "$dir/src" -p1 <"$BENCH/um-bench.patch"
	configure "$dir/src"
	nice -n 10 make -C "$dir/src" ARCH=um -j"$(nproc)" linux modules
	cp "$dir/src/linux" "$dir/linux"
	# What modules do not need is most of the room.
	rm -rf "$dir"/src/{Documentation,sound,tools/testing,drivers/{gpu,media,staging}}
	make -s -C "$dir/src" ARCH=um kernelrelease >"$dir/release"
}

recipe_hash() {
	{
		echo "$SOURCE_PACKAGE $SOURCE_SUITE"
		gcc -dumpfullversion
		grep -v '^#' "$BENCH/um.config"
		sed -n '/^--- a/,$p' "$BENCH/um-bench.patch"
		declare -f fetch_source configure build
	} | sha256sum | cut -c1-12
}

kernel() {
	local dir

	dir=$BASE-$(recipe_hash)
	if [[ ! -e $dir/release ]]; then
		need_tools "${BUILD_TOOLS[@]}"
		mkdir -p "$PTAP_CACHE"
		exec 9>"$BASE.lock"
		flock -n 9 || {
			note "waiting for another run that builds the kernel"
			flock 9
		}
	fi
	if [[ ! -e $dir/release ]]; then
		find "$PTAP_CACHE" -mindepth 1 -maxdepth 1 -type d \
			-name "${BASE##*/}-*" -mtime +7 \
			-exec rm -rf --one-file-system {} +
		rm -rf --one-file-system "$dir.tmp"
		mkdir "$dir.tmp"
		run_logged "$BASE.log" "building the benchmark's kernel (once, ten minutes)" \
			"$0" --build "$dir.tmp" || exit 126
		mv "$dir.tmp" "$dir"
	fi
	touch "$dir"
	echo "$dir"
}

# build_module KERNEL SOURCE OUT: SOURCE is a folder with a Kbuild file. From
# a copy: objects for another architecture lie in the checkout.
build_module() {
	local kernel=$1 source=$2 out=$3 copy

	copy=$out/src/$(basename "$source")
	mkdir -p "$copy"
	(cd "$source" && find . \( -name '*.[ch]' -o -name '*.sh' -o -name Kbuild \) \
		! -name compat-probes.h ! -name '*.mod.c' -print0 |
		xargs -0 cp --parents -p -u -t "$copy")
	make -s -C "$kernel/src" ARCH=um M="$copy" modules
	cp "$copy"/*.ko "$out/"
}

modules() {
	local out=$1 dir source

	dir=$(kernel)
	mkdir -p "$out"
	out=$(cd "$out" && pwd -P)
	for source in "${PTAP_MODULE:-$PTAP_ROOT/module}" "$BENCH/nullhook"; do
		RUN_LOGGED_QUIET=1 run_logged "$out/${source##*/}.log" \
			"building ${source##*/} for the benchmark's kernel" \
			"$0" --build-module "$dir" "$source" "$out" || exit 126
	done
	echo "$dir"
}

case ${1:---kernel} in
--kernel) kernel ;;
--modules) modules "${2:?--modules needs a folder}" ;;
--build) build "$2" ;;
--build-module) build_module "${@:2}" ;;
--help | -h) usage "$0" ;;
*) die 2 "unknown option '$1'; see $0 --help" ;;
esac
