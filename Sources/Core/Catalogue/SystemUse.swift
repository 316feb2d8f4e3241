/// How many servers that are not erased have one version of a system's image.
package struct SystemUse: Sendable, Equatable {
  package let system: ID<OperatingSystem>
  /// Nil if it is not known yet.
  package let imageVersion: String?
  package let serverCount: Int

  package init(system: ID<OperatingSystem>, imageVersion: String?, serverCount: Int) {
    self.system = system
    self.imageVersion = imageVersion
    self.serverCount = serverCount
  }
}
