extension APIClient {
  /// All elements of a list, page after page, as they arrive. Where the query says neither page nor order they come by id, and
  /// none that is there all the time is left out, whatever is deleted meanwhile: each page begins after the last id of the page
  /// before. A list that has no such pages ignores that.
  public func pages(
    _ path: String, query: [(name: String, value: String)] = []
  ) -> AsyncThrowingStream<[JSON], any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          let isPlaced = query.contains { ["after", "ordering", "page"].contains($0.name) }
          var next: String? = path + Self.text(of: query + (isPlaced ? [] : [(name: "after", value: "0")]))
          while let address = next {
            let reply = try await request("GET", address)
            let page = try reply.json()
            guard let elements = page["results"]?.array else {
              throw UnexpectedReply(status: reply.status, "The answer is no list.")
            }
            continuation.yield(elements)
            // Only the query of the link is used, with our own path: the service may be reached by another address than
            // it knows.
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
    // If its reader is cancelled, a stream just ends, without an error.
    try Task.checkCancellation()
    return all
  }
}
