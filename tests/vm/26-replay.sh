#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Replaying a folder of capture files (make replay): what is Ethernet is sent
# and captured by both, alike; what is not, what a device refuses and what is
# broken is told, and the next file follows.

. "$(dirname "$0")/lib.sh"
folder=$work/files
if tcpreplay -V 2>&1 | grep -q TX_RING; then
	skip "replaying a folder" "this tcpreplay counts as sent what it leaves in its ring"
	finish
fi

python3 "$(dirname "$0")/replay_files.py" "$folder"
PARITY_OUT=$work "$(dirname "$0")/../parity/replay.sh" "$folder" \
	>"$work/out" 2>&1
is "exit status" $? 0
check "it came to its end" grep -q '^1\.\.' "$work/out"
is "no file differs" "$(grep '^not ok' "$work/out")" ""

said() { # FILE REGEX: its line in the summary, blanks made single
	matches "$1" "$(awk -v name="$1:" '$2 == name' "$work/replay.txt" | xargs)" "$2"
}

said ethernet.pcap '^equal .* 40 packets captured, 40 sent$'
said more/compressed.pcapng.gz '^equal .* 12 packets captured, 12 sent$'
# Older tcpreplay ends with the first that is refused.
said refused.pcap '^equal .* (9 packets captured, 9 sent, 3|3 packets captured, 3 sent, 1) refused by the device$'
said truncated.pcap '^equal .* 5 packets captured, 5 sent$'
said empty.pcap '^skipped .* it has no packets'
said ip.pcap '^skipped .* link type RAW, and a veth is Ethernet$'
said words.pcap '^skipped .* no capture file'
is "the summary" "$(head -n 1 "$work/replay.txt")" \
	"Replayed and captured by both: 4 equal, 0 DIFFERENT, 3 skipped"
cat "$work/out" "$work/replay.txt" | sed 's/^/# /'

finish
