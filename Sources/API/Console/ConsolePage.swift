import CBuild
import Core
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The console for browsers: our page around noVNC, which the operator installs. All files are read once, at the start,
/// and nothing else is served.
struct ConsolePage: Sendable {
  static let path = "/console"

  private struct File: Sendable {
    let mediaType: String
    let content: ByteBuffer
    let tag: String

    init(_ mediaType: String, _ content: [UInt8]) {
      self.mediaType = mediaType
      self.content = ByteBuffer(bytes: content)
      tag = "\"\(SHA256.hexadecimal(content).prefix(32))\""
    }
  }

  private let files: [String: File]
  /// The page in each language; empty if noVNC is not installed.
  private let pages: [Language: File]
  private let publicURL: PublicURL?

  /// - Parameter noVNC: The folder with noVNC's `core` and `vendor`; without them, the page only says that they are
  ///   missing.
  init(noVNC: URL, publicURL: PublicURL?) {
    self.publicURL = publicURL
    var files: [String: File] = [:]
    var pages: [Language: File] = [:]
    for folder in ["core", "vendor"] {
      for (name, content) in Self.scripts(in: noVNC.appendingPathComponent(folder, isDirectory: true)) {
        files["/novnc/\(folder)/\(name)"] = File("text/javascript; charset=utf-8", content)
      }
    }
    if files["/novnc/core/rfb.js"] != nil {
      pages[.english] = File("text/html; charset=utf-8", BuiltInFile.consoleHTML.content)
      pages[.bulgarian] = File("text/html; charset=utf-8", BuiltInFile.consoleBulgarianHTML.content)
      files["/console.js"] = File("text/javascript; charset=utf-8", BuiltInFile.consoleScript.content)
      files["/console.css"] = File("text/css; charset=utf-8", BuiltInFile.consoleStyle.content)
    }
    self.files = files
    self.pages = pages
  }

  private static func scripts(in folder: URL) -> [(name: String, content: [UInt8])] {
    let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".js") }.compactMap { name in
      guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path) else {
        return nil
      }
      return (name, [UInt8](data))
    }
  }

  func register(on router: Router<APIContext>) {
    for path in [Self.path, Self.path + "/**"] {
      router.get(RouterPath(path)) { request, context in try response(to: request, context.origin) }
    }
  }

  private func response(to request: Request, _ origin: RequestOrigin) throws -> Response {
    let name = String(request.uri.path.dropFirst(Self.path.count))
    let isPage = name == "/"
    guard let file = isPage ? pages[language(request, origin)] : files[name] else {
      guard isPage else { throw HTTPError(.notFound) }
      return Response(
        status: .serviceUnavailable, headers: [.contentType: "text/plain; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: Self.notInstalled)))
    }
    var headers = Self.headers
    headers[.contentSecurityPolicy] = policy(for: request, origin)
    headers[.contentType] = file.mediaType
    headers[.eTag] = file.tag
    if isPage { headers[.vary] = "Accept-Language, Cookie" }
    return Precondition.applied(
      to: Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.content)), of: request)
  }

  private func language(_ request: Request, _ origin: RequestOrigin) -> Language {
    Language(
      askedBy: request, query: request.uri.queryParameters.get("language"),
      isSecure: publicURL?.isSecure ?? origin.isSecure)
  }

  private static let notInstalled = """
    The console's viewer, noVNC, is not installed here. The operator of this service can install it: see "The console" in
    docs/operating.md. The WebSocket of a console works without it.

    """

  private static let headers: HTTPFields = [
    .cacheControl: "no-cache", .xContentTypeOptions: "nosniff", .init("Referrer-Policy")!: "no-referrer",
    .init("X-Frame-Options")!: "DENY", .init("Cross-Origin-Opener-Policy")!: "same-origin",
  ]

  /// Some browsers do not apply 'self' to WebSockets.
  private func policy(for request: Request, _ origin: RequestOrigin) -> String {
    let hosts = Set([publicURL, PublicURL(of: request, origin)].compactMap { $0?.authority }).sorted()
    let host = hosts.map { " ws://\($0) wss://\($0)" }.joined()
    return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
      + "connect-src 'self'\(host); base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }
}
