# shellcheck shell=bash
# shellcheck disable=SC2119,SC2120,SC2154 # they share names with what sources them
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# kinds.sh - the kinds of interfaces: one function each makes a small network.
#
# kind_NAME sets: points, a list of "NAMESPACE INTERFACE" that are captured, the
# first of them with the long list of options; end_a and end_b, between which
# the traffic goes, as NAMESPACE/INTERFACE/IPV4/IPV6; flags, what traffic.py may
# send; several, more interfaces of the first one's namespace for captures of
# more than one; helpers, processes to end; after, a function for traffic that
# only this kind has.  If it fails, the kind is skipped and $why says why.

kinds='veth veth-gro veth-big veth-xdp dummy lo virtio e1000 e1000e vlan qinq
vlan-bytes qinq-bytes bridge bond team macvlan tun tap tap-gso wireguard vxlan geneve gre gre-nbma gretap ip6gre ipip sit
ip6tnl vti nlmon ifb tc vcan ppp'
kinds=$(xargs <<<"$kinds")

ip_all=ip4,ip6,any-ip
a4=10.9.0.1 b4=10.9.0.2 a6=fd09::1 b6=fd09::2

kind_lists() {
	case $1 in
	veth) lists "$list_all" "$list_point" ;;
	*) lists "$list_short" "$list_point" ;;
	esac
}

ends() { # INTERFACE-IN-A INTERFACE-IN-B
	end_a=pt-a/$1/$a4/$a6 end_b=pt-b/$2/$b4/$b6
}

up() { # NAMESPACE INTERFACE...
	local dev

	for dev in "${@:2}"; do
		ip -n "$1" link set dev "$dev" up || return
	done
}

address() { # NAMESPACE INTERFACE 1|2
	ip -n "$1" addr add "10.9.0.$3/24" dev "$2"
	ip -n "$1" addr add "fd09::$3/64" dev "$2" nodad || :
}

namespaces() {
	ip netns add pt-a && ip netns add pt-b && up pt-a lo && up pt-b lo
}

answers() { # [ADDRESS]: B does, to a ping of A
	wait_for 15 in_ns pt-a ping -c 1 -W 1 "${1:-$b4}" ||
		{ why="B does not answer to $kind"; return 1; }
}

# A veth pair with its own addresses, as the wire below a tunnel.
underlay() {
	namespaces || return
	ip -n pt-a link add va type veth peer name vb netns pt-b || return
	ip -n pt-a addr add 192.0.2.1/24 dev va
	ip -n pt-b addr add 192.0.2.2/24 dev vb
	ip -n pt-a addr add 2001:db8::1/64 dev va nodad
	ip -n pt-b addr add 2001:db8::2/64 dev vb nodad
	up pt-a va && up pt-b vb
}

kind_veth() {
	make_pair || return
	ip -n pt-a link set va mtu 9000
	ip -n pt-b link set vb mtu 9000
	ip -n pt-a link add vc type veth peer name vd netns pt-b
	up pt-a vc && up pt-b vd
	in_ns pt-a ethtool -K va gro on
	ends va vb
	several=vc
	flags=ether,$ip_all points=("pt-a va")
}

# Segments come one by one and are put together again, as a list of fragments.
kind_veth_gro() {
	make_pair || return
	in_ns pt-b ethtool -K vb tso off gso off
	in_ns pt-b ethtool -K vb tx-udp-segmentation off
	in_ns pt-a ethtool -K va gro on
	in_ns pt-a ethtool -K va rx-gro-list on || return
	ends vb va
	end_a=pt-b/vb/$b4/$b6 end_b=pt-a/va/$a4/$a6
	flags=$ip_all points=("pt-a va" "pt-b vb")
}

kind_veth_big() {
	make_pair || return
	ip -n pt-a link set va gso_max_size 400000 gro_max_size 400000 || return
	ip -n pt-b link set vb gso_max_size 400000 gro_max_size 400000 || return
	in_ns pt-a sysctl -qw net.ipv4.tcp_wmem='4096 4194304 16777216'
	in_ns pt-b sysctl -qw net.ipv4.tcp_rmem='4096 4194304 16777216'
	ends va vb
	flags=only:big-tcp:ping,ip6,any-ip,big points=("pt-a va" "pt-b vb")
}

kind_veth_xdp() {
	make_pair || return
	python3 "$here/helpers.py" xdp /run/pt-bpf/pass || return
	ip -n pt-b link set vb xdp pinned /run/pt-bpf/pass || return
	ip -n pt-a link set va xdp pinned /run/pt-bpf/pass || return
	rm -f /run/pt-bpf/pass
	answers || return
	ends va vb
	flags=ether,$ip_all points=("pt-a va" "pt-b vb")
}

kind_dummy() {
	namespaces || return
	ip -n pt-a link add name dm type dummy || return
	ip -n pt-a link set dm mtu 65535
	address pt-a dm 1
	up pt-a dm
	ip -n pt-a neigh add $b4 dev dm lladdr 02:00:00:00:00:02
	ip -n pt-a neigh add $b6 dev dm lladdr 02:00:00:00:00:02
	end_a=pt-a/dm/$a4/$a6 end_b=pt-a/dm/$b4/$b6
	flags=oneway,ether,$ip_all points=("pt-a dm")
}

kind_lo() {
	namespaces || return
	end_a=pt-a/lo/127.0.0.1/::1 end_b=pt-a/lo/127.0.0.1/::1
	flags=ether,$ip_all,no-multicast points=("pt-a lo")
}

# nics DRIVER: two cards of this driver, one in each namespace
nics() {
	local dev driver found=()

	for dev in /sys/class/net/eth*; do
		driver=$(readlink "$dev/device/driver")
		[[ ${driver##*/} != "$1" ]] || found+=("${dev##*/}")
	done
	((${#found[@]} >= 2)) ||
		{ why="the VM has no two cards of $1 (vm.sh --nic)"; return 1; }
	namespaces || return
	ip link set "${found[0]}" netns pt-a && ip link set "${found[1]}" netns pt-b ||
		return
	address pt-a "${found[0]}" 1
	address pt-b "${found[1]}" 2
	up pt-a "${found[0]}" && up pt-b "${found[1]}"
	answers || return
	ends "${found[@]:0:2}"
	flags=ether,$ip_all points=("pt-a ${found[0]}" "pt-b ${found[1]}")
}

# emulated DRIVER: those that only a full kernel has
emulated() {
	modprobe -n "$1" || { why="this kernel has no $1"; return 1; }
	modprobe "$1"
	wait_for 5 eval "ls /sys/bus/pci/drivers/$1/0*/net/*"
	nics "$1"
}

kind_virtio() { nics virtio_net; }
kind_e1000() { emulated e1000; }
kind_e1000e() { emulated e1000e; }

# tagged PROTOCOLS...: a stack of VLANs, addresses on the uppermost
tagged() {
	local low_a=va low_b=vb protocol id=10

	namespaces || return
	# with room for the tags
	ip -n pt-a link add va mtu 1508 type veth peer name vb mtu 1508 netns pt-b ||
		return
	up pt-a va && up pt-b vb
	points=("pt-a va")
	for protocol; do
		ip -n pt-a link add link $low_a name va.$id mtu 1500 type vlan \
			protocol "$protocol" id $id || return
		ip -n pt-b link add link $low_b name vb.$id mtu 1500 type vlan \
			protocol "$protocol" id $id || return
		low_a=va.$id low_b=vb.$id
		up pt-a $low_a && up pt-b $low_b
		points+=("pt-a $low_a")
		id=$((id + 1))
	done
	address pt-a $low_a 1
	address pt-b $low_b 2
	answers || return
	ends $low_a $low_b
	several="$low_a"
	flags=ether,$ip_all
}

kind_vlan() { tagged 802.1q; }
kind_qinq() { tagged 802.1ad 802.1q; }

# Devices that leave tags to the stack: what is sent has them in its bytes.
in_bytes() {
	local pair

	tagged "$@" || return
	for pair in pt-a/va pt-b/vb; do
		in_ns "${pair%/*}" ethtool -K "${pair#*/}" rxvlan off txvlan off \
			rx-vlan-stag-hw-parse off tx-vlan-stag-hw-insert off || return
	done
	in_ns pt-a ethtool -k va | grep -q 'tx-vlan-offload: off' || {
		why="the device does not leave tags to the stack"
		return 1
	}
	answers
}

kind_vlan_bytes() { in_bytes 802.1q; }
kind_qinq_bytes() { in_bytes 802.1ad 802.1q; }

# A bridge of two ports, each a veth; B is behind one of them.
kind_bridge() {
	namespaces || return
	ip netns add pt-c
	ip -n pt-a link add name br type bridge forward_delay 0 || return
	ip -n pt-a link add p1 type veth peer name vb netns pt-b || return
	ip -n pt-a link add p2 type veth peer name vc netns pt-c
	ip -n pt-a link set p1 master br
	ip -n pt-a link set p2 master br
	up pt-a p1 p2 br && up pt-b vb && up pt-c vc
	address pt-a br 1
	address pt-b vb 2
	address pt-c vc 3
	answers || return
	ends br vb
	several=p1
	after=bridge_after
	flags=ether,$ip_all points=("pt-a br" "pt-a p1" "pt-a p2")
}

# Forwarded from port to port, past the bridge's own address.
bridge_after() {
	in_ns pt-c ping -q -c 5 -i 0.02 -s 3000 $b4
	in_ns pt-c ping -q -c 5 -i 0.02 $b6
}

# One interface made of two: bond or team, joined to the same in pt-b.
two_of() { # TYPE OPTIONS...
	local ns i

	namespaces || return
	for i in 1 2; do
		ip -n pt-a link add name va$i type veth peer name vb$i netns pt-b || return
	done
	for ns in a b; do
		ip -n pt-$ns link add name m$ns type "$@" || return
		[[ $1 != team ]] || ip netns exec pt-$ns \
			python3 "$here/helpers.py" team m$ns roundrobin || return
		for i in 1 2; do
			ip -n pt-$ns link set dev v$ns$i master m$ns || return
			up pt-$ns v$ns$i
		done
		up pt-$ns m$ns
	done
	address pt-a ma 1
	address pt-b mb 2
	answers || return
	ends ma mb
	several=va1
	flags=ether,$ip_all points=("pt-a ma" "pt-a va1" "pt-a va2")
}

kind_bond() {
	modprobe bonding max_bonds=0
	two_of bond mode balance-rr miimon 100
}

kind_team() { two_of team; }

kind_macvlan() {
	namespaces || return
	ip -n pt-a link add va type veth peer name vb netns pt-b || return
	up pt-a va && up pt-b vb
	ip -n pt-a link add name mv link va type macvlan mode bridge || return
	address pt-a mv 1
	address pt-b vb 2
	up pt-a mv
	answers || return
	ends mv vb
	several=va
	flags=ether,$ip_all points=("pt-a mv" "pt-a va")
}

# Native XDP is no part of it; traffic control before and after the taps is.
kind_tc() {
	local where rule

	make_pair || return
	tc -n pt-a qdisc add dev va clsact || return
	for where in ingress:7001 egress:7002; do
		for rule in ip:dst_port ipv6:dst_port; do
			tc -n pt-a filter add dev va "${where%:*}" protocol "${rule%:*}" \
				flower ip_proto udp "${rule#*:}" "${where#*:}" \
				action drop || return
		done
	done
	ends va vb
	flags=only:tc-drops:ping,$ip_all,tc points=("pt-a va" "pt-b vb")
}

# What va receives goes through ifb first.
kind_ifb() {
	make_pair || return
	modprobe ifb numifbs=0
	ip -n pt-a link add name fb type ifb || return
	up pt-a fb
	tc -n pt-a qdisc add dev va clsact || return
	tc -n pt-a filter add dev va ingress matchall \
		action mirred egress redirect dev fb || return
	answers || return
	ends va vb
	several=va
	flags=ether,$ip_all points=("pt-a fb" "pt-a va")
}
