#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# --compress: files that zstd, lz4, gzip and tshark open, with every packet, by
# themselves and in rotation; and whole whatever happens to the capture.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
make_pair
mkdir "$work/d" "$work/plain"

burst() { in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 "$1" 1400; }
capture() {
	rm -f "$work/c.err"
	run_in pt-a tapdump -i va -B 16384 "$@" udp dst port 9999 \
		2>"$work/c.err" </dev/null &
	pid=$!
	wait_for 30 grep -q 'listening on' "$work/c.err"
}
finished() {
	kill -INT $pid
	wait $pid
	status=$?
}
unpack() { # FILE: by the tool of its kind
	case $1 in
	*.zst) zstd -qdc "$1" ;;
	*.lz4) lz4 -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	esac
}
# holds COUNT FILE...: the numbers from 0 on, in order
holds() {
	local f

	rm -f "$work/plain"/*
	for f in "${@:2}"; do
		unpack "$f" >"$work/plain/${f##*/}" || return
	done
	"$here/udp_numbers.py" $(printf '%s\n' "$work/plain"/* | sort) \
		>"$work/numbers" && seq 0 $(($1 - 1)) | cmp - "$work/numbers"
}
frames() { tshark -r "$1" -T fields -e frame.number 2>/dev/null | wc -l; }

for kind in zstd:zst lz4:lz4 gzip:gz; do
	codec=${kind%:*} suffix=${kind#*:}
	capture --compress $codec -w "$work/d/f"
	burst 1500
	check "$codec: an idle capture is in the file" wait_for 30 \
		holds 1500 "$work/d/f.$suffix"
	cp "$work/d/f.$suffix" "$work/left"
	burst 0
	finished
	is "$codec: exit status" $status 0
	is "$codec: the counts" "$(grep -oE '^[0-9]+' "$work/c.err" | xargs)" \
		"1500 1500 0"
	check "$codec: everything, in order" holds 1500 "$work/d/f.$suffix"
	if [[ $codec != gzip ]] && older tshark 4.0; then
		skip "$codec: tshark opens it" "this tshark opens no such files"
	else
		is "$codec: tshark opens it" "$(frames "$work/d/f.$suffix")" 1500
	fi
	rm "$work/d"/*
	capture --compress $codec --pcapng --ring-buffer packets:100 \
		-w "$work/d/f.pcapng"
	burst 1000
	finished
	check "$codec, rotation: everything, in order" holds 1000 \
		$(printf '%s\n' "$work/d"/f*.pcapng.$suffix | sort)
	is "$codec, rotation: as many files" "$(find "$work/d" -type f | wc -l)" 10
	rm "$work/d"/*

	# Killed: up to the last frame.
	capture --compress $codec --part -w "$work/d/f"
	burst 1500
	wait_for 30 eval '(($(stat -c %s "$work/d/f.$suffix.part") > 1000))'
	kill -KILL $pid
	wait $pid
	check "$codec, killed: the guardian says so" wait_for 30 \
		grep -q 'was killed; .* is valid and holds' "$work/c.err"
	count=$(sed -n 's/.*holds \([0-9]*\) packets*$/\1/p' "$work/c.err")
	check "$codec, killed: what it counts is in the file" \
		holds "$count" "$work/d/f.$suffix"
	rm "$work/d"/*
	# Left off in the middle of a frame.
	size=$(stat -c %s "$work/left")
	head -c $((size - 100)) "$work/left" >"$work/d/f.$suffix.part"
	capture --compress $codec --part -w "$work/d/f"
	matches "$codec, left off: says so" "$(cat "$work/c.err")" \
		"f.$suffix.part was left off"
	count=$(unpack "$work/d/f.$suffix" | packets -)
	check "$codec, left off: frames are left" test "$count" -gt 0 -a "$count" -lt 1500
	check "$codec, left off: whole ones" holds "$count" "$work/d/f.$suffix"
	finished
	rm "$work/d"/*
done

mkdir "$work/small"
mount -t tmpfs -o size=1500k small "$work/small"
capture --compress zstd -w "$work/small/f"
in_ns pt-a python3 - <<'EOF'
import os, socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(2000):
    sock.sendto(i.to_bytes(8, "big") + os.urandom(1392), ("10.9.0.2", 9999))
EOF
wait $pid
is "full disk: exit status" $? 1
matches "full disk: says so" "$(cat "$work/c.err")" 'No space left'
captured=$(awk '/ packets? captured$/ { print $1 }' "$work/c.err")
if [[ -s $work/small/f.zst ]]; then
	check "full disk: what it counts is in the file" \
		holds "$captured" "$work/small/f.zst"
else
	is "full disk: nothing is in the file" "$captured" 0
fi
umount "$work/small"
capture --compress gzip:9 -c 20 -w - >"$work/out.gz"
burst 30
wait $pid
is "standard output" "$(gzip -dc "$work/out.gz" | tcpdump -r - --count 2>/dev/null)" \
	"20 packets"
tapdump -i lo --compress bzip2 -w "$work/x" 2>"$work/c.err"
is "unknown: exit status" $? 1
matches "unknown: says what there is" "$(cat "$work/c.err")" 'zstd, lz4 or gzip'

drop_pair
finish
