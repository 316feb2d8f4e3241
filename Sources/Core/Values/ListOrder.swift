/// By what a list is ordered; the id decides between equals.
package struct ListOrder<Key: Hashable & Sendable>: Sendable, Equatable {
  package let key: Key
  package let isDescending: Bool

  package init(_ key: Key, isDescending: Bool = false) {
    self.key = key
    self.isDescending = isDescending
  }
}
