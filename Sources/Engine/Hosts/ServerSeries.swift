import Core

/// A value for each server of a list in the order of ids. The next list is nearly always the same, so its values are found side by
/// side, without hashing.
struct ServerSeries<Value> {
  private var ids: [ID<Server>] = []
  private var values: [Value] = []

  /// Keeps the values of these servers, whose ids ascend, and gives each new one its initial value. From then on the value of a
  /// server has its index in this list. Returns the values of the servers that are not in the list any more.
  @discardableResult
  mutating func align(
    with servers: some Collection<ID<Server>>, initial: (ID<Server>) -> Value
  ) -> [(id: ID<Server>, value: Value)] {
    guard !ids.elementsEqual(servers) else { return [] }
    let (oldIDs, oldValues) = (ids, values)
    ids = Array(servers)
    assert(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }, "The ids of servers do not ascend.")
    values = []
    values.reserveCapacity(ids.count)
    var dropped: [(id: ID<Server>, value: Value)] = []
    var old = 0
    for id in ids {
      while old < oldIDs.count, oldIDs[old] < id {
        dropped.append((oldIDs[old], oldValues[old]))
        old += 1
      }
      if old < oldIDs.count, oldIDs[old] == id {
        values.append(oldValues[old])
        old += 1
      } else {
        values.append(initial(id))
      }
    }
    for index in old..<oldIDs.count { dropped.append((oldIDs[index], oldValues[index])) }
    return dropped
  }

  subscript(index: Int) -> Value {
    get { values[index] }
    _modify { yield &values[index] }
  }

  mutating func updateAll(_ change: (ID<Server>, inout Value) -> Void) {
    for index in values.indices { change(ids[index], &values[index]) }
  }

  /// Does nothing for a server that is not in the list any more.
  mutating func update(_ id: ID<Server>, _ change: (inout Value) -> Void) {
    var (first, end) = (0, ids.count)
    while first < end {
      let middle = (first + end) / 2
      if ids[middle] == id { return change(&values[middle]) }
      if ids[middle] < id { first = middle + 1 } else { end = middle }
    }
  }
}
