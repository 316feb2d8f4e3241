import Core
import Foundation

/// Talks to the QEMU guest agent in one machine. The guest is the customer's, so its answers are untrusted. Blocks: only for
/// `BlockingThreads`.
struct GuestAgent {
  let domain: Domain

  private static let answerSeconds: Int32 = 3

  func ping(timeoutSeconds: Int32 = 2) throws {
    try execute(Command<NoArguments>(execute: "guest-ping"), timeoutSeconds: timeoutSeconds)
  }

  /// The agent sends no answer when it succeeds, so a timeout is no failure.
  func shutDown() throws {
    try execute(
      Command(execute: "guest-shutdown", arguments: ["mode": "powerdown"]), timeoutSeconds: 1)
  }

  /// Flushes the file systems, and blocks writes until the thaw.
  func freezeFileSystems() throws {
    try execute(Command<NoArguments>(execute: "guest-fsfreeze-freeze"), timeoutSeconds: 10)
  }

  /// Without effect where nothing is frozen. An agent that supports neither freeze nor thaw has nothing to thaw.
  func thawFileSystems() throws {
    do {
      try execute(Command<NoArguments>(execute: "guest-fsfreeze-thaw"), timeoutSeconds: 10)
    } catch let error as LibvirtError {
      // The agent may have refused, for which libvirt has no code, or be silent, and then it does not answer a ping either.
      guard (try? ping()) != nil else { throw error }
      let status: String? = try? answer(Command<NoArguments>(execute: "guest-fsfreeze-status"))
      if status == "frozen" { throw error }
    }
  }

  /// Bytes since the guest's boot through its first network interface; nil where the agent reports none.
  func networkCounters() throws -> NetworkCounters? {
    Self.networkCounters(in: try answer(Command<NoArguments>(execute: "guest-network-get-interfaces")))
  }

  /// Bytes in use on the root file system; nil where the agent does not report them.
  func rootFileSystemUsedBytes() throws -> Int64? {
    Self.rootFileSystemUsedBytes(in: try answer(Command<NoArguments>(execute: "guest-get-fsinfo")))
  }

  /// Starts a program in the guest and returns its process ID there.
  func start(_ path: String, _ arguments: [String]) throws -> Int {
    let program = Program(path: path, arg: arguments, captureOutput: true)
    let started: Started = try answer(Command(execute: "guest-exec", arguments: program))
    return started.pid
  }

  /// The result of a program that was started; nil while it runs.
  func end(of process: Int) throws -> ProgramEnd? {
    let end: ProgramEnd = try answer(Command(execute: "guest-exec-status", arguments: ["pid": process]))
    return end.exited ? end : nil
  }

  func setPassword(hash: String, of account: String) throws {
    let password = PasswordChange(
      username: account, password: Data(hash.utf8).base64EncodedString(), crypted: true)
    try execute(Command(execute: "guest-set-user-password", arguments: password), timeoutSeconds: 10)
  }

  private func answer<Arguments: Encodable, Value: Decodable>(_ command: Command<Arguments>) throws -> Value {
    try Self.decode(execute(command, timeoutSeconds: Self.answerSeconds), to: command.execute)
  }

  @discardableResult
  private func execute<Arguments>(_ command: Command<Arguments>, timeoutSeconds: Int32) throws -> String {
    let json = try JSONEncoder().encode(command)
    return try domain.agentCommand(String(decoding: json, as: UTF8.self), timeoutSeconds: timeoutSeconds)
  }
}

// MARK: - Untrusted answers

extension GuestAgent {
  /// Far more than any expected answer.
  private static let maximumAnswerBytes = 1 << 20
  /// A larger counter, beyond an exbibyte, is not credible.
  private static let largestCounter: UInt64 = 1 << 60

  static func decode<Value: Decodable>(_ text: String, to command: String) throws -> Value {
    guard text.utf8.count <= maximumAnswerBytes else {
      throw DriverError(.unreachable, "the agent answered \(command) with \(text.utf8.count) bytes")
    }
    do {
      return try JSONDecoder().decode(Answer<Value>.self, from: plain(text)).return
    } catch {
      throw DriverError(
        .unreachable, "the agent answered \(command) with \(printable(String(text.unicodeScalars.prefix(200))))")
    }
  }

  /// The answer with everything that is not ASCII, literal or escaped, replaced by `?`. Only ASCII in answers is used, and
  /// comparing or hashing other text can take time quadratic in its length.
  static func plain(_ text: String) -> Data {
    var plain = Data(capacity: text.utf8.count)
    var bytes = text.utf8.makeIterator()
    while let byte = bytes.next() {
      guard byte == UInt8(ascii: "\\") else {
        plain.append(byte < 0x80 ? byte : UInt8(ascii: "?"))
        continue
      }
      guard let next = bytes.next() else { break }
      if next == UInt8(ascii: "u") {
        plain.append(UInt8(ascii: "?"))
        for _ in 0..<4 { _ = bytes.next() }
      } else {
        plain.append(contentsOf: [byte, next])
      }
    }
    return plain
  }

  static func networkCounters(in interfaces: [Interface]) -> NetworkCounters? {
    guard let statistics = interfaces.first(where: { $0.name == "eth0" })?.statistics,
      let received = counter(statistics.receivedBytes), let sent = counter(statistics.sentBytes)
    else { return nil }
    return NetworkCounters(receivedBytes: received, sentBytes: sent)
  }

  static func rootFileSystemUsedBytes(in fileSystems: [FileSystem]) -> Int64? {
    fileSystems.first { $0.mountpoint == "/" }?.usedBytes.flatMap(counter)
  }

  private static func counter(_ value: UInt64) -> Int64? { value <= largestCounter ? Int64(value) : nil }

  /// Text for the operator's log and terminal, reduced to printable ASCII, because a guest must not control either.
  static func printable(_ text: some StringProtocol) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? $0 : "?" }))
  }

  struct ProgramEnd: Decodable, Sendable {
    let exited: Bool
    let exitcode: Int?
    private let outputData: Data?
    private let errorData: Data?

    var standardOutput: String { Self.text(outputData) }
    var standardError: String { Self.text(errorData) }

    private static func text(_ data: Data?) -> String {
      data.map { GuestAgent.printable(String(decoding: $0.prefix(500), as: UTF8.self)) } ?? ""
    }

    private enum CodingKeys: String, CodingKey {
      case exited, exitcode
      case outputData = "out-data"
      case errorData = "err-data"
    }
  }

  private struct Command<Arguments: Encodable>: Encodable {
    let execute: String
    var arguments: Arguments?
  }

  private struct NoArguments: Encodable {}

  private struct Answer<Value: Decodable>: Decodable {
    let `return`: Value
  }

  private struct Program: Encodable {
    let path: String
    let arg: [String]
    let captureOutput: Bool

    private enum CodingKeys: String, CodingKey {
      case path, arg
      case captureOutput = "capture-output"
    }
  }

  private struct PasswordChange: Encodable {
    let username: String
    let password: String
    let crypted: Bool
  }

  private struct Started: Decodable {
    let pid: Int
  }

  struct Interface: Decodable {
    struct Statistics: Decodable {
      let receivedBytes: UInt64
      let sentBytes: UInt64

      private enum CodingKeys: String, CodingKey {
        case receivedBytes = "rx-bytes"
        case sentBytes = "tx-bytes"
      }
    }

    let name: String
    let statistics: Statistics?
  }

  struct FileSystem: Decodable {
    let mountpoint: String
    let usedBytes: UInt64?

    private enum CodingKeys: String, CodingKey {
      case mountpoint
      case usedBytes = "used-bytes"
    }
  }
}
