import Core

/// How a server is held to its speed: two limits of nftables, one each way, that are looked up by tap. What is beyond them is
/// dropped before it is counted for whom it is beyond. The kernel changes no limit that is there, so that each has its speed in its name.
enum SpeedLimit {
  /// - Parameter type: Of what they are looked up by.
  static func maps(of type: String) -> String {
    """
        map speed_in { type \(type) : limit; }
        map speed_out { type \(type) : limit; }

    """
  }

  /// What a sender is held to comes first, so that it uses up nothing of the receiver's.
  static func outRule(for sender: String) -> String { "limit name \(sender) map @speed_out drop" }
  static func inRule(for receiver: String) -> String { "limit name \(receiver) map @speed_in drop" }
  static let flushes = """
      flush map inet vpsd speed_in
      flush map inet vpsd speed_out

    """

  /// Those of both ways; none for a server without a limit.
  static func names(of interface: RoutedInterface) -> [String] {
    interface.speedMbit.map { speed in ["in", "out"].map { "\(interface.tap)-\($0)-\(speed)" } } ?? []
  }

  static func additions(of interface: RoutedInterface) -> [String] {
    names(of: interface).map { name in
      // The kernel takes no more than 147,573 Mbit/s, and one limit that it refuses would keep all others out.
      let bytes = min(interface.speedMbit ?? 0, 100_000) * 125_000
      return "add limit inet vpsd \(name) { rate over \(bytes) bytes/second }\n"
    }
  }

  static func removal(of interface: RoutedInterface) -> String {
    names(of: interface).map { "delete limit inet vpsd \($0)\n" }.joined()
  }

  /// Tried without a trace, as a part of nothing. Nil where there is no packet filter at all to be asked.
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
