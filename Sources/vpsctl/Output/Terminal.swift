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

  static func flush() {
    pending.withLock { bytes in
      put(bytes, STDOUT_FILENO)
      bytes = []
    }
  }

  /// A line about how it goes.
  static func tell(_ line: String) {
    guard !line.isEmpty else { return }
    flush()
    put(Array((line + "\n").utf8), STDERR_FILENO)
  }

  static func put(_ bytes: [UInt8], _ descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        // Nobody reads on, and so nothing is to be done.
        if errno == EPIPE, descriptor == STDOUT_FILENO { _exit(128 + SIGPIPE) }
        guard errno == EINTR || errno == EAGAIN else { return }
        continue
      }
      rest = rest.dropFirst(count)
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
