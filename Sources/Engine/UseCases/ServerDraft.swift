package import Core

/// A server as a customer asks for it. A field that could not even be read is nil and has its message in `errors`, so that
/// the customer learns of everything that is wrong at once.
package struct ServerDraft: Sendable {
  package var name: String?
  package var planID: Int64?
  package var operatingSystemID: Int64?
  package var location: String?
  package var hostname: String?
  package var sshKeys: [Key]
  package var isBackupEnabled: Bool?
  package var errors: FieldErrors
  package var names = FieldNames.documented

  /// What the customer called the fields that have two names: errors are told by them.
  package struct FieldNames: Sendable, Equatable {
    package static let documented = FieldNames(plan: "plan_id", operatingSystem: "os_id")

    package var plan: String
    package var operatingSystem: String

    package init(plan: String, operatingSystem: String) {
      self.plan = plan
      self.operatingSystem = operatingSystem
    }
  }

  /// A key to be installed, and the name of the field that it stood in.
  package struct Key: Sendable, Equatable {
    package let id: Int64
    package let field: String

    package init(_ id: Int64, field: String = "ssh_key_id") {
      self.id = id
      self.field = field
    }
  }

  package init(
    name: String? = nil, planID: Int64? = nil, operatingSystemID: Int64? = nil, location: String? = nil,
    hostname: String? = nil, sshKeyID: Int64? = nil, isBackupEnabled: Bool? = nil, errors: FieldErrors = FieldErrors()
  ) {
    self.name = name
    self.planID = planID
    self.operatingSystemID = operatingSystemID
    self.location = location
    self.hostname = hostname
    sshKeys = sshKeyID.map { [Key($0)] } ?? []
    self.isBackupEnabled = isBackupEnabled
    self.errors = errors
  }

  /// The draft with nothing left to doubt but what only the store can tell.
  struct Order {
    let name: ServerName
    let hostname: Hostname
    let plan: Plan
    let operatingSystemID: ID<OperatingSystem>
    let location: String
    let sshKeyIDs: [ID<SSHKey>]
    let isBackupEnabled: Bool
  }

  func validated(against catalogue: Catalogue) throws(Failure) -> Order {
    var errors = errors
    let name = self.name.flatMap { ServerFields.name($0, &errors) }
    let hostname = self.hostname.flatMap { ServerFields.hostname($0, &errors) }
    let plan = chosenPlan(catalogue, &errors)
    let operatingSystem = chosenOperatingSystem(catalogue, &errors)
    let location = chosenLocation(catalogue, &errors)
    if let plan, let location, !plan.locations.contains(location.code) {
      errors.add(names.plan, "This plan is not available at \(location.code).")
    }
    try errors.throwIfAny(order: Servers.fieldOrder)
    guard let name, let plan, let operatingSystem, let location else {
      throw .internalError("A draft without errors lacks a field.")
    }
    return Order(
      name: name, hostname: hostname ?? Hostname(serverName: name), plan: plan,
      operatingSystemID: operatingSystem.id, location: location.code, sshKeyIDs: sshKeys.ids,
      isBackupEnabled: isBackupEnabled ?? false)
  }

  private func chosenPlan(_ catalogue: Catalogue, _ errors: inout FieldErrors) -> Plan? {
    guard let planID else { return nil }
    if let plan = catalogue.plan(ID(planID)), plan.isAvailable { return plan }
    errors.add(names.plan, ServerFields.unknownKey(planID))
    return nil
  }

  private func chosenOperatingSystem(_ catalogue: Catalogue, _ errors: inout FieldErrors) -> OperatingSystem? {
    guard let operatingSystemID else { return nil }
    if let system = catalogue.operatingSystem(ID(operatingSystemID)), system.isAvailable { return system }
    errors.add(names.operatingSystem, ServerFields.unknownKey(operatingSystemID))
    return nil
  }

  private func chosenLocation(_ catalogue: Catalogue, _ errors: inout FieldErrors) -> Location? {
    guard let code = location else { return nil }
    if let location = catalogue.location(code: code), location.isActive { return location }
    errors.add("location", "\(code.quoted) is not a valid choice.")
    return nil
  }
}

extension [ServerDraft.Key] {
  /// Each once, in the order in which they were named.
  var ids: [ID<SSHKey>] {
    reduce(into: []) { ids, key in
      if !ids.contains(ID(key.id)) { ids.append(ID(key.id)) }
    }
  }
}

/// The rules of single fields, and their messages.
package enum ServerFields {
  package static func name(_ text: String, _ errors: inout FieldErrors) -> ServerName? {
    if let name = ServerName(text) { return name }
    let rule = TextRule(maximumLength: ServerName.maximumLength)
    errors.add("name", rule.lengthViolation(in: text) ?? "Enter a valid value.")
    return nil
  }

  package static func hostname(_ text: String, _ errors: inout FieldErrors) -> Hostname? {
    if let hostname = Hostname(text) { return hostname }
    let rule = TextRule(maximumLength: Hostname.maximumLength)
    errors.add("hostname", rule.lengthViolation(in: text) ?? "Enter a valid value.")
    return nil
  }

  package static func unknownKey(_ id: some CustomStringConvertible) -> String {
    "Invalid pk \"\(id)\" - object does not exist."
  }
}
