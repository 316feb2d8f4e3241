import Core
import Engine
import HTML

/// The account's API tokens.
struct TokenPages {
  static let path = "/tokens"
  private static let grants = [
    Permission.everything, Permission(.servers, .read), Permission(.servers, .write), Permission(.sshKeys, .read),
    Permission(.sshKeys, .write), Permission(.backups, .read), Permission(.backups, .write),
    Permission(.snapshots, .read), Permission(.snapshots, .write), Permission(.tokens, .read),
    Permission(.tokens, .write), Permission(.account, .read),
  ]

  let tokens: Tokens

  var routes: [PanelRoute] {
    [
      .get(Self.path) { visit in .page(try await page(visit, FormErrors())) },
      .post(Self.path, create),
      .get(Self.path + "/{id}/revoke") { visit in .page(try await confirmation(visit).page(visit)) },
      .post(Self.path + "/{id}/revoke") { visit in
        let id: ID<Token> = try visit.id()
        return try await confirmation(visit).carryOut(visit) { try await tokens.revoke(id, visit.caller) }
      },
    ]
  }

  @Sendable private func create(_ visit: Visit) async throws -> Answer {
    var errors = FormErrors()
    errors.require(["name"], in: visit.form, visit.words)
    guard errors.isEmpty else { return .page(try await page(visit, errors)) }
    do {
      let draft = Tokens.Draft(
        name: visit.form["name"], permissions: Array(visit.form.values("permissions").prefix(50)),
        expiresAt: visit.form["expires_at"].map { "\($0)T00:00:00Z" })
      let created = try await tokens.create(draft, visit.caller)
      return .page(
        SecretPage(
          title: visit.words(.tokenCreated(created.token.name)), text: visit.words(.tokenOnce),
          secret: created.text.text, nextPath: Self.path, section: .tokens
        ).page(visit))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let list = try await tokens.list(
      order: [ListOrder(.name)], page: PageRequest(.number(1), size: 500), visit.caller)
    let words = visit.words
    return Page(isRefused: !errors.isEmpty, title: words(.tokens), section: .tokens) { html in
      html.element("h1", text: words(.tokens))
      html.element("p", ["class": "hint"], text: words(.tokensHint))
      if !list.isEmpty { table(&html, list.elements, words) }
      html.cut(list, words)
      html.element("h2", text: words(.createAToken))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: Self.path, class: "stack") { html in
        writer.text(&html, "name", words(.name), isRequired: true)
        permissions(&html, visit, errors)
        writer.text(&html, "expires_at", words(.expiresAt), hint: words(.expiresAtHint), kind: "date", limit: 10)
        writer.submit(&html, .createToken)
      }
    }
  }

  private func permissions(_ html: inout HTML, _ visit: Visit, _ errors: FormErrors) {
    let chosen = visit.form.has("form") ? visit.form.choices("permissions") : [Permission.everything.description]
    html.element("fieldset", ["class": "checks"]) { html in
      html.element("legend", text: visit.words(.permissions))
      if !errors["permissions"].isEmpty {
        html.element("p", ["class": "error"], text: errors["permissions"].joined(separator: " "))
      }
      for permission in Self.grants {
        html.element("label", ["class": "check"]) { html in
          html.void(
            "input", ["type": "checkbox", "name": "permissions", "value": permission.description],
            flags: chosen.contains(permission.description) ? ["checked"] : [])
          html.element("code", text: permission.description)
        }
      }
    }
  }

  private func table(_ html: inout HTML, _ tokens: [Token], _ words: Words) {
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings([.name, .permissions, .createdAt, .expiresAt, .lastUsed, .actions], words)
        html.element("tbody") { html in
          for token in tokens {
            html.element("tr") { html in
              html.element("td", text: token.name)
              html.element(
                "td", ["class": "mono"], text: token.permissions.map(\.description).joined(separator: " "))
              html.element("td") { $0.time(token.createdAt) }
              for time in [token.expiresAt, token.lastUsedAt] {
                html.element("td") { html in
                  if let time { html.time(time) } else { html.write("–") }
                }
              }
              html.element("td", ["class": "end"]) { html in
                html.element("a", ["href": "\(Self.path)/\(token.id)/revoke"], text: words(.revoke))
              }
            }
          }
        }
      }
    }
  }

  private func confirmation(_ visit: Visit) async throws -> ConfirmationPage {
    let token = try await tokens.read(try visit.id(), visit.caller)
    return ConfirmationPage(
      title: visit.words(.revokeToken(token.name)), text: visit.words(.revokeTokenHint), action: .revokeTokenAction,
      path: "\(Self.path)/\(token.id)/revoke", backPath: Self.path, section: .tokens)
  }
}
