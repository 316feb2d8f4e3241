import Core

/// How many servers an account has in each block of 1,024 ids, in the order of blocks. Triggers count them, so that a list is
/// counted, and a page far down in it is found, without reading the servers before it.
struct ServerBlocks {
  static let idsPerBlock: Int64 = 1024

  private let blocks: [(number: Int64, serverCount: Int)]

  let serverCount: Int

  init(of account: ID<Account>, _ database: some SQLConnection) throws {
    blocks = try database.rows(
      "SELECT block, server_count FROM server_block WHERE account_id = ? ORDER BY block", [account]
    ) { row in (try row.next(), try row.next()) }
    serverCount = blocks.reduce(0) { $0 + $1.serverCount }
  }

  /// Where the server with this index, in the order of ids, is found: from which id on, which is the first one of its block, and
  /// how many servers are to be skipped from there. With 1,000 servers in block 0, the one with the index 1,005 is in block 1:
  /// from the id 1,024 on, after 5 others.
  func position(of index: Int, isDescending: Bool) -> (bound: Int64, skipped: Int) {
    var skipped = index
    for block in isDescending ? blocks.reversed() : blocks {
      let ids = Self.ids(of: block.number)
      if skipped < block.serverCount { return (isDescending ? ids.upperBound : ids.lowerBound, skipped) }
      skipped -= block.serverCount
    }
    return (isDescending ? 0 : .max, 0)
  }

  /// How many servers are in blocks before that of this id, in the order of ids; and the ids of its block up to it.
  func before(_ id: Int64, isDescending: Bool) -> (serverCount: Int, ids: ClosedRange<Int64>) {
    let number = id / Self.idsPerBlock
    let earlier = blocks.filter { isDescending ? $0.number > number : $0.number < number }
    let ids = Self.ids(of: number)
    return (earlier.reduce(0) { $0 + $1.serverCount }, isDescending ? id...ids.upperBound : ids.lowerBound...id)
  }

  /// The last block ends with the greatest id that there can be.
  private static func ids(of block: Int64) -> ClosedRange<Int64> {
    let first = block * idsPerBlock
    return first...(first + (idsPerBlock - 1))
  }
}
