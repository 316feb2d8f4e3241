/// Builds an ISO 9660 file system, as on CDs, without extensions: small files in one folder. Linux shows their names in lower
/// case.
struct ISOImage {
  private let label: String
  private let files: [(name: String, content: [UInt8])]

  private static let sector = 2048
  /// Sector numbers, after the sixteen sectors reserved for boot code: volume descriptor, terminator, path table in both byte
  /// orders, folder.
  private static let (volume, terminator, littleTable, bigTable, folder, firstFile) = (16, 17, 18, 19, 20, 21)
  /// 2000-01-01, so that the same content gives the same image: years since 1900, month, day, time of day, offset from UTC.
  private static let recordDate: [UInt8] = [100, 1, 1, 0, 0, 0, 0]
  private static let volumeDate = Array("2000010100000000".utf8) + [0]

  init(label: String, files: [(name: String, content: String)]) {
    self.label = label
    self.files = files.sorted { $0.name < $1.name }.map { ($0.name, Array($0.content.utf8)) }
  }

  var bytes: [UInt8] {
    var image = [UInt8](repeating: 0, count: Self.volume * Self.sector)
    let (records, sectors) = layout
    image += padded(volumeDescriptor(sectors: sectors))
    image += padded([255] + Array("CD001".utf8) + [1])
    // The only folder is the root, whose name is a zero byte.
    image += padded([1, 0] + Self.little(Self.folder, 4) + Self.little(1, 2) + [0, 0])
    image += padded([1, 0] + Self.big(Self.folder, 4) + Self.big(1, 2) + [0, 0])
    precondition(records.count <= Self.sector, "a seed has few files")
    image += padded(records)
    for file in files { image += padded(file.content) }
    return image
  }

  /// The folder's records, and the number of sectors of the image.
  private var layout: (records: [UInt8], sectors: Int) {
    var records = Self.record(of: [0], at: Self.folder, bytes: Self.sector, isFolder: true)
    records += Self.record(of: [1], at: Self.folder, bytes: Self.sector, isFolder: true)
    var sector = Self.firstFile
    for file in files {
      let name = Array("\(file.name.uppercased());1".utf8)
      records += Self.record(of: name, at: sector, bytes: file.content.count, isFolder: false)
      sector += (file.content.count + Self.sector - 1) / Self.sector
    }
    return (records, sector)
  }

  private static func record(of name: [UInt8], at sector: Int, bytes: Int, isFolder: Bool) -> [UInt8] {
    var record: [UInt8] = [0, 0] + both(sector, 4) + both(bytes, 4) + recordDate
    record += [isFolder ? 2 : 0, 0, 0] + both(1, 2) + [UInt8(name.count)] + name
    if record.count % 2 == 1 { record.append(0) }
    record[0] = UInt8(record.count)
    return record
  }

  private func volumeDescriptor(sectors: Int) -> [UInt8] {
    var bytes: [UInt8] = [1] + Array("CD001".utf8) + [1, 0]
    bytes += Self.text("", 32) + Self.text(label, 32) + [UInt8](repeating: 0, count: 8)
    bytes += Self.both(sectors, 4) + [UInt8](repeating: 0, count: 32)
    // A volume set of one, the number of this volume, and the sector size.
    bytes += Self.both(1, 2) + Self.both(1, 2) + Self.both(Self.sector, 2)
    // Size of the path table, and where its two byte orders start. The optional second copies do not exist.
    bytes += Self.both(10, 4) + Self.little(Self.littleTable, 4) + Self.little(0, 4)
    bytes += Self.big(Self.bigTable, 4) + Self.big(0, 4)
    bytes += Self.record(of: [0], at: Self.folder, bytes: Self.sector, isFolder: true)
    // Volume set, publisher, preparer, application and three file names, all empty.
    bytes += Self.text("", 128 * 4 + 37 * 3)
    bytes += Self.volumeDate + Self.volumeDate + Array("0000000000000000".utf8) + [0] + Self.volumeDate + [1, 0]
    return bytes
  }

  private static func text(_ text: String, _ width: Int) -> [UInt8] {
    Array(text.utf8.prefix(width)) + [UInt8](repeating: 0x20, count: width - min(width, text.utf8.count))
  }

  private static func little(_ number: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  private static func big(_ number: Int, _ count: Int) -> [UInt8] { little(number, count).reversed() }
  private static func both(_ number: Int, _ count: Int) -> [UInt8] { little(number, count) + big(number, count) }

  private func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (Self.sector - bytes.count % Self.sector) % Self.sector)
  }
}
