import COpenSSL
import Core

/// The binary part of an OpenSSH public key: length-prefixed fields, by RFC 4253, 5656 and 8709.
enum PublicKeyBlob {
  private typealias Fields = ArraySlice<ArraySlice<UInt8>>

  private static let minimumRSABits = 2048
  private static let maximumRSABits = 16_384
  private static let ed25519Bytes = 32

  private struct Curve {
    let name: String
    let number: Int32
    /// The length of one coordinate.
    let bytes: Int
  }

  private static let curves = [
    Curve(name: "nistp256", number: NID_X9_62_prime256v1, bytes: 32),
    Curve(name: "nistp384", number: NID_secp384r1, bytes: 48),
    Curve(name: "nistp521", number: NID_secp521r1, bytes: 66),
  ]

  /// Throws unless the blob is a key of this type that a current OpenSSH server accepts.
  static func check(_ blob: [UInt8], _ type: String) throws(PublicKey.Refusal) {
    guard type != "ssh-dss" else { throw PublicKey.Refusal(message: "DSA keys are not accepted.") }
    let fields = fields(of: blob) ?? []
    guard let isWhole = isWhole(fields.dropFirst(), type) else { throw .notAKey }
    guard isWhole, fields.first?.elementsEqual(type.utf8) == true else {
      throw PublicKey.Refusal(message: "Enter a valid OpenSSH public key: this one is damaged.")
    }
    guard type == "ssh-rsa" else { return }
    let bits = bitCount(of: fields[2])
    guard bits >= minimumRSABits else {
      throw PublicKey.Refusal(message: "RSA keys need at least \(minimumRSABits) bits; this one has \(bits).")
    }
    guard bits <= maximumRSABits else {
      throw PublicKey.Refusal(message: "RSA keys may have \(maximumRSABits) bits at most; this one has \(bits).")
    }
  }

  /// Whether the fields after the type, with indices from 1, form a key of that type; nil for a type that is not accepted.
  private static func isWhole(_ fields: Fields, _ type: String) -> Bool? {
    switch type {
    case "ssh-ed25519": fields.count == 1 && fields[1].count == ed25519Bytes
    case "sk-ssh-ed25519@openssh.com": fields.count == 2 && fields[1].count == ed25519Bytes && !fields[2].isEmpty
    case "ssh-rsa": fields.count == 2 && isOdd(fields[1]) && isOdd(fields[2])
    case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
      fields.count == 2 && isPoint(fields, String(type.suffix(8)))
    case "sk-ecdsa-sha2-nistp256@openssh.com": fields.count == 3 && isPoint(fields, "nistp256") && !fields[3].isEmpty
    default: nil
    }
  }

  /// Whether the first two fields are the name of this curve and an uncompressed point of it.
  private static func isPoint(_ fields: Fields, _ curveName: String) -> Bool {
    let point = [UInt8](fields[2])
    guard fields[1].elementsEqual(curveName.utf8), let curve = curves.first(where: { $0.name == curveName }),
      point.count == 1 + 2 * curve.bytes, point[0] == 0x04, let group = EC_GROUP_new_by_curve_name(curve.number)
    else { return false }
    defer { EC_GROUP_free(group) }
    guard let place = EC_POINT_new(group) else { return false }
    defer { EC_POINT_free(place) }
    // EC_POINT_oct2point refuses a point that is not on the curve.
    return EC_POINT_oct2point(group, place, point, point.count, nil) == 1 && EC_POINT_is_at_infinity(group, place) == 0
  }

  /// Whether it is a positive odd number in its shortest encoding, as both numbers of an RSA key are.
  private static func isOdd(_ number: ArraySlice<UInt8>) -> Bool {
    guard let first = number.first, let last = number.last, first < 0x80, last & 1 == 1 else { return false }
    return first > 0 || number.dropFirst().first.map { $0 >= 0x80 } ?? false
  }

  private static func bitCount(of number: ArraySlice<UInt8>) -> Int {
    let significant = number.drop { $0 == 0 }
    return significant.count * 8 - (significant.first?.leadingZeroBitCount ?? 0)
  }

  /// Nil where the lengths do not add up.
  private static func fields(of blob: [UInt8]) -> [ArraySlice<UInt8>]? {
    var fields: [ArraySlice<UInt8>] = []
    var rest = blob[...]
    while !rest.isEmpty {
      // No type has more than four fields.
      guard rest.count >= 4, fields.count < 4 else { return nil }
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(4)
      guard length <= rest.count else { return nil }
      fields.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return fields
  }
}
