import Foundation

/// The Incus, or the LXD, that Tests/Hosts/incus runs.
enum TestIncus {
  /// Its own client, whose words are the same for both.
  static let client = ProcessInfo.processInfo.environment["VPSD_TEST_INCUS_CLIENT"] ?? "/usr/bin/incus"
}
