package import Core

/// Whole lists, which the service only reads in pages.
extension Store {
  package func allServers() async throws -> [Server] { try await allServers(after: nil, limit: .max) }

  package func tokens() async throws -> [Token] { try await tokens(of: nil, after: nil, limit: .max) }

  package func accounts() async throws -> [Account] { try await accounts(after: nil, limit: .max) }

  package func servers(of account: ID<Account>, filter: ServerFilter) async throws -> [Server] {
    try await servers(of: account, filter: filter, order: [], page: PageRequest(.number(1), size: 1_000_000)).elements
  }

  package func sshKeys(of account: ID<Account>) async throws -> [SSHKey] {
    try await sshKeys(of: account, named: nil, order: [], page: PageRequest(.number(1), size: 1_000_000)).elements
  }
}
