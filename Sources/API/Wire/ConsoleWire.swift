import Core
import Engine
import NIOCore

enum ConsoleWire {
  /// The page has the ticket in its fragment, which browsers keep to themselves: it is in no request, log or referrer.
  static func invitation(_ invitation: Consoles.IssuedTicket, _ base: PublicURL) -> ByteBuffer {
    let ticket = invitation.ticket.text
    return JSONWriter.object { writer in
      writer.field("url", "\(base)\(ConsolePage.path)/#ticket=\(ticket)&server=\(invitation.server.name)")
      writer.field("expires_at", invitation.expiresAt)
      writer.field("websocket_url", base.webSocketText + ConsoleDoor.path)
      writer.field("ticket", ticket)
    }
  }
}
