package import Foundation

extension UUID {
  /// In lower case, as everywhere in this project: `263f59e4-c5ea-4e28-92d3-25dac694c02e`.
  package var text: String {
    withUnsafeBytes(of: uuid) { bytes in
      String(unsafeUninitializedCapacity: 36) { text in
        var end = 0
        for (index, byte) in bytes.enumerated() {
          if index == 4 || index == 6 || index == 8 || index == 10 {
            text[end] = UInt8(ascii: "-")
            end += 1
          }
          text[end] = Self.digit(byte >> 4)
          text[end + 1] = Self.digit(byte & 15)
          end += 2
        }
        return end
      }
    }
  }

  /// Reads a uuid in the form of `text`, or in upper case; nil for anything else.
  package init?(text: String) {
    self.init(text: text.utf8)
  }

  /// The same for the bytes of the text.
  package init?(text: some Sequence<UInt8>) {
    var uuid: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    let isRead = withUnsafeMutableBytes(of: &uuid) { bytes in
      var (index, count) = (0, 0)
      for character in text {
        defer { index += 1 }
        if index == 8 || index == 13 || index == 18 || index == 23 {
          guard character == UInt8(ascii: "-") else { return false }
          continue
        }
        guard count < 32, let digit = Self.value(of: character) else { return false }
        bytes[count / 2] = bytes[count / 2] << 4 | digit
        count += 1
      }
      return count == 32
    }
    guard isRead else { return nil }
    self.init(uuid: uuid)
  }

  private static func digit(_ number: UInt8) -> UInt8 {
    number < 10 ? UInt8(ascii: "0") + number : UInt8(ascii: "a") + number - 10
  }

  private static func value(of character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
