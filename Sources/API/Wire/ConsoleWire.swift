import Core
package import Engine
import NIOCore

package enum ConsoleWire {
  static func issued(_ issued: Consoles.IssuedTicket, _ base: PublicURL) -> ByteBuffer {
    let ticket = issued.ticket.text
    return JSONWriter.object { writer in
      writer.field("url", "\(base)\(page(issued))")
      writer.field("expires_at", issued.expiresAt)
      writer.field("websocket_url", base.webSocketText + ConsoleDoor.path)
      writer.field("ticket", ticket)
    }
  }

  /// The ticket is in the fragment of the URL, which browsers do not send: it is in no request, log or referrer.
  package static func page(_ issued: Consoles.IssuedTicket) -> String {
    "\(ConsolePage.path)/#ticket=\(issued.ticket.text)&server=\(issued.server.name)"
  }
}
