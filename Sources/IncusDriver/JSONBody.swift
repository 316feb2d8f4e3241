import Foundation

/// What is sent, written with its keys in order.
struct JSONBody: Sendable, Equatable {
  indirect enum Value: Sendable, Equatable, Encodable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([Value])
    case object([String: Value])

    static func texts(_ texts: [String: String]) -> Value { .object(texts.mapValues { .text($0) }) }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      case .flag(let flag): try container.encode(flag)
      case .list(let list): try container.encode(list)
      case .object(let object): try container.encode(object)
      }
    }
  }

  let value: Value

  init(_ object: [String: Value]) {
    value = .object(object)
  }

  /// Text and whole numbers can always be written.
  var bytes: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return Array(try encoder.encode(value))
    }
  }
}
