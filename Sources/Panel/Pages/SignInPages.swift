import API
import Core
import Engine
import HTML
import HTTPTypes
import Hummingbird

/// The pages to sign in and out.
struct SignInPages {
  static let path = "/sign-in"
  static let codePath = "/sign-in/code"
  static let forgottenPath = "/sign-in/forgotten"
  static let endPath = "/sign-out"
  private static let largestForm = 16_384

  let sessions: Sessions
  let attempts: ClientLimit?

  /// - Parameter path: The path to go to after signing in.
  static func path(leadingTo path: String) -> String {
    path == "/" || !isOurs(path) ? Self.path : "\(Self.path)?next=\(path)"
  }

  var routes: [PanelRoute] {
    let forgotten = [
      PanelRoute(method: .get, path: Self.forgottenPath, handler: .open { .page(forgottenPage($0)) }),
      PanelRoute(method: .post, path: Self.forgottenPath, handler: .open(askForLink)),
    ]
    return [
      PanelRoute(method: .get, path: "/", handler: .open { _ in .redirect("/servers") }),
      PanelRoute(method: .get, path: Self.path, handler: .open(show)),
      PanelRoute(method: .post, path: Self.path, handler: .open(signIn)),
      PanelRoute(method: .post, path: Self.codePath, handler: .open(sayCode)),
      PanelRoute(method: .post, path: Self.endPath, handler: .once(signOut)),
    ] + (sessions.mailsLinks ? forgotten : [])
  }

  /// A link signs in at once, but not for a browser that only prefetches the page.
  @Sendable private func show(_ visitor: Visitor) async throws -> Answer {
    guard let link = visitor.query["link"] else { return .page(page(visitor)) }
    let purpose = HTTPField.Name("Sec-Purpose")!
    guard visitor.request.method == .get, visitor.request.headers[purpose] == nil else {
      return .page(page(visitor))
    }
    // A link must not switch a signed-in person to another account without a question.
    if let session = visitor.session, (try? await sessions.caller(in: session)) != nil {
      return .page(linkPage(visitor, link, text: visitor.words(.signedInAlready)))
    }
    // Programs that scan mail follow the links in it.
    if try await sessions.isMailed(link) { return .page(linkPage(visitor, link, text: visitor.words(.mailedLinkHint))) }
    return try await redeem(link, visitor)
  }

  private func redeem(_ link: String, _ visitor: Visitor) async throws -> Answer {
    do {
      switch try await sessions.signIn(withLink: link, visitor.browser) {
      case .signedIn(let signedIn): return begin(signedIn, visitor)
      case .needsCode(let pending): return .page(codePage(visitor, pending: pending, next: nil))
      }
    } catch let failure as Failure where failure.code == .credentialsInvalid {
      try await attempts?.take(visitor.context.origin.client)
      return .page(page(visitor, error: failure, status: .forbidden))
    }
  }

  @Sendable private func signIn(_ visitor: Visitor) async throws -> Answer {
    let form = try await form(visitor)
    // Counts the attempt first: a guess may be right.
    try await attempts?.take(visitor.context.origin.client)
    if let link = form["link"] { return try await redeem(link, visitor) }
    do {
      let answer = try await sessions.signIn(
        email: form["email"] ?? "", password: form["password"] ?? "", visitor.browser)
      switch answer {
      case .signedIn(let signedIn): return begin(signedIn, visitor, next: form["next"])
      case .needsCode(let pending): return .page(codePage(visitor, pending: pending, next: form["next"]))
      }
    } catch let failure as Failure where failure.code == .credentialsInvalid {
      return .page(page(visitor, form, error: failure, status: .forbidden))
    }
  }

  @Sendable private func sayCode(_ visitor: Visitor) async throws -> Answer {
    try await attempts?.take(visitor.context.origin.client)
    let form = try await form(visitor)
    let pending = form.choice("pending") ?? ""
    do {
      let signedIn = try await sessions.signIn(code: form["code"] ?? "", pending: pending, visitor.browser)
      return begin(signedIn, visitor, next: form["next"])
    } catch let failure as Failure where failure.code == .credentialsInvalid {
      return .page(codePage(visitor, pending: pending, next: form["next"], error: failure))
    } catch let failure as Failure where failure.code == .credentialsMissing {
      return .redirect(Self.path)
    }
  }

  /// Asks for confirmation before the link is used up.
  private func linkPage(_ visitor: Visitor, _ link: String, text: String) -> Page {
    let words = visitor.words
    return Page(title: words(.signIn), section: nil) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: words(.signIn))
        html.element("p", text: text)
        html.element("form", ["method": "post", "action": Self.path, "class": "stack"]) { html in
          html.void("input", ["type": "hidden", "name": "link", "value": String(link.unicodeScalars.prefix(64))])
          html.element("div", ["class": "actions"]) { html in
            html.element("button", ["class": "main"], text: words(.signIn))
            html.element("a", ["class": "button", "href": "/servers"], text: words(.cancel))
          }
        }
      }
    }
  }

  /// The answer is the same whether the account exists or not.
  @Sendable private func askForLink(_ visitor: Visitor) async throws -> Answer {
    try await attempts?.take(visitor.context.origin.client)
    try await sessions.askForLink(email: try await form(visitor)["email"] ?? "")
    return .page(forgottenPage(visitor, isAsked: true))
  }

  private func forgottenPage(_ visitor: Visitor, isAsked: Bool = false) -> Page {
    let words = visitor.words
    return Page(title: words(.forgottenPassword), section: nil, path: Self.forgottenPath) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: words(.forgottenPassword))
        if isAsked {
          html.element("p", ["class": "notice", "role": "status"], text: words(.linkIsMailed))
        } else {
          html.element("p", text: words(.forgottenPasswordHint))
          html.element("form", ["method": "post", "action": Self.forgottenPath, "class": "stack"]) { html in
            field(&html, "email", words(.email), kind: "email", autocomplete: "username")
            html.element("button", ["class": "main"], text: words(.mailLink))
          }
        }
        html.element("p") { $0.element("a", ["href": Self.path], text: words(.signIn)) }
      }
    }
  }

  private func form(_ visitor: Visitor) async throws -> Form {
    let buffer = try await visitor.request.body.collect(upTo: Self.largestForm)
    guard let form = Form(String(buffer: buffer)) else { throw FormRefused() }
    return form
  }

  private func codePage(_ visitor: Visitor, pending: String, next: String?, error: Failure? = nil) -> Page {
    let words = visitor.words
    return Page(status: error == nil ? .ok : .forbidden, title: words(.signIn), section: nil) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: words(.signIn))
        if let error {
          html.element("div", ["class": "notice bad", "role": "alert"], text: words(message: error.message))
        }
        html.element("form", ["method": "post", "action": Self.codePath, "class": "stack"]) { html in
          html.void("input", ["type": "hidden", "name": "pending", "value": pending])
          if let next, Self.isOurs(next) { html.void("input", ["type": "hidden", "name": "next", "value": next]) }
          field(&html, "code", words(.code), kind: "text", autocomplete: "one-time-code")
          html.element("button", ["class": "main"], text: words(.signIn))
        }
        html.element("p", ["class": "hint"], text: words(.codeHint))
      }
    }
  }

  private func begin(_ signedIn: Sessions.SignedIn, _ visitor: Visitor, next: String? = nil) -> Answer {
    let path = next ?? visitor.query["next"] ?? "/servers"
    var response = Response(
      status: .seeOther,
      headers: [
        .location: Self.isOurs(path) ? path : "/servers", .cacheControl: "no-store",
        .init("Referrer-Policy")!: "no-referrer",
      ])
    Cookie.session.set(signedIn.text.text, isSecure: visitor.isSecure, in: &response)
    return .response(response)
  }

  @Sendable private func signOut(_ visit: Visit) async throws -> Answer {
    try await sessions.end(visit.caller.tokenID, visit.caller)
    var response = Response(
      status: .seeOther, headers: [.location: Self.path, .cacheControl: "no-store"])
    Cookie.session.set(nil, isSecure: visit.visitor.isSecure, in: &response)
    return .response(response)
  }

  /// Whether it is a path of this service: `//host` would lead to another one.
  static func isOurs(_ path: String) -> Bool {
    path.isPlain(atMost: 500) && path.hasPrefix("/") && !path.hasPrefix("//")
      && path.utf8.allSatisfy { $0 > 0x20 && !"\\?#&\"<>".utf8.contains($0) }
  }

  private func page(
    _ visitor: Visitor, _ form: Form = Form(), error: Failure? = nil, status: HTTPResponse.Status = .ok
  ) -> Page {
    let words = visitor.words
    return Page(status: status, title: words(.signIn), section: nil) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: words(.signIn))
        if let error {
          html.element("div", ["class": "notice bad", "role": "alert"], text: words(message: error.message))
        }
        html.element("form", ["method": "post", "action": Self.path, "class": "stack"]) { html in
          let next = form["next"] ?? visitor.query["next"]
          if let next, Self.isOurs(next) { html.void("input", ["type": "hidden", "name": "next", "value": next]) }
          field(&html, "email", words(.email), kind: "email", autocomplete: "username", value: form["email"] ?? "")
          field(&html, "password", words(.password), kind: "password", autocomplete: "current-password")
          html.element("button", ["class": "main"], text: words(.signIn))
        }
        if sessions.mailsLinks {
          html.element("p") { $0.element("a", ["href": Self.forgottenPath], text: words(.forgottenPassword)) }
        } else {
          html.element("p", ["class": "hint"], text: words(.signInByLink))
        }
      }
    }
  }

  private func field(
    _ html: inout HTML, _ name: StaticString, _ label: String, kind: String, autocomplete: String, value: String = ""
  ) {
    html.element("div", ["class": "field"]) { html in
      html.element("label", ["for": "f-\(name)"], text: label)
      html.void(
        "input",
        [
          "id": "f-\(name)", "name": "\(name)", "type": kind, "autocomplete": autocomplete, "value": value,
          "maxlength": "254",
        ], flags: ["required"])
    }
  }
}
