package import Core
package import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Sends notices over HTTP to a program of the operator's, signed as in Standard Webhooks. A status from 200 to 299 means that
/// the notice was accepted. Nothing else of the answer is read, and no redirection is followed.
package struct Webhook: NoticeReceiver {
  private let url: URL
  private let secret: WebhookSecret
  private let limit: Duration

  /// - Parameter limit: The time for the whole request, from the lookup of the name to the status.
  package init(_ url: URL, secret: WebhookSecret, limit: Duration = .seconds(15)) {
    self.url = url
    self.secret = secret
    self.limit = limit
  }

  package func deliver(_ letter: NoticeLetter) async throws {
    let status = try await status(of: try request(for: letter))
    guard (200...299).contains(status) else { throw UndeliveredNotice("the webhook answered with \(status)") }
  }

  private func request(for letter: NoticeLetter) throws -> URLRequest {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let body = try encoder.encode(WebhookMessage(letter))
    let id = letter.uuid.text
    let timestamp = letter.writtenAt.millisecondsSinceEpoch / 1000
    var request = URLRequest(url: url, timeoutInterval: TimeInterval(limit.components.seconds))
    request.httpMethod = "POST"
    request.httpBody = body
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue("vpsd", forHTTPHeaderField: "User-Agent")
    request.setValue(id, forHTTPHeaderField: "webhook-id")
    request.setValue(String(timestamp), forHTTPHeaderField: "webhook-timestamp")
    request.setValue(
      secret.signature(id: id, timestamp: timestamp, body: Array(body)), forHTTPHeaderField: "webhook-signature")
    return request
  }

  private func status(of request: URLRequest) async throws -> Int {
    let exchange = WebhookExchange()
    let session = URLSession(configuration: .ephemeral, delegate: exchange, delegateQueue: exchange.queue)
    defer { session.invalidateAndCancel() }
    let task = session.dataTask(with: request)
    let timer = Task {
      try await Task.sleep(for: limit)
      exchange.giveUp(UndeliveredNotice("the webhook did not answer within \(limit)"))
    }
    defer { timer.cancel() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        exchange.begin(continuation)
        task.resume()
      }
    } onCancel: {
      exchange.giveUp(UndeliveredNotice("the service was ended meanwhile"))
    }
  }
}

/// One request, which ends with the status of its answer, with a failure or with the time limit, whichever comes first.
///
/// URLSession ends the process if a completion handler is called after its task was cancelled. So a handler is called before
/// the exchange ends, and the caller cancels only after that; once it has ended, no handler is called. All of this runs on one
/// queue.
private final class WebhookExchange: NSObject, URLSessionDataDelegate, Sendable {
  private struct State {
    var continuation: CheckedContinuation<Int, any Error>?
    var result: Result<Int, any Error>?
  }

  private let state = Mutex(State())
  let queue = {
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 1
    return queue
  }()

  func begin(_ continuation: CheckedContinuation<Int, any Error>) {
    let early = state.withLock { state in
      if state.result == nil { state.continuation = continuation }
      return state.result
    }
    if let early { continuation.resume(with: early) }
  }

  func giveUp(_ error: UndeliveredNotice) { queue.addOperation { self.end(.failure(error)) } }

  private var isOver: Bool { state.withLock { $0.result != nil } }

  /// To be called on the queue only.
  private func end(_ result: Result<Int, any Error>) {
    let waiting = state.withLock { state -> CheckedContinuation<Int, any Error>? in
      guard state.result == nil else { return nil }
      state.result = result
      defer { state.continuation = nil }
      return state.continuation
    }
    waiting?.resume(with: result)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    guard !isOver else { return }
    completionHandler(.cancel)
    end(.success((response as? HTTPURLResponse)?.statusCode ?? 0))
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    guard !isOver else { return }
    completionHandler(nil)
    end(.success(response.statusCode))
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    end(.failure(UndeliveredNotice("the webhook cannot be reached: \(error?.localizedDescription ?? "no answer")")))
  }
}
