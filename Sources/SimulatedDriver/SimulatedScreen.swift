/// The screen of a simulated machine, by RFC 6143: a still test picture. Keyboard and mouse are ignored.
struct SimulatedScreen: Sendable {
  static let width = 640
  static let height = 400
  private static let longestTextBytes = 1 << 20

  let name: String
  let isOn: @Sendable () -> Bool

  func serve(_ stream: RFBStream) throws {
    try greet(stream)
    var format = PixelFormat.standard
    while true {
      switch try stream.read(1)[0] {
      case 0:
        guard let wanted = PixelFormat(Array(try stream.read(19).dropFirst(3))) else { throw RFBStream.Ended() }
        format = wanted
      case 2:
        let count = Self.number(try stream.read(3).dropFirst())
        _ = try stream.read(4 * count)
      case 3:
        let request = try stream.read(9)
        // A request for changes gets no answer, because the picture never changes.
        if request[0] == 0 { try stream.write(picture(of: request.dropFirst(), format)) }
      case 4: _ = try stream.read(7)
      case 5: _ = try stream.read(5)
      case 6:
        let length = Self.number(try stream.read(7).dropFirst(3))
        guard length <= Self.longestTextBytes else { throw RFBStream.Ended() }
        _ = try stream.read(length)
      default: throw RFBStream.Ended()
      }
    }
  }

  private func greet(_ stream: RFBStream) throws {
    try stream.write(Array("RFB 003.008\n".utf8))
    guard try stream.read(12) == Array("RFB 003.008\n".utf8) else { throw RFBStream.Ended() }
    // The only security type is none, because access was checked before.
    try stream.write([1, 1])
    guard try stream.read(1) == [1] else { throw RFBStream.Ended() }
    try stream.write([0, 0, 0, 0])
    _ = try stream.read(1)
    let name = Array(name.utf8)
    try stream.write(
      Self.bytes(Self.width, count: 2) + Self.bytes(Self.height, count: 2) + PixelFormat.standard.bytes
        + Self.bytes(name.count, count: 4) + name)
  }

  /// The wanted part of the picture, as one rectangle of raw pixels.
  private func picture(of rectangle: ArraySlice<UInt8>, _ format: PixelFormat) -> [UInt8] {
    let numbers = stride(from: rectangle.startIndex, to: rectangle.endIndex, by: 2).map {
      Self.number(rectangle[$0..<$0 + 2])
    }
    let (left, top) = (min(numbers[0], Self.width), min(numbers[1], Self.height))
    let columns = left..<min(left + numbers[2], Self.width)
    let rows = top..<min(top + numbers[3], Self.height)
    var message: [UInt8] = [0, 0, 0, 1]
    for number in [left, top, columns.count, rows.count] { message += Self.bytes(number, count: 2) }
    message += Self.bytes(0, count: 4)
    message.reserveCapacity(message.count + columns.count * rows.count * format.bytesPerPixel)
    for row in rows {
      let bars = (0..<8).map { format.pixel(Self.color(bar: $0, row)) }
      for column in columns { message += bars[column * 8 / Self.width] }
    }
    return message
  }

  /// From white to black by the corners of the colour cube, brighter towards the bottom.
  private static func color(bar: Int, _ row: Int) -> (red: Int, green: Int, blue: Int) {
    let level = 96 + row * 159 / height
    return (bar & 2 == 0 ? level : 0, bar & 4 == 0 ? level : 0, bar & 1 == 0 ? level : 0)
  }

  static func number(_ bytes: some Collection<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  static func bytes(_ number: Int, count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
}

/// How a client wants its pixels: true colours of one, two or four bytes.
struct PixelFormat: Sendable, Equatable {
  static let standard = PixelFormat([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0])!

  let bytes: [UInt8]

  /// Nil for formats that are not supported here: colours from a table, and pixels of other sizes.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 16, [8, 16, 32].contains(bytes[0]), bytes[3] != 0,
      bytes[10...12].allSatisfy({ $0 < bytes[0] })
    else { return nil }
    self.bytes = bytes
  }

  var bytesPerPixel: Int { Int(bytes[0]) / 8 }

  func pixel(_ color: (red: Int, green: Int, blue: Int)) -> [UInt8] {
    func part(_ level: Int, _ index: Int) -> Int {
      let maximum = SimulatedScreen.number(bytes[(4 + 2 * index)...(5 + 2 * index)])
      return (level * maximum / 255) << Int(bytes[10 + index])
    }
    // The bits of no colour are set, because some viewers take them for opacity.
    let rest = ~(part(255, 0) | part(255, 1) | part(255, 2))
    let value = part(color.red, 0) | part(color.green, 1) | part(color.blue, 2) | rest
    let bigEndian = SimulatedScreen.bytes(value, count: bytesPerPixel)
    return bytes[2] != 0 ? bigEndian : bigEndian.reversed()
  }
}
