# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120,SC2154 # they share names with what sources them
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# tunnels.sh - the kinds of interfaces that are no Ethernet, or carry it inside
# of something else: more functions for kinds.sh, whose contract they follow.
#
# A tunnel runs over a veth pair, "va" and "vb" (underlay), which is captured,
# too.  Of what has no far end of its own, helpers.py plays that.

# tun and tap devices in both namespaces; a process carries what they send.
cable() { # tun|tap DEVICE OPTIONS...
	modprobe tun
	namespaces || return
	python3 "$here/helpers.py" cable "$@" pt-a pt-b &
	helpers+=($!)
	wait_for 15 ip -n pt-b link show "$2" || return
	wait_for 15 ip -n pt-a link show "$2" || return
	address pt-a "$2" 1
	address pt-b "$2" 2
	up pt-a "$2" && up pt-b "$2"
	answers || return
	ends "$2" "$2"
	points=("pt-a $2")
}

kind_tun() {
	cable tun tn && flags=l3,$ip_all
}

kind_tap() {
	cable tap tp && flags=ether,$ip_all
}

# The same with offloads: GSO packets go through the file descriptor.
kind_tap_gso() {
	cable tap tp vnet && flags=$ip_all
}

# tunnel NAME TYPE OPTIONS-A -- OPTIONS-B: over the underlay
tunnel() {
	local name=$1 type=$2 options_a=() options_b=()

	shift 2
	while [[ ${1:---} != -- ]]; do
		options_a+=("$1")
		shift
	done
	options_b=("${@:2}")
	underlay || return
	ip -n pt-a link add "$name" type "$type" "${options_a[@]}" || return
	ip -n pt-b link add "$name" type "$type" "${options_b[@]}" || return
	address pt-a "$name" 1
	address pt-b "$name" 2
	up pt-a "$name" && up pt-b "$name"
	ends "$name" "$name"
	several=va
	points=("pt-a $name" "pt-a va")
}

local4=(local 192.0.2.1 remote 192.0.2.2) remote4=(local 192.0.2.2 remote 192.0.2.1)
local6=(local 2001:db8::1 remote 2001:db8::2)
remote6=(local 2001:db8::2 remote 2001:db8::1)

kind_vxlan() {
	tunnel vx vxlan id 42 "${local4[@]}" dstport 4789 -- \
		id 42 "${remote4[@]}" dstport 4789 || return
	answers && flags=ether,$ip_all
}

kind_geneve() {
	tunnel ge geneve id 42 remote 192.0.2.2 -- id 42 remote 192.0.2.1 || return
	answers && flags=ether,$ip_all
}

kind_gre() {
	tunnel gr gre "${local4[@]}" -- "${remote4[@]}" || return
	answers && flags=l3,$ip_all
}

# Without a far address the device has headers, which hold it.
kind_gre_nbma() {
	underlay || return
	ip -n pt-a link add gn type gre local 192.0.2.1 || return
	ip -n pt-b link add gn type gre local 192.0.2.2 || return
	address pt-a gn 1
	address pt-b gn 2
	up pt-a gn && up pt-b gn
	ip -n pt-a neigh add $b4 lladdr 192.0.2.2 dev gn
	ip -n pt-b neigh add $a4 lladdr 192.0.2.1 dev gn
	answers || return
	ends gn gn
	flags=ip4,any-ip points=("pt-a gn")
}

kind_gretap() {
	tunnel gt gretap "${local4[@]}" -- "${remote4[@]}" || return
	answers && flags=ether,$ip_all
}

kind_ip6gre() {
	tunnel g6 ip6gre "${local6[@]}" -- "${remote6[@]}" || return
	answers && flags=l3,$ip_all
}

kind_ipip() {
	tunnel ti ipip "${local4[@]}" -- "${remote4[@]}" || return
	answers && flags=l3,ip4,any-ip
}

kind_sit() {
	tunnel si sit "${local4[@]}" -- "${remote4[@]}" || return
	answers $b6 && flags=l3,ip6,any-ip
}

kind_ip6tnl() {
	tunnel t6 ip6tnl mode any "${local6[@]}" -- mode any "${remote6[@]}" || return
	answers && flags=l3,$ip_all
}

kind_vti() {
	underlay || return
	ip -n pt-a link add vt type vti "${local4[@]}" key 1 || return
	address pt-a vt 1
	up pt-a vt
	end_a=pt-a/vt/$a4/$a6 end_b=pt-a/vt/$b4/$b6
	# without a policy it drops what it sends, behind the tap
	flags=oneway,$ip_all points=("pt-a vt")
}

kind_wireguard() {
	local key_a key_b

	key_a=$(python3 "$here/helpers.py" wireguard secret-a)
	key_b=$(python3 "$here/helpers.py" wireguard secret-b)
	underlay || return
	ip -n pt-a link add wg type wireguard || return
	ip -n pt-b link add wg type wireguard || return
	in_ns pt-a python3 "$here/helpers.py" wireguard-set wg "$key_a" "$key_b" \
		192.0.2.2 || return
	in_ns pt-b python3 "$here/helpers.py" wireguard-set wg "$key_b" "$key_a" \
		192.0.2.1 || return
	address pt-a wg 1
	address pt-b wg 2
	up pt-a wg && up pt-b wg
	answers || return
	ends wg wg
	several=va
	flags=l3,$ip_all points=("pt-a wg" "pt-a va")
}

kind_nlmon() {
	namespaces || return
	ip -n pt-a link add nl type nlmon || return
	up pt-a nl
	end_a=pt-a/nl/-/- end_b=pt-a/nl/-/-
	flags=none after=nlmon_after points=("pt-a nl")
}

nlmon_after() {
	local i

	for i in {1..20}; do
		ip -n pt-a link add d"$i" type dummy
		ip -n pt-a addr add 10.77."$i".1/24 dev d"$i"
	done
	in_ns pt-a ip -s -d link
	in_ns pt-a ip -s addr
	in_ns pt-a ip route show table all
	in_ns pt-a ss -a
	in_ns pt-a ethtool d1
	in_ns pt-a tc qdisc
}

kind_vcan() {
	namespaces || return
	ip -n pt-a link add vc type vcan || { why="this kernel has no vcan"; return 1; }
	ip -n pt-a link set vc mtu 72
	up pt-a vc
	end_a=pt-a/vc/-/- end_b=pt-a/vc/-/-
	flags=none after=vcan_after points=("pt-a vc")
}

vcan_after() { in_ns pt-a python3 "$here/helpers.py" can vc; }

kind_ppp() {
	modprobe ppp_generic || { why="this kernel has no ppp"; return 1; }
	namespaces || return
	ip netns exec pt-a python3 "$here/helpers.py" ppp &
	helpers+=($!)
	wait_for 10 ip -n pt-a link show ppp0 || return
	ip -n pt-a addr add $a4 peer $b4 dev ppp0
	up pt-a ppp0
	end_a=pt-a/ppp0/$a4/$a6 end_b=pt-a/ppp0/$b4/$b6
	flags=oneway,l3,ip4,any-ip points=("pt-a ppp0")
}
