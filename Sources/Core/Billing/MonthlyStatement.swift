/// The cost of an account's servers in a month. An hour counts for the month in which it began, whenever it was
/// charged.
package struct MonthlyStatement: Sendable {
  package let month: CalendarMonth
  /// The sum over all servers, not only those of this page.
  package let total: Money
  /// The servers that cost something, including deleted ones.
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
  /// The name of the server's present plan, or of its last one.
  package let plan: String
  package let hours: Int
  /// The price of the hours alone.
  package let amount: Money
  package let backups: Money
  /// The traffic of that month in the direction that had more, charged or not.
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
