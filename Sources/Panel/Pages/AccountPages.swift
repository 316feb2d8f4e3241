import Core
import Engine
import HTML

/// The account's profile, sessions, password and second factor.
struct AccountPages {
  static let path = "/account"

  let sessions: Sessions

  var routes: [PanelRoute] {
    [
      .get(Self.path) { visit in .page(try await page(visit, FormErrors())) },
      .post(Self.path + "/password", setPassword),
      .post(Self.path + "/sessions/{id}/end", end),
      .get(Self.path + "/second-factor") { visit in .page(try await factorPage(visit, FormErrors())) },
      .post(Self.path + "/second-factor", setFactor),
      .post(Self.path + "/second-factor/remove", removeFactor),
    ]
  }

  @Sendable private func setPassword(_ visit: Visit) async throws -> Answer {
    let form = visit.form
    var errors = FormErrors()
    let isRemoved = form["remove"] != nil
    if !isRemoved { errors.require(["password"], in: form, visit.words) }
    if !isRemoved, form["password"]?.utf8.elementsEqual((form["repeated_password"] ?? "").utf8) == false {
      errors.add("repeated_password", visit.words(.passwordsDiffer))
    }
    guard errors.isEmpty else { return .page(try await page(visit, errors)) }
    do {
      try await sessions.setPassword(
        isRemoved ? nil : form["password"], current: form["current_password"], visit.caller)
      return .redirect(Self.path)
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  @Sendable private func end(_ visit: Visit) async throws -> Answer {
    let id: ID<Token> = try visit.id()
    try await sessions.end(id, visit.caller)
    return .redirect(id == visit.caller.tokenID ? SignInPages.path : Self.path)
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let list = try await sessions.list(visit.caller)
    let hasPassword = try await sessions.hasPassword(visit.caller)
    let hasFactor = try await sessions.hasSecondFactor(visit.caller)
    let words = visit.words
    return Page(isRefused: !errors.isEmpty, title: words(.account), section: .account) { html in
      html.element("h1", text: words(.account))
      profile(&html, visit)
      html.element("h2", text: words(.sessions))
      html.element("p", ["class": "hint"], text: words(.sessionsHint))
      table(&html, list, visit)
      html.element("h2", text: words(.password))
      password(&html, FormWriter(visit: visit, form: Form(), errors: errors), hasPassword, words)
      if hasPassword || hasFactor {
        html.element("h2", text: words(.secondFactor))
        html.element("p", ["class": "hint"], text: words(hasFactor ? .secondFactorIsOn : .secondFactorIsOff))
        html.element(
          "a", ["class": "button", "href": Self.path + "/second-factor"],
          text: words(hasFactor ? .removeSecondFactor : .setSecondFactor))
      }
    }
  }

  // MARK: The second factor

  @Sendable private func setFactor(_ visit: Visit) async throws -> Answer {
    guard let factor = visit.form["secret"].flatMap({ OneTimeCode($0) }) else { throw FormRefused() }
    do {
      let codes = try await sessions.setSecondFactor(
        factor, code: visit.form["code"] ?? "", password: visit.form["current_password"] ?? "", visit.caller)
      return .page(
        SecretPage(
          title: visit.words(.recoveryCodes), text: visit.words(.recoveryCodesOnce),
          secret: codes.joined(separator: " "), nextPath: Self.path, section: .account
        ).page(visit))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await factorPage(visit, errors, factor))
    }
  }

  @Sendable private func removeFactor(_ visit: Visit) async throws -> Answer {
    do {
      try await sessions.removeSecondFactor(code: visit.form["code"] ?? "", visit.caller)
      return .redirect(Self.path)
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await factorPage(visit, errors))
    }
  }

  private func factorPage(_ visit: Visit, _ errors: FormErrors, _ tried: OneTimeCode? = nil) async throws -> Page {
    let words = visit.words
    let isOn = try await sessions.hasSecondFactor(visit.caller)
    let factor = tried ?? Sessions.newSecondFactor()
    return Page(isRefused: !errors.isEmpty, title: words(.secondFactor), section: .account) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: words(.secondFactor))
        let writer = FormWriter(visit: visit, errors: errors)
        if isOn {
          writer.write(&html, to: Self.path + "/second-factor/remove", class: "stack") { html in
            writer.text(&html, "code", words(.code), hint: words(.codeHint), autocomplete: "one-time-code", limit: 64)
            writer.submit(&html, .removeSecondFactor, class: "danger")
          }
        } else {
          html.element("p", text: words(.secondFactorHint))
          let address = factor.address(account: visit.account.email, issuer: "vpsd")
          QRCode(address)?.write(&html, label: words(.keyAsPicture))
          html.element("p") { html in
            html.write(words(.keyAsText) + " ")
            html.element("code", text: factor.text)
          }
          writer.write(&html, to: Self.path + "/second-factor", class: "stack") { html in
            html.void("input", ["type": "hidden", "name": "secret", "value": factor.text])
            writer.text(&html, "code", words(.code), autocomplete: "one-time-code", limit: 64)
            writer.text(
              &html, "current_password", words(.currentPassword), kind: "password", autocomplete: "current-password")
            writer.submit(&html, .setSecondFactor)
          }
        }
      }
    }
  }

  private func profile(_ html: inout HTML, _ visit: Visit) {
    let (account, words) = (visit.account, visit.words)
    let name = [account.firstName, account.lastName].filter { !$0.isEmpty }.joined(separator: " ")
    html.element("dl", ["class": "facts"]) { html in
      html.figure(words(.email), account.email)
      if !name.isEmpty { html.figure(words(.name), name) }
      if !account.companyName.isEmpty { html.figure(words(.company), account.companyName) }
      html.element("div") { html in
        html.element("dt", text: words(.customerSince))
        html.element("dd") { $0.time(account.createdAt) }
      }
    }
  }

  private func table(_ html: inout HTML, _ sessions: [Token], _ visit: Visit) {
    let words = visit.words
    html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
      html.element("table", ["class": "list"]) { html in
        html.headings([.browser, .signedInAt, .lastUsed, .actions], words)
        html.element("tbody") { html in
          for session in sessions {
            let isOwn = session.id == visit.caller.tokenID
            html.element("tr") { html in
              html.element(
                "td",
                text: words(principal: session.name) + (isOwn ? " (\(words(.thisSession)))" : ""))
              html.element("td") { $0.time(session.createdAt) }
              html.element("td") { html in
                if let time = session.lastUsedAt { html.time(time) } else { html.write("–") }
              }
              html.element("td", ["class": "end"]) { html in
                FormWriter(visit: visit).button(
                  &html, .endSession, to: "\(Self.path)/sessions/\(session.id)/end", class: "plain")
              }
            }
          }
        }
      }
    }
  }

  private func password(_ html: inout HTML, _ writer: FormWriter, _ hasPassword: Bool, _ words: Words) {
    html.element("p", ["class": "hint"], text: words(hasPassword ? .passwordIsSet : .noPassword))
    writer.write(&html, to: Self.path + "/password", class: "stack") { html in
      if hasPassword {
        writer.text(
          &html, "current_password", words(.currentPassword), kind: "password", autocomplete: "current-password")
      }
      writer.text(
        &html, "password", words(.newPassword), hint: words(.passwordRule), kind: "password",
        autocomplete: "new-password")
      writer.text(
        &html, "repeated_password", words(.repeatedPassword), kind: "password", autocomplete: "new-password")
      html.element("div", ["class": "actions"]) { html in
        html.element("button", ["class": "main"], text: words(.setPassword))
        if hasPassword {
          html.element("button", ["name": "remove", "value": "on"], text: words(.removePassword))
        }
      }
    }
  }
}
