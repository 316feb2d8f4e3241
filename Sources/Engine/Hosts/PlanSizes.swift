import Core

/// What looks at machines need of plans, without the texts of the catalogue.
struct PlanSizes: Sendable {
  struct Size: Sendable {
    fileprivate let id: ID<Plan>
    let vcpus: Int
    let memoryMiB: Int
    let limits: ResourceLimits
  }

  private let sizes: [Size]

  init(_ catalogue: Catalogue) {
    sizes = catalogue.plans.map {
      Size(id: $0.id, vcpus: $0.vcpus, memoryMiB: $0.memoryMiB, limits: $0.limits)
    }
  }

  subscript(plan: ID<Plan>) -> Size? { sizes.first { $0.id == plan } }
}
