#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# many.sh - what doc/many.md says of engines, with one: captures of three hosts
# are handed over by examples/ship.sh, their metadata goes into a ClickHouse
# server (Debian's, unpacked in build/many and run from there), queries give what
# the files hold, and packets as JSON lines are loaded too.  Runs here, without
# module and root.  Prints TAP and "N passed, N failed, N skipped".

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
top=$PWD
. tests/vm/lib.sh
log=build/test
mkdir -p "$log"
tests/home/unpack.sh build/many /var/lib/dpkg/status clickhouse-server \
	clickhouse-common >"$log/many.log" 2>&1 ||
	{ tail -n 20 "$log/many.log"; exit 1; }
root=$top/build/many/tree
port=$((20000 + RANDOM % 10000))

# capture FILE FIRST COUNT: a capture file of COUNT packets, one in a second
capture() {
	python3 - "$@" <<-'END'
		import struct, sys
		first, count = int(sys.argv[2]), int(sys.argv[3])
		def block(kind, body):
		    n = 12 + len(body)
		    return struct.pack("<II", kind, n) + body + struct.pack("<I", n)
		with open(sys.argv[1], "wb") as f:
		    f.write(block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
		    # if_name eth0, if_tsresol 9
		    f.write(block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HH", 2, 4) +
		                  b"eth0" + struct.pack("<HHI", 9, 1, 9) + bytes(4)))
		    for i in range(count):
		        t = (first + i) * 10**9 + 5
		        frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5" + bytes(46)
		        f.write(block(6, struct.pack("<IIIII", 0, t >> 32, t & 0xffffffff, 60, 60) + frame))
	END
}

export PTAP_DEST=$work/lake
day=1795651200 # 2026-11-26, midnight
for host in 1 2 3; do
	for part in 0 1; do
		# The second file begins on the next day.
		capture "$work/f" $((day + part * 86400)) $((host * 10))
		PTAP_HOST=web$host check "a file of web$host is handed over" \
			userspace/examples/ship.sh "$work/f"
	done
done
is "the folders are days and hosts" \
	"$(cd "$PTAP_DEST" && printf '%s\n' */* | xargs)" \
	"$(for d in 26 27; do for h in 1 2 3; do echo "date=2026-11-$d/host=web$h"; done; done | xargs)"

cat >"$work/server.xml" <<-END
	<yandex>
	<logger><level>warning</level><log>$work/log</log><errorlog>$work/errors</errorlog></logger>
	<http_port>$port</http_port><tcp_port>$((port + 1))</tcp_port><listen_host>127.0.0.1</listen_host>
	<path>$work/data/</path><tmp_path>$work/data/tmp/</tmp_path>
	<users_config>$root/etc/clickhouse-server/users.xml</users_config>
	<default_profile>default</default_profile><default_database>default</default_database>
	<mark_cache_size>100000000</mark_cache_size>
	</yandex>
END
mkdir "$work/data"
LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu \
	timeout 300 "$root/usr/sbin/clickhouse-server" --config-file="$work/server.xml" \
	>"$work/server.log" 2>&1 &
server=$!
sql() { curl -sS "http://127.0.0.1:$port/" -d "$1" | tr '\t\n' ' ;'; }
answers() { [[ $(sql 'SELECT 1') == '1;' ]]; }
check "ClickHouse answers" wait_for 60 answers || diag "$(tail "$work/errors" "$work/server.log")"
# As in doc/many.md.
sql "$(sed -n '/^CREATE TABLE/,/;$/p' userspace/doc/many.md | tr -d ';')"
cat "$PTAP_DEST"/date=*/host=*/*.json |
	curl -sS "http://127.0.0.1:$port/?query=INSERT+INTO+captures+FORMAT+JSONEachRow" \
		--data-binary @-
is "packets of each host" \
	"$(sql 'SELECT host, sum(packets), count() FROM captures GROUP BY host ORDER BY host')" \
	"web1 20 2;web2 40 2;web3 60 2;"
is "which files have this minute" \
	"$(sql "SELECT file FROM captures WHERE first < $day + 60 AND last >= $day + 15 ORDER BY file" |
		tr ';' '\n' | xargs -n 1 dirname | xargs)" \
	"date=2026-11-26/host=web2 date=2026-11-26/host=web3"
file=$(sql "SELECT file FROM captures WHERE host = 'web3' ORDER BY first LIMIT 1")
is "a file that was found is a capture" \
	"$(tshark -r "$PTAP_DEST/${file%;}" 2>/dev/null | wc -l)" 30
sql 'CREATE TABLE packets (timestamp String) ENGINE = Memory'
tshark -r "$PTAP_DEST/${file%;}" -T ek 2>/dev/null | grep '^{"timestamp' |
	curl -sS "http://127.0.0.1:$port/?input_format_skip_unknown_fields=1&query=INSERT+INTO+packets+FORMAT+JSONEachRow" \
		--data-binary @-
is "packets by tshark -T ek" "$(sql 'SELECT count() FROM packets')" "30;"
kill $server
wait $server 2>/dev/null
echo "1..$nr"
echo "$((nr - failed)) passed, $failed failed, 0 skipped"
rm -rf "$work"
exit $((failed != 0))
