import Core
import HTTPTypes
import Hummingbird

/// `Prefer: wait=N` of RFC 7240: how many seconds a client prefers to wait for the result instead of an immediate
/// answer.
enum Preference {
  static let maximumSeconds = 120
  static let header = HTTPField.Name("Prefer")!
  static let appliedHeader = HTTPField.Name("Preference-Applied")!

  /// Nil if the client has no such preference, or an invalid one, which the RFC says to ignore. The first of several
  /// counts, and longer times are reduced to the maximum.
  static func wait(of request: Request) -> Int? {
    let preferences = request.headers[values: header].flatMap { $0.utf8.split(separator: UInt8(ascii: ",")) }
    for preference in preferences {
      let pair = preference.prefix { $0 != UInt8(ascii: ";") }.split(separator: UInt8(ascii: "="), maxSplits: 1).map {
        $0.filter { $0 != UInt8(ascii: "\"") }.withoutSpace
      }
      guard pair.count == 2, pair[0].lowercased() == "wait" else { continue }
      guard let seconds = Int(pair[1]), seconds >= 0 else { return nil }
      return min(seconds, maximumSeconds)
    }
    return nil
  }

  /// Tells the client that its preference was followed, if it had one.
  static func note(_ seconds: Int?, in response: inout Response) {
    if let seconds { response.headers[appliedHeader] = "wait=\(seconds)" }
  }
}
