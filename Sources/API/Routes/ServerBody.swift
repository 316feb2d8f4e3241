import Core
import Engine

/// Reads the bodies that say what a server is to be: by the documented names of the fields, and by those that programs for the live API use.
struct ServerBody {
  let catalogue: Catalogue
  let keys: SSHKeys
  let caller: Caller

  func draft(from fields: inout FieldReader) async throws -> ServerDraft {
    let isAlias = !fields.has("plan_id") && !fields.has("os_id") && (fields.has("plan") || fields.has("os_version"))
    let hostname = fields.string("hostname", isRequired: isAlias && !fields.has("name"))
    var draft = ServerDraft(
      name: fields.string("name", isRequired: !isAlias),
      location: isAlias ? location(&fields) : fields.string("location", isRequired: true),
      hostname: hostname,
      isBackupEnabled: fields.boolean("backups_enabled", isRequired: false))
    draft.names = isAlias ? .alias : .documented
    if isAlias {
      // The whole host name may be longer than a name: its first label stands for it.
      if draft.name == nil, !fields.has("name"), let hostname = hostname.flatMap(Hostname.init) {
        draft.name = hostname.firstLabel
      }
      draft.planID = plan(&fields)
      draft.operatingSystemID = operatingSystem(&fields)
    } else {
      draft.planID = fields.integer("plan_id", isRequired: true)
      draft.operatingSystemID = fields.integer("os_id", isRequired: true)
    }
    draft.sshKeyIDs = try await sshKeys(&fields, &draft.names)
    draft.errors = fields.errors
    return draft
  }

  func resizeDraft(from fields: inout FieldReader) -> Servers.ResizeDraft {
    let isAlias = !fields.has("plan_id") && fields.has("plan")
    let plan: Reference<Plan>? =
      isAlias
      ? fields.reference("plan", isRequired: true)
      : fields.integer("plan_id", isRequired: true).map { .id(ID($0)) }
    return Servers.ResizeDraft(plan: plan, field: isAlias ? "plan" : "plan_id", errors: fields.errors)
  }

  func rebuildDraft(from fields: inout FieldReader) async throws -> Servers.RebuildDraft {
    var draft = Servers.RebuildDraft()
    if fields.has("os_id") || !fields.has("os_version") {
      draft.operatingSystem = fields.integer("os_id", isRequired: false).map { .id(ID($0)) }
    } else {
      draft.names.operatingSystem = "os_version"
      draft.operatingSystem = fields.reference("os_version", isRequired: true)
    }
    draft.sshKeyIDs = try await sshKeys(&fields, &draft.names)
    draft.errors = fields.errors
    return draft
  }

  private func sshKeys(
    _ fields: inout FieldReader, _ names: inout ServerDraft.FieldNames
  ) async throws -> [Int64] {
    guard !fields.has("ssh_key_id"), fields.has("ssh_keys") else {
      return fields.integer("ssh_key_id", isRequired: false, isNullable: true).map { [$0] } ?? []
    }
    names.sshKeys = "ssh_keys"
    return try await sshKeys(&fields)
  }

  private func plan(_ fields: inout FieldReader) -> Int64? {
    guard let reference: Reference<Plan> = fields.reference("plan", isRequired: true) else { return nil }
    if let plan = catalogue.plan(reference) { return plan.id.value }
    fields.add("plan", ServerFields.unknownKey(reference))
    return nil
  }

  private func operatingSystem(_ fields: inout FieldReader) -> Int64? {
    guard let reference: Reference<OperatingSystem> = fields.reference("os_version", isRequired: true) else {
      return nil
    }
    if let system = catalogue.operatingSystem(reference) { return system.id.value }
    fields.add("os_version", ServerFields.unknownKey(reference))
    return nil
  }

  /// A code or an id.
  private func location(_ fields: inout FieldReader) -> String? {
    guard let text = fields.text("location", isRequired: true) else { return nil }
    return Int64(text).flatMap { catalogue.location(ID($0))?.code } ?? text
  }

  private func sshKeys(_ fields: inout FieldReader) async throws -> [Int64] {
    let references: [Reference<SSHKey>] = fields.references("ssh_keys")
    var ids: [Int64] = []
    for reference in references {
      do {
        let id = try await keys.id(of: reference, caller).value
        if !ids.contains(id) { ids.append(id) }
      } catch let failure as Failure where failure.code == .notFound {
        fields.add("ssh_keys", ServerFields.unknownKey(reference))
      }
    }
    return ids
  }
}
