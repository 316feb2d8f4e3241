/// What the servers of an account cost in a month: for the hours that began in it, whenever they were charged.
package struct MonthlyStatement: Sendable {
  package let month: CalendarMonth
  /// Of all servers.
  package let total: Money
  /// Those that cost something, deleted ones too.
  package let servers: Page<ServerCost>

  package init(month: CalendarMonth, total: Money, servers: Page<ServerCost>) {
    self.month = month
    self.total = total
    self.servers = servers
  }
}

package struct ServerCost: Sendable, Equatable {
  package let serverID: ID<Server>
  package let name: ServerName
  /// The name of the plan that it has now, or had last.
  package let plan: String
  package let hours: Int
  /// For its hours.
  package let amount: Money
  package let backups: Money
  /// What crossed the network in that month, charged or not.
  package let trafficGB: Int
  package let traffic: Money
  package let deletedAt: Timestamp?

  package init(
    serverID: ID<Server>, name: ServerName, plan: String, hours: Int, amount: Money, backups: Money, trafficGB: Int,
    traffic: Money, deletedAt: Timestamp?
  ) {
    self.serverID = serverID
    self.name = name
    self.plan = plan
    self.hours = hours
    self.amount = amount
    self.backups = backups
    self.trafficGB = trafficGB
    self.traffic = traffic
    self.deletedAt = deletedAt
  }
}
