package import Core
package import Foundation

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
    let status = try await post(for: letter).status(within: limit)
    guard (200...299).contains(status) else { throw UndeliveredNotice("the webhook answered with \(status)") }
  }

  private func post(for letter: NoticeLetter) throws -> WebhookPost {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let body = Array(try encoder.encode(WebhookMessage(letter)))
    let id = letter.uuid.text
    let timestamp = letter.writtenAt.millisecondsSinceEpoch / 1000
    return WebhookPost(
      url: url.absoluteString,
      headers: [
        "Content-Type: application/json", "User-Agent: vpsd", "webhook-id: \(id)", "webhook-timestamp: \(timestamp)",
        "webhook-signature: \(secret.signature(id: id, timestamp: timestamp, body: body))",
      ],
      body: body)
  }
}
