import NIOCore
import NIOHTTP1

extension IncusClient {
  /// Sends a file that comes from another server as the body of a POST, piece by piece as it comes: in memory are some of them at a
  /// time, and nothing of it is written here. Returns the work that goes on with it.
  ///
  /// - Parameters:
  ///   - patience: How long nothing may move.
  ///   - isWanted: Asked about once a second.
  func relay(
    _ file: IncusPath, of source: IncusClient, to path: IncusPath, patience: Duration,
    while isWanted: @escaping @Sendable () -> Bool
  ) async throws -> IncusOperation? {
    let incoming = try await source.open(file, within: IncusDeadline.instance)
    // Whoever waits for a piece of it, waits no longer.
    defer { incoming.close() }
    let silence = Silence(limit: patience, whileWanted: isWanted)
    let headers: HTTPHeaders = [
      "Content-Type": "application/octet-stream", "Content-Length": String(incoming.sizeBytes),
    ]
    let reply = try await converse(head(.POST, path, headers), within: .silence(silence), mostBytes: 1 << 20) {
      channel in
      channel.eventLoop.makeFutureWithTask {
        while let piece = try await incoming.next() {
          try await channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(piece)))
          silence.end()
        }
      }
    }
    return try Self.operation(of: reply, path)
  }

  /// Waits until it is over, as long as it goes on: the server tells how far it is. Throws where it failed. Of one that is forgotten nobody
  /// knows how it ended: whoever asks looks at what came of it.
  ///
  /// - Parameter patience: How long it may stand still.
  func end(
    of operation: IncusOperation, patience: Duration, while isWanted: @escaping @Sendable () -> Bool
  ) async throws {
    let silence = Silence(limit: patience, whileWanted: isWanted)
    var progress: Set<String> = []
    while true {
      guard let now = try await look(at: operation) else { return }
      guard now.isUnderWay else {
        _ = try now.outcome()
        return
      }
      let told = now.result?.progress ?? []
      if told != progress { silence.end() }
      progress = told
      try silence.throwIfOver()
    }
  }

  /// Once it is over, or a second later; nil where it is forgotten. That a second is over Incus says with an error.
  private func look(at operation: IncusOperation) async throws -> IncusOperation? {
    let wait = IncusPath("operations", operation.id, "wait", query: ["timeout": "1"])
    do {
      do {
        return try await read(wait)
      } catch IncusError.refused {
        return try await read(IncusPath("operations", operation.id))
      }
    } catch IncusError.notFound {
      return nil
    }
  }

  /// Of an image that does not fit, an error tells of each file in it.
  private func read(_ path: IncusPath) async throws -> IncusOperation {
    try await get(path, as: IncusOperation.self, within: IncusDeadline.instance, mostBytes: 16 << 20)
  }
}
