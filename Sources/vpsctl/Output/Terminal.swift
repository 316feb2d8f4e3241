import APIClient
import Glibc
import Synchronization

/// Writes results to standard output, and everything else to standard error.
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

  /// Prints a line of the result.
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

  /// Writes the pending output. If that fails the program ends with an error, because its result is lost.
  static func flush() {
    pending.withLock { bytes in
      guard put(bytes, STDOUT_FILENO) else {
        put(Array("Error: The output cannot be written: \(String(cString: strerror(errno))).\n".utf8), STDERR_FILENO)
        _exit(1)
      }
      bytes = []
    }
  }

  /// Prints a line about the progress to standard error.
  static func tell(_ line: String) {
    guard !line.isEmpty else { return }
    flush()
    put(Array((line + "\n").utf8), STDERR_FILENO)
  }

  /// - Returns: Whether everything was written; `errno` has the reason if not.
  @discardableResult
  static func put(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        // The reader of a pipe is gone, so there is nothing more to do.
        if errno == EPIPE, descriptor == STDOUT_FILENO { _exit(128 + SIGPIPE) }
        guard errno == EINTR || errno == EAGAIN else { return false }
        continue
      }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// The whole of standard input. Longer input is refused, because a part of it would mean something else.
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

  /// Asks a question and returns the line that is typed; nil if standard input is no terminal.
  static func ask(_ question: String) -> String? {
    guard isInput else { return nil }
    flush()
    put(Array(question.utf8), STDERR_FILENO)
    return readLine()
  }
}

extension String {
  /// The text with everything that could control a terminal escaped as in Swift: `\u{1B}`.
  var escapedForTerminal: String {
    guard unicodeScalars.contains(where: \.isControlling) else { return self }
    return unicodeScalars.map { $0.isControlling ? $0.escaped(asASCII: true) : String($0) }.joined()
  }
}
