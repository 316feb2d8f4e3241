import Core
import HTTPTypes
import Hummingbird

/// `Prefer: wait=N` of RFC 7240: how long a client would rather wait for the result than have the answer at once.
enum Preference {
  static let maximumSeconds = 120
  static let header = HTTPField.Name("Prefer")!
  static let appliedHeader = HTTPField.Name("Preference-Applied")!

  /// Nil where the client has no such preference, or one that makes no sense: then it is ignored, as the RFC demands. The
  /// first of several counts, and what is longer than the longest is the longest.
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
