import Core

/// Reads additions and changes to the catalogue by operators' programs. A new item is read like a change in which some
/// fields are required.
enum OfferBody {
  static let planOrder = [
    "name", "slug", "description", "vcpus", "memory", "storage", "bandwidth", "port_speed_mbit", "price_hourly",
    "locations", "available", "cpu_weight", "disk_iops", "disk_throughput", "applies_to_existing",
  ]
  static let systemOrder = ["name", "slug", "family", "version", "image", "username", "available"]
  static let locationOrder = ["code", "name", "country_code", "country_name", "is_active"]

  // MARK: Plans

  /// Nil if a field is missing or wrong.
  static func newPlan(from fields: inout FieldReader, _ catalogue: Catalogue) -> NewPlan? {
    let change = planFields(from: &fields, isNew: true, catalogue)
    let slug = slug(change.slug, of: change.name, &fields)
    guard let name = change.name, let slug, let vcpus = change.vcpus, let memoryMiB = change.memoryMiB,
      let storageGiB = change.storageGiB, let bandwidthGB = change.bandwidthGB, let price = change.pricePerHour
    else { return nil }
    return NewPlan(
      name: name, slug: slug, description: change.description ?? "", vcpus: vcpus, memoryMiB: memoryMiB,
      storageGiB: storageGiB, bandwidthGB: bandwidthGB, portSpeedMbit: change.portSpeedMbit ?? 0, pricePerHour: price,
      locations: change.locations ?? catalogue.locations.map(\.code), cpuWeight: change.cpuWeight ?? 0,
      diskIOPS: change.diskIOPS ?? 0, diskMiBPerSecond: change.diskMiBPerSecond ?? 0)
  }

  static func planChange(from fields: inout FieldReader, _ catalogue: Catalogue) -> PlanChange {
    var change = planFields(from: &fields, isNew: false, catalogue)
    change.isAvailable = fields.boolean("available", isRequired: false)
    change.appliesToExisting = fields.boolean("applies_to_existing", isRequired: false) ?? false
    return change
  }

  private static func planFields(
    from fields: inout FieldReader, isNew: Bool, _ catalogue: Catalogue
  ) -> PlanChange {
    var change = PlanChange()
    change.name = fields.string("name", isRequired: isNew, Plan.nameRule)
    change.slug = fields.slug("slug", isRequired: false)
    change.description = fields.string("description", isRequired: false, mayBeBlank: true, Plan.descriptionRule)
    change.vcpus = fields.integer("vcpus", isRequired: isNew, in: Plan.vcpuRange)
    change.memoryMiB = fields.integer("memory", isRequired: isNew, in: Plan.memoryRangeMiB)
    change.storageGiB = fields.integer("storage", isRequired: isNew, in: Plan.storageRangeGiB)
    change.bandwidthGB = fields.integer("bandwidth", isRequired: isNew, in: Plan.bandwidthRangeGB)
    change.portSpeedMbit = fields.integer("port_speed_mbit", isRequired: false, in: Plan.portSpeedRangeMbit)
    change.pricePerHour = fields.amount("price_hourly", isRequired: isNew, in: Plan.priceRange)
    change.locations = locations(from: &fields, catalogue)
    change.cpuWeight = fields.integer("cpu_weight", isRequired: false, in: Plan.cpuWeightRange)
    change.diskIOPS = fields.integer("disk_iops", isRequired: false, in: Plan.diskIOPSRange)
    change.diskMiBPerSecond = fields.integer("disk_throughput", isRequired: false, in: Plan.diskMiBPerSecondRange)
    return change
  }

  /// Without repetitions, in the order in which they were given.
  private static func locations(from fields: inout FieldReader, _ catalogue: Catalogue) -> [String]? {
    guard fields.has("locations"), let codes = fields.strings("locations") else { return nil }
    var found: [String] = []
    for text in codes {
      guard let code = catalogue.location(code: text)?.code else {
        fields.add("locations", "\(text.quoted) is not a valid choice.")
        return nil
      }
      if !found.contains(code) { found.append(code) }
    }
    return found
  }

  /// The given slug, or one that is made of the name.
  private static func slug(_ given: String?, of name: String?, _ fields: inout FieldReader) -> String? {
    if fields.has("slug") { return given }
    guard let name else { return nil }
    let made = Slug.made(of: name)
    if made == nil { fields.add("slug", "None can be made of this name: give one.") }
    return made
  }

  // MARK: Operating systems

  static func newSystem(from fields: inout FieldReader) -> NewOperatingSystem? {
    let change = systemFields(from: &fields, isNew: true)
    let slug = slug(change.slug, of: change.name, &fields)
    guard let name = change.name, let slug, let family = change.family, let version = change.version else {
      return nil
    }
    return NewOperatingSystem(
      name: name, slug: slug, family: family, version: version, imageName: change.imageName ?? slug,
      username: change.username ?? OperatingSystem.standardUsername)
  }

  static func systemChange(from fields: inout FieldReader) -> OperatingSystemChange {
    var change = systemFields(from: &fields, isNew: false)
    change.isAvailable = fields.boolean("available", isRequired: false)
    return change
  }

  private static func systemFields(from fields: inout FieldReader, isNew: Bool) -> OperatingSystemChange {
    var change = OperatingSystemChange()
    change.name = fields.string("name", isRequired: isNew, OperatingSystem.nameRule)
    change.slug = fields.slug("slug", isRequired: false)
    change.family = fields.slug("family", isRequired: isNew)
    change.version = fields.string("version", isRequired: isNew, OperatingSystem.nameRule)
    change.imageName = fields.slug("image", isRequired: false)
    change.username = fields.string("username", isRequired: false, violation: OperatingSystem.usernameViolation)
    return change
  }

  // MARK: Locations

  static func newLocation(from fields: inout FieldReader) -> NewLocation? {
    let code = fields.string("code", isRequired: true) { text in
      // A number would be taken for an id.
      Slug.violation(in: text) ?? (Int64(text) == nil ? nil : "This may not be a number.")
    }
    let change = locationFields(from: &fields, isNew: true)
    guard let code, let name = change.name, let countryCode = change.countryCode,
      let countryName = change.countryName
    else { return nil }
    return NewLocation(code: code, name: name, countryCode: countryCode, countryName: countryName)
  }

  static func locationChange(from fields: inout FieldReader) -> LocationChange {
    var change = locationFields(from: &fields, isNew: false)
    change.isActive = fields.boolean("is_active", isRequired: false)
    return change
  }

  private static func locationFields(from fields: inout FieldReader, isNew: Bool) -> LocationChange {
    var change = LocationChange()
    change.name = fields.string("name", isRequired: isNew, Location.nameRule)
    change.countryCode = fields.string("country_code", isRequired: isNew) { text in
      Location.isCountryCode(text) ? nil : "Write two capital letters, such as US."
    }
    change.countryName = fields.string("country_name", isRequired: isNew, Location.nameRule)
    return change
  }
}
