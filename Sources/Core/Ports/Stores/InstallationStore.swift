package import struct Foundation.UUID

/// The identity and the first content of an installation.
package protocol InstallationStore: Sendable {
  /// The permanent id of this installation, by which its machines are told from those of another one on the same host.
  func installationID() async throws -> UUID

  /// Fills an empty store with a catalogue, an account, its opening credit and a token. Returns false, and changes
  /// nothing, if there is an account already.
  func bootstrap(_ installation: NewInstallation, at now: Timestamp) async throws -> Bool
  func isBootstrapped() async throws -> Bool
}
