extension APIClient {
  /// All elements of a list, page after page, as they come.
  public func pages(
    _ path: String, query: [(name: String, value: String)] = []
  ) -> AsyncThrowingStream<[JSON], any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          var next: String? = path + Self.text(of: query)
          while let address = next {
            let reply = try await request("GET", address)
            let page = try reply.json()
            guard let elements = page["results"]?.array else {
              throw UnexpectedReply(status: reply.status, "The answer is no list.")
            }
            continuation.yield(elements)
            // The query of it, to our own address: that of the service may be another one than the one it is reached by.
            next = page["next"]?.string.flatMap { text in text.firstIndex(of: "?").map { path + text[$0...] } }
            if elements.isEmpty { next = nil }
          }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// All elements of a list.
  public func list(_ path: String, query: [(name: String, value: String)] = []) async throws -> [JSON] {
    var all: [JSON] = []
    for try await page in pages(path, query: query) { all += page }
    // A stream whose reader is cancelled only ends.
    try Task.checkCancellation()
    return all
  }
}
