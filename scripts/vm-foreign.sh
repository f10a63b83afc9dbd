# shellcheck shell=bash
# vm-foreign.sh - the test VM for another architecture than this machine's.
#
# Sourced by vm-image.sh, vm-build.sh and vm.sh. Nothing of the other architecture
# can run here, so its system is not installed, only unpacked: no package has
# been configured in it, and it has the programs that a smoke needs. Module and
# programs are built by Debian's cross compilers, against the headers and
# libraries in it, with the kernel's own build tools of this architecture.
#
# An image of it is laid out like any other (vm-image.sh) and has a file "arch".

# What the project's build links with, and what a guest runs.
FOREIGN_PACKAGES=(
	libc6-dev liblz4-dev libpcap-dev libseccomp-dev libzstd-dev zlib1g-dev
	bash busybox-static coreutils findutils grep hostname iproute2
	iputils-ping kmod mawk mount procps python3 sed tar tcpdump util-linux
)

# foreign_arch IMAGE: the architecture of an image, nothing if it is ours.
foreign_arch() {
	cat "$1/arch" 2>/dev/null || :
}

# foreign_gnu ARCH: as the compilers call it
foreign_gnu() {
	case $1 in
	arm64) echo aarch64-linux-gnu ;;
	s390x) echo s390x-linux-gnu ;;
	*) die 2 "no cross compiler is known for '$1'" ;;
	esac
}

# A word that changes with what shapes such an image.
foreign_recipe() {
	{
		declare -p FOREIGN_PACKAGES
		declare -f foreign_build foreign_headers foreign_customize
	} | sha256sum | cut -c1-8
}

# foreign_extract DIR ARCH PACKAGES SOURCE... [OPTION]...
foreign_extract() {
	local dir=$1 arch=$2 packages=$3

	shift 3
	unshare --mount --propagation private \
		mmdebstrap --mode=root --variant=extract --architectures="$arch" \
		--aptopt='Acquire::Languages "none"' --include="$packages" "$@"
}

# foreign_headers ROOT: a hook of mmdebstrap's, with its apt. The headers alone:
# they depend on a compiler that could not run.
foreign_headers() {
	local root=$1 dir release common

	export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG
	dir=$(mktemp -d)
	cd "$dir" || return
	release=$(ls "$root/lib/modules")
	apt-get -q download "linux-headers-$release"
	dpkg-deb -x ./linux-headers-*.deb "$root"
	common=$(sed -n 's|^include /usr/src/\(.*\)/Makefile|\1|p' \
		"$root/usr/src/linux-headers-$release/Makefile")
	apt-get -q download "$common"
	dpkg-deb -x ./"$common"*.deb "$root"
	# Wherever the tree is.
	cat >"$root/usr/src/linux-headers-$release/Makefile" <<-EOF
		here := \$(dir \$(realpath \$(lastword \$(MAKEFILE_LIST))))
		include \$(here)../$common/Makefile
	EOF
	rm -rf "$dir"
}

# What the packages' scripts would have done, as far as it is missed.
foreign_customize() {
	local root=$1 release=$2

	depmod -b "$root" "$release"
	ln -sf mawk "$root/usr/bin/awk"
	[[ -e $root/bin/sh ]] || ln -s bash "$root/bin/sh"
	printf '%s\n' root:x:0:0:root:/root:/bin/bash \
		tcpdump:x:100:100::/:/bin/false \
		nobody:x:65534:65534:nobody:/:/bin/false >"$root/etc/passwd"
	printf '%s\n' root:x:0: tcpdump:x:100: nogroup:x:65534: >"$root/etc/group"
	mkdir -p "$root/root" "$root/var"
	[[ -e $root/var/run ]] || ln -s /run "$root/var/run"
	rm -rf "$root"/usr/share/{doc,man,locale,info}
	customize "$root"
}

# foreign_build KERNEL DIR SUITE POCKET IMAGE HEADERS ARCH RECIPE: fill DIR.
foreign_build() {
	local kernel=$1 dir=$2 suite=$3 pocket=$4 image=$5 arch=$7 sources
	local root=$2/rootfs release kbuild

	sources=$(apt_sources "$suite" "$pocket")
	mapfile -t sources <<<"$sources"
	foreign_extract "$root" "$arch" \
		"$(IFS=,; echo "${FOREIGN_PACKAGES[*]}"),$image" \
		--extract-hook="$PTAP_ROOT/scripts/vm-image.sh --foreign-headers \"\$1\"" \
		"$suite" "$root" "${sources[@]}"
	release=$(ls "$root/lib/modules")
	[[ $release == "${kernel%%-*}".* ]] || {
		echo "suite $suite has kernel $release by now, not $kernel"
		return 1
	}
	kbuild=$(basename "$(dirname "$(readlink \
		"$root/usr/src/linux-headers-$release/scripts")")")
	foreign_extract "$dir/kbuild" "$(dpkg --print-architecture)" \
		"$kbuild" "$suite" "$dir/kbuild" "${sources[@]}"
	mv "$dir/kbuild/usr/lib/$kbuild" "$root/usr/lib/"
	rm -rf "$dir/kbuild"
	foreign_customize "$root" "$release"
	cp "$root/boot/vmlinuz-$release" "$dir/kernel"
	# Only modprobe is run in there.
	chroot() {
		"$2" -d "$1" "${@:3}" | sed "s|$1||"
	}
	make_initramfs "$root" "$release" "$dir/initramfs.img"
	make_disk "$root" "$dir/root.img" 1024
	echo "$arch" >"$dir/arch"
	echo "$release" >"$dir/release"
}

# foreign_compile IMAGE TREE: make, with cross compilers
foreign_compile() {
	local image=$1 tree=$2 gnu

	gnu=$(foreign_gnu "$(foreign_arch "$image")")
	make -C "$tree" -j "$(nproc)" CROSS_COMPILE="$gnu-" \
		KDIR="$image/rootfs/usr/src/linux-headers-$(<"$image/release")" \
		modules &&
		make -C "$tree" -j "$(nproc)" AR="$gnu-ar" \
			CC="$gnu-gcc --sysroot=$image/rootfs" \
			userspace device-tests
}

# foreign_machine ARCH IMAGE CONSOLE KERNEL_ARGS: sets qemu and bus
foreign_machine() {
	local console

	case $1 in
	arm64)
		qemu=(qemu-system-aarch64 -machine virt -cpu cortex-a57)
		console=ttyAMA0
		;;
	s390x)
		qemu=(qemu-system-s390x -machine s390-ccw-virtio -cpu max)
		console=ttysclp0 bus=ccw
		;;
	esac
	qemu+=(-nodefaults -no-user-config -no-reboot -display none
		-accel 'tcg,thread=multi,tb-size=256'
		-kernel "$2/kernel" -initrd "$2/initramfs.img"
		-chardev "file,id=console,path=$3"
		-append "console=$console panic=-1 oops=panic $4")
	case $1 in
	s390x) qemu+=(-device 'sclpconsole,chardev=console') ;;
	*) qemu+=(-serial chardev:console) ;;
	esac
}
