import Core
import Engine
import HTML

/// The public keys of the account.
struct SSHKeyPages {
  static let path = "/ssh-keys"
  private static let longestKeyBytes = 16_384

  let keys: SSHKeys

  var routes: [PanelRoute] {
    [
      .get(Self.path) { visit in .page(try await page(visit, FormErrors())) },
      .post(Self.path, create),
      .get(Self.path + "/{id}/delete") { visit in .page(try await confirmation(visit).page(visit)) },
      .post(Self.path + "/{id}/delete") { visit in
        let id: ID<SSHKey> = try visit.id()
        return try await confirmation(visit).carryOut(visit) { try await keys.delete(id, visit.caller) }
      },
    ]
  }

  static func list(_ keys: SSHKeys, _ caller: Caller) async throws -> Core.Page<SSHKey> {
    try await keys.list(order: [ListOrder(.name)], page: PageRequest(.number(1), size: 500), caller)
  }

  /// The ID of the account's key with this text; the key is created if there is none.
  static func key(
    _ text: String, name: String?, _ keys: SSHKeys, _ caller: Caller
  ) async throws -> ID<SSHKey> {
    guard text.utf8.count <= longestKeyBytes else {
      throw Failure.invalid(.publicKey, TextRule(maximumLength: longestKeyBytes).lengthViolation(in: text) ?? "")
    }
    let words = text.split(maxSplits: 2, omittingEmptySubsequences: true, whereSeparator: \.isWhitespace)
    let comment = words.count > 2 ? words[2].trimmed : ""
    let existing = try await keys.list(page: PageRequest(.number(1), size: 1000), caller).elements.first { key in
      key.publicKey.utf8.split(separator: UInt8(ascii: " ")).prefix(2).elementsEqual(
        words.prefix(2).map(\.utf8), by: { $0.elementsEqual($1) })
    }
    if let existing { return existing.id }
    let draft = SSHKeys.Draft(
      name: name ?? (comment.isEmpty ? "panel" : String(comment.prefix(255))),
      publicKey: text.trimmed)
    return try await keys.create(draft, caller).id
  }

  @Sendable private func create(_ visit: Visit) async throws -> Answer {
    var errors = FormErrors()
    errors.require(["name", "public_key"], in: visit.form, visit.words)
    guard errors.isEmpty else { return .page(try await page(visit, errors)) }
    do {
      let draft = SSHKeys.Draft(name: visit.form["name"], publicKey: visit.form["public_key"]?.trimmed)
      _ = try await keys.create(draft, visit.caller)
      return .redirect(Self.path)
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let list = try await Self.list(keys, visit.caller)
    let words = visit.words
    return Page(isRefused: !errors.isEmpty, title: words(.sshKeys), section: .sshKeys) { html in
      html.element("h1", text: words(.sshKeys))
      html.element("p", ["class": "hint"], text: words(.sshKeysHint))
      if !list.isEmpty { table(&html, list.elements, words) }
      html.cut(list, words)
      html.element("h2", text: words(.addAKey))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: Self.path, class: "stack") { html in
        writer.text(&html, "name", words(.name), isRequired: true)
        writer.area(&html, "public_key", words(.publicKey), hint: words(.publicKeyHint), limit: Self.longestKeyBytes)
        writer.submit(&html, .addKey)
      }
    }
  }

  private func table(_ html: inout HTML, _ keys: [SSHKey], _ words: Words) {
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings([.name, .fingerprint, .createdAt, .lastUsed, .actions], words)
        html.element("tbody") { html in
          for key in keys {
            html.element("tr") { html in
              html.element("td", text: key.name)
              html.element("td", ["class": "mono"], text: key.fingerprint)
              html.element("td") { $0.time(key.createdAt) }
              html.element("td") { html in
                if let time = key.lastUsedAt { html.time(time) } else { html.write("–") }
              }
              html.element("td", ["class": "end"]) { html in
                html.element("a", ["href": "\(Self.path)/\(key.id)/delete"], text: words(.delete))
              }
            }
          }
        }
      }
    }
  }

  private func confirmation(_ visit: Visit) async throws -> ConfirmationPage {
    let key = try await keys.read(try visit.id(), visit.caller)
    return ConfirmationPage(
      title: visit.words(.deleteKey(key.name)), text: visit.words(.deleteKeyHint), action: .deleteKeyAction,
      path: "\(Self.path)/\(key.id)/delete", backPath: Self.path, section: .sshKeys)
  }
}

extension HTML {
  /// Says that there are more elements than are shown, where there are.
  mutating func cut<Element>(_ page: Core.Page<Element>, _ words: Words) {
    guard page.totalCount > page.elements.count else { return }
    element("p", ["class": "hint"], text: words(.firstOfMany(page.elements.count, page.totalCount)))
  }

  mutating func headings(_ phrases: [Phrase], _ words: Words) {
    element("thead") { html in
      html.element("tr") { html in for phrase in phrases { html.element("th", text: words(phrase)) } }
    }
  }
}

extension StringProtocol {
  var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
