import Core
import Foundation
import HostPrograms

/// Our tables in the kernel, managed with the program `nft`.
struct PacketFilter {
  private static let limit: Duration = .seconds(60)
  /// Loads the whole text as one transaction, or nothing.
  static func load(_ text: String) throws {
    try HostProgram("nft", ["-f", "-"], input: Array(text.utf8)).run(within: limit)
  }

  /// Whether the kernel would accept it; throws if not. Changes nothing.
  static func check(_ text: String) throws {
    try HostProgram("nft", ["--check", "-f", "-"], input: Array(text.utf8)).run(within: limit)
  }

  /// Whether the tables of families `inet` and `bridge` exist, by a quick request to the kernel; nil where it does not answer.
  static func isThere(_ tables: [String] = ["inet vpsd"]) -> Bool? {
    let families = [("inet vpsd", inetFamily), ("bridge vpsd", bridgeFamily)].filter { tables.contains($0.0) }
    let answers = families.map { isThere(inFamily: $0.1) }
    return answers.contains(false) ? false : answers.contains(nil) ? nil : true
  }

  /// NFPROTO_INET and NFPROTO_BRIDGE.
  private static let (inetFamily, bridgeFamily): (UInt8, UInt8) = (1, 7)

  private static func isThere(inFamily family: UInt8) -> Bool? {
    // NFT_MSG_GETTABLE, and NFTA_TABLE_NAME: its length, its type, and the name with its terminating zero, padded.
    let name: [UInt8] = [9, 0, 1, 0] + Array("vpsd".utf8) + [0, 0, 0, 0]
    guard let answer = FilterQuestion(kind: 1, family: family, attributes: name).answer() else { return nil }
    // NFT_MSG_NEWTABLE, or an error.
    if answer.isOfTables { return answer.kind == 0 }
    return answer.errorNumber == ENOENT ? false : nil
  }

  /// The tables without the values of their counters; nil where the first one does not exist. Any other table that does not
  /// exist counts as empty.
  static func listing(_ tables: [String]) -> Listing? {
    let texts = tables.map {
      try? output(["-s", "list", "table"] + $0.split(separator: " ").map { String($0) })
    }
    return texts[0] == nil ? nil : Listing(texts.map { $0 ?? "" })
  }

  /// The tables as they would be after loading the text, tried in a namespace of its own.
  static func listing(_ tables: [String], after text: String) throws -> Listing {
    let texts = try tables.map { table in
      try HostProgram(
        "unshare", ["--net", "sh", "-c", "nft -f - && nft -s list table \(table)"], input: Array(text.utf8),
        outputLimitBytes: 256 << 20
      ).run(within: limit)
    }
    return Listing(texts)
  }

  /// The traffic of each tap that has rules.
  static func counters() throws -> [String: NetworkCounters] {
    let text = try output(["-j", "list", "counters", "table", "inet", "vpsd"])
    let entries = try JSONDecoder().decode(CounterOutput.self, from: Data(text.utf8)).nftables.compactMap(\.counter)
    var counters: [String: NetworkCounters] = [:]
    for entry in entries {
      guard entry.name.hasPrefix(RoutedInterface.tapPrefix), let dash = entry.name.lastIndex(of: "-") else { continue }
      let tap = String(entry.name[..<dash])
      let earlier = counters[tap] ?? NetworkCounters(receivedBytes: 0, sentBytes: 0)
      counters[tap] =
        entry.name.hasSuffix("-in")
        ? NetworkCounters(receivedBytes: entry.bytes, sentBytes: earlier.sentBytes)
        : NetworkCounters(receivedBytes: earlier.receivedBytes, sentBytes: entry.bytes)
    }
    return counters
  }

  static func remove(_ tables: [String]) throws { try load(removal(of: tables)) }

  /// Creates each table first, because deleting one that does not exist would fail.
  static func removal(of tables: [String]) -> String {
    tables.map { "table \($0) { }\ndelete table \($0)\n" }.joined()
  }

  /// Chains of other programs that drop forwarded packets by default: what our rules accept would still be dropped there.
  static func foreignDrops() throws -> [String] {
    let text = try output(["-j", "list", "chains"])
    let chains = try JSONDecoder().decode(ChainOutput.self, from: Data(text.utf8)).nftables.compactMap(\.chain)
    return chains.filter { $0.hook == "forward" && $0.policy == "drop" && $0.table != "vpsd" }
      .map { "\($0.family) \($0.table) \($0.name)" }
  }

  private static func output(_ arguments: [String]) throws -> String {
    try HostProgram("nft", arguments, outputLimitBytes: 256 << 20).run(within: limit)
  }
}

private struct CounterOutput: Decodable {
  struct Entry: Decodable { let counter: Counter? }

  struct Counter: Decodable {
    let name: String
    let bytes: Int64
  }

  let nftables: [Entry]
}

private struct ChainOutput: Decodable {
  struct Entry: Decodable { let chain: Chain? }

  struct Chain: Decodable {
    let family: String
    let table: String
    let name: String
    let hook: String?
    let policy: String?
  }

  let nftables: [Entry]
}
