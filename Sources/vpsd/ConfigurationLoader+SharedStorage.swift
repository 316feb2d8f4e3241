import Core

extension LocationSettings {
  static let standardFenceAfterSeconds = 60

  /// The key about shared storage that cannot be as it is, and why.
  var storageContradiction: (key: String, message: String)? {
    let sharesStorage = sharesStorage == true
    if !sharesStorage {
      if !fenceCommand.isEmpty { return ("fence_command", "it is for a location with shared_storage: true") }
      return fenceAfterSeconds.map { _ in ("fence_after_seconds", "it is for a location with shared_storage: true") }
    }
    guard let driver else {
      return (
        "shared_storage", "it is for a location with hosts of its own: the disks of this machine are on this machine"
      )
    }
    if fenceCommand.isEmpty {
      return (
        "fence_command",
        "with shared_storage it is needed: a server whose host may still run would be started twice on one disk"
      )
    }
    let count = driver == .simulated ? hosts ?? 1 : incus.members.count
    return count > 1 ? nil : ("shared_storage", "with one host there is none on which its servers could start instead")
  }
}

extension ConfigurationLoader {
  func sharedStorageProblems(
    _ configuration: Configuration, _ file: ConfigurationFile?
  ) -> [ConfigurationError.Problem] {
    (file?.locations ?? []).compactMap { section in
      configuration.locations[section.code]?.storageContradiction.map { key, message in
        .init(
          origin: section.origin, key: "\(ConfigurationFile.locationsKey).\(section.code).\(key)", message: message)
      }
    }
  }
}

extension LocationKey {
  static let sharedStorage: [LocationKey] = [
    LocationKey(
      name: "shared_storage",
      description:
        "Whether all of its hosts reach the disks of its servers, which then start on another one when theirs is lost ([docs/clusters.md](clusters.md)); `false` where it is not said",
      rule: "true or false",
      apply: { value, settings in
        guard let text = value.text, ["true", "false"].contains(text) else { return false }
        settings.sharesStorage = text == "true"
        return true
      },
      read: { $0.sharesStorage.map { ["\($0)"] } }),
    LocationKey(
      name: "fence_command",
      description:
        "The program that switches a lost host off, and its arguments, after which it gets the host's name; no shell reads them",
      rule: "the absolute path of a program and its arguments, such as [/usr/local/sbin/power-off, --force]",
      apply: { value, settings in
        let words = value.elements
        guard (1...100).contains(words.count), words[0].hasPrefix("/"),
          words.allSatisfy({ !$0.isEmpty && !$0.contains("\0") })
        else { return false }
        settings.fenceCommand = words
        return true
      },
      read: { $0.fenceCommand.isEmpty ? nil : $0.fenceCommand }),
    LocationKey(
      name: "fence_after_seconds",
      description: "For how many seconds a host may be away before it is switched off: 60 where it is not said",
      rule: "a whole number from 10 to 86400",
      apply: { value, settings in
        guard let text = value.text, text.utf8.count <= 5, text.utf8.allSatisfy({ (48...57).contains($0) }),
          let number = Int(text), (10...86_400).contains(number)
        else { return false }
        settings.fenceAfterSeconds = number
        return true
      },
      read: { $0.fenceAfterSeconds.map { [String($0)] } }),
  ]
}
