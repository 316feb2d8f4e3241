import Core

/// Limits a server's speed by two limits of nftables, one for each direction, which are looked up by its tap or card. Packets
/// beyond a limit are dropped before they are counted for that server. The kernel cannot change an existing limit, so each has
/// its speed in its name.
enum SpeedLimit {
  /// - Parameter type: The type of the maps' key.
  static func maps(of type: String) -> String {
    """
        map speed_in { type \(type) : limit; }
        map speed_out { type \(type) : limit; }

    """
  }

  /// The sender's limit comes first, so that a packet that it drops does not use up the receiver's.
  static func outRule(for sender: String) -> String { "limit name \(sender) map @speed_out drop" }
  static func inRule(for receiver: String) -> String { "limit name \(receiver) map @speed_in drop" }
  static let flushes = """
      flush map inet vpsd speed_in
      flush map inet vpsd speed_out

    """

  /// The names for both directions; empty for a server without a limit.
  static func names(of interface: RoutedInterface) -> [String] {
    interface.speedMbit.map { speed in ["in", "out"].map { "\(interface.tap)-\($0)-\(speed)" } } ?? []
  }

  static func additions(of interface: RoutedInterface) -> [String] {
    names(of: interface).map { name in
      // The kernel accepts at most 147,573 Mbit/s, and one rejected limit would fail the whole transaction.
      let bytes = min(interface.speedMbit ?? 0, 100_000) * 125_000
      return "add limit inet vpsd \(name) { rate over \(bytes) bytes/second }\n"
    }
  }

  static func removal(of interface: RoutedInterface) -> String {
    names(of: interface).map { "delete limit inet vpsd \($0)\n" }.joined()
  }

  /// Checked without loading anything. Nil where there is no packet filter at all.
  @Sendable static func isSupported() -> Bool? {
    guard (try? PacketFilter.check("table inet vpsd_trial { }")) != nil else { return nil }
    let table = """
      table inet vpsd_trial {
        limit trial { rate over 125000 bytes/second }
        map trials { type ifname : limit; elements = { "lo" : "trial" } }
        chain trial { type filter hook forward priority 300; limit name oifname map @trials drop; }
      }
      """
    return (try? PacketFilter.check(table)) != nil
  }
}
