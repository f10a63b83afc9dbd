#!/bin/bash
# install-deps.sh [--check | --deb | --bench | --many | --arch | --kernel] - install
# what ptap is built with.
#
# For Debian 12 and later. Without an option: the compiler, the libraries and
# the tools of the test VM. With --check: the tools of "make check" as well; with
# --deb: those that make Debian packages; with --bench: those of "make bench"; with
# --many: those of "make test-many"; with --arch: those of "make test-arch"; with
# --kernel: what a kernel is built with.
# Installs only what is missing, with apt-get, and does nothing when all is there.
# Needs root to install, not to look.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

BUILD=(
	gcc make pkg-config libc6-dev libpcap-dev libseccomp-dev libzstd-dev
	liblz4-dev zlib1g-dev libcmocka-dev
)
VM=(
	qemu-system-x86 mmdebstrap debian-archive-keyring busybox-static cpio
	e2fsprogs rsync xz-utils zstd kmod util-linux git python3 tcpdump
)
DEB=(debhelper dh-dkms dpkg-dev fakeroot lintian openssl)
CHECK=(sparse cppcheck shellcheck clang libclang-rt-dev clang-format clang-tidy g++ mandoc abigail-tools linux-headers-cloud-amd64
	spin coccinelle)
MANY=(tshark curl python3)
ARCH=(qemu-system-arm qemu-system-misc gcc-aarch64-linux-gnu gcc-s390x-linux-gnu)
KERNEL=(flex bison bc patch libelf-dev)
BENCH=(linux-perf nftables iproute2 libnetfilter-queue-dev wireshark-common netsniff-ng)

# list_missing PACKAGE...: those that are not installed, one a line.
list_missing() {
	local package

	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -qx installed || echo "$package"
	done
}

# Can apt find all of them, and fetch what it finds? Lists that are absent or
# old cannot.
install_packages() {
	local options=(-y -q --no-install-recommends)

	export DEBIAN_FRONTEND=noninteractive
	if apt-get install "${options[@]}" "$@" </dev/null; then
		return
	fi
	note "that did not work with the package lists at hand; fetching new ones"
	apt-get update -q && apt-get install "${options[@]}" "$@" </dev/null
}

wanted=("${BUILD[@]}" "${VM[@]}")
case ${1:-} in
'') ;;
--check) wanted+=("${CHECK[@]}") ;;
--deb) wanted+=("${DEB[@]}") ;;
--bench) wanted+=("${KERNEL[@]}" "${BENCH[@]}") ;;
--many) wanted+=("${MANY[@]}") ;;
--arch) wanted+=("${ARCH[@]}") ;;
--kernel) wanted+=("${KERNEL[@]}") ;;
--help | -h)
	usage "$0"
	exit 0
	;;
*) die 2 "unknown option '$1'; see $0 --help" ;;
esac

command -v dpkg-query >/dev/null ||
	die 1 "this is no Debian system; install the counterparts of: ${wanted[*]}"
mapfile -t missing < <(list_missing "${wanted[@]}")
if ((${#missing[@]} == 0)); then
	note "everything is installed"
	exit 0
fi
((EUID == 0)) ||
	die 1 "installing needs root; run: sudo apt-get install --no-install-recommends ${missing[*]}"
note "installing ${missing[*]}"
install_packages "${missing[@]}" ||
	die 1 "apt-get could not install ${missing[*]}; see its message above"
