#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# run.sh packages - make the Debian packages, let lintian look at them, and
# install, upgrade and remove them in a VM of its own (packages.sh).  Prints TAP;
# the last line is "N passed, N failed, N skipped", the exit status 0 if nothing
# failed.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ ${1:-} == packages ]] || { sed -n '4,8s/^# \{0,1\}//p' "$0"; exit 2; }
log=build/test
mkdir -p "$log"

echo "# making the packages"
make deb >"$log/deb.log" 2>&1 || { tail -n 40 "$log/deb.log"; exit 1; }
lint=$(lintian --allow-root -I --tag-display-limit 0 build/deb/*.changes 2>&1) || :
if [[ $lint ]]; then
	printf 'not ok 0 - lintian is silent\n%s\n' "$lint"
else
	echo "ok 0 - lintian is silent"
fi | tee "$log/lintian.tap"
# What a machine with Secure Boot has: a key of its owner.
openssl req -new -x509 -newkey rsa:2048 -nodes -days 100 -subj '/CN=ptap test key/' \
	-keyout build/deb/mok.key -outform DER -out build/deb/mok.pub 2>/dev/null
# perf, which the VM's system has not.
tests/home/unpack.sh build/perf "$(scripts/vm-image.sh 6.1)/rootfs/var/lib/dpkg/status" \
	linux-perf >"$log/perf.log" 2>&1 || { tail -n 20 "$log/perf.log"; exit 1; }
mv build/perf/tree build/deb/perf
status=0
scripts/vm.sh --timeout 2400 --in build/deb --out build/vm/out-packages \
	-- tests/home/packages.sh | tee "$log/packages.tap" || status=1
awk '/^ok .*# SKIP/ { s++; next } /^ok / { p++ } /^not ok / { f++ }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' \
	"$log/lintian.tap" "$log/packages.tap" || status=1
exit $status
