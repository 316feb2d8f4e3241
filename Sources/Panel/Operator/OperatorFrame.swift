import Core
import Engine
import HTML
import HTTPTypes

/// The common part of all operator's pages: tabs, and a warning if the account has no second factor.
struct OperatorFrame {
  static let path = "/operator"
  static let pageSize = 100

  enum Tab: CaseIterable {
    case accounts
    case servers
    case hosts
    case systems
    case audit

    var path: String {
      switch self {
      case .accounts: OperatorAccountList.path
      case .servers: OperatorServerList.path
      case .hosts: OperatorHostPage.path
      case .systems: OperatorSystemPage.path
      case .audit: OperatorAuditPage.path
      }
    }

    var phrase: Phrase {
      switch self {
      case .accounts: .accounts
      case .servers: .servers
      case .hosts: .hosts
      case .systems: .systems
      case .audit: .audit
      }
    }
  }

  let sessions: Sessions
  let tab: Tab

  /// - Parameter path: The path of a GET for the same page, for the answer to a form.
  func page(
    _ title: String, _ visit: Visit, isRefused: Bool = false, path: String? = nil, isMoving: Bool = false,
    _ write: (inout HTML) -> Void
  ) async throws -> Page {
    let hasFactor = try await sessions.hasSecondFactor(visit.caller)
    let words = visit.words
    return Page(isRefused: isRefused, title: title, section: .operator, path: path, isMoving: isMoving) { html in
      html.element("nav", ["class": "tabs", "aria-label": words(.operatorPages)]) { html in
        for tab in Tab.allCases {
          html.element(
            "a", ["href": tab.path, "aria-current": tab == self.tab ? "page" : "false"], text: words(tab.phrase))
        }
      }
      if !hasFactor {
        html.element("p", ["class": "notice"]) { html in
          html.write(words(.operatorWithoutFactor) + " ")
          html.element("a", ["href": AccountPages.path], text: words(.toAccount))
        }
      }
      write(&html)
    }
  }
}

extension PanelRoute {
  /// For operators only: anybody else who is signed in gets `Not found`.
  static func operatorGet(_ path: String, _ handle: @escaping @Sendable (Visit) async throws -> Answer) -> PanelRoute {
    PanelRoute(method: .get, path: OperatorFrame.path + path, handler: .signedIn(handle), isForOperators: true)
  }

  static func operatorPost(
    _ path: String, needsKey: Bool = false, _ handle: @escaping @Sendable (Visit) async throws -> Answer
  ) -> PanelRoute {
    PanelRoute(
      method: .post, path: OperatorFrame.path + path, handler: .once(handle), isForOperators: true, needsKey: needsKey)
  }
}

extension Visit {
  /// The signed-in operator, for the audit log.
  var `operator`: Operator { .person(caller) }

  /// The text to search for; nil if it is empty, or cannot be the beginning of any entry.
  func sought(_ name: StaticString) -> String? {
    guard let text = query[name]?.trimmed, !text.isEmpty, text.utf8.count <= EmailAddress.longestBytes,
      !text.unicodeScalars.contains(where: \.isControl)
    else { return nil }
    return text
  }

  /// Whether a text was entered that cannot be the beginning of any entry.
  func seeksNothing(_ name: StaticString) -> Bool { sought(name) == nil && query[name]?.trimmed.isEmpty == false }

  /// The ID of the last element on the previous page.
  func last<Entity>() -> ID<Entity>? {
    guard let text = query["after"], case .id(let id)? = Reference<Entity>(text) else { return nil }
    return id
  }
}

/// One page of a list, which continues after an ID or a name: a later page costs no more than the first.
struct Turning<Element> {
  let elements: [Element]
  /// Where the next page continues: after this page's last element. Nil on the last page.
  let next: String?

  /// - Parameter read: Reads up to that many elements from the beginning of the page.
  init(size: Int = OperatorFrame.pageSize, id: (Element) -> String, _ read: (Int) async throws -> [Element])
    async throws
  {
    let found = try await read(size + 1)
    elements = Array(found.prefix(size))
    next = found.count > size ? elements.last.map(id) : nil
  }

  /// - Parameter query: The fields that select the list's elements.
  func write(_ html: inout HTML, path: String, _ query: [(name: String, value: String?)], _ visit: Visit) {
    func link(_ more: [(name: String, value: String?)]) -> String {
      let fields = (query + more).compactMap { field in
        field.value.map { "\(field.name)=\($0.percentEncoded)" }
      }
      return path + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
    }
    guard next != nil || visit.query.has("after") else { return }
    html.element("nav", ["class": "pages", "aria-label": visit.words(.pages)]) { html in
      if visit.query.has("after") {
        html.element("a", ["class": "button", "href": link([])], text: visit.words(.firstPage))
      }
      if let next {
        html.element("a", ["class": "button", "href": link([("after", next)])], text: visit.words(.next))
      }
    }
  }
}

extension HTML {
  /// A table that scrolls sideways where it is wider than the window.
  mutating func table(_ headings: [Phrase], _ words: Words, _ rows: (inout HTML) -> Void) {
    element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings(headings, words)
        html.element("tbody") { rows(&$0) }
      }
    }
  }

  mutating func searchField(_ name: String, _ label: String, _ value: String?, kind: String = "search") {
    void(
      "input",
      [
        "type": kind, "name": name, "value": value ?? "", "aria-label": label, "placeholder": label,
        "maxlength": "\(EmailAddress.longestBytes)",
      ])
  }
}
