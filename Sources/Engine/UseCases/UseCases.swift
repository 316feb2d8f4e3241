/// All that customers can do, and operators who are persons. The API and the panel enter here.
package struct UseCases: Sendable {
  package let servers: Servers
  package let metrics: Metrics
  package let firewalls: Firewalls
  package let reverseNames: ReverseNames
  package let backups: DiskCopies
  package let snapshots: DiskCopies
  package let sshKeys: SSHKeys
  package let tokens: Tokens
  package let profiles: Profiles
  package let statements: Statements
  package let requests: Idempotency
  package let events: Events
  package let consoles: Consoles
  package let catalogue: CatalogueReader
  package let sessions: Sessions
  package let operators: Operators

  package init(
    servers: Servers, metrics: Metrics, firewalls: Firewalls, reverseNames: ReverseNames, backups: DiskCopies,
    snapshots: DiskCopies, sshKeys: SSHKeys, tokens: Tokens, profiles: Profiles, statements: Statements,
    requests: Idempotency,
    events: Events, consoles: Consoles, catalogue: CatalogueReader, sessions: Sessions, operators: Operators
  ) {
    self.servers = servers
    self.metrics = metrics
    self.firewalls = firewalls
    self.reverseNames = reverseNames
    self.backups = backups
    self.snapshots = snapshots
    self.sshKeys = sshKeys
    self.tokens = tokens
    self.profiles = profiles
    self.statements = statements
    self.requests = requests
    self.events = events
    self.consoles = consoles
    self.catalogue = catalogue
    self.sessions = sessions
    self.operators = operators
  }
}
