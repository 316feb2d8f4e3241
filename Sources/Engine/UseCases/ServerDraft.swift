package import Core

/// A server as a customer asks for it.
package struct ServerDraft: Sendable {
  package var name: String?
  package var planID: Int64?
  package var operatingSystemID: Int64?
  package var location: String?
  package var hostname: String?
  package var sshKeys = KeyChoice()
  package var isBackupEnabled: Bool?
  /// Nil for none.
  package var firewall: Firewall?
  package var labels: Labels?
  package var isDeleteProtected: Bool?
  /// Nil and empty for none.
  package var userData: String?
  /// Whether all fields could be read from the request. A field that could not be read is nil; the others are checked all the
  /// same, so that the customer learns of all mistakes at once.
  package var isWhole = true

  package init(
    name: String? = nil, planID: Int64? = nil, operatingSystemID: Int64? = nil, location: String? = nil,
    hostname: String? = nil, isBackupEnabled: Bool? = nil
  ) {
    self.name = name
    self.planID = planID
    self.operatingSystemID = operatingSystemID
    self.location = location
    self.hostname = hostname
    self.isBackupEnabled = isBackupEnabled
  }

  /// A draft that has passed all checks but those that only the store can make.
  struct Order {
    let name: ServerName
    let hostname: Hostname
    let plan: Plan
    let operatingSystemID: ID<OperatingSystem>
    let location: String
    let isBackupEnabled: Bool
    let userData: String?
  }

  func validated(against catalogue: Catalogue, _ errors: inout FieldErrors) throws(Failure) -> Order {
    let name = self.name.flatMap { ServerFields.name($0, &errors) }
    let hostname = self.hostname.flatMap { ServerFields.hostname($0, &errors) }
    let userData = ServerFields.userData(self.userData, &errors)
    let plan = chosenPlan(catalogue, &errors)
    let operatingSystem = chosenOperatingSystem(catalogue, &errors)
    let location = chosenLocation(catalogue, &errors)
    if let plan, let location, !plan.locations.contains(location.code) {
      errors.add(.plan, "This plan is not available at \(location.code).")
    }
    try errors.throwIfAny(orUnless: isWhole)
    guard let name, let plan, let operatingSystem, let location else {
      throw .internalError("A draft without errors lacks a field.")
    }
    return Order(
      name: name, hostname: hostname ?? Hostname(serverName: name), plan: plan,
      operatingSystemID: operatingSystem.id, location: location.code, isBackupEnabled: isBackupEnabled ?? false,
      userData: userData)
  }

  private func chosenPlan(_ catalogue: Catalogue, _ errors: inout FieldErrors) -> Plan? {
    guard let planID else { return nil }
    if let plan = catalogue.plan(ID(planID)), plan.isAvailable { return plan }
    errors.add(.plan, ServerFields.unknownKey(planID))
    return nil
  }

  private func chosenOperatingSystem(_ catalogue: Catalogue, _ errors: inout FieldErrors) -> OperatingSystem? {
    guard let operatingSystemID else { return nil }
    if let system = catalogue.operatingSystem(ID(operatingSystemID)), system.isAvailable { return system }
    errors.add(.operatingSystem, ServerFields.unknownKey(operatingSystemID))
    return nil
  }

  private func chosenLocation(_ catalogue: Catalogue, _ errors: inout FieldErrors) -> Location? {
    guard let code = location else { return nil }
    if let location = catalogue.location(code: code), location.isActive { return location }
    errors.add(.location, "\(code.quoted) is not a valid choice.")
    return nil
  }
}

/// The keys that a server is to have, as a request names them: one, or any number of them, or both.
package struct KeyChoice: Sendable, Equatable {
  package var one: Reference<SSHKey>?
  package var several: [Reference<SSHKey>]

  package init(_ one: Reference<SSHKey>? = nil, _ several: [Reference<SSHKey>] = []) {
    self.one = one
    self.several = several
  }

  package var isEmpty: Bool { one == nil && several.isEmpty }

  /// Each key once per field, in the order of the request.
  var named: [(field: Field, reference: Reference<SSHKey>)] {
    var named: [(field: Field, reference: Reference<SSHKey>)] = []
    if let one { named.append((.sshKey, one)) }
    for (index, reference) in several.enumerated() where !several[..<index].contains(reference) {
      named.append((.sshKeys, reference))
    }
    return named
  }
}

/// The rules of single fields, and their messages.
package enum ServerFields {
  package static func name(_ text: String, _ errors: inout FieldErrors) -> ServerName? {
    if let name = ServerName(text) { return name }
    let rule = TextRule(maximumLength: ServerName.maximumLength)
    errors.add(.name, rule.lengthViolation(in: text) ?? "Enter a valid value.")
    return nil
  }

  package static func hostname(_ text: String, _ errors: inout FieldErrors) -> Hostname? {
    if let hostname = Hostname(text) { return hostname }
    let rule = TextRule(maximumLength: Hostname.maximumLength)
    errors.add(.hostname, rule.lengthViolation(in: text) ?? "Enter a valid value.")
    return nil
  }

  package static let maximumUserDataBytes = 64 << 10

  /// Nil for none.
  package static func userData(_ text: String?, _ errors: inout FieldErrors) -> String? {
    guard let text, !text.isEmpty else { return nil }
    if text.utf8.count > maximumUserDataBytes {
      errors.add(.userData, "Ensure this field has no more than \(maximumUserDataBytes) bytes.")
    } else if text.utf8.contains(0) {
      errors.add(.userData, "Null characters are not allowed.")
    } else if !isUserData(text) {
      errors.add(.userData, "Begin with the line #cloud-config, or with #! for a script.")
    } else {
      return text
    }
    return nil
  }

  /// Whether cloud-init takes the text for a script or a cloud-config.
  private static func isUserData(_ text: String) -> Bool {
    let line = text.utf8.prefix(64).prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    let word = line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    return line.starts(with: "#!".utf8)
      || word.elementsEqual("#cloud-config".utf8)
        && line.dropFirst(word.count).allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }

  package static func unknownKey(_ id: some CustomStringConvertible) -> String {
    "Invalid pk \"\(id)\" - object does not exist."
  }
}
