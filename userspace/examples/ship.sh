#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# ship.sh FILE - hand a finished capture file to where many of them come together.
#
#	PTAP_DEST=/mnt/captures tapdump -i eth0 --pcapng -w eth0.pcapng -C 100 \
#		-z ./ship.sh
#
# Gives it a place that says what it is,
#
#	PTAP_DEST/date=2026-11-23/host=web1/web1-eth0-1764000000.123456789.pcapng.gz
#
# compressed, under a temporary name until it is whole, with a file .json beside
# it that comes last: whoever collects files waits for that one.  Folders of the
# form key=value are columns to Spark, ClickHouse, DuckDB and Athena.  To send it
# elsewhere, replace the function deliver: "aws s3 cp", "rclone copyto", "kcat -P".
#
# PTAP_HOST (default: the machine's name) and PTAP_KEEP=1 (leave FILE).

set -eu
file=$1
host=${PTAP_HOST:-$(uname -n)}
dest=${PTAP_DEST:?says where the files go}

deliver() { # FILE NAME
	mkdir -p "$(dirname "$dest/$2")"
	cp "$1" "$dest/$2.part"
	mv "$dest/$2.part" "$dest/$2"
}

# One line: interfaces, packets, bytes, first and last time in seconds.
info=$(capinfos -TrSmK -c -d -a -e "$file" | tail -n 1)
packets=$(echo "$info" | cut -d, -f2)
bytes=$(echo "$info" | cut -d, -f3)
first=$(echo "$info" | cut -d, -f4)
last=$(echo "$info" | cut -d, -f5)
iface=$(capinfos "$file" | sed -n 's/^ *Name = //p' | sort -u | paste -sd+ -)
iface=${iface:-unknown}
case $first in
[0-9]*) ;;
*) first=$(date +%s) last=$first ;;	# no packet in it
esac

name=date=$(date -u -d "@$first" +%Y-%m-%d)/host=$host/$host-$iface-$first.pcapng.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gzip -1 -c "$file" >"$work/data"
cat >"$work/json" <<END
{"file": "$name", "host": "$host", "interface": "$iface",
 "packets": $packets, "bytes": $bytes, "first": $first, "last": $last,
 "sha256": "$(sha256sum <"$work/data" | cut -d' ' -f1)"}
END
deliver "$work/data" "$name"
deliver "$work/json" "$name.json"
[ "${PTAP_KEEP:-}" ] || rm -f "$file"
