import CPostgreSQL
import Foundation

/// The URL of a PostgreSQL database, as libpq reads it. It may contain a password, which is in no description or log.
package struct PostgreSQLAddress: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
  private static let maximumBytes = 2000

  /// With all its secrets: for libpq alone.
  package let url: String
  /// The same without its secrets.
  package let description: String

  /// Nil where libpq cannot read the URL. Its message is dropped, because it may contain a part of a password.
  package init?(_ text: String) {
    guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://"), text.utf8.count <= Self.maximumBytes,
      !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }),
      let options = Self.options(text)
    else { return nil }
    url = text
    description = Self.description(options)
  }

  package var debugDescription: String { description }

  private static func options(_ text: String) -> [String: String]? {
    var complaint: UnsafeMutablePointer<CChar>?
    let parsed = PQconninfoParse(text, &complaint)
    if let complaint { PQfreemem(complaint) }
    guard let parsed else { return nil }
    defer { PQconninfoFree(parsed) }
    var options: [String: String] = [:]
    var option = parsed
    while let keyword = option.pointee.keyword {
      // libpq marks options that have to be hidden.
      let isSecret = option.pointee.dispchar.map { String(cString: $0) == "*" } ?? true
      if !isSecret, let value = option.pointee.val { options[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    return options
  }

  private static func description(_ options: [String: String]) -> String {
    func written(_ text: String) -> String {
      text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? ""
    }
    let user = options["user"].map { "\(written($0))@" } ?? ""
    // A list of hosts, or a folder with a socket, is written among the parameters at the end.
    let host = options["host"].flatMap { $0.contains(where: { "/,:".contains($0) }) ? nil : $0 }
    let port = options["port"].flatMap { host == nil || $0.contains(",") ? nil : $0 }
    let place = (host.map(written) ?? "") + (port.map { ":\(written($0))" } ?? "")
    var inFront: Set = ["user", "dbname"]
    if host != nil { inFront.insert("host") }
    if port != nil { inFront.insert("port") }
    let rest = options.filter { !inFront.contains($0.key) }.sorted { $0.key < $1.key }
      .map { "\($0.key)=\(written($0.value))" }
    return "postgresql://\(user)\(place)/\(written(options["dbname"] ?? ""))"
      + (rest.isEmpty ? "" : "?" + rest.joined(separator: "&"))
  }
}

extension PostgreSQLAddress: CustomReflectable {
  package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
