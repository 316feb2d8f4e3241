import Core
import Engine
import NIOHTTP1

/// Decides who may open a console's WebSocket: a client with a ticket that is not a page of another host.
struct ConsoleDoor: Sendable {
  static let path = ConsolePage.path + "/websocket"
  /// The protocol of the WebSocket: plain RFB, split into messages anywhere.
  static let subprotocol = "binary"
  private static let ticketPrefix = "ticket."

  /// An open console, and the IP address of its client.
  struct Entrance: Sendable {
    let session: ConsoleSession
    let address: String
  }

  let consoles: Consoles
  let publicURL: PublicURL?
  let proxies: TrustedProxies

  /// The ticket is sent as an additional subprotocol, because that header is in no log, and a page's script can set no
  /// other header.
  func open(_ head: HTTPRequestHead, from peer: String) async throws -> Entrance {
    let origin = proxies.origin(peer: peer) { head.headers[$0] }
    guard head.uri.prefix(while: { $0 != "?" }) == Self.path else { throw Failure.notFound }
    let protocols = head.headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init)
    guard protocols.contains(Self.subprotocol),
      let ticket = protocols.first(where: { $0.hasPrefix(Self.ticketPrefix) })?.dropFirst(Self.ticketPrefix.count)
    else {
      throw Failure(
        .permissionDenied, "Sec-WebSocket-Protocol must be \"\(Self.subprotocol), \(Self.ticketPrefix)TICKET\".")
    }
    guard isFromOurPage(head, origin) else {
      throw Failure(.permissionDenied, "A page of another host may not open a console.")
    }
    return Entrance(session: try await consoles.open(with: ticket), address: origin.address)
  }

  /// Browsers send the origin of the page that opens a WebSocket; other clients send none.
  private func isFromOurPage(_ head: HTTPRequestHead, _ reached: RequestOrigin) -> Bool {
    guard let origin = head.headers.first(name: "Origin")?.lowercased() else { return true }
    let host = reached.authority ?? head.headers.first(name: "Host")
    let hosts = [publicURL?.authority, host?.lowercased()].compactMap { $0 }
    return hosts.contains { origin == "https://" + $0 || origin == "http://" + $0 }
  }
}
