import Core
package import Engine
import NIOCore

package enum ConsoleWire {
  static func invitation(_ invitation: Consoles.IssuedTicket, _ base: PublicURL) -> ByteBuffer {
    let ticket = invitation.ticket.text
    return JSONWriter.object { writer in
      writer.field("url", "\(base)\(page(invitation))")
      writer.field("expires_at", invitation.expiresAt)
      writer.field("websocket_url", base.webSocketText + ConsoleDoor.path)
      writer.field("ticket", ticket)
    }
  }

  /// The page has the ticket in its fragment, which browsers keep to themselves: it is in no request, log or referrer.
  package static func page(_ invitation: Consoles.IssuedTicket) -> String {
    "\(ConsolePage.path)/#ticket=\(invitation.ticket.text)&server=\(invitation.server.name)"
  }
}
