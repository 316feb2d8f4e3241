import API
import Core
import HTML
import HTTPTypes
import Hummingbird

/// The page for errors that no form shows.
enum ErrorPage {
  static func page(about error: any Error, _ visitor: Visitor) -> Page {
    var page = described(error, visitor)
    page.headers = ErrorTable.response(to: error, requestID: "").headers
    for name in [HTTPField.Name.contentType, .contentLength] { page.headers[name] = nil }
    return page
  }

  private static func described(_ error: any Error, _ visitor: Visitor) -> Page {
    let words = visitor.words
    if error is FormRefused {
      return page(.forbidden, words(.formRefused), visitor)
    }
    if error is FormNotRemembered {
      return page(.forbidden, words(.formNotRemembered), visitor)
    }
    let reply = ErrorTable.response(to: error, requestID: visitor.context.requestID)
    if let failure = error as? Failure, reply.status.code < 500 || failure.code == .noCapacity {
      return page(reply.status, words(message: failure.message), visitor)
    }
    switch reply.status {
    case .tooManyRequests:
      return page(reply.status, words(.tooManyRequests(reply.headers[.retryAfter] ?? "60")), visitor)
    case .contentTooLarge: return page(reply.status, words(.formTooLarge), visitor)
    case .serviceUnavailable: return page(reply.status, words(.unavailable), visitor)
    case .notFound: return page(reply.status, words(message: Failure.notFound.message), visitor)
    case let status where status.code < 500: return page(status, words(.refused), visitor)
    case let status: return page(status, words(.internalError(visitor.context.requestID)), visitor)
    }
  }

  private static func page(_ status: HTTPResponse.Status, _ message: String, _ visitor: Visitor) -> Page {
    let title = visitor.words(status == .notFound ? .notFoundTitle : .refusedTitle)
    return Page(status: status, title: title, section: nil) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: title)
        html.element("p", text: message)
        html.element("p") { html in html.element("a", ["href": "/servers"], text: visitor.words(.toServers)) }
      }
    }
  }
}
