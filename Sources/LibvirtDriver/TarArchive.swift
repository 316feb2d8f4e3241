/// Writes the POSIX ustar format: small text files of root, and their folders.
struct TarArchive {
  private(set) var bytes: [UInt8] = []

  private static let blockSize = 512
  /// Tar programs read records of 20 blocks.
  private static let recordSize = 20 * blockSize
  /// 2000-01-01: the same content gives the same archive, and tar does not warn about files from 1970.
  private static let modificationTime = 946_684_800

  mutating func addDirectory(_ path: String, mode: Int) {
    appendHeader(path: path + "/", mode: mode, size: 0, type: "5")
  }

  mutating func addFile(_ path: String, mode: Int, _ content: String) {
    let content = Array(content.utf8)
    appendHeader(path: path, mode: mode, size: content.count, type: "0")
    bytes += content
    pad(to: Self.blockSize)
  }

  mutating func finish() {
    bytes += [UInt8](repeating: 0, count: 2 * Self.blockSize)
    pad(to: Self.recordSize)
  }

  private mutating func appendHeader(path: String, mode: Int, size: Int, type: Character) {
    precondition(path.utf8.count <= 100, "a seed has short paths only")
    var header = ""
    header += Self.field(path, width: 100)
    header += Self.octal(mode, width: 8)
    header += Self.octal(0, width: 8)
    header += Self.octal(0, width: 8)
    header += Self.octal(size, width: 12)
    header += Self.octal(Self.modificationTime, width: 12)
    let beforeChecksum = header
    var rest = String(type) + Self.field("", width: 100) + "ustar\0" + "00"
    rest += Self.field("root", width: 32) + Self.field("root", width: 32)
    rest += Self.octal(0, width: 8) + Self.octal(0, width: 8) + Self.field("", width: 155 + 12)
    let spaces = String(repeating: " ", count: 8)
    let checksum = (beforeChecksum + spaces + rest).utf8.reduce(0) { $0 + Int($1) }
    bytes += Array((beforeChecksum + Self.octal(checksum, width: 7) + " " + rest).utf8)
  }

  private mutating func pad(to multiple: Int) {
    let surplus = bytes.count % multiple
    if surplus > 0 { bytes += [UInt8](repeating: 0, count: multiple - surplus) }
  }

  private static func field(_ text: String, width: Int) -> String {
    text + String(repeating: "\0", count: width - text.utf8.count)
  }

  /// Octal digits with leading zeroes, and a terminating zero byte.
  private static func octal(_ number: Int, width: Int) -> String {
    let digits = String(number, radix: 8)
    return String(repeating: "0", count: width - 1 - digits.utf8.count) + digits + "\0"
  }
}
