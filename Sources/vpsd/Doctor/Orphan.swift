import Core
import Foundation
import LibvirtDriver

/// Something on a host that has this installation's mark, but belongs to nothing.
enum Orphan: Sendable, Hashable {
  /// With its disk and everything that belongs to it.
  case machine(UUID, host: String)
  case copy(UUID, ofMachine: UUID, host: String)
  case tap(String)
  case namespace(String)

  var text: String {
    switch self {
    case .machine(let machine, let host):
      "the machine \(machine.text) on \(host), or what is left of it, belongs to no server"
    case .copy(let copy, let machine, let host):
      "the copy \(copy.text) of the machine \(machine.text) on \(host) belongs to no backup and no snapshot"
    case .tap(let name): "the link \(name) belongs to no server"
    case .namespace(let path): "nobody is in the network namespace \(path)"
    }
  }

  var finding: Finding {
    let meaning =
      switch self {
      case .machine, .copy: "it takes room, and has what a customer had deleted"
      case .tap, .namespace: "it is in nobody's way, and of no use"
      }
    return .warning(.orphans, text, meaning, remedy: "vpsd doctor --repair")
  }
}
