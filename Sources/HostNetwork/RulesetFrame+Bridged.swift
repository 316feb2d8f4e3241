import Core

/// The rules for servers that are ports of a bridge of this host.
///
/// The table of bridges sees each frame with its port, but not its connection; the table of all traffic sees the connection, if
/// br_netfilter passes bridged packets to it, but not the port. So the first one checks whose frame it is, and marks those that
/// the second one must check; a frame that still has the mark afterwards is dropped. The second one identifies sender and
/// receiver by their hardware addresses, which the first one has compared with the ports.
extension RulesetFrame {
  /// Set while the second table must still check a packet. No other bit of the mark is changed.
  private static let owed = "0x10000000"
  private static let notOwed = "0xefffffff"

  func bridged(_ bridge: HostBridge) -> String {
    let name = "\"\(bridge.name)\""
    return """
      table inet vpsd {
      \(declarations)
        set cards { type ether_addr; }
        counter unbridged { }

        chain source { type filter hook prerouting priority -450; policy accept; }
        chain to_host { type filter hook input priority -10; policy accept; }
        chain from_server { }
        chain to_guest { type filter hook output priority -10; policy accept; }
        chain egress { type filter hook forward priority -10; policy accept; }
        chain ingress { type filter hook forward priority -5; policy accept; }
        # What was not dropped above, whatever the host's other tables do afterwards.
        chain account { type filter hook forward priority 300; policy accept; }
      }
      \(Self.arpDeclarations)
      \(flushes)
      flush set inet vpsd cards
      flush map inet vpsd bytes_in
      flush map inet vpsd bytes_out
      flush set arp vpsd source4
      table inet vpsd {
        # A tap that is no port of the bridge leads nowhere.
        chain source {
          iifname \(Self.taps) drop
        }
        chain to_host {
          iifname \(name) ether saddr @cards goto from_server
          # By the router, which may be on another link.
          ip saddr @address4 goto from_server
          ip6 saddr @address6 goto from_server
        }
        chain from_server {
          ct state related accept
          ct state established ct direction reply accept
          ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-solicit update @solicitations { ether saddr limit rate 2/second burst 20 packets } accept
          ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-advert update @advertisements { ether saddr limit rate 10/second burst 20 packets } accept
          counter name to_host drop
        }
        # A connection that a guest has opened to the host, while nothing held it back, is not taken for one of the host's.
        chain to_guest {
          oifname != \(name) accept
          ip daddr @address4 meta l4proto tcp ct state new tcp flags & (fin | syn | rst | ack) != syn drop
          ip6 daddr @address6 meta l4proto tcp ct state new tcp flags & (fin | syn | rst | ack) != syn drop
        }
        chain egress {
          # The host is no router of its servers: it would lead past their firewalls.
          iifname != \(name) oifname \(name) ip daddr @address4 counter name unbridged drop
          iifname != \(name) oifname \(name) ip6 daddr @address6 counter name unbridged drop
          iifname != \(name) accept
          ether saddr != @cards accept
          meta mark & \(Self.owed) == 0 counter name unbridged drop
          ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          ct state invalid drop
          \(egress())
        }
        chain ingress {
          iifname != \(name) accept
          ether daddr != @cards accept
          ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          # Others of the link do not send servers elsewhere, nor tell them of routers.
          icmp type { redirect, router-advertisement } drop
          icmpv6 type { 130-137, 143, 151-153 } drop
          \(ingress)
        }
        chain account {
          meta mark & \(Self.owed) == 0 accept
          meta mark set meta mark & \(Self.notOwed)
          ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          \(account)
        }
      }
      \(Self.arp)
      \(ports)
      """
  }

  /// The table of bridges, which is replaced each time: nothing in it has to survive.
  private var ports: String {
    """
    table bridge vpsd { }
    delete table bridge vpsd
    table bridge vpsd {
      set cards { type ether_addr; }
      set hardware { type ifname . ether_addr; }
      set source4 { type ifname . ether_addr . ipv4_addr; }
      set source6 { type ifname . ether_addr . ipv6_addr; }
      set address4 { type ipv4_addr; }
      set address6 { type ipv6_addr; }
      # What a solicitation or an advertisement is about, and the hardware address in it.
      set targets { typeof iifname . @th,64,128; }
      set options { typeof iifname . @th,208,48; }
      set groups { type ifname; size 65535; flags dynamic,timeout; timeout 1h; }
      counter not_theirs { }
      counter worn { }
      counter unfiltered { }

      chain source {
        type filter hook prerouting priority -300; policy accept;
        iifname \(Self.taps) jump from_guest
        # Nobody else has a server's card.
        iifname != \(Self.taps) ether saddr @cards counter name worn drop
      }
      chain from_guest {
        # A tag of whatever kind hides what is behind it, and leads into another network.
        ether type != { ip, ip6, arp } counter name not_theirs drop
        iifname . ether saddr != @hardware counter name not_theirs drop
        ether type arp goto arp_from_guest
        iifname . ether saddr . ip saddr @source4 goto ip_from_guest
        ether type ip6 goto ip6_from_guest
        counter name not_theirs drop
      }
      chain arp_from_guest {
        # The claim is in the packet, whatever the frame says.
        arp htype 1 arp ptype ip arp operation { request, reply } iifname . arp saddr ether . arp saddr ip @source4 goto asked
        counter name not_theirs drop
      }
      chain ip_from_guest {
        udp sport 67 udp dport 68 counter name not_theirs drop
        icmp type { redirect, router-advertisement } counter name not_theirs drop
        ip daddr 224.0.0.0/3 counter name not_theirs drop
        ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 counter name not_theirs drop
        accept
      }
      chain ip6_from_guest {
        # Whether anybody else has one of its own addresses.
        ip6 saddr :: ip6 nexthdr icmpv6 icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 ip6 length 24-32 iifname . @th,64,128 @targets goto asked
        iifname . ether saddr . ip6 saddr != @source6 counter name not_theirs drop
        ip6 nexthdr icmpv6 icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 goto neighbours
        ip6 nexthdr icmpv6 icmpv6 type nd-neighbor-advert ip6 hoplimit 255 iifname . @th,64,128 @targets goto neighbours
        icmpv6 type { 130-137, 143, 151-153 } counter name not_theirs drop
        # A later fragment shows no header: whoever puts them together could find an advertisement in it.
        ip6 saddr fe80::/10 counter name not_theirs drop
        ip6 daddr { fe80::/10, ff00::/8 } counter name not_theirs drop
        ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 counter name not_theirs drop
        udp sport 547 counter name not_theirs drop
        accept
      }
      chain neighbours {
        @th,192,8 { 1, 2 } iifname . @th,208,48 @options goto asked
        # Without an option.
        ip6 length 24 goto asked
        counter name not_theirs drop
      }
      # All of the link hear it.
      chain asked {
        ether daddr & 01:00:00:00:00:00 != 00:00:00:00:00:00 update @groups { iifname limit rate over 50/second burst 200 packets } drop
        accept
      }
      chain passing {
        type filter hook forward priority -300; policy accept;
        iifname \(Self.taps) ether type { ip, ip6 } meta mark set meta mark | \(Self.owed)
        oifname \(Self.taps) jump to_guest
      }
      chain to_guest {
        ether type arp arp operation { request, reply } return
        ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } meta mark set meta mark | \(Self.owed) return
        ether type { ip, ip6 } oifname . ether daddr @hardware meta mark set meta mark | \(Self.owed) return
        drop
      }
      # Once the connections' table has seen it, if it has.
      chain passed {
        type filter hook forward priority 300; policy accept;
        iifname \(Self.taps) meta mark & \(Self.owed) != 0 counter name unfiltered drop
        oifname \(Self.taps) meta mark & \(Self.owed) != 0 counter name unfiltered drop
      }
      chain to_host {
        type filter hook input priority 0; policy accept;
        # Whoever takes the host for a router of its servers would get past their firewalls.
        ip daddr @address4 drop
        ip6 daddr @address6 drop
      }
    }

    """
  }
}
