# shellcheck shell=bash
# vm-kcsan.sh - the test VM with a kernel of the project's own that tells of data
# races.
#
# Sourced by vm-image.sh and vm-build.sh, after lib.sh. The kernel is built on this
# machine from Debian's source (kernel-source.sh) with tests/kcsan/x86.config; the
# system is that of kernel KCSAN_SYSTEM. An image of it is laid out like any other
# (vm-image.sh) and has a folder "src", the built source, what modules are compiled
# against: on this machine, by the kernel's compiler.

# shellcheck source=kernel-source.sh
. "$PTAP_ROOT/scripts/kernel-source.sh"

KCSAN_SYSTEM=6.1

# What modules do not need is most of the source's room.
KCSAN_NOT_KEPT=(
	Documentation sound samples tools/testing tools/perf
	drivers/gpu drivers/media drivers/staging drivers/net/{ethernet,wireless}
)

# A word that changes with what shapes such an image.
kcsan_recipe() {
	{
		"$PTAP_ROOT/scripts/vm-image.sh" --recipe "$KCSAN_SYSTEM"
		echo "$SOURCE_PACKAGE $SOURCE_SUITE"
		gcc -dumpfullversion
		grep -v '^#' "$PTAP_ROOT/tests/kcsan/x86.config"
		declare -p KCSAN_NOT_KEPT
		declare -f fetch_source unpack_source configure kcsan_build
	} | sha256sum | cut -c1-8
}

# kcsan_build KERNEL DIR: fill DIR.
kcsan_build() {
	local dir=$2 system release

	need_tools "${BUILD_TOOLS[@]}"
	system=$("$PTAP_ROOT/scripts/vm-image.sh" "$KCSAN_SYSTEM")
	unpack_source "$dir" kcsan
	configure "$dir/src" x86_64 "$PTAP_ROOT/tests/kcsan/x86.config"
	nice -n 10 make -C "$dir/src" ARCH=x86_64 -j"$(nproc)" bzImage modules
	release=$(make -s -C "$dir/src" ARCH=x86_64 kernelrelease)
	# Links take no room, and nothing is written to in either.
	cp -a --link "$system/rootfs" "$dir/rootfs"
	make -s -C "$dir/src" ARCH=x86_64 INSTALL_MOD_PATH="$dir/rootfs" \
		modules_install
	rm -f "$dir/rootfs/lib/modules/$release"/{build,source}
	(cd "$dir/src" && rm -rf "${KCSAN_NOT_KEPT[@]}")
	cp "$dir/src/arch/x86/boot/bzImage" "$dir/kernel"
	make_initramfs "$dir/rootfs" "$release" "$dir/initramfs.img"
	make_disk "$dir/rootfs" "$dir/root.img" 4096
	echo "$release" >"$dir/release"
}

# kcsan_compile IMAGE TREE: the modules in TREE, and what makes races on purpose.
kcsan_compile() {
	local src=$1/src tree=$2

	make -C "$tree" -j "$(nproc)" KDIR="$src" modules test-modules &&
		make -C "$src" -j "$(nproc)" M="$tree/tests/kcsan/canary" modules
}
