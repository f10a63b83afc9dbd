#!/bin/bash
# vm-build.sh KERNEL [DISK] - build the project for one kernel of the test VM.
# vm-build.sh --warnings KERNEL - build its module anew, plain and with W=1.
#
# Copies the checkout's files into build/vm/KERNEL/ptap and runs make there
# inside the kernel's own suite (scripts/vm-image.sh), so that compiler, libc
# and kernel headers are the ones that belong together. The copy keeps its
# objects, and a file is replaced only when its content differs, so a second
# run compiles only what changed. With DISK, writes the result into that file
# as the ext4 image that becomes the guest's /ptap. With --warnings the module
# alone is built, in a folder of its own; the warnings that name its files are
# printed, and any is a failure.
#
# Runs as root. One at a time per kernel (build/vm/KERNEL/lock). What the
# build does to mounts stays in a mount namespace of its own.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=vm-foreign.sh
. "$PTAP_ROOT/scripts/vm-foreign.sh"
# shellcheck source=vm-kcsan.sh
. "$PTAP_ROOT/scripts/vm-kcsan.sh"

# The checkout's files, NUL after each: what git knows and does not ignore,
# without what a compiler made there before .gitignore said so.
list_files() {
	local path

	cd "$PTAP_ROOT"
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -path ./.git -prune -o -path ./build -prune -o \
			! -type d -printf '%P\0'
	fi | while IFS= read -r -d '' path; do
		case $path in
		build/* | *.o | *.ko | *.mod | *.mod.c | *.cmd | *.symvers | \
			*/modules.order) ;;
		*) [[ ! -e $path && ! -L $path ]] || printf '%s\0' "$path" ;;
		esac
	done | sort -z -u
}

# stage DIR: bring DIR/ptap up to date with the checkout. Times are not
# copied: a file that changed is new to make, even when git made it older.
stage() {
	local dir=$1

	mkdir -p "$dir/ptap"
	list_files >"$dir/files.new"
	if [[ -e $dir/files ]]; then
		comm -z -23 "$dir/files" "$dir/files.new" |
			(cd "$dir/ptap" && xargs -0 -r rm -f --)
	fi
	# A file may go while we work; the next run sees that it did.
	rsync --links --perms --checksum --ignore-missing-args --from0 \
		--files-from="$dir/files.new" "$PTAP_ROOT/" "$dir/ptap/"
	mv "$dir/files.new" "$dir/files"
}

# compile IMAGE TREE ARGUMENT...: make, inside the image, with TREE as /ptap.
# Runs in a mount namespace of its own; the image is read-only there, whatever
# the Makefile does.
compile() {
	local root=$1/rootfs tree=$2

	shift 2
	mount --bind "$root" "$root"
	mount -o remount,bind,ro "$root"
	mount --bind "$tree" "$root/ptap"
	mount --bind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmp "$root/tmp"
	exec chroot "$root" /usr/bin/env -i \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 \
		make -j "$(nproc)" "$@"
}

# chroot_make IMAGE TREE ARGUMENT...
chroot_make() {
	unshare --mount --propagation private "$0" --compile "$@"
}

main() {
	local kernel=$1 disk=${2:-} image dir release
	local targets=(all device-tests test-modules)

	need_root "building for the VM"
	need_tools rsync mkfs.ext4 flock unshare chroot
	image=$("$PTAP_ROOT/scripts/vm-image.sh" "$kernel")
	release=$(<"$image/release")
	dir=$PTAP_ROOT/build/vm/$kernel
	mkdir -p "$dir"
	exec 8>"$dir/lock"
	flock 8

	# Objects of another kernel's build are of no use.
	if [[ -e $dir/release && $(<"$dir/release") != "$release" ]]; then
		rm -rf "$dir/ptap" "$dir/files"
	fi
	echo "$release" >"$dir/release"
	stage "$dir"
	if [[ -e $image/src ]]; then
		RUN_LOGGED_QUIET=1 run_logged "$dir/modules.log" \
			"building modules for kernel $release" \
			"$0" --kcsan "$image" "$dir/ptap" || exit 126
		targets=(userspace device-tests)
	fi
	if [[ $(foreign_arch "$image") ]]; then
		RUN_LOGGED_QUIET=1 run_logged "$dir/build.log" \
			"building for kernel $release" \
			"$0" --foreign "$image" "$dir/ptap" || exit 126
	elif [[ ! -e $dir/ptap/Makefile ]]; then
		note "the checkout has no Makefile: nothing is built"
	else
		RUN_LOGGED_QUIET=1 RUN_LOGGED_TAIL=200 \
			run_logged "$dir/build.log" \
			"building for kernel $release" \
			unshare --mount --propagation private \
			"$0" --compile "$image" "$dir/ptap" -C /ptap \
			KDIR="/lib/modules/$release/build" \
			"${targets[@]}" ||
			exit 126
	fi
	[[ ! $disk ]] ||
		"$PTAP_ROOT/scripts/vm-image.sh" --disk "$dir/ptap" "$disk" 1024
}

# Only what names our files: headers of old kernels warn by themselves.
warnings() {
	local kernel=$1 image dir kdir w

	need_root "building for the VM"
	need_tools flock unshare chroot
	image=$("$PTAP_ROOT/scripts/vm-image.sh" "$kernel")
	kdir=/lib/modules/$(<"$image/release")/build
	dir=$PTAP_ROOT/build/vm/$kernel.warnings
	mkdir -p "$dir"
	exec 8>"$dir/lock"
	flock 8
	for w in '' W=1; do
		rm -rf "$dir/ptap"
		mkdir "$dir/ptap"
		(cd "$PTAP_ROOT" && cp -r Kbuild module "$dir/ptap/")
		find "$dir/ptap" \( -name '*.o' -o -name '*.ko' -o \
			-name '.*.cmd' -o -name '*.mod*' -o \
			-name compat-probes.h \) -delete
		chroot_make "$image" "$dir/ptap" -C "$kdir" M=/ptap modules \
			$w >"$dir/log${w:+.w1}" 2>&1 || {
			tail -n 30 "$dir/log${w:+.w1}"
			return 1
		}
	done
	! grep -iE '(/ptap/|^module/).*(warning|error)|modpost.*(warning|error)' \
		"$dir/log" "$dir/log.w1"
}

case ${1:---help} in
--compile) compile "${@:2}" ;;
--foreign) foreign_compile "${@:2}" ;;
--kcsan) kcsan_compile "${@:2}" ;;
--warnings) warnings "$2" ;;
--help | -h) usage "$0" ;;
-*) die 2 "unknown option '$1'; see $0 --help" ;;
*) main "$@" ;;
esac
