import Core
import Engine
import Foundation
import PrivateFiles

/// Initialises a new installation with the default catalogue, an account with credit, and a token with all permissions.
struct FirstStart {
  static let email = "admin@localhost"
  static let openingCredit = Money(microunits: 100_000_000)

  let store: any InstallationStore
  let directory: DataDirectory
  let clock: any WallClock

  /// The token's text on the first start, nil on every later one.
  func run() async throws -> TokenText? {
    guard try await !store.isBootstrapped() else { return nil }
    let token = TokenText.random()
    // The file comes first: if the process died between the two, a row without a file would be a token that nobody knows.
    try PrivateFile.write((token.text + "\n").utf8, to: directory.token)
    let installation = NewInstallation(
      catalogue: .initial, email: Self.email, openingCredit: Self.openingCredit, tokenName: "first start",
      tokenHash: token.hash, isOperator: true)
    if try await store.bootstrap(installation, at: clock.now) { return token }
    // Another service of the same database was first, and its token is valid.
    unlink(directory.token)
    return nil
  }
}
