import Foundation

/// The QEMU binary that runs machines. Another build of it may have other devices.
struct EmulatorBinary {
  private let path: String

  /// The binary that libvirt names; nil if it names none.
  init?(capabilities: String) {
    guard let start = capabilities.firstRange(of: "<path>")?.upperBound,
      let end = capabilities[start...].firstRange(of: "</path>")?.lowerBound
    else { return nil }
    path = String(capabilities[start..<end])
  }

  private init(path: String) { self.path = path }

  /// Its size, time and path; nil if it does not exist.
  var print: String? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(path)"
  }

  /// Whether the binary is unchanged since this print was taken.
  static func isSame(_ print: String) -> Bool {
    let words = print.split(separator: " ", maxSplits: 2)
    return words.count == 3 && EmulatorBinary(path: String(words[2])).print == print
  }
}
