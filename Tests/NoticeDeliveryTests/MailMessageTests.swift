import Core
import Foundation
import Testing

@testable import NoticeDelivery

@Suite("A notice as a message")
struct MailMessageTests {
  static let from = EmailAddress("noreply@vps.example.com")!

  static func letter(
    to recipient: String = "ada@example.com", subject: String = "A test", text: String = "Hello.\n",
    language: Language = .english
  ) -> NoticeLetter {
    NoticeLetter(
      uuid: UUID(uuidString: "9b2f0a52-6f3c-4a8e-9a55-0f2f0a9f7a11")!,
      notice: Notice(.test, at: Timestamp(millisecondsSinceEpoch: 0)), account: ID(7), recipient: recipient,
      language: language, subject: subject, text: text,
      writtenAt: Timestamp(millisecondsSinceEpoch: 1_764_148_092_000))
  }

  static func message(_ letter: NoticeLetter) throws -> String {
    String(decoding: try MailMessage(letter, from: from).bytes, as: UTF8.self)
  }

  /// As a mail program of another house reads it.
  static func parsed(_ message: String) throws -> [String: Any] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [
      "-c",
      """
      import email, email.policy, json, sys
      message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
      json.dump({"headers": [[k, str(v)] for k, v in message.items()], "text": message.get_content(),
        "defects": [str(d) for d in message.defects]}, sys.stdout)
      """,
    ]
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(message.utf8))
    try input.fileHandleForWriting.close()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test("A plain one has the headers that RFC 5322 asks for, and its text as it is")
  func plain() throws {
    let message = try Self.message(Self.letter())
    #expect(
      message == """
        From: noreply@vps.example.com
        To: ada@example.com
        Subject: A test
        Date: Wed, 26 Nov 2025 09:08:12 +0000
        Message-ID: <9b2f0a52-6f3c-4a8e-9a55-0f2f0a9f7a11@vps.example.com>
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable
        Content-Language: en
        Auto-Submitted: auto-generated

        Hello.

        """)
  }

  @Test(
    "Any text arrives as it was written, in lines of 76 bytes, and no line of it means anything to a mail program",
    arguments: [
      "Здравейте,\n\nАкаунтът Ви е спрян.\n", ".\n..\nFrom here\n", "a=b \ntrailing \t\n",
      String(repeating: "ш", count: 500) + "\n", String(repeating: "x.", count: 200) + "\n",
      String(repeating: "F", count: 300) + "\n", "👩‍👩‍👧 e\u{301}\u{0}\r\nBcc: eve@example.com\n",
    ])
  func texts(_ text: String) throws {
    let message = try Self.message(Self.letter(text: text))
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.allSatisfy { $0.utf8.count <= 76 && $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
    let body = lines.drop { !$0.isEmpty }.dropFirst()
    #expect(!body.contains { $0.hasPrefix(".") || $0.hasPrefix("From ") })
    let parsed = try Self.parsed(message)
    let read = try #require(parsed["text"] as? String)
    #expect(read.replacing("\r\n", with: "\n") == text.replacing("\r\n", with: "\n"))
    #expect((parsed["defects"] as? [String])?.isEmpty == true)
    #expect((parsed["headers"] as? [[String]])?.count == 10)
  }

  @Test(
    "A subject is a header and never more than one, whatever stands in it",
    arguments: [
      "Кредитът Ви стига за по-малко от 72 часа, и то при сегашните цени на всички сървъри",
      "A\nBcc: eve@example.com", "A\r\n\r\nText", "=?utf-8?B?QQ==?=", String(repeating: "long ", count: 60),
      "tab\tbell\u{7}",
    ])
  func subjects(_ subject: String) throws {
    let message = try Self.message(Self.letter(subject: subject))
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.allSatisfy { $0.utf8.count <= 76 })
    let parsed = try Self.parsed(message)
    let headers = try #require(parsed["headers"] as? [[String]])
    #expect(headers.map { $0[0] }.filter { $0 == "Subject" }.count == 1 && headers.count == 10)
    #expect(!headers.contains { $0[0] == "Bcc" })
    #expect(parsed["text"] as? String == "Hello.\n")
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } })
  }

  @Test("A subject in Cyrillic is read as it was written")
  func cyrillic() throws {
    let subject = "Кредитът Ви стига за по-малко от 72 часа, и то при сегашните цени на всички сървъри"
    let headers = try #require(
      try Self.parsed(Self.message(Self.letter(subject: subject)))["headers"] as? [[String]])
    #expect(headers.first { $0[0] == "Subject" }?[1] == subject)
  }

  @Test(
    "An address that is more than one, or ends its header, gets no message, and is not tried again",
    arguments: [
      "a@b,eve@example.com", "a@b>,<eve@example.com", "a@b\nBcc:eve@example.com", "\"a b\"@example.com", "a@b;c@d",
      "a(comment)@example.com", "a@", "@b", "a", "a@b@c", ".a@b", "a.@b", "a@b..c", "-t@example.com", "й@example.com",
      "a@exa mple.com", String(repeating: "a", count: 65) + "@b", "a@" + String(repeating: "b", count: 260),
    ])
  func addresses(_ address: String) throws {
    let error = #expect(throws: UndeliveredNotice.self) { try MailMessage(Self.letter(to: address), from: Self.from) }
    #expect(error?.isPermanent == true)
  }

  @Test(
    "Addresses as people have them are taken", arguments: ["ada@example.com", "admin@localhost", "a.b+c@x-y.example"])
  func usual(_ address: String) throws {
    #expect(try Self.message(Self.letter(to: address)).contains("\nTo: \(address)\n"))
  }
}
