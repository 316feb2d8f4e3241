/// Which part of a list is wanted: pages are counted from 1.
package struct PageRequest: Sendable, Equatable {
  package enum Number: Sendable, Equatable {
    case number(Int)
    case last
  }

  package static let first = PageRequest(.number(1), size: 100)

  package let number: Number
  package let size: Int

  package init(_ number: Number, size: Int) {
    self.number = number
    self.size = max(size, 1)
  }

  /// The number of the page and what it covers of so many elements. Throws where there is no such page; the first one of
  /// an empty list is there.
  package func resolve(totalCount: Int) throws(Failure) -> (number: Int, range: Range<Int>) {
    let pageCount = max(1, (totalCount + size - 1) / size)
    let number =
      switch number {
      case .number(let number): number
      case .last: pageCount
      }
    guard (1...pageCount).contains(number) else { throw .invalidPage }
    let start = (number - 1) * size
    return (number, start..<min(start + size, totalCount))
  }
}

/// A part of a list, and how much there is of it in all.
package struct Page<Element: Sendable>: Sendable {
  package let elements: [Element]
  package let totalCount: Int
  package let number: Int
  package let size: Int

  package init(_ elements: [Element], totalCount: Int, number: Int, size: Int) {
    self.elements = elements
    self.totalCount = totalCount
    self.number = number
    self.size = size
  }

  /// One page of a list that is at hand as a whole.
  package init(_ request: PageRequest, of all: [Element]) throws(Failure) {
    let (number, range) = try request.resolve(totalCount: all.count)
    self.init(Array(all[range]), totalCount: all.count, number: number, size: request.size)
  }

  package var isEmpty: Bool { elements.isEmpty }
  package var hasNext: Bool { number * size < totalCount }
  package var hasPrevious: Bool { number > 1 }

  package func map<Other>(_ transform: (Element) throws -> Other) rethrows -> Page<Other> {
    Page<Other>(try elements.map(transform), totalCount: totalCount, number: number, size: size)
  }
}
