import API
import Core
import Engine
import HTML
import HTTPTypes
import Hummingbird
import NIOCore

/// The frame around every page.
struct Layout {
  let visitor: Visitor
  /// Nil if the visitor is not signed in.
  let visit: Visit?
  let assets: Assets

  private var words: Words { visitor.words }

  func html(of page: Page) -> String {
    var html = HTML()
    html.markup("<!doctype html>")
    html.element("html", ["lang": words.language.rawValue, "data-path": path(of: page)]) { html in
      html.element("head") { head(&$0, page) }
      html.element("body") { html in
        html.element("a", ["class": "skip", "href": "#main"], text: words(.skipToContent))
        header(&html, page)
        html.element("main", ["id": "main"]) { $0.append(page.content) }
        footer(&html)
      }
    }
    return html.text
  }

  /// The path at which the page can be requested again.
  private func path(of page: Page) -> String {
    if let path = page.path, visitor.request.method != .get { return path }
    return target(with: [])
  }

  /// The requested path and query, with these fields in the place of those with the same names; `/` unless it was a GET of a
  /// path of ours.
  private func target(with fields: [(name: String, value: String)]) -> String {
    let path = visitor.request.uri.path
    guard visitor.request.method == .get, SignInPages.isOurs(path) else { return "/" }
    let kept = visitor.query.all.filter { field in
      field.name != "link" && !fields.contains { $0.name == field.name } && field.value.utf8.count <= 255
    }
    let query = (kept + fields).map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }
    return path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
  }

  private func head(_ html: inout HTML, _ page: Page) {
    html.void("meta", ["charset": "utf-8"])
    html.void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"])
    html.void("meta", ["name": "color-scheme", "content": "light dark"])
    html.element("title", text: "\(page.title) · vpsd")
    html.void("link", ["rel": "icon", "href": "data:,"])
    html.void("link", ["rel": "stylesheet", "href": assets.stylePath])
    html.element("script", ["src": assets.scriptPath], flags: ["defer"], text: "")
    if page.isMoving {
      html.element("noscript") { $0.void("meta", ["http-equiv": "refresh", "content": "5; url=\(path(of: page))"]) }
    }
  }

  private func header(_ html: inout HTML, _ page: Page) {
    html.element("header", ["class": "top"]) { html in
      html.element("a", ["class": "brand", "href": "/"], text: "vpsd")
      guard let visit else { return }
      html.element("nav", ["aria-label": words(.menu)]) { html in
        for section in Page.Section.allCases where section != .operator || visit.account.mayOperate {
          html.element(
            "a", ["href": section.path, "aria-current": section == page.section ? "page" : "false"],
            text: words(section.phrase))
        }
        html.element("a", ["href": "/docs"], text: words(.apiReference))
      }
      html.element("div", ["class": "who"]) { html in
        html.element("span", ["class": "email"], text: visit.account.email)
        html.element("form", ["method": "post", "action": SignInPages.endPath]) { html in
          FormWriter.proof(&html, visit)
          html.element("button", ["class": "plain"], text: words(.signOut))
        }
      }
    }
    if let visit { suspension(&html, visit) }
  }

  private func suspension(_ html: inout HTML, _ visit: Visit) {
    let suspension = visit.account.suspension
    guard let cause = suspension.cause else { return }
    html.element("div", ["class": "notice bad banner", "role": "alert"]) { html in
      switch cause {
      case .operator: html.write(words(.suspendedByOperator(suspension.operatorReason ?? "")))
      case .credit:
        html.write(words(.suspendedForCredit) + " ")
        if let time = suspension.deletionAt {
          html.write(words(.deletedAt) + " ")
          html.time(time)
        }
      }
    }
  }

  private func footer(_ html: inout HTML) {
    html.element("footer", ["class": "bottom"]) { html in
      let others = Language.allCases.filter { $0 != words.language }
      for language in others {
        html.element(
          "a",
          [
            "href": target(with: [("language", language.rawValue)]),
            "lang": language.rawValue, "hreflang": language.rawValue,
          ], text: language.ownName)
      }
    }
  }

  /// Nothing is loaded from elsewhere, and no text written by a user is ever run.
  private static let policy = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
    "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
  ].joined(separator: "; ")

  static let mediaType = "text/html; charset=utf-8"

  static func response(_ body: ByteBuffer, status: HTTPResponse.Status) -> Response {
    Response(
      status: status,
      headers: [
        .contentType: mediaType, .contentSecurityPolicy: policy, .xContentTypeOptions: "nosniff",
        .init("Referrer-Policy")!: "same-origin", .init("X-Frame-Options")!: "DENY",
        .init("Cross-Origin-Opener-Policy")!: "same-origin", .cacheControl: "no-store",
      ], body: ResponseBody(byteBuffer: body))
  }
}

extension Language {
  var ownName: String {
    switch self {
    case .english: "English"
    case .bulgarian: "Български"
    }
  }
}

extension HTML {
  mutating func time(_ time: Timestamp) {
    element("time", ["datetime": time.wireFormat], text: Words.time(time))
  }
}
