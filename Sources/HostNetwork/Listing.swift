import Core
import Foundation

/// The content of our tables, as printed by `nft`.
struct Listing: Equatable {
  /// A named part of a table, such as `chain egress`.
  struct Part: Hashable, Comparable {
    let kind: String
    let name: String

    static func < (left: Part, right: Part) -> Bool { (left.kind, left.name) < (right.kind, right.name) }
  }

  /// The owner of the tables.
  let mark: String?
  /// Unordered, because the kernel lists parts in the order of their creation, and elements of a set in any order.
  private let inet: [Part: [String]]
  private let others: [[Part: [String]]]

  /// - Parameter tables: The text of each table, in the order of `HostNetworkSettings.tables`.
  init(_ tables: [String]) {
    inet = Self.parts(tables[0])
    others = tables.dropFirst().map { Self.parts($0) }
    let comment = tables[0].split(separator: "\n").first { $0.hasPrefix("\tcomment \"") }
    mark = comment?.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first.map { String($0) }
  }

  /// The parts of the first table.
  var parts: Set<Part> { Set(inet.keys) }

  /// The taps that have rules.
  var taps: Set<String> {
    Set(
      inet.keys.filter { $0.kind == "counter" && $0.name.hasPrefix(RoutedInterface.tapPrefix) }
        .compactMap { part in part.name.lastIndex(of: "-").map { String(part.name[..<$0]) } })
  }

  /// The ports of the host that are forwarded to servers.
  var forwardedPorts: Set<Int> {
    let lines = inet[Part(kind: "map", name: "forwards")] ?? []
    return Set(lines.filter { $0.contains(" : ") }.compactMap { Int($0.prefix { $0 != " " }) })
  }

  /// The address of those ports, from the rule `ip daddr 198.51.100.2 dnat …`.
  var forwardedAddress: IPv4Address? {
    let lines = inet[Part(kind: "chain", name: "forwarded")] ?? []
    let rule = lines.lazy.map { $0.split(separator: " ") }.first { $0.starts(with: ["ip", "daddr"]) }
    return rule.flatMap { $0.count > 2 ? IPv4Address($0[2]) : nil }
  }

  private static func parts(_ text: String) -> [Part: [String]] {
    var parts: [Part: [String]] = [:]
    var part: Part?
    for line in text.split(separator: "\n") where line.hasPrefix("\t") {
      if !line.hasPrefix("\t\t") {
        let words = line.split { $0 == " " || $0 == "\t" }
        part = words.count >= 3 && words.last == "{" ? Part(kind: String(words[0]), name: String(words[1])) : nil
        if let part { parts[part] = [] }
      } else if let part {
        parts[part]?.append(line.trimmingCharacters(in: .whitespaces))
      }
    }
    for (part, lines) in parts where part.kind == "set" || part.kind == "map" { parts[part] = elements(lines) }
    return parts
  }

  private static func elements(_ lines: [String]) -> [String] {
    guard let first = lines.firstIndex(where: { $0.hasPrefix("elements = {") }) else { return lines }
    let head = lines[..<first]
    // The elements of dynamic sets are left out, because the kernel itself adds and removes them.
    if head.contains(where: { $0.hasPrefix("flags") && $0.contains("dynamic") }) { return Array(head) }
    let words = CharacterSet(charactersIn: "\t {}")
    let elements = lines[first...].joined(separator: " ").dropFirst("elements = {".count).split(separator: ",")
      .map { $0.trimmingCharacters(in: words) }
    return head + elements.sorted()
  }
}
