/// The store cannot be used now, but may be later: another process keeps it locked, or its disk is full or read-only.
package struct StoreUnavailable: Error, CustomStringConvertible {
  package let description: String

  package init(_ detail: String) {
    description = detail
  }
}
