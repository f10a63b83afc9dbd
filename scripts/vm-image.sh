#!/bin/bash
# vm-image.sh [--list | KERNEL] - make the test VM's system for one kernel.
#
# Prints the folder that holds it, after building it when the cache has none:
#   rootfs/         the suite's system: kernel, headers, compiler, test tools
#   root.img        the same as an ext4 image, the VM's root disk
#   kernel          what QEMU boots
#   initramfs.img   busybox and the few modules that the root disk needs
#   release         the kernel's release, as uname -r says it
#
# The folder is named by a hash over everything that shapes it (the row of the
# table, the package list, the functions below that build it), so that a change
# here makes a new one. To get newer packages, remove the folder. The mirror
# comes from this machine's apt configuration and is written down nowhere.
# One build at a time per kernel (a lock in the cache); folders that nobody
# used for a week go when a new one is made.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=vm-foreign.sh
. "$PTAP_ROOT/scripts/vm-foreign.sh"
# shellcheck source=vm-kcsan.sh
. "$PTAP_ROOT/scripts/vm-kcsan.sh"

# One row a kernel: name (its version, then "-" and a flavour), suite, pocket
# that has the kernel ("-": the suite itself), image package, headers package,
# and the architecture if it is not this machine's (vm-foreign.sh). Without a
# headers package the kernel is built here (vm-kcsan.sh).
# The packages of moving suites move on; the build says when a row is behind.
# bullseye moves no more, and its mirrors have lost the cloud meta packages.
KERNELS='
5.10      bullseye  -                 linux-image-5.10.0-46-cloud-amd64  linux-headers-5.10.0-46-cloud-amd64
6.1       bookworm  -                 linux-image-cloud-amd64            linux-headers-cloud-amd64
6.1-full  bookworm  -                 linux-image-amd64                  linux-headers-amd64
6.1-rt    bookworm  -                 linux-image-rt-amd64               linux-headers-rt-amd64
6.12      trixie    -                 linux-image-cloud-amd64            linux-headers-cloud-amd64
6.12-rt   trixie    -                 linux-image-rt-amd64               linux-headers-rt-amd64
7.2       sid       -                 linux-image-cloud-amd64            linux-headers-cloud-amd64
7.3       trixie    trixie-backports  linux-image-cloud-amd64            linux-headers-cloud-amd64
7.3-rt    trixie    trixie-backports  linux-image-rt-amd64               linux-headers-rt-amd64
7.3-kcsan trixie    trixie-backports  linux-source-7.3                   -
6.1-arm64 bookworm  -                 linux-image-cloud-arm64            linux-headers-cloud-arm64  arm64
6.1-s390x bookworm  -                 linux-image-s390x                  linux-headers-s390x        s390x
'

# What the project's build needs, then what the tests use in the guest.
PACKAGES=(
	gcc libc6-dev libcmocka-dev liblz4-dev libpcap-dev libseccomp-dev
	libzstd-dev make pkg-config zlib1g-dev
	bind9-dnsutils bpftrace busybox-static curl dkms dmsetup e2fsprogs
	ethtool iperf3 iproute2 iputils-ping kmod lz4 mount openssh-client
	openssh-server procps python3 quota strace systemd tcpdump tcpreplay
	tshark udev util-linux zsh zstd
)

# The kernel's package insists on a maker of initramfs. This is the one that
# does without its hook, which EXCLUDES leaves out.
PACKAGES+=(initramfs-tools)

# Never unpacked: what nobody reads in a VM, and the hooks that would make an
# initramfs with every kernel.
EXCLUDES=(
	'/etc/kernel/postinst.d/*'
	'/usr/share/doc/*' '/usr/share/info/*' '/usr/share/lintian/*'
	'/usr/share/locale/*' '/usr/share/man/*'
)

# Modules between the kernel and its root disk and ports, as far as they are
# not built in; their own dependencies are found by modprobe. From 6.16 on
# there is no crc32c_generic, and ext4 needs none.
BOOT_MODULES=(virtio_pci virtio_blk virtio_console crc32c_generic ext4)

# kernel_row KERNEL: the fields of the table after the name.
kernel_row() {
	local name rest

	while read -r name rest; do
		if [[ $name && $name == "$1" ]]; then
			echo "$rest"
			return
		fi
	done <<<"$KERNELS"
	die 2 "no kernel '$1' in the table; known are:" \
		"$(awk 'NF { printf "%s%s", sep, $1; sep = ", " }' <<<"$KERNELS")"
}

# apt_sources SUITE POCKET: the guest's sources.list, one-line style.
apt_sources() {
	local suite=$1 pocket=$2 main security keys='' f

	main=$(apt_archive Debian)
	if [[ ! $main ]]; then
		apt-get update -q >&2
		main=$(apt_archive Debian)
	fi
	security=$(apt_archive Debian-Security)
	[[ $main ]] ||
		die 126 "apt on this machine has no Debian archive; add one to its sources and run apt-get update"
	f=/usr/share/keyrings/debian-archive-keyring.gpg
	[[ ! -e $f ]] || keys="[signed-by=$f] "
	echo "deb $keys$main $suite main"
	[[ $pocket == - ]] || echo "deb $keys$main $pocket main"
	[[ $suite == sid ]] || [[ ! $security ]] ||
		echo "deb $keys$security $suite-security main"
}

# bootstrap DIR SUITE POCKET IMAGE HEADERS
bootstrap() {
	local dir=$1 suite=$2 pocket=$3 at='' path aptconf sources args=()

	shift 3
	[[ $pocket == - ]] || at=/$pocket
	for path in "${EXCLUDES[@]}"; do
		args+=("--dpkgopt=path-exclude=$path")
	done
	# Proxies and the like of this machine hold for the guest's apt too.
	aptconf=$dir.apt.conf
	apt-config dump |
		grep -E '^Acquire::(https?::|Check-|Retries)' >"$aptconf" || :
	sources=$(apt_sources "$suite" "$pocket")
	mapfile -t sources <<<"$sources"
	# Its mounts, /dev/shm among them, stay in a namespace of their own, so
	# that nothing outside meets them, however the job ends.
	unshare --mount --propagation private \
		mmdebstrap --mode=root --variant=apt --verbose \
		--aptopt="$aptconf" --aptopt='Acquire::Languages "none"' "${args[@]}" \
		--include="$(IFS=,; echo "${PACKAGES[*]}"),$1$at,$2$at" \
		"$suite" "$dir" "${sources[@]}"
	rm -f "$aptconf"
}

# Small things that a system without an init of its own wants.
customize() {
	local root=$1

	rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap" "$root"/initrd.img*
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
	mkdir -p "$root"/{ptap,in,out}
	echo ptap >"$root/etc/hostname"
	printf '%s\n' '127.0.0.1 localhost ptap' '::1 localhost' >"$root/etc/hosts"
	: >"$root/etc/resolv.conf"
	ln -sf /proc/self/mounts "$root/etc/mtab"
}

# make_initramfs ROOT RELEASE OUTPUT
make_initramfs() {
	local root=$1 release=$2 output=$3 tree module path

	tree=$(mktemp -d)
	mkdir -p "$tree"/{bin,dev,proc,sys,root,modules}
	cp "$root/bin/busybox" "$tree/bin/busybox"
	cp "$PTAP_ROOT/scripts/vm-initramfs" "$tree/init"
	chmod 755 "$tree/init"
	for module in "${BOOT_MODULES[@]}"; do
		chroot "$root" modprobe -S "$release" --show-depends "$module" ||
			[[ $module == crc32c_generic ]]
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			module=${path##*/}
			case $path in
			*.xz) xz -dc "$root$path" ;;
			*.zst) zstd -qdc "$root$path" ;;
			*) cat "$root$path" ;;
			esac >"$tree/modules/${module%%.ko*}.ko"
			echo "${module%%.ko*}" >>"$tree/modules/order"
		done
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$output"
	rm -rf "$tree"
}

# make_disk TREE FILE FREE_MIB: an ext4 image of a folder. Blocks that are
# never written take no room, so the free space costs nothing.
make_disk() {
	local tree=$1 file=$2 free=$3 kib inodes

	kib=$(du -sk "$tree" | cut -f1)
	inodes=$(($(find "$tree" | wc -l) + 65536))
	rm -f "$file"
	mkfs.ext4 -q -F -b 4096 -m 0 -N "$inodes" -O ^has_journal \
		-E lazy_itable_init=0,root_owner=0:0 -d "$tree" "$file" \
		"$((kib + kib / 8 + inodes / 4 + free * 1024))k" >/dev/null
}

# build KERNEL DIR ROW...: fill DIR.
build() {
	local kernel=$1 dir=$2 release images

	shift 2
	bootstrap "$dir/rootfs" "$@"
	customize "$dir/rootfs"
	images=("$dir"/rootfs/boot/vmlinuz-*)
	((${#images[@]} == 1)) || {
		echo "expected one kernel in the image, found: ${images[*]}"
		return 1
	}
	release=${images[0]##*/vmlinuz-}
	[[ $release == "${kernel%%-*}".* ]] || {
		echo "suite $1 has kernel $release by now, not $kernel; change the table in vm-image.sh"
		return 1
	}
	cp "${images[0]}" "$dir/kernel"
	make_initramfs "$dir/rootfs" "$release" "$dir/initramfs.img"
	make_disk "$dir/rootfs" "$dir/root.img" 4096
	echo "$release" >"$dir/release"
}

# Everything that shapes the result, and nothing that does not (comments).
recipe_hash() {
	{
		echo "$@"
		declare -p PACKAGES EXCLUDES BOOT_MODULES
		declare -f bootstrap customize make_initramfs make_disk build
		grep -v '^#' "$PTAP_ROOT/scripts/vm-initramfs"
	} | sha256sum | cut -c1-12
}

image() {
	local kernel=$1 row dir tmp log build=--build

	row=$(kernel_row "$kernel")
	if [[ $(wc -w <<<"$row") == 5 ]]; then
		build=--build-foreign
		row="$row $(foreign_recipe)"
	elif [[ $row == *- ]]; then
		build=--build-kcsan
		row="$row $(kcsan_recipe)"
	fi
	# shellcheck disable=SC2086 # the row is a list of words
	dir=$PTAP_CACHE/vm/$kernel-$(recipe_hash $row)
	if [[ ! -e $dir/release ]]; then
		need_root "making the VM's system"
		need_tools apt-get mmdebstrap cpio mkfs.ext4 chroot unshare xz zstd flock
		mkdir -p "$PTAP_CACHE/vm"
		chmod 700 "$PTAP_CACHE/vm"
		exec 9>"$PTAP_CACHE/vm/$kernel.lock"
		flock -n 9 || {
			note "waiting for another run that makes the same image"
			flock 9
		}
	fi
	if [[ ! -e $dir/release ]]; then
		find "$PTAP_CACHE/vm" -mindepth 1 -maxdepth 1 -name "$kernel-*" \
			-mtime +7 -exec rm -rf --one-file-system {} +
		tmp=$dir.tmp
		log=$PTAP_CACHE/vm/$kernel.log
		rm -rf --one-file-system "$tmp"
		mkdir "$tmp"
		# A job of its own: errors inside must end it, which "build ||"
		# in this shell would prevent.
		# shellcheck disable=SC2086
		run_logged "$log" "building the VM's system for kernel $kernel (once)" \
			"$0" $build "$kernel" "$tmp" $row || {
			rm -rf --one-file-system "$tmp"
			exit 126
		}
		mv "$tmp" "$dir"
	fi
	touch "$dir"
	echo "$dir"
}

case ${1:---help} in
--list) awk 'NF { print $1 }' <<<"$KERNELS" ;;
--build) build "${@:2}" ;;
--build-foreign) foreign_build "${@:2}" ;;
--build-kcsan) kcsan_build "${@:2}" ;;
--foreign-headers) foreign_headers "$2" ;;
--recipe)
	# shellcheck disable=SC2046 # the row is a list of words
	recipe_hash $(kernel_row "$2")
	;;
--disk) make_disk "${@:2}" ;;
--help | -h) usage "$0" ;;
-*) die 2 "unknown option '$1'; see $0 --help" ;;
*) image "$1" ;;
esac
