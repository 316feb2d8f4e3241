import Core
import Foundation

/// Finds the element that an operator names by its ID, its UUID, or one of its names.
struct Named<Element> {
  /// The word for it in a sentence: `plan`.
  let kind: String
  /// The command that lists all of them.
  let list: String
  let id: (Element) -> Int64
  let uuid: (Element) -> UUID?
  /// Unique.
  let key: (Element) -> String
  /// Not necessarily unique.
  let name: (Element) -> String

  func find(_ text: String, in elements: [Element]) throws -> Element {
    func all(_ name: (Element) -> String) -> [Element] {
      elements.filter { name($0).utf8.elementsEqual(text.utf8) }
    }
    switch Reference<Element>(text) {
    case .id(let number)?:
      if let found = elements.first(where: { id($0) == number.value }) { return found }
    case .uuid(let number)?:
      if let found = elements.first(where: { uuid($0) == number }) { return found }
    case nil: break
    }
    if let found = all(key).first { return found }
    let found = all(name)
    guard found.count < 2 else {
      let ids = found.map { "\(id($0))" }.joined(separator: ", ")
      throw Refusal.refused("There are several with the name \(text.quoted): say which by its id, \(ids).")
    }
    guard let found = found.first else {
      throw Refusal.noSuch("There is no \(kind) \(text.quoted): see `vpsd \(list)`.")
    }
    return found
  }
}

extension Catalogue {
  func plan(named text: String) throws -> Plan {
    try Named(kind: "plan", list: "plan list", id: \.id.value, uuid: \.uuid, key: \.slug, name: \.name)
      .find(text, in: plans)
  }

  func operatingSystem(named text: String) throws -> OperatingSystem {
    try Named(kind: "operating system", list: "os list", id: \.id.value, uuid: \.uuid, key: \.slug, name: \.name)
      .find(text, in: operatingSystems)
  }

  /// The codes without duplicates, whichever names were used.
  func locationCodes(named texts: [String]) throws -> [String] {
    try texts.map { try location(named: $0).code }.reduce(into: []) { codes, code in
      if !codes.contains(code) { codes.append(code) }
    }
  }

  func location(named text: String) throws -> Location {
    try Named(
      kind: "location", list: "location list", id: \.id.value, uuid: { _ in nil }, key: \.code, name: \.name
    ).find(text, in: locations)
  }
}
