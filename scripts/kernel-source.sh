# shellcheck shell=bash
# kernel-source.sh - the source of the kernels that the tests build themselves.
#
# Sourced, after lib.sh, by um-kernel.sh and vm-kcsan.sh. The source is Debian's
# package of it, fetched and verified by apt with the machine's own mirror. It is
# patched by the patches in a folder of tests, and configured by a list of
# options over allnoconfig.

SOURCE_PACKAGE=linux-source-7.3
SOURCE_SUITE=trixie-backports

# Packages beyond the project's own that building a kernel needs.
BUILD_TOOLS=(gcc make flex bison bc xz patch flock apt-get dpkg-deb perl)

# fetch_source DIR: the package's tar file, in DIR. apt gets lists and a source
# of its own, so that the machine's stay as they are.
fetch_source() {
	local dir=$1 uri keys='' f opts

	uri=$(apt_archive Debian)
	if [[ ! $uri ]]; then
		apt-get update -q
		uri=$(apt_archive Debian)
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

# unpack_source DIR KIND: DIR/src, patched.
unpack_source() {
	local dir=$1 kind=$2 patch

	rm -rf "${dir:?}/src"
	fetch_source "$dir"
	mkdir "$dir/src"
	echo "unpacking the source"
	tar -x -f "$dir/source.tar.xz" -C "$dir/src" --strip-components=1
	rm "$dir/source.tar.xz"
	for patch in "$PTAP_ROOT/tests/$kind"/*.patch; do
		[[ ! -e $patch ]] || patch -d "$dir/src" -p1 <"$patch"
	done
}

# configure TREE ARCH CONFIG: these options over nothing; every line must have
# held.
configure() {
	local tree=$1 arch=$2 config=$3 line status=0

	make -C "$tree" ARCH="$arch" KCONFIG_ALLCONFIG="$config" allnoconfig
	while read -r line; do
		[[ $line == CONFIG_* ]] || continue
		grep -qxF "$line" "$tree/.config" || {
			echo "the kernel's configuration lost $line"
			status=1
		}
	done <"$config"
	return "$status"
}
