import Core

extension SQLConnection {
  func catalogue() throws -> Catalogue {
    let offers = try rows("SELECT plan_id, location FROM plan_location ORDER BY plan_id, position") { row in
      (plan: try row.next(ID<Plan>.self), location: try row.next(String.self))
    }
    let locations = Dictionary(grouping: offers, by: \.plan).mapValues { $0.map(\.location) }
    return Catalogue(
      plans: try rows("SELECT \(Plan.columns) FROM plan ORDER BY id") { row in
        try Plan(from: &row, locations: locations)
      },
      operatingSystems: try all("SELECT \(OperatingSystem.columns) FROM operating_system ORDER BY id"),
      locations: try all("SELECT \(Location.columns) FROM location ORDER BY id"))
  }

  /// Writes the catalogue with the ids that it has.
  func insert(_ catalogue: Catalogue) throws {
    for location in catalogue.locations {
      try run(
        "INSERT INTO location (\(Location.columns)) VALUES (?, ?, ?, ?, ?, ?)",
        [
          location.id, location.code, location.name, location.countryCode, location.countryName, location.isActive,
        ])
    }
    for system in catalogue.operatingSystems {
      try run(
        "INSERT INTO operating_system (\(OperatingSystem.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
          system.id, system.uuid.text, system.name, system.slug, system.family, system.version, system.imageName,
          system.isAvailable, system.username,
        ])
    }
    for plan in catalogue.plans {
      try insert(plan)
    }
  }

  private func insert(_ plan: Plan) throws {
    try run(
      "INSERT INTO plan (\(Plan.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      [
        plan.id, plan.uuid.text, plan.name, plan.slug, plan.description, plan.vcpus, plan.memoryMiB,
        plan.storageGiB, plan.bandwidthGB, plan.portSpeedMbit, plan.pricePerHour, plan.isAvailable, plan.cpuWeight,
        plan.diskIOPS, plan.diskMiBPerSecond,
      ])
    for (position, location) in plan.locations.enumerated() {
      try run(
        "INSERT INTO plan_location (plan_id, position, location) VALUES (?, ?, ?)", [plan.id, position, location])
    }
  }
}

extension Plan {
  fileprivate static let columns = """
    id, uuid, name, slug, description, vcpus, memory_mib, storage_gib, bandwidth_gb, port_speed_mbit, \
    price_per_hour, is_available, cpu_weight, disk_iops, disk_mib_per_second
    """

  fileprivate init(from row: inout RowReader, locations: [ID<Plan>: [String]]) throws {
    let id = try row.next(ID<Plan>.self)
    self.init(
      id: id, uuid: try row.next(), name: try row.next(), slug: try row.next(), description: try row.next(),
      vcpus: try row.next(), memoryMiB: try row.next(), storageGiB: try row.next(), bandwidthGB: try row.next(),
      portSpeedMbit: try row.next(),
      pricePerHour: try row.next(), locations: locations[id] ?? [], isAvailable: try row.next(),
      cpuWeight: try row.next(), diskIOPS: try row.next(), diskMiBPerSecond: try row.next())
  }
}

extension OperatingSystem: RowReadable {
  static let columns = "id, uuid, name, slug, family, version, image_name, is_available, username"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), uuid: try row.next(), name: try row.next(), slug: try row.next(), family: try row.next(),
      version: try row.next(), imageName: try row.next(), isAvailable: try row.next(), username: try row.next())
  }
}

extension Location: RowReadable {
  static let columns = "id, code, name, country_code, country_name, is_active"

  init(from row: inout RowReader) throws {
    self.init(
      id: try row.next(), code: try row.next(), name: try row.next(), countryCode: try row.next(),
      countryName: try row.next(), isActive: try row.next())
  }
}
