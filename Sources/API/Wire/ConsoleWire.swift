import Core
package import Engine
import NIOCore

package enum ConsoleWire {
  /// - Parameter reached: Where the client has reached this service.
  static func issued(_ issued: Consoles.IssuedTicket, _ reached: PublicURL) -> ByteBuffer {
    let ticket = issued.ticket.text
    let base = issued.url.flatMap { PublicURL($0) } ?? reached
    return JSONWriter.object { writer in
      writer.field("url", "\(base)\(path(issued))")
      writer.field("expires_at", issued.expiresAt)
      writer.field("websocket_url", base.webSocketText + ConsoleDoor.path)
      writer.field("ticket", ticket)
    }
  }

  /// The path of the page at the service that can open the console.
  ///
  /// The ticket is in the fragment of the URL, which browsers do not send: it is in no request, log or referrer.
  package static func path(_ issued: Consoles.IssuedTicket) -> String {
    "\(ConsolePage.path)/#ticket=\(issued.ticket.text)&server=\(issued.server.name)"
  }
}
