import Core
import Foundation
import HTTPTypes
import Hummingbird

/// A key by which a list that is in memory as a whole can be sorted.
struct SortKey<Element> {
  let name: String
  let isInOrder: (Element, Element) -> Bool

  init(_ name: String, _ value: @escaping (Element) -> some Comparable) {
    self.name = name
    isInOrder = { value($0) < value($1) }
  }

  /// Compares texts by their bytes, as the database does.
  init(_ name: String, _ text: @escaping (Element) -> String) {
    self.name = name
    isInOrder = { text($0).utf8.lexicographicallyPrecedes(text($1).utf8) }
  }
}

/// One key of `?ordering=name,-id`.
struct Ordering {
  let key: String
  let isDescending: Bool
}

extension APIRequest {
  /// `?page=` and `?page_size=`. As with existing servers of this API, an invalid size counts as absent, a size that is
  /// too large as the largest, and an invalid page is not found.
  func page() throws -> PageRequest {
    let wanted = try query("page_size").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    let size = min(wanted ?? gate.limits.pageSize, gate.limits.pageSize)
    if let after = try after() { return PageRequest(after, size: size) }
    guard let text = try query("page") else { return PageRequest(.number(1), size: size) }
    guard text.isPlain(atMost: 64) else { throw Failure.invalidPage }
    if text == "last" { return PageRequest(.last, size: size) }
    guard let number = Int(text), number > 0 else { throw Failure.invalidPage }
    return PageRequest(.number(number), size: size)
  }

  /// `?after=`, the id of the last element that the client has seen.
  private func after() throws(WireErrors) -> PageRequest.Number? {
    guard let text = try query("after") else { return nil }
    var errors = WireErrors()
    let id = text.utf8.allSatisfy { (48...57).contains($0) } ? Int64(text) : nil
    if id == nil { errors.add("after", "A valid integer is required.") }
    if try query("page") != nil { errors.add("after", "Give either after or page.") }
    let ordering = try query("ordering")
    if let ordering, !["id", "-id"].contains(where: { $0.utf8.elementsEqual(ordering.utf8) }) {
      errors.add("after", "Lists go on after an id in the order by id only.")
    }
    try errors.throwIfAny()
    return id.map { .after($0, isDescending: ordering == "-id") }
  }

  /// A repetition of the same key is ignored.
  func ordering(by keys: [String], _ errors: inout WireErrors) throws(WireErrors) -> [Ordering] {
    guard let text = try query("ordering") else { return [] }
    guard text.isPlain(atMost: Self.longestQueryBytes) else {
      errors.add("ordering", Self.unknownChoice(text, keys))
      return []
    }
    let words = text.split(separator: ",", maxSplits: Self.maximumTerms)
    guard words.count <= Self.maximumTerms else {
      errors.add("ordering", "Ensure this field has no more than \(Self.maximumTerms) elements.")
      return []
    }
    let all: [Ordering] = words.compactMap { word in
      let key = String(word.first == "-" ? word.dropFirst() : word)
      guard keys.contains(key) else {
        errors.add("ordering", Self.unknownChoice(key, keys))
        return nil
      }
      return Ordering(key: key, isDescending: word.first == "-")
    }
    return all.enumerated().filter { index, term in !all[..<index].contains { $0.key == term.key } }.map(\.element)
  }

  /// The same for a list that the store sorts.
  func order<Key: RawRepresentable<String>>(
    by keys: [Key], _ errors: inout WireErrors
  ) throws(WireErrors) -> [ListOrder<Key>] {
    try ordering(by: keys.map(\.rawValue), &errors).compactMap { term in
      keys.first { $0.rawValue == term.key }.map { ListOrder($0, isDescending: term.isDescending) }
    }
  }

  private static let maximumTerms = 16

  /// The value of a filter; nil if it is absent, or if it is none of the choices, which is added to the errors.
  func choice<Choice: RawRepresentable<String>>(
    _ name: Substring, of choices: [Choice], _ errors: inout WireErrors
  ) throws(WireErrors) -> Choice? {
    guard let text = try query(name) else { return nil }
    if text.isPlain(atMost: 64), let choice = choices.first(where: { $0.rawValue == text }) { return choice }
    errors.add(String(name), Self.unknownChoice(text, choices.map(\.rawValue)))
    return nil
  }

  /// The reply to a request for a list that is in memory as a whole. Its elements are given in their natural order.
  func list<Element: ListElement>(
    _ elements: [Element], orderedBy keys: [SortKey<Element>], name: (Element) -> String,
    _ write: (inout JSONWriter, Element) -> Void
  ) throws -> Response {
    var errors = WireErrors()
    let ordering = try ordering(by: keys.map(\.name), &errors)
    try errors.throwIfAny()
    var elements = elements
    if let wanted = try query("name")?.lowercased() {
      elements = elements.filter { name($0).lowercased().utf8.elementsEqual(wanted.utf8) }
    }
    // The least important key first, because the sort is stable.
    for order in ordering.reversed() {
      guard let key = keys.first(where: { $0.name == order.key }) else { continue }
      elements.sort { order.isDescending ? key.isInOrder($1, $0) : key.isInOrder($0, $1) }
    }
    let page = try page()
    var skipped: Int?
    if case .after(let last, let isDescending) = page.number {
      elements.sort { isDescending ? $0.idInList > $1.idInList : $0.idInList < $1.idInList }
      skipped = elements.count { isDescending ? $0.idInList >= last : $0.idInList <= last }
    }
    return self.list(try Page(page, of: elements, skipping: skipped), write)
  }

  func list<Element: ListElement>(_ page: Page<Element>, _ write: (inout JSONWriter, Element) -> Void) -> Response {
    .json(ListWire.list(page, links: PageLinks(self, page), write))
  }

  static func unknownChoice(_ value: String, _ choices: [String]) -> String {
    "\(value.quoted) is not a valid choice. Valid choices are: \(choices.joined(separator: ", "))."
  }
}

/// The links to the next and the previous page; nil if the whole list is on one page.
struct PageLinks {
  let next: String?
  let previous: String?

  init?<Element: ListElement>(_ request: APIRequest, _ page: Page<Element>) {
    guard page.hasNext || page.hasPrevious else { return nil }
    let here = request.request
    // If the host is not known, or not valid, the link has a path only.
    let origin = request.publicURL?.description ?? ""
    let others = (here.uri.query ?? "").split(separator: "&").filter { part in
      !["page", "after"].contains { part == $0 || part.hasPrefix($0 + "=") }
    }
    if page.skipped != nil {
      // A page that begins after an element does not know the pages before it.
      let last = page.elements.last.map { "after=\($0.idInList)" }
      next =
        page.hasNext ? last.map { origin + here.uri.path + "?" + (others + [$0[...]]).joined(separator: "&") } : nil
      previous = nil
      return
    }
    func link(to number: Int) -> String {
      let parts = others + (number > 1 ? ["page=\(number)"] : [])
      let query = parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
      return origin + here.uri.path + query
    }
    next = page.hasNext ? link(to: page.number + 1) : nil
    previous = page.hasPrevious ? link(to: page.number - 1) : nil
  }
}
