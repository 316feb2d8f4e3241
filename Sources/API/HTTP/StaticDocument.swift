import Core
import Documentation
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// A document that is the same for everyone while the process runs. A client that has it already gets 304.
struct StaticDocument: Sendable {
  private struct Form: Sendable {
    let body: ByteBuffer
    var headers: HTTPFields

    init(_ body: ByteBuffer, _ headers: HTTPFields) {
      self.body = body
      self.headers = headers
      self.headers[.eTag] = "\"\(SHA256.hexadecimal(Array(body.readableBytesView)).prefix(32))\""
    }
  }

  private let plain: Form
  private let compressed: Form?

  init(_ body: ByteBuffer, mediaType: String, _ headers: HTTPFields = [:]) {
    var headers = headers
    headers[.contentType] = mediaType
    headers[.cacheControl] = "no-cache"
    headers[.vary] = headers[.vary].map { $0 + ", Accept-Encoding" } ?? "Accept-Encoding"
    plain = Form(body, headers)
    headers[.contentEncoding] = "gzip"
    compressed = Gzip.compressed(body).map { Form($0, headers) }
  }

  func response(to request: Request) -> Response {
    let form = Gzip.isTaken(by: request) ? compressed ?? plain : plain
    return Precondition.applied(
      to: Response(status: .ok, headers: form.headers, body: ResponseBody(byteBuffer: form.body)), of: request)
  }
}

extension StaticDocument {
  /// The page that is made of the API's description. It loads nothing else, and its Content-Security-Policy says so.
  static func page(of document: DocumentNode, in language: Language) -> StaticDocument {
    let words: PageWords =
      switch language {
      case .english: .english
      case .bulgarian: .bulgarian
      }
    let style = Data(SHA256.digest(Array("\(Stylesheet.text)".utf8))).base64EncodedString()
    let policy = [
      "default-src 'none'", "style-src 'sha256-\(style)'", "base-uri 'none'", "form-action 'none'",
      "frame-ancestors 'none'",
    ]
    return StaticDocument(
      ByteBuffer(string: DocumentationPage(document, in: words).html), mediaType: "text/html; charset=utf-8",
      [
        .contentSecurityPolicy: policy.joined(separator: "; "), .xContentTypeOptions: "nosniff",
        HTTPField.Name("Referrer-Policy")!: "no-referrer", .contentLanguage: language.rawValue,
        .vary: "Accept-Language, Cookie",
      ])
  }
}
