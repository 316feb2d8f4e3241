import Testing

@testable import vpsd

@Suite("An operator's list can be of any length")
struct PrintedListTests {
  @Test(
    "It has its headings and every row once, and reads so many at a time at most", arguments: [0, 1, 500, 501, 1_700])
  func whole(count: Int) async throws {
    var lines: [String] = []
    var most = 0
    try await PrintedList<Int>.print(TextTable("NUMBER", "NAME")) { last, limit in
      let rows = Array((1...2_000).dropFirst(last ?? 0).prefix(limit).filter { $0 <= count })
      most = max(most, rows.count)
      return rows
    } _: { table, row in
      table.add("\(row)", "n\(row)")
    } to: { line in
      lines.append(line)
    }
    #expect(lines.first == "NUMBER  NAME")
    #expect(lines.dropFirst().compactMap { $0.split(separator: " ").last } == (0..<count).map { "n\($0 + 1)" })
    #expect(most <= 500)
  }
}
