# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# options.sh - the ways to capture: one row a set of options.
#
# A row is: name, reference, tapdump's further options.  A reference is a
# tcpdump with the options below; its tapdumps get them too, so that what a row
# adds may not change a packet.  "any", "any-sll" and "several" are not bound to
# one interface: lib.sh gives them theirs.  A list is the rows that a capture
# point gets; all of a point's captures run at the same time, on one traffic.

declare -A refs=(
	[full]=''
	[nano]='--nano'
	[s14]='-s 14' [s15]='-s 15' [s60]='-s 60' [s96]='-s 96'
	[s1500]='-s 1500' [s65535]='-s 65535' [s262144]='-s 262144'
	[in]='-Q in' [out]='-Q out' [inout]='-Q inout'
	[nopromisc]='-p'
	[immediate]='--immediate-mode -U'
	[any]='' [any-sll]='-y LINUX_SLL' [any-s80]='-s 80' [any-in]='-Q in'
)

# Such a libpcap puts tags between the bytes of LINUX_SLL2 (its issue 1105).
! older libpcap 1.10.2 || refs[any]='-y LINUX_SLL'

sets='
default            full
read               full       --read
clone              full       --copybreak=0
clone-read         full       --copybreak=0 --read
copy               full       --copybreak=1000000
pcapng             full       --pcapng
pcapng-read        full       --pcapng --read
pcapng-clone       full       --pcapng --copybreak=0
pcapng-clone-read  full       --pcapng --copybreak=0 --read
nano               nano
immediate          immediate
immediate-read     immediate  --read --copybreak=0
s14                s14
s14-clone          s14        --copybreak=0
s15                s15
s60                s60
s60-clone-read     s60        --copybreak=0 --read
s96                s96
s96-pcapng         s96        --pcapng
s1500              s1500
s65535             s65535
s262144            s262144
in                 in
in-clone           in         --copybreak=0
out                out
inout-read         inout      --read
nopromisc          nopromisc
any                any
any-clone          any        --copybreak=0
any-read           any        --read
any-sll            any-sll
any-s80            any-s80
any-in             any-in
several            several
several-pcapng     several    --pcapng
'

list_all=$(awk 'NF { print $1 }' <<<"$sets")
list_short='default clone-read pcapng-clone s60-clone-read in out any any-sll several
several-pcapng'
list_point='default pcapng-clone-read'
list_sample='default clone-read s96-pcapng any'

# Names of the two lists that the capture points of a kind get.
lists() { # FIRST OTHERS
	first_list=$1 other_list=$2
}

set_row() { awk -v name="$1" '$1 == name { $1 = ""; print; exit }' <<<"$sets"; }
