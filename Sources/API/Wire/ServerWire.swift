import Core
import Engine
import Foundation

/// Servers in the form of the API: fields and order are those of its documentation. Additional fields follow all
/// documented ones.
enum ServerWire {
  /// The account that a server belongs to, for operators.
  struct Owner {
    let id: ID<Account>
    let email: String
  }

  static func listItem(_ writer: inout JSONWriter, _ view: Servers.View, of owner: Owner? = nil) {
    writer.object { writer in
      identity(&writer, view)
      writer.field("location", view.server.location)
      plan(&writer, view.plan, hasBandwidth: false)
      operatingSystem(&writer, view.operatingSystem)
      times(&writer, view.server)
      additions(&writer, view)
      self.owner(&writer, owner)
    }
  }

  static func created(_ writer: inout JSONWriter, _ created: Servers.Created, of owner: Owner? = nil) {
    let view = created.view
    writer.object { writer in
      identity(&writer, view)
      writer.field("location", view.server.location)
      plan(&writer, view.plan, hasBandwidth: false)
      operatingSystem(&writer, view.operatingSystem)
      writer.field("backups_enabled", view.server.isBackupEnabled)
      times(&writer, view.server)
      writer.field(
        "message",
        view.server.status == .provisioning
          ? "Server is being provisioned. This may take 2-5 minutes." : message(view.server) + ".")
      if let password = created.rootPassword { writer.field("password", password) }
      additions(&writer, view)
      self.owner(&writer, owner)
    }
  }

  private static func owner(_ writer: inout JSONWriter, _ owner: Owner?) {
    guard let owner else { return }
    writer.field("account") { writer in
      writer.field("id", owner.id.value)
      writer.field("email", owner.email)
    }
  }

  static func detail(
    _ writer: inout JSONWriter, _ view: Servers.View, _ usage: ResourceUsage, of owner: Owner? = nil, at now: Timestamp
  ) {
    writer.object { writer in
      identity(&writer, view)
      writer.field("ipv6_address", view.server.visibleAddresses.ipv6.first?.serverAddress)
      writer.field("location", view.server.location)
      plan(&writer, view.plan, hasBandwidth: true)
      operatingSystem(&writer, view.operatingSystem)
      writer.field("backups_enabled", view.server.isBackupEnabled)
      resourceUsage(&writer, usage, at: now)
      times(&writer, view.server)
      additions(&writer, view)
      writer.field("throttled_mbit", usage.throttleMbit.map { Int64($0) })
      self.owner(&writer, owner)
    }
  }

  static func resourceUsage(_ writer: inout JSONWriter, _ usage: ResourceUsage, at now: Timestamp) {
    writer.field("resource_usage") { writer in
      writer.field("cpu_percent", tenths: usage.cpuPermille)
      writer.field("memory_used", usage.memoryUsedMiB)
      writer.field("disk_used", usage.diskUsedGiB)
      writer.field("bandwidth_used", usage.month == now.month ? usage.bandwidthUsedGB : 0)
    }
  }

  /// - Parameter message: Replaces the message about the server's present status.
  static func actionReply(_ writer: inout JSONWriter, _ server: Server, message: String? = nil) {
    writer.object { writer in
      // Only clients that wait for the end can see this: the action has failed.
      writer.field("status", server.status == .error && message == nil ? "error" : "success")
      writer.field("message", message ?? self.message(server))
      self.server(&writer, server)
    }
  }

  /// The same form for an operation that the server's status does not show.
  static func changeReply(_ writer: inout JSONWriter, _ requested: RequestedOperation, password: String? = nil) {
    let operation = requested.operation
    writer.object { writer in
      writer.field("status", operation.state == .failed ? "error" : "success")
      writer.field("message", operation.customerReason ?? "Server is \(participle(operation))")
      server(&writer, requested.server)
      if let password { writer.field("password", password) }
    }
  }

  private static func participle(_ operation: Core.Operation) -> String {
    switch (operation.kind, operation.state) {
    case (.resize, .succeeded): "resized"
    case (.resize, _): "resizing"
    case (.move, .succeeded): "moved"
    case (.move, _): "moving"
    case (.rebuild, .succeeded): "rebuilt"
    case (.rebuild, _): "rebuilding"
    case (.restore, .succeeded): "restored"
    case (.restore, _): "being restored"
    case (.rescue, .succeeded): "in the rescue system"
    case (.rescue, _): "booting the rescue system"
    case (.leaveRescue, .succeeded): "out of the rescue system"
    case (.leaveRescue, _): "leaving the rescue system"
    default: operation.state.rawValue
    }
  }

  private static func server(_ writer: inout JSONWriter, _ server: Server) {
    writer.field("server") { writer in
      writer.field("id", server.id.value)
      writer.field("name", server.name.name)
      writer.field("status", server.status.rawValue)
    }
  }

  private static func message(_ server: Server) -> String {
    server.status == .error ? "Server is in error" : "Server is \(server.status.rawValue)"
  }

  private static func identity(_ writer: inout JSONWriter, _ view: Servers.View) {
    writer.field("id", view.server.id.value)
    writer.field("name", view.server.name.name)
    writer.field("hostname", view.server.hostname.name)
    writer.field("status", view.server.status.rawValue)
    let own = view.server.visibleAddresses.ipv4.first
    writer.field("ip_address", (own == nil ? nil : view.forwarding?.address ?? own)?.description)
  }

  private static func plan(_ writer: inout JSONWriter, _ plan: Plan, hasBandwidth: Bool) {
    writer.field("plan") { writer in
      writer.field("id", plan.id.value)
      writer.field("name", plan.name)
      writer.field("vcpus", plan.vcpus)
      writer.field("memory", plan.memoryMiB)
      writer.field("storage", plan.storageGiB)
      if hasBandwidth { writer.field("bandwidth", plan.bandwidthGB) }
    }
  }

  private static func operatingSystem(_ writer: inout JSONWriter, _ system: OperatingSystem) {
    writer.field("os") { writer in
      writer.field("id", system.id.value)
      writer.field("name", system.name)
    }
  }

  private static func times(_ writer: inout JSONWriter, _ server: Server) {
    writer.field("created_at", server.createdAt)
    writer.field("updated_at", server.updatedAt)
  }

  private static func additions(_ writer: inout JSONWriter, _ view: Servers.View) {
    writer.field("uuid", view.server.uuid.text)
    writer.field("status_reason", view.statusReason)
    let addresses = view.server.visibleAddresses
    writer.field("ipv4_addresses", addresses.ipv4.map(\.description)) { $0.value($1) }
    writer.field("ipv6_addresses", addresses.ipv6.map(\.serverAddress)) { $0.value($1) }
    writer.field("ipv6_network", addresses.ipv6.first { $0.isWhole }?.description)
    writer.field("plan_name", view.plan.name)
    writer.field("os_name", view.operatingSystem.name)
    writer.field("location_name", view.location.name)
    writer.field("username", view.operatingSystem.username)
    writer.field("ssh_port", view.sshPort)
    let forwarded = addresses.ipv4.isEmpty ? [] : view.forwarding?.ports ?? []
    writer.field("forwarded_ports", forwarded) { writer, port in
      writer.object { writer in
        writer.field("port", port.host)
        writer.field("server_port", port.guest)
      }
    }
    writer.field("labels") { writer in
      for (key, value) in view.server.labels.sorted { writer.field(named: key.text) { $0.value(value.text) } }
    }
    writer.field("delete_protection", view.server.isDeleteProtected)
    writer.field("instant", view.server.isInstant)
    writer.field("rescue", view.server.isInRescue)
  }
}
