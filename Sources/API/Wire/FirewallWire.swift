import Core
import Engine
import NIOCore

enum FirewallWire {
  static func firewall(_ view: Firewalls.View) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("enabled", view.stored.firewall.isEnabled)
      writer.field("enforced", view.isEnforced)
      writer.field("rules", view.stored.firewall.rules) { writer, rule in
        writer.object { self.rule(&$0, rule) }
      }
      writer.field("updated_at", view.stored.updatedAt)
    }
  }

  private static func rule(_ writer: inout JSONWriter, _ rule: FirewallRule) {
    let networks = rule.networks.map(\.description)
    writer.field("direction", rule.direction.rawValue)
    writer.field("protocol", rule.traffic.ipProtocol.rawValue)
    writer.field("port", rule.traffic.ports?.description)
    writer.field("source_ips", rule.direction == .inbound ? networks : []) { $0.value($1) }
    writer.field("destination_ips", rule.direction == .outbound ? networks : []) { $0.value($1) }
    writer.field("description", rule.description)
  }
}
