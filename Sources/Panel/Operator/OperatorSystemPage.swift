import Core
import Engine
import HTML

/// The operating systems, and which versions of their images servers were made from. They can only be changed on the host.
struct OperatorSystemPage {
  static let path = OperatorFrame.path + "/systems"

  let servers: OperatorServers
  let sessions: Sessions

  var routes: [PanelRoute] { [.operatorGet("/systems", show)] }

  private static let commands = [
    "vpsd image list", "vpsd image add", "vpsd image update", "vpsd image prune", "vpsd os add", "vpsd os update",
    "vpsd os retire",
  ]

  @Sendable private func show(_ visit: Visit) async throws -> Answer {
    let systems = try await servers.catalogue().operatingSystems
    let uses = Dictionary(grouping: try await servers.systemUses(), by: \.system)
    let words = visit.words
    return .page(
      try await OperatorFrame(sessions: sessions, tab: .systems).page(words(.systems), visit) { html in
        html.element("h1", text: words(.systems))
        html.table([.system, .status, .image, .loginName, .versionsInUse], words) { html in
          for system in systems { row(&html, system, uses[system.id] ?? [], words) }
        }
        html.element("p", ["class": "hint"], text: words(.systemsHint))
        html.element("p") { html in
          for command in Self.commands {
            html.element("code", text: command)
            html.write(" ")
          }
        }
      })
  }

  private func row(_ html: inout HTML, _ system: OperatingSystem, _ uses: [SystemUse], _ words: Words) {
    html.element("tr") { html in
      html.element("td") { html in
        html.element("span", ["class": "name"], text: system.name)
        html.element("span", ["class": "sub mono"], text: "\(system.id) · \(system.slug)")
      }
      html.element("td", text: words(system.isAvailable ? .isOffered : .isRetired))
      html.element("td", ["class": "mono"], text: system.imageName)
      html.element("td", ["class": "mono"], text: system.username)
      html.element("td") { html in
        if uses.isEmpty { html.write("–") }
        for use in uses {
          html.element("div") { html in
            html.element("code", text: use.imageVersion ?? "–")
            html.write(" · " + words(.serverCount(use.serverCount)))
          }
        }
      }
    }
  }
}
