#!/bin/bash
# demo.sh - tapdump and tcpdump side by side on real traffic, and compared.
#
# Builds, boots the test VM, loads the module there, makes traffic over a veth
# pair between two namespaces and over lo (HTTP, DNS, ping, IPv6, an iperf3
# burst), captures it with both tools at the same time (demo-guest.sh), and
# compares the files record by record with pcapdiff, which reads them with
# libpcap.  The files stay in build/demo/.  The exit status is 0 only if both
# tools saw the same packets, with the same bytes, lengths and order, time stamps
# within MAX_SKEW, and tapdump's file is sorted.

set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$PTAP_ROOT"

# The two tools read the clock at different moments of a packet's way, on an
# emulated CPU that may be taken away in between; and tcpdump's file has the
# packets of two CPUs in the order in which they came to its lock, not in that of
# its own time stamps.  So both bounds, of times and of places, are this one.
MAX_SKEW=${MAX_SKEW:-50ms}
out=build/demo
mkdir -p "$out"

note "building pcapdiff"
make -s build/pcapdiff
note "booting the VM; it loads the module and captures (about a minute)"
status=0
scripts/vm.sh --out "$out" --cpus 2 -- scripts/demo-guest.sh || status=$?
((status == 0)) || die "$status" "the captures failed; the VM's log is $out.console.log"

verdict=0
compare() { # NAME TITLE
	local name=$1

	echo
	echo "== $2"
	sed 's/^/   /' "$out/$name.tapdump.log"
	build/pcapdiff --sorted A --max-skew "$MAX_SKEW" --order-slack "$MAX_SKEW" \
		"$out/$name.tapdump.pcap" "$out/$name.tcpdump.pcap" || verdict=1
}
compare veth "veth pair between two namespaces (A: tapdump, B: tcpdump)"
compare lo "loopback (A: tapdump, B: tcpdump)"

echo
echo "files: $out/{veth,lo}.{tapdump,tcpdump}.pcap"
if ((verdict == 0)); then
	echo "DEMO PASSED: the same packets, bytes, lengths and order (tapdump's file is sorted); times and places within $MAX_SKEW"
else
	echo "DEMO FAILED: the captures differ, see above"
fi
exit $verdict
