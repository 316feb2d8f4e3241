import Core

/// What all machines have in common that can be made from one template.
package struct MachineShape: Codable, Hashable, Comparable, Sendable {
  package let imageName: String
  package let vcpus: Int
  package let memoryMiB: Int
  package let storageGiB: Int

  package init(imageName: String, vcpus: Int, memoryMiB: Int, storageGiB: Int) {
    (self.imageName, self.vcpus, self.memoryMiB, self.storageGiB) = (imageName, vcpus, memoryMiB, storageGiB)
  }

  /// By memory first: the smallest machines are the cheapest templates.
  package static func < (one: MachineShape, other: MachineShape) -> Bool {
    (one.memoryMiB, one.storageGiB, one.vcpus, one.imageName)
      < (other.memoryMiB, other.storageGiB, other.vcpus, other.imageName)
  }

  init(of specification: MachineSpecification) {
    self.init(
      imageName: specification.imageName, vcpus: specification.vcpus, memoryMiB: specification.memoryMiB,
      storageGiB: specification.storageGiB)
  }
}
