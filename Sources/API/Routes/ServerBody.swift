import Core
import Engine

/// Reads the bodies that describe a server, by the documented names of the fields, and by those that clients of the
/// live API use.
struct ServerBody {
  let catalogue: Catalogue
  let firewall: FirewallBody

  /// What was read, and the names that the client used for the fields.
  typealias Read<Draft> = (draft: Draft, names: FieldNames)

  func draft(from fields: inout FieldReader) -> Read<ServerDraft> {
    let isAlias =
      !fields.isGiven("plan_id") && !fields.isGiven("os_id") && (fields.isGiven("plan") || fields.isGiven("os_version"))
    // A host name may be longer than a server's name, so its first label becomes the name.
    let isNamedByHost = isAlias && !fields.isGiven("name")
    let hostname = fields.string("hostname", isRequired: isNamedByHost)
    var draft = ServerDraft(
      name: isNamedByHost
        ? hostname.flatMap { Hostname($0) }?.firstLabel : fields.string("name", isRequired: true),
      location: isAlias ? location(&fields) : fields.string("location", isRequired: true),
      hostname: hostname,
      isBackupEnabled: fields.boolean("backups_enabled", isRequired: false))
    let plan = plan(&fields, isAlias: isAlias)
    let system = operatingSystem(&fields, isRequired: true, isAlias: isAlias)
    draft.planID = plan.id?.value
    draft.operatingSystemID = system.id?.value
    draft.sshKeys = sshKeys(&fields)
    draft.firewall = fields.object("firewall", isRequired: false) { firewall.firewall(from: &$0) }
    draft.labels = fields.labels("labels")
    draft.isDeleteProtected = fields.boolean("delete_protection", isRequired: false)
    draft.userData = fields.verbatim("user_data")
    draft.isWhole = fields.isWhole
    return (draft, names(fields, [.plan: plan.field, .operatingSystem: system.field]))
  }

  func resizeDraft(from fields: inout FieldReader) -> Read<Servers.ResizeDraft> {
    let plan = plan(&fields, isAlias: !fields.has("plan_id") && fields.has("plan"))
    let draft = Servers.ResizeDraft(plan: plan.id.map { .id($0) }, isWhole: fields.isWhole)
    return (draft, FieldNames([.plan: plan.field]))
  }

  func rebuildDraft(from fields: inout FieldReader) -> Read<Servers.RebuildDraft> {
    var draft = Servers.RebuildDraft()
    let system = operatingSystem(&fields, isRequired: false, isAlias: false)
    draft.operatingSystem = system.id.map { .id($0) }
    draft.sshKeys = sshKeys(&fields)
    draft.userData = fields.verbatim("user_data")
    draft.isWhole = fields.isWhole
    return (draft, names(fields, [.operatingSystem: system.field]))
  }

  func rescueDraft(from fields: inout FieldReader) -> Read<Servers.RescueDraft> {
    let keys = sshKeys(&fields)
    return (Servers.RescueDraft(sshKeys: keys, isWhole: fields.isWhole), names(fields, [:]))
  }

  /// A key that is deleted while its server is made is reported under the name that the client used for the keys.
  private func names(_ fields: FieldReader, _ others: [Field: String]) -> FieldNames {
    FieldNames(others.merging(fields.isGiven("ssh_keys") ? [:] : [.sshKeys: "ssh_key_id"]) { $1 })
  }

  // MARK: Fields with two names: `null` is no value under either, and two values must mean the same

  private typealias Named<Entity> = (id: ID<Entity>?, field: String)

  private func plan(_ fields: inout FieldReader, isAlias: Bool) -> Named<Plan> {
    chosen("plan_id", or: "plan", &fields, isRequired: true, isAlias: isAlias) { catalogue.plan($0)?.id }
  }

  private func operatingSystem(
    _ fields: inout FieldReader, isRequired: Bool, isAlias: Bool
  ) -> Named<OperatingSystem> {
    chosen("os_id", or: "os_version", &fields, isRequired: isRequired, isAlias: isAlias) {
      catalogue.operatingSystem($0)?.id
    }
  }

  /// - Parameters:
  ///   - isAlias: Whether a missing value is reported under the alias.
  ///   - find: Finds what the alias refers to. The number under the documented name is looked up later.
  private func chosen<Entity>(
    _ documented: String, or alias: String, _ fields: inout FieldReader, isRequired: Bool, isAlias: Bool,
    find: (Reference<Entity>) -> ID<Entity>?
  ) -> Named<Entity> {
    let isGiven = fields.isGiven(documented)
    guard fields.isGiven(alias) else {
      if isAlias {
        let _: Reference<Entity>? = fields.reference(alias, isRequired: isRequired)
        return (nil, alias)
      }
      return (fields.integer(documented, isRequired: isRequired, isNullable: !isRequired).map { ID($0) }, documented)
    }
    let number: ID<Entity>? = isGiven ? fields.integer(documented, isRequired: true).map { ID($0) } : nil
    guard let reference: Reference<Entity> = fields.reference(alias, isRequired: true) else {
      return (number, isGiven ? documented : alias)
    }
    let found = find(reference)
    if found == nil {
      fields.add(alias, ServerFields.unknownKey(reference))
    } else if let number, number != found {
      fields.add(alias, "This names something else than \(documented).")
    }
    return isGiven ? (number, documented) : (found, alias)
  }

  private func sshKeys(_ fields: inout FieldReader) -> KeyChoice {
    let one = fields.integer("ssh_key_id", isRequired: false, isNullable: true)
    return KeyChoice(one.map { .id(ID($0)) }, fields.references("ssh_keys"))
  }

  /// A code or an id.
  private func location(_ fields: inout FieldReader) -> String? {
    guard let text = fields.text("location", isRequired: true) else { return nil }
    return Int64(text).flatMap { catalogue.location(ID($0))?.code } ?? text
  }
}
