#!/bin/bash
# vm.sh [OPTION]... -- COMMAND [ARGUMENT]...
# vm.sh [OPTION]... --shell
#
# Run a command as root in a virtual machine with the project at /ptap, built
# for the VM's kernel. The module is not loaded: insmod /ptap/module/ptap.ko.
# The programs of build/ are on the PATH. Standard output, standard error and
# the exit status are the command's own; its standard input is empty. Nothing
# that it writes stays, except what it leaves in /out.
#
#   --kernel VERSION  Debian kernel to boot (default 6.1; --kernel list)
#   --cpus N          processors (default 2)
#   --mem SIZE        memory (default 2G)
#   --timeout SECONDS end the VM after that time (default 900; 0: never)
#   --in DIR          show a copy of this folder as /in
#   --out DIR         where the files of /out arrive, emptied at the start
#                     (default build/vm/out); several VMs at once need one each
#   --nic MODEL       add a network card; may be repeated. All cards hang on one
#                     hub of this VM, without access to anything outside
#   --accel WHICH     kvm, tcg or auto (default: kvm if this kernel boots so)
#   --append ARGS     more arguments for the kernel
#   --shell           an interactive shell on this terminal, no time limit
#   --help            this text
#
# Exit status: the command's, or 2 wrong usage, 124 the time ran out, 125 the
# guest's kernel panicked or warned, 126 the VM could not be built or started.
# The kernel's log is build/vm/console.log, or DIR.console.log with --out DIR.
# The VM's system is made once per kernel, in a minute, and kept in
# $PTAP_CACHE (default ~/.cache/ptap).

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=vm-foreign.sh
. "$PTAP_ROOT/scripts/vm-foreign.sh"

kernel=6.1 cpus=2 mem=2G timeout='' accel=auto append='' mode=command
bus=pci
in='' out=$PTAP_ROOT/build/vm/out log=$PTAP_ROOT/build/vm/console.log
nics=() argv=()

parse_options() {
	while (($#)); do
		case $1 in
		--kernel | --cpus | --mem | --timeout | --in | --out | --nic | \
			--accel | --append)
			(($# > 1)) || die 2 "$1 needs a value; see --help"
			set_option "$1" "$2"
			shift
			;;
		--*=*) set_option "${1%%=*}" "${1#*=}" ;;
		--shell) mode=shell ;;
		--help | -h)
			usage "$0"
			exit 0
			;;
		--)
			argv=("${@:2}")
			break
			;;
		-*) die 2 "unknown option '$1'; see --help" ;;
		*) die 2 "put -- before the command '$1'; see --help" ;;
		esac
		shift
	done
}

set_option() {
	case $1 in
	--kernel) kernel=$2 ;;
	--cpus) cpus=$2 ;;
	--mem) mem=$2 ;;
	--timeout) timeout=$2 ;;
	--in) in=$2 ;;
	--out) out=$(realpath -m -- "$2") log=$out.console.log ;;
	--nic) nics+=("$2") ;;
	--accel) accel=$2 ;;
	--append) append=$2 ;;
	*) die 2 "unknown option '$1'; see --help" ;;
	esac
}

check_options() {
	if [[ $kernel == list ]]; then
		"$PTAP_ROOT/scripts/vm-image.sh" --list
		exit 0
	fi
	if [[ $mode == shell ]]; then
		((${#argv[@]} == 0)) || die 2 "--shell takes no command"
		[[ -t 0 && -t 1 ]] || die 2 "--shell needs a terminal"
		: "${timeout:=0}"
	else
		((${#argv[@]})) || die 2 "no command given; see --help"
		: "${timeout:=900}"
	fi
	[[ $cpus =~ ^[1-9][0-9]*$ ]] || die 2 "--cpus '$cpus' is no number of processors"
	[[ $mem =~ ^[1-9][0-9]*[MG]?$ ]] || die 2 "--mem '$mem' is no size; try 2G"
	[[ $timeout =~ ^[0-9]+$ ]] || die 2 "--timeout '$timeout' is no number of seconds"
	[[ $accel =~ ^(kvm|tcg|auto)$ ]] || die 2 "--accel '$accel' is none of kvm, tcg, auto"
	[[ ! $in || -d $in ]] || die 2 "--in '$in' is no folder"
}

# The machine that every boot has, whatever hangs on it.
# machine ACCEL IMAGE CONSOLE KERNEL_ARGS
machine() {
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot
		-machine q35 -display none -rtc base=utc
		-kernel "$2/kernel" -initrd "$2/initramfs.img"
		-chardev "file,id=console,path=$3" -serial chardev:console
		-append "console=ttyS0 panic=-1 oops=panic $4")
	case $1 in
	kvm) qemu+=(-accel kvm -cpu host) ;;
	tcg) qemu+=(-accel 'tcg,thread=multi,tb-size=256' -cpu 'max,la57=off') ;;
	esac
}

# Does this kernel boot under KVM here? Some machines open /dev/kvm and then
# hang, so try, for 15 s at most, and remember the answer for as long as the
# three that made it (machine's kernel, QEMU, image) stay the same.
probe_accel() {
	local image=$1 run=$2 answer file qemu

	if [[ ! -r /dev/kvm || ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	file=$image/accel-$({
		uname -a
		qemu-system-x86_64 --version
	} | sha256sum | cut -c1-12)
	if [[ -e $file ]]; then
		cat "$file"
		return
	fi
	note "trying KVM for up to 15 s (once)"
	machine kvm "$image" "$run/probe.log" ptap.probe
	timeout --foreground -s KILL 15 "${qemu[@]}" -smp 2 -m 512M \
		</dev/null >/dev/null 2>&1 || :
	answer=tcg
	! grep -q ptap-probe-ok "$run/probe.log" || answer=kvm
	note "KVM $([[ $answer == kvm ]] && echo works || echo 'does not boot this kernel; using TCG')"
	echo "$answer" >"$file.$$"
	mv "$file.$$" "$file"
	echo "$answer"
}

add_disk() {
	qemu+=(-drive "if=none,id=$1,file=$2,format=raw,cache=unsafe,$3"
		-device "virtio-blk-$bus,drive=$1,serial=ptap-$1")
}

# The exchange disk: the job goes in at the start, /out comes back at the end.
make_exchange() {
	local dir=$1 rows=24 columns=80

	if [[ $mode == shell ]]; then
		read -r rows columns < <(stty size)
	fi
	echo "$mode ${#nics[@]} $rows $columns ${TERM:-dumb}" >"$dir/job"
	: >"$dir/argv"
	((${#argv[@]} == 0)) || printf '%s\0' "${argv[@]}" >"$dir/argv"
	tar -cf "$dir/exchange" -C "$dir" job argv
	truncate -s 16G "$dir/exchange"
}

# The folders of runs that were killed before they could tidy up.  Another run may
# be removing the same ones.
remove_stale_runs() {
	local dir pid

	for dir in "$PTAP_ROOT"/build/vm/run.*; do
		pid=${dir##*/run.}
		pid=${pid%.*}
		[[ ! -d $dir || -e /proc/$pid ]] || rm -rf "$dir" || :
	done
}

main() {
	local image run qemu nr=0 model runner arch

	parse_options "$@"
	check_options
	need_tools qemu-system-x86_64 python3 mkfs.ext4 rsync setpriv flock
	image=$("$PTAP_ROOT/scripts/vm-image.sh" "$kernel")

	mkdir -p "$PTAP_ROOT/build/vm" "$(dirname "$log")" "$out"
	find "$out" -mindepth 1 -delete
	remove_stale_runs
	run=$(mktemp -d "$PTAP_ROOT/build/vm/run.$$.XXXXXX")
	# From the exec below on, vm-run.py removes it.
	# shellcheck disable=SC2064 # the name is known now
	trap "rm -rf '$run'" EXIT
	# The newest run's log has the common name; an older run keeps its file.
	: >"$run/console.log"
	ln -f "$run/console.log" "$log" 2>/dev/null ||
		{ rm -f "$log"; ln -s "$run/console.log" "$log"; }

	"$PTAP_ROOT/scripts/vm-build.sh" "$kernel" "$run/project.img"
	[[ ! $in ]] ||
		"$PTAP_ROOT/scripts/vm-image.sh" --disk "$in" "$run/in.img" 256
	make_exchange "$run"
	append="panic_on_warn=1 softlockup_panic=1 $append"
	arch=$(foreign_arch "$image")
	if [[ $arch ]]; then
		foreign_machine "$arch" "$image" "$run/console.log" "$append"
	else
		[[ $accel != auto ]] || accel=$(probe_accel "$image" "$run")
		machine "$accel" "$image" "$run/console.log" "$append"
	fi
	qemu+=(-smp "$cpus" -m "$mem")
	add_disk root "$image/root.img" snapshot=on
	add_disk project "$run/project.img" snapshot=on
	add_disk exchange "$run/exchange" snapshot=off
	[[ ! $in ]] || add_disk in "$run/in.img" snapshot=on
	for model in "${nics[@]}"; do
		nr=$((nr + 1))
		qemu+=(-netdev "hubport,id=net$nr,hubid=0"
			-device "$model,netdev=net$nr,mac=52:54:00:70:74:$(printf %02x "$nr")")
	done
	qemu+=(-device "virtio-serial-$bus")
	[[ $mode != shell ]] ||
		qemu+=(-chardev "stdio,id=terminal,signal=off"
			-device "virtconsole,chardev=terminal")

	runner=("$PTAP_ROOT/scripts/vm-run.py" --run "$run"
		--console "$run/console.log" --log "$log"
		--exchange "$run/exchange" --out "$out" --timeout "$timeout")
	[[ $mode != shell ]] || runner+=(--shell)
	export TMPDIR=$run
	exec python3 "${runner[@]}" -- "${qemu[@]}"
}

main "$@"
