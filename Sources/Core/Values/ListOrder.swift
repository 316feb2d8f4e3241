/// A sort key of a list and its direction; elements with equal keys are sorted by id.
package struct ListOrder<Key: Hashable & Sendable>: Sendable, Equatable {
  package let key: Key
  package let isDescending: Bool

  package init(_ key: Key, isDescending: Bool = false) {
    self.key = key
    self.isDescending = isDescending
  }
}
