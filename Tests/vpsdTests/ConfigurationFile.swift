import Foundation
import TestSupport

@testable import vpsd

/// Gives a loader on a file with this text.
func withFile(_ text: String, _ body: (ConfigurationLoader) async throws -> Void) async throws {
  try await withTemporaryFolder { folder in
    var loader = ConfigurationTests.loader
    let file = folder.appendingPathComponent("vpsd.yaml")
    try Data(text.utf8).write(to: file)
    loader.file = file
    try await body(loader)
  }
}
