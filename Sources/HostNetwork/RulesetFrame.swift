import Core

/// The part of the packet filter that is the same whichever servers exist: tables, sets, and the chains that look up the
/// server.
struct RulesetFrame {
  let mark: String
  let mayMail: Bool
  let hasLimits: Bool
  var forwarding: PortForwarding?
  /// Nil where the host routes to its servers.
  var bridge: HostBridge?

  static let taps = "\"\(RoutedInterface.tapPrefix)*\""
  /// The most connections of one server in each direction: all servers share the kernel's table.
  private static let connectionLimit = 20_000

  var text: String { bridge.map { bridged($0) } ?? routed }

  /// What identifies a packet's sender, and its receiver.
  private var sender: String { bridge == nil ? "iifname" : "ether saddr" }
  private var receiver: String { bridge == nil ? "oifname" : "ether daddr" }

  // MARK: - Common to both kinds of networks

  var declarations: String {
    let type = bridge == nil ? "ifname" : "ether_addr"
    return """
        comment "\(mark)"
        set address4 { type ipv4_addr; }
        set address6 { type ipv6_addr; flags interval; }
        set closed4 { type ipv4_addr; flags interval; }
        set closed6 { type ipv6_addr; flags interval; }
        set open4 { type ipv4_addr; flags interval; }
        set open6 { type ipv6_addr; flags interval; }
        set resolvers4 { type ipv4_addr; }
        set resolvers6 { type ipv6_addr; }
        set solicitations { type \(type); size 65535; flags dynamic,timeout; timeout 1h; }
        set advertisements { type \(type); size 65535; flags dynamic,timeout; timeout 1h; }
        set mailers { type \(type); }
        set flows_out { type \(type); size 65535; flags dynamic; }
        set flows_in { type \(type); size 65535; flags dynamic; }
        map egress { type \(type) : verdict; }
        map ingress { type \(type) : verdict; }
        map bytes_out { type \(type) : counter; }
        map bytes_in { type \(type) : counter; }
      \(hasLimits ? SpeedLimit.maps(of: type) : "")        counter to_host { }
        counter stray { }
        counter mail { }
      """
  }

  var flushes: String {
    """
      flush table inet vpsd
      flush table arp vpsd
      flush set inet vpsd address4
      flush set inet vpsd address6
      flush set inet vpsd closed4
      flush set inet vpsd closed6
      flush set inet vpsd open4
      flush set inet vpsd open6
      flush set inet vpsd resolvers4
      flush set inet vpsd resolvers6
      flush set inet vpsd mailers
      flush map inet vpsd egress
      flush map inet vpsd ingress
    \(hasLimits ? SpeedLimit.flushes : "")  add element inet vpsd closed4 { \(Ruleset.closed.joined(separator: ", ")) }
      add element inet vpsd closed6 { \(Ruleset.closed6.joined(separator: ", ")) }
    """
  }

  /// The rules for packets from servers to others than this host, once their sender is verified.
  ///
  /// - Parameter toServers: A rule for packets to other servers, whatever network those are in.
  func egress(toServers: String = "") -> String {
    let mail = mayMail ? "" : "tcp dport 25 \(sender) != @mailers counter name mail reject with tcp reset"
    return """
          ct state related accept
          ct state established ct direction reply accept
          # One server must not fill the table of connections, which all share.
          ct state new add @flows_out { \(sender) ct count over \(Self.connectionLimit) } drop
          \(mail)
          \(toServers)
          meta l4proto { tcp, udp } th dport 53 ip daddr @resolvers4 \(sender) vmap @egress
          meta l4proto { tcp, udp } th dport 53 ip6 daddr @resolvers6 \(sender) vmap @egress
          ip daddr @open4 \(sender) vmap @egress
          ip6 daddr @open6 \(sender) vmap @egress
          ip daddr @closed4 counter name stray drop
          ip6 daddr @closed6 counter name stray drop
          \(sender) vmap @egress
          drop
      """
  }

  var ingress: String {
    """
        ct state invalid drop
        ct state related accept
        ct state established ct direction reply accept
        meta l4proto tcp ct state new tcp flags & (fin | syn | rst | ack) != syn drop
        ct state new add @flows_in { \(receiver) ct count over \(Self.connectionLimit) } drop
        \(receiver) vmap @ingress
        drop
    """
  }

  var account: String {
    """
        \(hasLimits ? SpeedLimit.outRule(for: sender) : "")
        counter name \(sender) map @bytes_out
        \(hasLimits ? SpeedLimit.inRule(for: receiver) : "")
        counter name \(receiver) map @bytes_in
    """
  }

  /// ARP needs a table of its own: the table of all traffic does not see it.
  static let arp = """
    table arp vpsd {
      chain input {
        iifname != \(taps) accept
        arp operation request arp daddr ip 169.254.1.1 iifname . ether saddr . arp saddr ip @source4 accept
        drop
      }
      chain output {
        # A link that somebody else has made has another hardware address at first, which its server would keep in mind.
        oifname \(taps) arp saddr ether != \(HostNetworkSettings.gatewayHardwareAddress) drop
      }
    }

    """
  static let arpDeclarations = """
    table arp vpsd {
      set source4 { type ifname . ether_addr . ipv4_addr; }
      chain input { type filter hook input priority 0; policy accept; }
      chain output { type filter hook output priority 0; policy accept; }
    }
    """
}
