#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# pcapdiff.sh - what pcapdiff says about captures whose differences are known.
#
# pcapdiff.sh PCAPDIFF: the path of the program; prints TAP. The captures are
# made by pcapdiff_make.py, which explains the words after "make"; they live in
# a directory of their own that is removed at the end. Most tests are one call
# of "check": files A and B are compared, and the exit status and some members
# of the JSON output must be as stated.

here=$(cd "$(dirname "$0")" && pwd)
pcapdiff=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
TZ=UTC
export TZ

nr=0
nr_failed=0

if [ ! -x "$pcapdiff" ]; then
	echo "Bail out! usage: pcapdiff.sh PCAPDIFF"
	exit 1
fi
case $pcapdiff in
/*) ;;
*) pcapdiff=$PWD/$pcapdiff ;;
esac
cd "$dir" && mkdir kept || exit 1

# result STATUS NAME: one line of TAP, with what was printed if it failed
result() {
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - $2"
		return
	fi
	nr_failed=$((nr_failed + 1))
	echo "not ok $nr - $2"
	sed 's/^/# /' out err why 2>/dev/null
}

# make FILE STEP...: a capture; those made before are kept
make() {
	file=$1
	shift
	kept="kept/${*:-base}"
	[ -e "$kept" ] || python3 -IS "$here/pcapdiff_make.py" "$kept" "$@"
	cp "$kept" "./$file"
}

# run STATUS ARGUMENT...: run pcapdiff; true if it exits with STATUS
run() {
	want=$1
	shift
	: >why
	"$pcapdiff" "$@" >out 2>err
	got=$?
	[ $got -eq "$want" ] && return 0
	echo "exit status $got, expected $want: $*" >why
	return 1
}

# members NAME=VALUE...: true if the JSON in "out" has these, one in a line,
# the other counts are 0, and every packet is counted once
members() {
	awk -v members="$*" '
	BEGIN {
		split("same only_in_a only_in_b different_bytes " \
		      "different_length different_caplen out_of_order " \
		      "over_max_skew outside_window_a outside_window_b", count)
		for (i in count)
			want[count[i]] = 0
		n = split(members, member)
		for (i = 1; i <= n; i++) {
			split(member[i], part, "=")
			want[part[1]] = part[2]
		}
	}
	/^ *"[a-z_]*": / {
		gsub(/[ ",]/, "")
		at = index($0, ":")
		key = substr($0, 1, at - 1)
		got[key] = substr($0, at + 1)
		if (key == "packets")
			packets[++sides] = got[key]
	}
	END {
		for (key in want)
			if (got[key] != want[key])
				bad = bad key " is " got[key] ", expected " \
					want[key] "\n"
		pairs = got["same"] + got["different_bytes"] + \
			got["different_length"] + got["different_caplen"]
		if (pairs + got["only_in_a"] + got["outside_window_a"] != \
		    packets[1] || pairs + got["only_in_b"] + \
		    got["outside_window_b"] != packets[2])
			bad = bad "the counts do not add up\n"
		printf "%s", bad
		exit bad != ""
	}' out >>why
}

# check NAME STATUS "OPTIONS" MEMBER...: compare A and B; counts not named are 0
check() {
	name=$1
	status=$2
	options=$3
	shift 3
	# shellcheck disable=SC2086 # options are words
	run "$status" --json $options A B && members "$@"
	result $? "$name"
}

# says PATTERN FILE: true if FILE has a line with it
says() {
	grep -q -- "$1" "$2" && return 0
	echo "no '$1' in $2" >>why
	return 1
}

test_equal() {
	make A
	make B
	check "same files" 0 "" same=100
	run 0 A B && says "^verdict: same$" out &&
		says "^same packets 100 · only in A 0 · only in B 0 ·" out &&
		says "^A: A  100 packets  Ethernet  990.0 ms$" out
	result $? "readable report of same files"
	run 0 -q A B && [ ! -s out ] && [ ! -s err ]
	result $? "-q prints nothing"
	run 0 -v A B && says "^common window: 22:13:20.000000123 to " out
	result $? "-v prints the window"
	make B big
	check "byte order does not matter" 0 "" same=100
	make B ng
	check "pcap and pcapng of the same packets" 0 "" same=100 \
		precision_ns=0
	make A ng big
	check "pcapng of both byte orders" 0 "" same=100
	run 0 - B <A && says "^A: (standard input)" out
	result $? "standard input"
	make A n=0
	make B n=0
	check "both empty" 0 "" same=0 window_ns=null
	make B
	check "one empty, nothing is excused" 1 "" only_in_b=100
}

test_missing() {
	make A
	make B drop=50
	check "missing in B" 1 "" same=99 only_in_a=1
	run 1 A B &&
		says "^only in A: packet 51, 22:13:20.500000123, 110 bytes" out &&
		says "^    0x0000: 0200 0000 0001 0200 0000 0002 0800 0000$" out
	result $? "missing packet is shown"
	make A drop=20-29
	check "missing on both sides" 1 "" same=89 only_in_a=1 only_in_b=10
	run 1 --limit 3 A B && says "^8 more differences not printed" out &&
		[ "$(grep -c '^only in' out)" -eq 3 ]
	result $? "--limit"
	run 1 --limit all A B && [ "$(grep -c '^only in' out)" -eq 11 ]
	result $? "--limit all"
	make A drop=50
	make B drop=51
	check "neighbours missing on both sides" 1 "" same=98 only_in_a=1 \
		only_in_b=1
	run 1 -q A B && [ ! -s out ]
	result $? "-q with differences"
}

test_window() {
	make A drop=0-9
	make B drop=90-99
	check "packets outside the common window" 0 "" same=80 \
		outside_window_a=10 outside_window_b=10
	check "--strict" 1 "--strict" same=80 only_in_a=10 only_in_b=10
	check "--window-slack" 1 "--window-slack 55ms" same=80 only_in_a=5 \
		only_in_b=5 outside_window_a=5 outside_window_b=5
	make B drop=90-99 clock=300000000
	check "common window with a clock offset" 0 "" same=80 \
		outside_window_a=10 outside_window_b=10
	make A drop=50-99
	make B drop=0-49
	check "no common window is a difference" 1 "" same=0 \
		outside_window_a=50 outside_window_b=50 nothing_in_common=true
}

test_order() {
	make A
	make B swap=10,11
	check "two packets swapped: one has to move" 1 "" same=100 out_of_order=1
	check "--ignore-order" 0 "--ignore-order" same=100 out_of_order=1
	check "--order-slack that covers it" 0 "--order-slack 1s" same=100 \
		out_of_order=0 out_of_order_within_slack=1
	check "--order-slack that does not" 1 "--order-slack 1ns" same=100 \
		out_of_order=1 out_of_order_within_slack=0
	run 1 A B && says "1 packet with a time before the packet before, by up to 10.0 ms" out &&
		says "^out of order: A packet .*; 1 place " out
	result $? "out of order is shown"
	make B swap=10,60
	check "one far swap is two moves" 1 "" same=100 out_of_order=2
	make B swap=10,11 swap=30,32 drop=50
	check "reordering and a missing packet" 1 "" same=99 out_of_order=3 \
		only_in_a=1
	make A swap=10,11
	make B swap=10,11
	check "unsorted alike is the same" 0 "" same=100
	check "--sorted A" 1 "--sorted A" same=100
	make A
	check "--sorted A when B is unsorted" 0 "--sorted A --ignore-order" \
		same=100 out_of_order=1
	check "--sorted both" 1 "--sorted both --ignore-order" same=100 \
		out_of_order=1
}

test_duplicates() {
	make A same=20-40
	make B same=20-40
	check "repeated contents" 0 "" same=100
	make B same=20-40 drop=30
	check "one of the repeated is missing" 1 "" same=99 only_in_a=1
	run 1 A B && says "^only in A: packet 31," out &&
		says "^time stamps: B - A median +0 ns, mean +0 ns, max 0 ns" out
	result $? "and it is the right one"
	make A same=0-99 jitter=3000
	make B same=0-99 drop=10 drop=60
	check "all packets alike, two missing" 1 "" same=98 only_in_a=2
	make A dup=5,0.00001 sort
	make B
	check "a duplicate only in A" 1 "" same=100 only_in_a=1
	make A same=20-80 drop=0-24
	make B same=20-80 drop=76-99
	check "repeated contents at the window's ends" 0 "" same=51 \
		outside_window_a=24 outside_window_b=25
	make A n=20000 same=100-19000
	make B n=20000 same=100-19000 drop=15000-15009
	check "19,000 alike" 1 "" same=19990 only_in_a=10
}

test_content() {
	make A
	make B byte=7,33
	check "one byte differs" 1 "" same=99 different_bytes=1
	run 1 A B && says "1 byte differs, first at offset 33$" out &&
		says "^    A 0x0020: " out && says "^    B 0x0020: " out
	result $? "differing bytes are shown"
	check "-s before the differing byte" 0 "-s 33" same=100
	check "-s after the differing byte" 1 "-s 34" same=99 different_bytes=1
	make B bytes=17
	check "a byte differs in every packet" 1 "" different_bytes=100
	# Close neighbours, told apart by what is behind the protocol; the first
	# of A and the second of B are too far apart to be paired by place.
	set -- linktype=276 same=10-11 byte=11,5
	make A "$@" time=11,-9997000
	make B "$@" byte=10,0 byte=11,0 time=10,2500 time=11,-9992000
	check "cooked: the protocol differs" 1 "" same=98 different_bytes=2
	make A
	make B len=7,10
	check "length on the wire differs" 1 "" same=99 different_length=1
	run 1 A B && says "different length: A packet 8, .* 67 bytes; B packet 8, .* 77 bytes (67 captured)" out
	result $? "differing length is shown"
	make B pad=7,4
	check "padding" 1 "" same=99 different_length=1
	make B tag=7
	check "a VLAN tag" 1 "" same=99 different_bytes=1
	make B snap=64
	check "cut by the snapshot length" 1 "" same=5 different_caplen=95
	check "-s with a cut capture" 0 "-s 64" same=100
	make B snap=14
	check "cut to the link header" 1 "" different_caplen=100
	make A snap=0
	make B snap=0
	check "no bytes at all, lengths only" 0 "" same=100
}

test_time() {
	make A
	make B jitter=50000
	check "time stamps vary" 0 "" same=100
	check "--max-skew kept" 0 "--max-skew 50us" same=100
	check "--max-skew exceeded" 1 "--max-skew 0.00004" same=100 \
		over_max_skew=19
	run 1 --max-skew 40us A B && says "^further apart than 40.0 us: 19$" out &&
		says "^different time: A packet " out
	result $? "--max-skew is shown"
	make B clock=-400000000
	check "constant clock offset" 0 "" same=100
	run 0 A B && says "B - A median -400.0 ms, mean -400.0 ms, max 400.0 ms" out
	result $? "clock offset is shown"
	make B clock=3600000000000
	check "clock offset beyond the skew" 1 "" beyond_skew=100 \
		outside_window_a=100 outside_window_b=100
	run 1 A B && says "a larger --skew would pair them" out
	result $? "and the report says what to do"
	check "--skew" 0 "--skew 3600" same=100
	make B micro
	check "microseconds against nanoseconds" 0 "--max-skew 0" same=100 \
		precision_ns=999
	run 0 A B && says "below 1 us are precision" out
	result $? "and the report says so"
	make A micro
	make B micro time=50,1000
	check "microseconds against microseconds" 1 "--max-skew 0" same=100 \
		over_max_skew=1 precision_ns=0
}

test_trouble() {
	make A cut=20
	make B
	check "torn file" 1 "" same=99 outside_window_b=1
	run 1 A B && says "^   torn at record 100: truncated dump file" out
	result $? "torn file is named, with libpcap's words"
	make B cut=20
	check "both torn alike is still a difference" 1 "" same=99
	make A n=0 cut=3
	run 2 A B && says "cannot read A: truncated dump file" err && [ ! -s out ]
	result $? "torn file header"
	: >A
	run 2 A B && says "cannot read A: " err
	result $? "file of no bytes"
	echo "this is not a capture" >A
	run 2 A B && says "cannot read A: unknown file format" err
	result $? "no capture"
	run 2 nowhere B && says "cannot read nowhere: No such file" err
	result $? "no such file"
	make A linktype=101
	make B
	run 2 A B && says "different link types: A is Raw IP, B is Ethernet" err
	result $? "different link types"
	check "--ignore-linktype" 0 "--ignore-linktype" same=100
	make A
	if [ -w /dev/full ]; then
		run 2 -q A B
		"$pcapdiff" A B >/dev/full 2>err
		[ $? -eq 2 ] && says "cannot write the result" err
		result $? "output cannot be written"
	fi
}

test_filter() {
	make A drop=3
	make B
	check "--filter leaves out the difference" 0 \
		"--filter ether[17]>9" same=90
	check "--filter keeps it" 1 "--filter ether[17]<9" same=8 only_in_b=1
	run 1 --filter 'ether[17]<9' A B &&
		says "^only in B: packet 4," out
	result $? "packet numbers are the file's"
	run 2 --filter 'no such filter' A B && says "filter 'no such filter' on A: " err
	result $? "bad filter"
}

test_usage() {
	make A
	make B
	for words in "" "A" "A B C" "--nonsense A B" "-x A B" "--skew A B" \
		"--skew fast A B" "--skew -1 A B" "--max-skew nan A B" \
		"--max-skew 2 --skew 1 A B" "--sorted C A B" "--limit -1 A B" \
		"--limit 1x A B" "-s 0 A B" "-s 99999999999 A B" "- -"; do
		# shellcheck disable=SC2086 # words are words
		run 2 $words && says "^Usage: pcapdiff " err && [ ! -s out ]
		result $? "usage error: pcapdiff $words"
	done
	run 0 --help && says "^Usage: pcapdiff " out && [ ! -s err ]
	result $? "--help"
	run 0 --version && says "^pcapdiff .*" out && says libpcap out
	result $? "--version"
}

test_json() {
	name=$(printf 'q"uote\\\001\377é')
	make "$name" drop=3 drop=8
	make B swap=10,11 byte=20,30 len=25,1
	run 1 --json "$name" B && python3 -m json.tool out >pretty 2>why
	result $? "JSON is valid, whatever the file name"
	members same=96 only_in_b=2 out_of_order=1 different_bytes=1 \
		different_length=1
	result $? "JSON counts"
	python3 -c 'import json
d = json.load(open("out"))["differences"]
assert [x["kind"] for x in d] == ["only_in_b", "only_in_b", "out_of_order",
    "different_bytes", "different_length"], d
assert d[0]["a"] is None and d[0]["b"]["packet"] == 4, d[0]
assert d[3]["offset"] == 30 and d[3]["bytes"] == 1, d[3]' 2>why
	result $? "JSON lists the differences"
	run 1 --json --limit 0 "$name" B && members same=96 only_in_b=2 \
		out_of_order=1 different_bytes=1 different_length=1 \
		'differences=[]'
	result $? "JSON with --limit 0"
}

test_equal
test_missing
test_window
test_order
test_duplicates
test_content
test_time
test_trouble
test_filter
test_usage
test_json
echo "1..$nr"
[ $nr_failed -eq 0 ]
