/// A template for those who look at the host, whether the service runs or not.
package struct ListedTemplate: Sendable, Equatable {
  package let shape: MachineShape
  package let imageVersion: String
  /// What its files take of the host's disk.
  package let sizeBytes: Int64

  /// The complete templates of an installation, the smallest machines first. Those that cannot be read are left out.
  package static func all(dataDirectory: String) -> [ListedTemplate] {
    let store = TemplateStore(dataDirectory: dataDirectory)
    let templates = (try? store.templates().values.compactMap { $0 }) ?? []
    return templates.map { template in
      ListedTemplate(
        shape: template.description.shape, imageVersion: template.description.imageVersion,
        sizeBytes: store.bytes(of: template))
    }.sorted { $0.shape < $1.shape }
  }
}
