import Core
import Engine

/// Reads the bodies that say what a server is to be: by the documented names of the fields, and by those that programs for the live API use.
struct ServerBody {
  let catalogue: Catalogue
  let keys: SSHKeys
  let caller: Caller

  func draft(from fields: inout FieldReader) async throws -> ServerDraft {
    let isAlias =
      !fields.isGiven("plan_id") && !fields.isGiven("os_id") && (fields.isGiven("plan") || fields.isGiven("os_version"))
    // The whole host name may be longer than a name: its first label stands for it.
    let isNamedByHost = isAlias && !fields.isGiven("name")
    let hostname = fields.string("hostname", isRequired: isNamedByHost)
    var draft = ServerDraft(
      name: isNamedByHost
        ? hostname.flatMap(Hostname.init)?.firstLabel : fields.string("name", isRequired: true),
      location: isAlias ? location(&fields) : fields.string("location", isRequired: true),
      hostname: hostname,
      isBackupEnabled: fields.boolean("backups_enabled", isRequired: false))
    let plan = plan(&fields, isAlias: isAlias)
    let system = operatingSystem(&fields, isRequired: true, isAlias: isAlias)
    draft.names = .init(plan: plan.field, operatingSystem: system.field)
    draft.planID = plan.id?.value
    draft.operatingSystemID = system.id?.value
    draft.sshKeys = try await sshKeys(&fields)
    draft.errors = fields.errors
    return draft
  }

  func resizeDraft(from fields: inout FieldReader) -> Servers.ResizeDraft {
    let plan = plan(&fields, isAlias: !fields.has("plan_id") && fields.has("plan"))
    return Servers.ResizeDraft(plan: plan.id.map { .id($0) }, field: plan.field, errors: fields.errors)
  }

  func rebuildDraft(from fields: inout FieldReader) async throws -> Servers.RebuildDraft {
    var draft = Servers.RebuildDraft()
    let system = operatingSystem(&fields, isRequired: false, isAlias: false)
    draft.names.operatingSystem = system.field
    draft.operatingSystem = system.id.map { .id($0) }
    draft.sshKeys = try await sshKeys(&fields)
    draft.errors = fields.errors
    return draft
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
  ///   - isAlias: By which name it is missed where neither has a value.
  ///   - find: What the other name leads to. Whether the number of the documented one leads anywhere is asked later.
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

  /// All that either field names.
  private func sshKeys(_ fields: inout FieldReader) async throws -> [ServerDraft.Key] {
    let first = fields.integer("ssh_key_id", isRequired: false, isNullable: true)
    return (first.map { [ServerDraft.Key($0)] } ?? []) + (try await keyList(&fields))
  }

  /// A code or an id.
  private func location(_ fields: inout FieldReader) -> String? {
    guard let text = fields.text("location", isRequired: true) else { return nil }
    return Int64(text).flatMap { catalogue.location(ID($0))?.code } ?? text
  }

  private func keyList(_ fields: inout FieldReader) async throws -> [ServerDraft.Key] {
    let references: [Reference<SSHKey>] = fields.references("ssh_keys")
    var found: [ServerDraft.Key] = []
    for reference in references {
      do {
        let key = ServerDraft.Key(try await keys.id(of: reference, caller).value, field: "ssh_keys")
        if !found.contains(key) { found.append(key) }
      } catch let failure as Failure where failure.code == .notFound {
        fields.add("ssh_keys", ServerFields.unknownKey(reference))
      }
    }
    return found
  }
}
