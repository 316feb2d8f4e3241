/// One thing that a token may do: `servers:read`, `ssh_keys:*`, `*:*`.
package struct Permission: Hashable, Sendable, CustomStringConvertible {
  package enum Resource: String, Sendable, CaseIterable {
    case servers
    case sshKeys = "ssh_keys"
    case backups
    case snapshots
    case tokens
    case account
    /// The whole installation. Only a command on the host grants it, and `*` does not cover it.
    case `operator`
    case any = "*"
  }

  package enum Action: String, Sendable, CaseIterable {
    case read
    case write
    case any = "*"
  }

  package let resource: Resource
  package let action: Action

  package init(_ resource: Resource, _ action: Action) {
    self.resource = resource
    self.action = action
  }

  package init?(_ text: some StringProtocol) {
    guard text.isPlain(atMost: 64) else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let resource = Resource(rawValue: String(parts[0])),
      let action = Action(rawValue: String(parts[1]))
    else { return nil }
    self.init(resource, action)
  }

  /// Everything that a customer can do.
  package static let everything = Permission(.any, .any)

  package var description: String { "\(resource.rawValue):\(action.rawValue)" }

  package func covers(_ other: Permission) -> Bool {
    let coversResource = resource == other.resource || (resource == .any && other.resource != .operator)
    return coversResource && (action == .any || action == other.action)
  }
}
