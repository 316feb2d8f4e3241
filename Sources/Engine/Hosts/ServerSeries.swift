import Core

/// A value for each server of a list in the order of ids. The next list is nearly always the same, so its values are found side by
/// side, without hashing.
struct ServerSeries<Value> {
  private var ids: [ID<Server>] = []
  private var values: [Value] = []

  /// Keeps the values of these servers, whose ids ascend, and gives each new one `initial`. From then on the value of a server
  /// has its index in this list.
  mutating func align(with servers: some Collection<ID<Server>>, initial: Value) {
    guard !ids.elementsEqual(servers) else { return }
    let (oldIDs, oldValues) = (ids, values)
    ids = Array(servers)
    values = []
    values.reserveCapacity(ids.count)
    var old = 0
    for id in ids {
      while old < oldIDs.count, oldIDs[old] < id { old += 1 }
      values.append(old < oldIDs.count && oldIDs[old] == id ? oldValues[old] : initial)
    }
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
