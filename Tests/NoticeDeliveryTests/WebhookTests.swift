import Core
import Foundation
import Testing

@testable import NoticeDelivery

@Suite("A webhook")
struct WebhookTests {
  private static let secretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

  private static func deliver(
    to listener: WebhookListener, limit: Duration = .seconds(120), _ letter: NoticeLetter = MailMessageTests.letter()
  ) async throws {
    try await Webhook(listener.url, secret: try #require(WebhookSecret(secretText)), limit: limit).deliver(letter)
  }

  @Test("A signature is that of Standard Webhooks' own example")
  func signature() throws {
    let secret = try #require(WebhookSecret(Self.secretText))
    let body = Array(#"{"test": 2432232314}"#.utf8)
    #expect(
      secret.signature(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  @Test(
    "What is no secret is none",
    arguments: ["", "whsec_", "secret", "whsec_AAAA", "whsec_%%%", "whsec_" + String(repeating: "A", count: 128)])
  func secrets(_ text: String) { #expect(WebhookSecret(text) == nil) }

  @Test("It is sent the notice as JSON, with an id, a time and a signature that prove who has sent it")
  func delivered() async throws {
    let listener = try WebhookListener(answering: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
    defer { listener.end() }
    var facts = Notice.Facts()
    facts.hoursLeft = 24
    facts.balance = Money(microunits: 120_000)
    let letter = NoticeLetter(
      uuid: UUID(), notice: Notice(.creditLow, at: Timestamp(millisecondsSinceEpoch: 1_764_148_092_000), facts),
      account: ID(7), recipient: "ada@example.com", language: .bulgarian, subject: "Кредит", text: "Здравейте\n",
      writtenAt: Timestamp(millisecondsSinceEpoch: 1_764_148_095_000))
    try await Self.deliver(to: listener, letter)
    let request = try #require(listener.requests.first)
    #expect(listener.requests.count == 1)
    #expect(request.line == "POST /notices?from=vpsd HTTP/1.1")
    #expect(request.headers["content-type"] == "application/json")
    #expect(request.headers["webhook-id"] == letter.uuid.uuidString.lowercased())
    #expect(request.headers["webhook-timestamp"] == "1764148095")
    let secret = try #require(WebhookSecret(Self.secretText))
    #expect(
      request.headers["webhook-signature"]
        == secret.signature(
          id: letter.uuid.uuidString.lowercased(), timestamp: 1_764_148_095, body: Array(request.body.utf8)))
    #expect(
      request.body == #"{"data":{"account":{"email":"ada@example.com","id":7,"language":"bg"},"balance":"0.12","#
        + #""hours_left":24,"subject":"Кредит","text":"Здравейте\n"},"timestamp":"2025-11-26T09:08:12Z","type":"credit.low"}"#
    )
  }

  @Test(
    "Any other answer is a failure, and no redirection is followed",
    arguments: [
      "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
      "nonsense\r\n\r\n", "",
    ])
  func refused(_ answer: String) async throws {
    let listener = try WebhookListener(answering: answer)
    defer { listener.end() }
    let error = await #expect(throws: UndeliveredNotice.self) { try await Self.deliver(to: listener) }
    #expect(error?.isPermanent == false)
    #expect(listener.requests.filter { $0.line.hasPrefix("POST /notices") }.count == listener.requests.count)
    #expect(!listener.requests.contains { $0.line.contains("elsewhere") })
  }

  @Test("However often one answers with a redirection, or late, the service goes on")
  func oftenRefused() async throws {
    let redirecting = try WebhookListener(
      answering: "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
    defer { redirecting.end() }
    for number in 0..<200 {
      // Every other one is given up at about the time at which it answers.
      let limit = number % 2 == 0 ? Duration.seconds(120) : .microseconds(100 * number)
      await #expect(throws: UndeliveredNotice.self) { try await Self.deliver(to: redirecting, limit: limit) }
    }
  }

  @Test(
    "Of an endless answer nothing but the status is read, and one who says nothing is waited for no longer than the limit"
  )
  func slow() async throws {
    let endless = try WebhookListener(
      answering: "HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n" + String(repeating: "x", count: 500_000))
    defer { endless.end() }
    try await Self.deliver(to: endless)
    let silent = try WebhookListener(answering: nil)
    defer { silent.end() }
    let began = ContinuousClock.now
    let error = await #expect(throws: UndeliveredNotice.self) {
      try await Self.deliver(to: silent, limit: .seconds(1))
    }
    #expect(error?.reason.contains("webhook") == true && began.duration(to: .now) < .seconds(120))
  }

  @Test("What is said before the answer is not the answer")
  func interim() async throws {
    let listener = try WebhookListener(
      answering: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    defer { listener.end() }
    try await Self.deliver(to: listener)
    let endless = try WebhookListener(
      answering: String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 10_000))
    defer { endless.end() }
    await #expect(throws: UndeliveredNotice.self) { try await Self.deliver(to: endless) }
  }

  @Test("One that says nothing does not keep the service from ending")
  func ended() async throws {
    let silent = try WebhookListener(answering: nil)
    defer { silent.end() }
    let delivery = Task { try await Self.deliver(to: silent, limit: .seconds(600)) }
    while silent.requests.isEmpty { await Task.yield() }
    delivery.cancel()
    let error = await #expect(throws: UndeliveredNotice.self) { try await delivery.value }
    #expect(error?.reason == "the service was ended meanwhile")
  }

  @Test("Where nobody listens, that is said")
  func nobody() async throws {
    let listener = try WebhookListener(answering: "")
    listener.end()
    let error = await #expect(throws: UndeliveredNotice.self) { try await Self.deliver(to: listener) }
    #expect(error?.reason.hasPrefix("the webhook cannot be reached") == true, "\(error?.reason ?? "")")
  }
}
