package import Core
package import Foundation
import HostImages

/// Requests to guests on behalf of their customers.
extension LibvirtDriver {
  package func takesUserData(_ image: String) async throws -> Bool {
    try await onFiles("look at the image") {
      try images.description(of: image, version: try images.currentVersion(of: image)).properties.takesUserData
    }
  }

  /// cloud-init writes its errors to result.json when it ends. Parts of a cloud-config that it could not read it only logs.
  private static let userDataScript = """
    if [ ! -e /run/cloud-init/result.json ]; then echo underway
    elif grep -q '"errors": \\[\\]' /run/cloud-init/result.json &&
      ! grep -qs 'Failed loading yaml blob\\|Failed at merging in cloud config' /var/log/cloud-init.log; then echo succeeded
    else echo failed; fi
    """

  package func userDataOutcome(of machine: UUID) async throws -> UserDataOutcome {
    let files = files(of: machine)
    let record = try await onFiles("look how it is run") { try DiskRecord.read(files.diskRecord) }
    if let record, !record.properties.hasGuestAgent { return .unknowable }
    do {
      let end = try await outcome(of: "/bin/sh", ["-c", Self.userDataScript], in: machine)
      switch end.standardOutput.filter(\.isLetter) {
      case "underway": return .underWay
      case "succeeded": return .succeeded
      case "failed": return .failed
      default: return .unknowable
      }
    } catch let error as DriverError where error.isAgentsRefusal {
      // Some agents refuse to run programs. Those that do not answer may do so later.
      return .unknowable
    }
  }

  package func setPassword(hash: String, of account: String, in machine: UUID) async throws {
    do {
      try await onGuest(machine, "set a password") { domain in
        try GuestAgent(domain: domain).setPassword(hash: hash, of: account)
      }
    } catch let error as DriverError where error.isAgentsRefusal {
      throw DriverError(.rejected, error.detail, customerReason: "The server did not take a new password.")
    }
  }
}
