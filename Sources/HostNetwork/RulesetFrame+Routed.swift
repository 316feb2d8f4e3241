import Core

/// The rules for servers that the host routes to.
extension RulesetFrame {
  var routed: String {
    let taps = Self.taps
    let forwarded = ["forwarded", "forwarded_here"].map { chain in
      forwarding?.address.map {
        "    chain \(chain) { ip daddr \($0) dnat ip addr . port to tcp dport map @forwards; }\n"
      } ?? ""
    }.joined()
    return """
      table inet vpsd {
      \(declarations)
        set source4 { type ifname . ether_addr . ipv4_addr; }
        set source6 { type ifname . ether_addr . ipv6_addr; flags interval; }
        set private4 { type ipv4_addr; flags interval; }
        set private6 { type ipv6_addr; flags interval; }
        set pings { type ifname; size 65535; flags dynamic,timeout; timeout 1h; }
        map forwards { type inet_service : ipv4_addr . inet_service; }
        counter not_theirs { }
        counter worn { }

        # Before connections are tracked and fragments put together. A guest's packet has its own address, or is a question for
        # its gateway.
        chain source { type filter hook prerouting priority -450; policy accept; }
        chain from_guest { }
        chain to_host { type filter hook input priority -10; policy accept; }
        chain to_guest { type filter hook output priority -10; policy accept; }
        chain egress { type filter hook forward priority -10; policy accept; }
        chain ingress { type filter hook forward priority -5; policy accept; }
        # What was not dropped above, whatever the host's other tables do afterwards.
        chain account { type filter hook forward priority 300; policy accept; }
        # Before the firewalls, which are about the ports of guests.
        chain forwarded { type nat hook prerouting priority dstnat; policy accept; }
        chain forwarded_here { type nat hook output priority -100; policy accept; }
        chain translate { type nat hook postrouting priority srcnat; policy accept; }
      }
      \(Self.arpDeclarations)
      \(flushes)
      flush set inet vpsd source4
      flush set inet vpsd source6
      flush set inet vpsd private4
      flush set inet vpsd private6
      flush map inet vpsd forwards
      flush set arp vpsd source4
      table inet vpsd {
        chain source {
          iifname \(taps) jump from_guest
          # Nobody else wears a server's address: firewalls of other servers may name it.
          iifname != { \(taps), "lo" } ip saddr @address4 counter name worn drop
          iifname != { \(taps), "lo" } ip6 saddr @address6 counter name worn drop
        }
        chain from_guest {
          iifname . ether saddr . ip saddr @source4 return
          iifname . ether saddr . ip6 saddr @source6 return
          # Neighbour discovery with the gateway, from a link-local address; nothing before the ICMPv6 header.
          ip6 saddr fe80::/10 ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return
          ip6 saddr fe80::/10 ip6 daddr fe80::1 icmpv6 type echo-request return
          counter name not_theirs drop
        }
        chain to_host {
          iifname != \(taps) accept
          ct state related accept
          ct state established ct direction reply accept
          # A new source of a solicitation becomes an entry of the host's neighbour table, which all servers share.
          ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-solicit @th,64,128 0xfe800000000000000000000000000001 update @solicitations { iifname limit rate 2/second burst 20 packets } accept
          ip6 daddr fe80::1 ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-advert update @advertisements { iifname limit rate 10/second burst 20 packets } accept
          ip daddr 169.254.1.1 icmp type echo-request update @pings { iifname limit rate 10/second } accept
          ip6 daddr fe80::1 icmpv6 type echo-request update @pings { iifname limit rate 10/second } accept
          counter name to_host drop
        }
        # A connection that a guest has opened to the host, while nothing held it back, is not taken for one of the host's.
        chain to_guest {
          oifname \(taps) meta l4proto tcp ct state new tcp flags & (fin | syn | rst | ack) != syn drop
        }
        chain egress {
          iifname != \(taps) accept
          ct state invalid drop
          icmp type redirect drop
          # Of a link, never of a path: routers and neighbours, redirects, multicast listeners and routers.
          icmpv6 type { 130-137, 143, 151-153 } drop
          \(egress(toServers: "oifname \(taps) iifname vmap @egress"))
        }
        chain ingress {
          oifname != \(taps) accept
          \(ingress)
        }
        chain account {
          \(account)
        }
      \(forwarded)        chain translate {
          ip saddr @private4 oifname != \(taps) masquerade fully-random
          ip6 saddr @private6 oifname != \(taps) masquerade fully-random
        }
      }
      \(Self.arp)
      """
  }
}
