import APIClient
import Glibc
import Synchronization

/// Standard output for what was asked for, standard error for everything else.
enum Terminal {
  static let isOutput = isatty(STDOUT_FILENO) == 1
  static let isErrors = isatty(STDERR_FILENO) == 1
  static let isInput = isatty(STDIN_FILENO) == 1
  static let hasColors = isOutput && environment("NO_COLOR") == nil && environment("TERM") != "dumb"

  static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  private static let pending = Mutex<[UInt8]>([])

  /// A line of what was asked for.
  static func print(_ line: String) {
    write(line + "\n")
  }

  static func write(_ text: String) {
    write(Array(text.utf8))
  }

  static func write(_ bytes: [UInt8]) {
    let isMuch = pending.withLock { pending in
      pending += bytes
      return pending.count > 1 << 16
    }
    if isMuch { flush() }
  }

  /// What cannot be written was not told, and that is no success.
  static func flush() {
    pending.withLock { bytes in
      guard put(bytes, STDOUT_FILENO) else {
        put(Array("Error: The output cannot be written: \(String(cString: strerror(errno))).\n".utf8), STDERR_FILENO)
        _exit(1)
      }
      bytes = []
    }
  }

  /// A line about how it goes.
  static func tell(_ line: String) {
    guard !line.isEmpty else { return }
    flush()
    put(Array((line + "\n").utf8), STDERR_FILENO)
  }

  /// - Returns: Whether all was written; `errno` says why not.
  @discardableResult
  static func put(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        // Nobody reads on, and so nothing is to be done.
        if errno == EPIPE, descriptor == STDOUT_FILENO { _exit(128 + SIGPIPE) }
        guard errno == EINTR || errno == EAGAIN else { return false }
        continue
      }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// All of standard input, or a refusal where it is more than there can be of it: a part would be another thing.
  static func standardInput(atMost limit: Int, _ name: String) throws -> String {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(STDIN_FILENO, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw Refusal(.failed, "\(name): standard input cannot be read: \(String(cString: strerror(errno))).")
      }
      if count == 0 {
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw Refusal(.refused, "\(name): standard input is no text in UTF-8.")
        }
        return text
      }
      bytes += piece.prefix(count)
      guard bytes.count <= limit else { throw Refusal(.usage, "\(name): that is too much.") }
    }
  }

  /// What somebody types at a question; nil where there is nobody.
  static func ask(_ question: String) -> String? {
    guard isInput else { return nil }
    flush()
    put(Array(question.utf8), STDERR_FILENO)
    return readLine()
  }
}

extension String {
  /// For a terminal: what is not to be shown is escaped as Swift writes it, `\u{1B}`.
  var escapedForTerminal: String {
    guard unicodeScalars.contains(where: \.isControlling) else { return self }
    return unicodeScalars.map { $0.isControlling ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}
