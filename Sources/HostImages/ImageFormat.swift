/// The format of a published image by its first bytes, because a file name proves nothing.
enum ImageFormat: Sendable {
  case qcow2
  case xz
  case zstd
  /// The bytes of a disk, which have no signature.
  case raw
  /// A format that is not supported.
  case other(String)

  static let headBytes = 64 << 10

  private static let others: [(name: String, offset: Int, bytes: [UInt8])] = [
    ("gzip", 0, [0x1F, 0x8B]), ("bzip2", 0, Array("BZh".utf8)), ("ZIP", 0, Array("PK\u{3}\u{4}".utf8)),
    ("VMDK", 0, Array("KDMV".utf8)), ("VMDK", 0, Array("# Disk DescriptorFile".utf8)),
    ("VHDX", 0, Array("vhdxfile".utf8)), ("VHD", 0, Array("conectix".utf8)), ("VDI", 0x40, [0x7F, 0x10, 0xDA, 0xBE]),
    ("QED", 0, Array("QED\0".utf8)),
  ]

  init(head: [UInt8]) {
    func has(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
      offset + bytes.count <= head.count && head[offset...].starts(with: bytes)
    }
    if has(QCOW2Header.magic) {
      self = .qcow2
    } else if has([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
      self = .xz
    } else if has([0x28, 0xB5, 0x2F, 0xFD]) {
      self = .zstd
    } else if let other = Self.others.first(where: { has($0.bytes, at: $0.offset) }) {
      self = .other(other.name)
    } else {
      self = .raw
    }
  }
}
