#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# -C, -G, -W, -z, -Z and SIGHUP: the files have tcpdump's names and sizes, and
# no packet is missing, twice or in pieces where one ends and the next begins.

. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
make_pair
mkdir "$work/d"

burst() { in_ns pt-a python3 "$here/udp_burst.py" 10.9.0.2 "$1" 1400; }

# rotating ARGS...: a capture of the bursts into $work/d/f*; its process is $pid
rotating() {
	rm -rf "$work/d"/* "$work/r.tap.err"
	run_in pt-a tapdump -i va "$@" udp dst port 9999 \
		2>"$work/r.tap.err" </dev/null &
	pid=$!
	wait_for 30 eval \
		"grep -q 'listening on' '$work/r.tap.err' || ! kill -0 $pid"
}

finished() { # how it ended: $status
	kill -INT $pid 2>/dev/null
	wait $pid
	status=$?
}

files() { (cd "$work/d" && printf '%s\n' * | sort -V | xargs); }
nr_files() { find "$work/d" -type f | wc -l; }
at_least() { (($(nr_files) >= $1)); }
sizes() { (cd "$1" && stat -c '%n %s' f* | sort -V); }

# complete COUNT [LIMIT]: the files have the numbers 0 to COUNT - 1, in order
complete() {
	local list

	mapfile -t list < <(printf '%s\n' "$work/d"/f* | sort -V)
	"$here/udp_numbers.py" --limit "${2:-0}" "${list[@]}" \
		>"$work/numbers" && seq 0 $(($1 - 1)) | cmp - "$work/numbers"
}

# By size, in each way of capturing.
for mode in "" --read --copybreak=0 --pcapng "--read --pcapng"; do
	rotating -C 50k $mode -w "$work/d/f"
	burst 3000
	finished
	is "-C ${mode:-mmap}: exit status" $status 0
	check "-C ${mode:-mmap}: everything, in order, in files of that size" \
		complete 3000 51200
	check "-C ${mode:-mmap}: several files" at_least 50
	is "-C ${mode:-mmap}: the counts are of all files" "$(counts r)" "3000 3000 0"
done

# By time, under load and idle.
rotating -G 1 -w "$work/d/f%s"
burst 20000
# The second of three files from now on has nothing but its header.
check "-G: an idle link rotates too" wait_for 60 at_least $(($(nr_files) + 3))
finished
check "-G: everything, in order" complete 20000
is "-G: the counts are of all files" "$(counts r)" "20000 20000 0"
is "-G: the idle files have a header" \
	"$(packets "$(find "$work/d" -type f -size -2 | head -n 1)")" 0

# As tcpdump does it, at the same time.
for args in "-C 1" "-C 1 -W 3" "-C 1 -W 11" "-C 2 -W 1" "-C 1 -G 3600 -W 2"; do
	mkdir -p "$work/t"
	rm -f "$work/t"/* "$work/t.err"
	rotating $args -w "$work/d/f%Y-"
	run_in pt-a tcpdump -Z root -U -B 32768 -i va $args -w "$work/t/f%Y-" \
		udp dst port 9999 2>"$work/t.err" </dev/null &
	tcp=$!
	wait_for 30 grep -q 'listening on' "$work/t.err"
	burst 3000
	sleep 1
	kill -INT $tcp
	wait $tcp
	finished
	is "$args: the names and sizes of tcpdump's files" \
		"$(sizes "$work/d")" "$(sizes "$work/t")"
done

# -W ends it; -z.
cat >"$work/z" <<EOF
#!/bin/sh
echo "\${1##*/} \$(nice)" >>"$work/z.log"
EOF
chmod +x "$work/z"
rotating -G 1 -W 2 -w "$work/d/f%s" -z "$work/z"
wait $pid
is "-G -W: exit status" $? 0
matches "-G -W: says so" "$(cat "$work/r.tap.err")" 'Maximum file limit reached: 2'
is "-G -W: as many files" "$(nr_files)" 2
check "-z: ran on each of them" wait_for 20 eval '(($(wc -l <"$work/z.log") == 2))'
is "-z: with their names, and the lowest priority" \
	"$(sort "$work/z.log" | xargs)" "$(files | sed 's/\( \|$\)/ 19\1/g' | xargs)"
rm "$work/z.log"
rotating -C 50k -w "$work/d/f" -z "$work/z"
burst 200
finished
check "-z: not on the last one" wait_for 20 \
	eval '(($(wc -l <"$work/z.log") == $(nr_files) - 1))'
rotating -C 50k -w "$work/d/f" -z /nonesuch
burst 100
finished
matches "-z: a command that is not there is complained of" \
	"$(cat "$work/r.tap.err")" 'cannot run /nonesuch on .*/d/f: No such file'
check "-z: and nothing else happens" complete 100 51200

# Names while they are written, and none of it where that is not wanted.
rotating -C 1 -w "$work/d/f"
burst 10
is "-C: the file that is being written" "$(files)" f.part
finished
is "-C: when it is complete" "$(files)" f
rotating -C 50k -W 2 -w "$work/d/f"
burst 1000
finished
is "-C -W: as many files, with their names" "$(files)" "f0 f1"
rotating -C 20k -W 1 -w "$work/d/f"
burst 1000
finished
is "-C -W 1: one file" "$(files)" f
is "-C -W 1: with the last packet" \
	"$("$here/udp_numbers.py" "$work/d/f" | tail -n 1)" 999
is "-C -W 1: exit status" $status 0
rotating --no-part -C 50k -w "$work/d/f"
burst 100
is "--no-part: the file that is being written" "$(files)" "f f1 f2"
finished
check "--no-part: everything, in order" complete 100 51200
mkfifo "$work/d/f.fifo"
run_in pt-a tapdump -i va -G 2 -W 1 -w "$work/d/f.fifo" 2>"$work/r.tap.err" &
pid=$!
packets "$work/d/f.fifo" >"$work/numbers"
wait $pid
is "a pipe is not replaced: exit status" $? 0
check "a pipe is not replaced" test -p "$work/d/f.fifo"

# What an earlier run has left off, whatever its names.
rotating -C 1 -w "$work/d/f"
burst 10
cp "$work/d/f.part" "$work/left"
finished
left_off() { # NAME FILE ARGS...
	rm -rf "$work/d"/* "$work/r.tap.err"
	cp "$work/left" "$work/d/$2.part"
	truncate -s -100 "$work/d/$2.part"
	run_in pt-a tapdump -i va "${@:3}" 2>"$work/r.tap.err" </dev/null &
	pid=$!
	wait_for 30 grep -q 'listening on' "$work/r.tap.err"
	is "left off, $1: it is mended" "$(packets "$work/d/$2")" 9
	finished
}
left_off "-C" f7 -C 1 -w "$work/d/f"
left_off "-C -W" f02 -C 1 -W 20 -w "$work/d/f"
left_off "-G" f-2021-07-30-12:00.pcap -G 60 -w "$work/d/f-%F-%R.pcap"
left_off "a per cent" f%m --part -w "$work/d/f%m"
rm -rf "$work/d"/* "$work/r.tap.err"
cp "$work/left" "$work/d/fx.part"
cp "$work/left" "$work/d/ff.part"
run_in pt-a tapdump -i va -C 1 -G 60 -w "$work/d/f%H" 2>"$work/r.tap.err" &
pid=$!
wait_for 30 grep -q 'listening on' "$work/r.tap.err"
finished
check "left off, other names: they stay" \
	test -e "$work/d/fx.part" -a -e "$work/d/ff.part"

# No two files get the same name when the clock is slowed down.
"$here/clock_tick.py" 9000
rotating -G 1 -w "$work/d/f%s"
for i in {1..40}; do
	burst 10
	sleep 0.2
done
finished
"$here/clock_tick.py" 10000
is "-G, a clock that is slowed down: nothing is overwritten" \
	"$(for f in "$work/d"/f*; do packets "$f"; done |
		awk '{ n += $1 } END { print n }')" 400

# -c is about all files.
rotating -C 50k -c 123 -w "$work/d/f"
burst 200
wait $pid
is "-C -c: exit status" $? 0
check "-C -c: exactly so many" complete 123 51200

# SIGHUP, SIGUSR1, SIGUSR2.
rotating -C 100 -w "$work/d/f"
burst 10
kill -HUP $pid
check "SIGHUP with -C: the next file" wait_for 20 test -e "$work/d/f1.part"
check "SIGHUP with -C: the one before has its name" wait_for 20 \
	test -e "$work/d/f" -a ! -e "$work/d/f.part"
burst 10
kill -USR2 $pid
kill -USR1 $pid
check "SIGUSR1: counts all files" wait_for 20 \
	grep -q '^tapdump: 20 packets captured' "$work/r.tap.err"
finished
is "SIGHUP with -C: nothing is lost" \
	"$("$here/udp_numbers.py" "$work/d/f" "$work/d/f1" | xargs)" \
	"$(echo {0..9} {0..9})"
rotating -G 3600 -w "$work/d/f"
burst 10
kill -HUP $pid
check "SIGHUP with -G: does not overwrite the file" \
	wait_for 20 grep -q 'f.part goes on' "$work/r.tap.err"
mv "$work/d/f.part" "$work/d/f-old"
kill -HUP $pid
check "SIGHUP with -G: begins anew when it was moved away" \
	wait_for 20 test -e "$work/d/f.part"
burst 5
finished
is "SIGHUP with -G: nothing is lost" \
	"$(packets "$work/d/f-old") $(packets "$work/d/f")" "10 5"
rotating -w "$work/d/f"
burst 10
kill -HUP $pid
wait $pid
is "SIGHUP alone: ends the capture" $? 0
check "SIGHUP alone: everything is in the file" complete 10

# Other users' files.
mkdir -p "$work/closed/open"
chmod 700 "$work/closed"
chown nobody "$work/closed/open"
rotating -Z nobody -C 20k -w "$work/closed/open/f"
burst 100
finished
is "-Z: exit status" $status 0
is "-Z: all files are the user's" \
	"$(stat -c %U "$work/closed/open"/* | sort | uniq -c | xargs)" "7 nobody"
rotating -Z nobody -C 20k -w "$work/f"
wait $pid
is "-Z: a folder that is not the user's: exit status" $? 1
matches "-Z: a folder that is not the user's: says so" \
	"$(cat "$work/r.tap.err")" "cannot write to $work/f.part: Permission denied"
rotating -Z nonesuch -w "$work/d/f"
wait $pid
is "-Z: no such user: exit status" $? 1

# The folder is moved away: it is held, not its name.
rotating -C 20k -w "$work/d/f"
burst 50
check "the folder is moved: there are files" wait_for 20 at_least 3
mv "$work/d" "$work/moved"
mkdir "$work/d"
burst 50
finished
is "the folder is moved: exit status" $status 0
is "the folder is moved: nothing is where it was" "$(nr_files)" 0
rmdir "$work/d"
mv "$work/moved" "$work/d"
is "the folder is moved: everything is in it" "$("$here/udp_numbers.py" \
	$(printf '%s\n' "$work/d"/f* | sort -V) | xargs)" \
	"$(echo {0..49} {0..49})"

# The next file cannot be opened.
rotating -C 20k -w "$work/d/f"
mkdir "$work/d/f1.part"
burst 100
wait $pid
is "a file that cannot be opened: exit status" $? 1
matches "a file that cannot be opened: says so" "$(cat "$work/r.tap.err")" \
	"cannot write to $work/d/f1.part: Is a directory"
captured=$(awk '/ packets? captured$/ { print $1 }' "$work/r.tap.err")
is "a file that cannot be opened: what it counts is in the one before" \
	"$captured" "$(packets "$work/d/f")"

drop_pair
finish
