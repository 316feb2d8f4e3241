package import Core
import Engine

extension TestService {
  @discardableResult
  package func move(
    _ id: ID<Server>, to location: String = "us-east", _ caller: Caller? = nil
  ) async throws -> RequestedOperation {
    try await servers.move(id, Servers.MoveDraft(location: location), caller ?? owner)
  }
}
