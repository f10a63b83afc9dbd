#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# verify.sh TAPDUMP - tapdump --verify on capture files that verify_make.py
# makes: whole ones, and ones of which something is missing.

set -u
here=$(cd "$(dirname "$0")" && pwd)
tapdump=$1
nr=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export TZ=UTC LC_ALL=C

make() { python3 "$here/verify_make.py" "$@"; }

# verify NAME STATUS REGEX FILE...: how it ends, and what its output says
verify() {
	local name=$1 want=$2 regex=$3 out status

	out=$("$tapdump" --verify "${@:4}" 2>&1)
	status=$?
	nr=$((nr + 1))
	if [[ $status == "$want" && $out =~ $regex ]]; then
		echo "ok $nr - $name"
	else
		echo "not ok $nr - $name"
		sed 's/^/# /' <<<"status $status, wanted $want $regex
$out"
		failed=$((failed + 1))
	fi
}

make a p p p p end
verify "complete" 0 '^complete: 4 packets in 1 file$' a
verify "from a stream" 0 '^complete: 4 packets' - <a
make b0 p p sum
make b1 base p p p sum
make b2 base p end
verify "a set" 0 '^complete: 6 packets in 3 files$' b0 b1 b2
verify "a set without its first file" 0 \
	'do not begin with the capture: 2 packets.*complete: 4 packets in 2' b1 b2
verify "a set without its last file" 1 \
	'b1: the capture goes on.*incomplete: 5 packets in 2 files, none missing' b0 b1
verify "a set without one in the middle" 1 \
	'b2: 3 packets missing before packet 1 .*incomplete: 3 packets in 2 files, 3 missing: 0 dropped.*, 3 captured' b0 b2
verify "a set in another order" 2 'b0: damaged .*not in order.*damaged' b1 b0
verify "a file twice" 2 'b1: damaged.*damaged' b0 b1 b1
verify "two captures" 0 '^complete: 10 packets in 4 files$' a b0 b1 b2
make a2 --start 5 p p p p end
make a3 --light --start 5 p p p p end
make k p p p
make k3 --light p p p
verify "one that was cut off, and another" 1 \
	'^k: ends without an account[^:]*: .*incomplete: 7 packets in 2 files, none missing' k a2
verify "... without numbers" 1 \
	'^k3: ends without an account[^:]*: .*incomplete: 7 packets in 2 files, none missing' k3 a3
verify "a set that was cut off, and another" 1 \
	'^b1: the capture goes on in another file, or was cut off here.incomplete: 9 packets in 3 files, none missing' b0 b1 a2
verify "... in the midst of a file" 1 \
	'^b0: the capture goes on in another file, or was cut off.*complete: 10 packets in 3 files' b0 a2 a

# Compressed, in frames, as they are and cut off.
frames() { # TOOL SUFFIX: a.SUFFIX and big.SUFFIX, each of two frames
	local f

	for f in a big; do
		{ head -c 300 $f | "$1" -c; tail -c +301 $f | "$1" -c; } >$f.$2
	done
}
make big p=20000 end
for kind in zstd:zst lz4:lz4 gzip:gz; do
	suffix=${kind#*:}
	frames "${kind%:*}" "$suffix"
	verify "$suffix" 0 '^complete: 4 packets in 1 file$' a.$suffix
	verify "$suffix, a large one, from a stream" 0 \
		'^complete: 20000 packets in 1 file$' - <big.$suffix
	head -c -7 big.$suffix >cut.$suffix
	verify "$suffix, cut off" 2 \
		"cut.$suffix: damaged .*the middle of a compressed part" cut.$suffix
	{ cat a.$suffix; echo garbage; } >more.$suffix
	verify "$suffix, garbage behind it" 2 'damaged.*no sound' more.$suffix
	for f in b0 b1 b2; do
		"${kind%:*}" -c <$f >$f.$suffix
	done
	verify "$suffix, a set" 0 '^complete: 6 packets in 3 files$' \
		b0.$suffix b1.$suffix b2.$suffix
done

make c p p drop=30 p p drop=7 p end
verify "drops" 1 \
	'c: 30 packets missing before packet 3 \(2001-09-09 01:46:40.000000002, eth0, CPU 0\): dropped by.*c: 7 packets missing before packet 5.*5 packets in 1 file, 37 missing: 37 dropped' c
make d p p lost=3 p end
verify "captured and not written" 1 \
	'd: 3 packets missing before packet 3 .*CPU 0\): captured.*3 missing: 0 dropped.*, 3 captured' d
make e p p lost=2 end
verify "... behind the last one" 1 \
	'e: 2 packets missing behind the last one.*2 packets in 1 file, 2 missing' e
make f p drop=4 end
verify "drops behind the last one" 1 'f: 4 packets of eth0 missing .*4 missing: 4' f
make g --light p p lost=3 p sum p end
verify "no numbers: by the account" 1 \
	'g: 3 packets of eth0 missing up to packet 3, by its account.*4 packets.*3 missing: 0 dropped.*, 3 captured' g
make h --light p drop=9 p end
verify "no numbers: drops" 1 'h: 9 packets of eth0 missing somewhere.*9 missing: 9 dropped' h
make i --rings 3 p p p p p p p drop=1 p lost=2 p p p end
verify "several CPUs" 1 \
	'i: 1 packet missing before packet 8 .*CPU 1.*i: 1 packet missing before.*i: 1 packet missing before.*3 missing: 1 dropped.*, 2 captured' i
make j p p rest=3 end
verify "-c" 0 'by request; 3 more had come.*complete: 2 packets' j
verify "cut off between records" 1 'k: ends without an account.*incomplete: 3 packets' k
head -c -5 a >m
verify "cut off in a record" 2 'm: damaged at byte [0-9]+, behind 4 packets: it ends in the middle' m
make n p=1 end
bad=0
for ((at = 0; at < $(stat -c %s n); at++)); do
	cp n o
	printf '\377' | dd of=o bs=1 seek=$at conv=notrunc status=none
	"$tapdump" --verify o >out 2>&1
	(($? <= 2)) || bad=$((bad + 1))
done
verify "$bad crashes over bytes that were changed" $((bad ? 9 : 0)) '' n
: >q
verify "an empty file" 2 'q: damaged.*it is empty' q
verify "no such file" 2 'cannot read nonesuch' nonesuch
printf '\xd4\xc3\xb2\xa1%020d' 0 >r
verify "a pcap file" 2 'this is no pcapng file' r
make s --swap p p drop=5 p end
verify "the other byte order" 1 's: 5 packets missing before packet 3.*5 dropped' s
make t p back p end
verify "the clock was set back" 0 't: packet 2 is older.*complete' t
args=()
for i in {1..30}; do args+=(drop=1 p); done
make u "${args[@]}" end
verify "many places" 1 'more places; -v.*30 missing: 30' u
echo "1..$nr"
exit $((failed != 0))
