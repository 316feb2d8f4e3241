/// The part of a list that is requested; pages are counted from 1.
package struct PageRequest: Sendable, Equatable {
  package enum Number: Sendable, Equatable {
    case number(Int)
    case last
    /// The elements after the one with this id, in the order of ids: nothing is left out even if elements are deleted
    /// meanwhile.
    case after(Int64, isDescending: Bool)
  }

  package static let first = PageRequest(.number(1), size: 100)

  package let number: Number
  package let size: Int

  package init(_ number: Number, size: Int) {
    self.number = number
    self.size = max(size, 1)
  }

  /// The number of the page, and the range of the list's elements that it covers. Throws if there is no such page; an
  /// empty list has a first page.
  ///
  /// - Parameter skipped: For a page that begins after an element, how many elements come before the page.
  package func resolve(totalCount: Int, skipping skipped: Int? = nil) throws(Failure) -> (
    number: Int, range: Range<Int>
  ) {
    if let skipped {
      let start = min(skipped, totalCount)
      return (1, start..<min(start + size, totalCount))
    }
    let pageCount = max(1, (totalCount + size - 1) / size)
    let number =
      switch number {
      case .number(let number): number
      case .last: pageCount
      case .after: 1
      }
    guard (1...pageCount).contains(number) else { throw .invalidPage }
    let start = (number - 1) * size
    return (number, start..<min(start + size, totalCount))
  }
}

/// A part of a list, with the number of elements of the whole list.
package struct Page<Element: Sendable>: Sendable {
  package let elements: [Element]
  package let totalCount: Int
  package let number: Int
  package let size: Int
  /// For a page that begins after an element, how many elements come before the page; nil if pages are counted.
  package let skipped: Int?

  package init(_ elements: [Element], totalCount: Int, number: Int, size: Int, skipped: Int? = nil) {
    self.elements = elements
    self.totalCount = totalCount
    self.number = number
    self.size = size
    self.skipped = skipped
  }

  /// One page of a list that is in memory as a whole.
  package init(_ request: PageRequest, of all: [Element], skipping skipped: Int? = nil) throws(Failure) {
    let (number, range) = try request.resolve(totalCount: all.count, skipping: skipped)
    self.init(Array(all[range]), totalCount: all.count, number: number, size: request.size, skipped: skipped)
  }

  package var isEmpty: Bool { elements.isEmpty }
  package var hasNext: Bool { skipped.map { $0 + elements.count < totalCount } ?? (number * size < totalCount) }
  package var hasPrevious: Bool { skipped.map { $0 > 0 } ?? (number > 1) }

  package func map<Other>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
    Page<Other>(
      try elements.map(transform), totalCount: totalCount, number: number, size: size, skipped: skipped)
  }
}
