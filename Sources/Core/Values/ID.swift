/// The number of a row, typed by what it names, so that a plan's id is never taken for a server's.
package struct ID<Entity>: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let value: Int64

  package init(_ value: Int64) {
    self.value = value
  }

  package var description: String { String(value) }

  package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
