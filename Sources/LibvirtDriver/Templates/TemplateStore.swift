import Core
import Foundation
import PrivateFiles

/// The templates of an installation, each a folder `UUID/`. One that is being made is `UUID.making/`, and locked by its process:
/// an unlocked one was left by a process that died. Everything here blocks.
struct TemplateStore {
  let directory: String

  init(dataDirectory: String) { directory = "\(dataDirectory)/templates" }

  private static let making = ".making"
  private static let description = "template.json"
  private static let use = "used"

  static func disk(in folder: String) -> String { "\(folder)/disk.qcow2" }
  static func state(in folder: String) -> String { "\(folder)/state" }

  /// All templates; nil for one whose description cannot be read or whose files have another size than described.
  func templates() throws -> [UUID: Template?] {
    var found: [UUID: Template?] = [:]
    for id in try MachineFiles.uuids(in: directory) { found[id] = template(id) }
    return found
  }

  private func template(_ id: UUID) -> Template? {
    let folder = folder(of: id)
    guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.description)"), data.count < 1 << 20,
      let description = try? JSONDecoder().decode(TemplateDescription.self, from: data)
    else { return nil }
    let template = Template(id: id, folder: folder, description: description)
    guard (try? MachineFiles.size(of: template.disk)) == description.disk.bytes,
      (try? MachineFiles.size(of: template.state)) == description.state.bytes
    else { return nil }
    return template
  }

  /// Renames it first, so that nobody finds it half removed. A reader has the files open.
  func remove(_ id: UUID) throws {
    let aside = makingFolder(of: id)
    guard rename(folder(of: id), aside) == 0 || errno == ENOENT else {
      throw HostError.last("rename \(folder(of: id))")
    }
    try MachineFiles.remove(aside)
  }

  /// What its files take of the host's disk.
  func bytes(of template: Template) -> Int64 {
    [template.disk, template.state].reduce(0) { $0 + ((try? MachineFiles.allocatedBytes(of: $1)) ?? 0) }
  }

  /// Servers that are made at once note it at once.
  func noteUse(of template: Template) throws {
    let path = "\(template.folder)/\(Self.use)"
    let file = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw HostError.last("open \(path)") }
    defer { close(file) }
    guard futimens(file, nil) == 0 else { throw HostError.last("touch \(path)") }
  }

  /// When a server was last made from it; otherwise when it was made itself.
  func lastUse(of template: Template) -> Int {
    var status = stat()
    let path = "\(template.folder)/\(Self.use)"
    guard stat(path, &status) == 0 || stat(template.state, &status) == 0 else { return 0 }
    return status.st_mtim.tv_sec
  }

  // MARK: - Templates that are being made

  func begin() throws -> TemplateDraft {
    try MachineFiles.makeDirectory(directory)
    let id = UUID()
    let folder = makingFolder(of: id)
    return try alone {
      guard mkdir(folder, 0o700) == 0 else { throw HostError.last("make \(folder)") }
      let lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard lock >= 0 else { throw HostError.last("open \(folder)") }
      guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
        close(lock)
        throw HostError.last("lock \(folder)")
      }
      return TemplateDraft(id: id, folder: folder, store: self, lock: lock)
    }
  }

  /// The machines from which some process is making templates.
  func inMaking() throws -> Set<UUID> {
    guard MachineFiles.exists(directory) else { return [] }
    return try alone { Set(try drafts().filter { Self.isLocked($0.value) }.keys) }
  }

  /// Removes what dead processes left. Their machines bear the installation's mark and belong to no server: the reconciler
  /// removes those.
  func removeAbandoned() throws {
    guard MachineFiles.exists(directory) else { return }
    let abandoned = try alone { try drafts().values.filter { !Self.isLocked($0) } }
    for folder in abandoned { try MachineFiles.remove(folder) }
  }

  /// Nobody asks whether a template is locked between its folder and its lock: it would be taken for abandoned, and whoever asks
  /// locks it himself for a moment, in which its maker cannot.
  private func alone<Value>(_ body: () throws -> Value) throws -> Value {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError.last("open \(directory)") }
    defer { close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw HostError.last("lock \(directory)") }
    }
    return try body()
  }

  private func drafts() throws -> [UUID: String] {
    var drafts: [UUID: String] = [:]
    for name in try MachineFiles.names(in: directory) where name.hasSuffix(Self.making) {
      if let id = UUID(uuidString: String(name.dropLast(Self.making.count))) { drafts[id] = "\(directory)/\(name)" }
    }
    return drafts
  }

  private static func isLocked(_ folder: String) -> Bool {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_SH | LOCK_NB) != 0
  }

  private func folder(of id: UUID) -> String { "\(directory)/\(id.text)" }
  private func makingFolder(of id: UUID) -> String { "\(folder(of: id))\(Self.making)" }

  fileprivate func complete(_ draft: TemplateDraft, _ description: TemplateDescription) throws -> Template {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try PrivateFile.write(Array(try encoder.encode(description)), to: "\(draft.folder)/\(Self.description)")
    let folder = folder(of: draft.id)
    guard rename(draft.folder, folder) == 0 else { throw HostError.last("rename \(draft.folder)") }
    try PrivateFile.sync(directory)
    return Template(id: draft.id, folder: folder, description: description)
  }
}

/// A template that this process is making, for as long as it holds this value. Its machine has the same UUID.
final class TemplateDraft: Sendable {
  let id: UUID
  let folder: String
  private let store: TemplateStore
  private let lock: Int32

  fileprivate init(id: UUID, folder: String, store: TemplateStore, lock: Int32) {
    (self.id, self.folder, self.store, self.lock) = (id, folder, store, lock)
  }

  deinit { close(lock) }

  var disk: String { TemplateStore.disk(in: folder) }
  var state: String { TemplateStore.state(in: folder) }

  func complete(_ description: TemplateDescription) throws -> Template { try store.complete(self, description) }

  /// Does nothing to a complete template.
  func removeIfIncomplete() throws { try MachineFiles.remove(folder) }
}
