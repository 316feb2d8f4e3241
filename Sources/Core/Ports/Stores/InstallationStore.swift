package import struct Foundation.UUID

/// What makes an installation, and tells it from others.
package protocol InstallationStore: Sendable {
  /// Names this installation for good, so that its machines can be told from those of another on the same host.
  func installationID() async throws -> UUID

  /// Fills an empty store with a catalogue, an account, its opening credit and a token. Returns false, and changes nothing,
  /// where there is an account already.
  func bootstrap(_ installation: NewInstallation, at now: Timestamp) async throws -> Bool
  func isBootstrapped() async throws -> Bool
}
