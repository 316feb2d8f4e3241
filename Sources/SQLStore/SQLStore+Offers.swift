package import Core

import struct Foundation.UUID

extension SQLStore {
  package func addPlan(_ plan: NewPlan, by operator: Operator, at now: Timestamp) async throws -> Plan {
    try await write { database in
      try database.requireFree("slug", plan.slug, in: .plan)
      let id = try database.value(
        ID<Plan>.self,
        """
        INSERT INTO plan (uuid, name, slug, description, vcpus, memory_mib, storage_gib, bandwidth_gb, port_speed_mbit,
          price_per_hour, is_available, cpu_weight, disk_iops, disk_mib_per_second)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?) RETURNING id
        """,
        [
          UUID.random().text, plan.name, plan.slug, plan.description, plan.vcpus, plan.memoryMiB, plan.storageGiB,
          plan.bandwidthGB, plan.portSpeedMbit, plan.pricePerHour, plan.cpuWeight, plan.diskIOPS,
          plan.diskMiBPerSecond,
        ]
      ).orFail("the plan was not written")
      try database.offer(id, at: plan.locations)
      try database.auditOperator(
        "plan.add", by: `operator`, detail: "\(plan.slug), \(plan.pricePerHour.decimal) an hour", at: now)
      return try database.catalogue().plan(id).orFail("the plan is gone")
    }
  }

  package func updatePlan(
    _ id: ID<Plan>, _ change: PlanChange, by operator: Operator, at now: Timestamp
  ) async throws -> UpdatedPlan? {
    try await write { database in
      guard let plan = try database.catalogue().plan(id) else { return nil }
      var changed = change.fields(changedIn: plan)
      let repriced =
        change.appliesToExisting
        ? try database.setPrice(change.pricePerHour ?? plan.pricePerHour, ofServersWith: id, at: now) : 0
      if repriced > 0 { changed.append("price of \(repriced) server(s)") }
      guard !changed.isEmpty else { return UpdatedPlan(plan: plan, repricedServerCount: 0) }
      if let slug = change.slug { try database.requireFree("slug", slug, in: .plan, except: id.value) }
      if change.changesSize(of: plan) {
        try database.requireNoServers(
          with: plan, orElse: "so that its size stays. Add another plan, and retire this one.")
      }
      if let bandwidth = change.bandwidthGB, bandwidth < plan.bandwidthGB, !change.appliesToExisting {
        try database.requireNoServers(
          with: plan,
          orElse: "which would have less for this month at once: say that it is for existing ones, too (--existing, or "
            + "applies_to_existing).")
      }
      try database.run(
        """
        UPDATE plan SET name = COALESCE(?, name), slug = COALESCE(?, slug), description = COALESCE(?, description),
          vcpus = COALESCE(?, vcpus), memory_mib = COALESCE(?, memory_mib), storage_gib = COALESCE(?, storage_gib),
          bandwidth_gb = COALESCE(?, bandwidth_gb), port_speed_mbit = COALESCE(?, port_speed_mbit),
          price_per_hour = COALESCE(?, price_per_hour),
          is_available = COALESCE(?, is_available), cpu_weight = COALESCE(?, cpu_weight),
          disk_iops = COALESCE(?, disk_iops), disk_mib_per_second = COALESCE(?, disk_mib_per_second)
        WHERE id = ?
        """,
        [
          change.name, change.slug, change.description, change.vcpus, change.memoryMiB, change.storageGiB,
          change.bandwidthGB, change.portSpeedMbit, change.pricePerHour, change.isAvailable, change.cpuWeight,
          change.diskIOPS, change.diskMiBPerSecond, id,
        ])
      if let speed = change.portSpeedMbit, speed != plan.portSpeedMbit { try database.touchFirewalls(with: id) }
      if let locations = change.locations { try database.offer(id, at: locations) }
      try database.auditOperator(
        "plan.update", by: `operator`, detail: "\(plan.slug): \(changed.joined(separator: ", "))", at: now)
      let updated = try database.catalogue().plan(id).orFail("the plan is gone")
      return UpdatedPlan(plan: updated, repricedServerCount: repriced)
    }
  }

  package func addOperatingSystem(
    _ system: NewOperatingSystem, by operator: Operator, at now: Timestamp
  ) async throws -> OperatingSystem {
    try await write { database in
      try database.requireFree("slug", system.slug, in: .operatingSystem)
      let added: OperatingSystem? = try database.first(
        """
        INSERT INTO operating_system (uuid, name, slug, family, version, image_name, is_available, username)
        VALUES (?, ?, ?, ?, ?, ?, 1, ?) RETURNING \(OperatingSystem.columns)
        """,
        [
          UUID.random().text, system.name, system.slug, system.family, system.version, system.imageName,
          system.username,
        ])
      try database.auditOperator(
        "os.add", by: `operator`, detail: "\(system.slug), image \(system.imageName)", at: now)
      return try added.orFail("the operating system was not written")
    }
  }

  package func updateOperatingSystem(
    _ id: ID<OperatingSystem>, _ change: OperatingSystemChange, by operator: Operator, at now: Timestamp
  ) async throws -> OperatingSystem? {
    try await write { database in
      guard let system = try database.catalogue().operatingSystem(id) else { return nil }
      let changed = change.fields(changedIn: system)
      guard !changed.isEmpty else { return system }
      if let slug = change.slug { try database.requireFree("slug", slug, in: .operatingSystem, except: id.value) }
      try database.auditOperator(
        "os.update", by: `operator`, detail: "\(system.slug): \(changed.joined(separator: ", "))", at: now)
      return try database.first(
        """
        UPDATE operating_system SET name = COALESCE(?, name), slug = COALESCE(?, slug), family = COALESCE(?, family),
          version = COALESCE(?, version), image_name = COALESCE(?, image_name), is_available = COALESCE(?, is_available),
          username = COALESCE(?, username)
        WHERE id = ? RETURNING \(OperatingSystem.columns)
        """,
        [
          change.name, change.slug, change.family, change.version, change.imageName, change.isAvailable,
          change.username,
          id,
        ])
    }
  }

  package func addLocation(_ location: NewLocation, by operator: Operator, at now: Timestamp) async throws -> Location {
    try await write { database in
      try database.requireFree("code", location.code, in: .location)
      let added: Location? = try database.first(
        """
        INSERT INTO location (code, name, country_code, country_name, is_active) VALUES (?, ?, ?, ?, 1)
        RETURNING \(Location.columns)
        """,
        [location.code, location.name, location.countryCode, location.countryName])
      try database.auditOperator("location.add", by: `operator`, detail: location.code, at: now)
      return try added.orFail("the location was not written")
    }
  }

  package func updateLocation(
    _ id: ID<Location>, _ change: LocationChange, by operator: Operator, at now: Timestamp
  ) async throws -> Location? {
    try await write { database in
      guard let location = try database.catalogue().location(id) else { return nil }
      let changed = change.fields(changedIn: location)
      guard !changed.isEmpty else { return location }
      try database.auditOperator(
        "location.update", by: `operator`, detail: "\(location.code): \(changed.joined(separator: ", "))", at: now)
      return try database.first(
        """
        UPDATE location SET name = COALESCE(?, name), country_code = COALESCE(?, country_code),
          country_name = COALESCE(?, country_name), is_active = COALESCE(?, is_active)
        WHERE id = ? RETURNING \(Location.columns)
        """,
        [change.name, change.countryCode, change.countryName, change.isActive, id])
    }
  }
}

/// A table of the catalogue whose rows have a unique name.
private enum Offer: String {
  case plan
  case operatingSystem = "operating_system"
  case location

  var title: String { self == .operatingSystem ? "operating system" : rawValue }
}

extension SQLConnection {
  /// Throws where the plan was changed or retired since the caller read the catalogue, which may be a second old.
  func requireOffered(_ plan: Plan, at location: String) throws {
    let offered = try value(
      ID<Plan>.self,
      """
      SELECT id FROM plan WHERE id = ? AND is_available = 1 AND vcpus = ? AND memory_mib = ? AND storage_gib = ?
        AND price_per_hour = ? AND EXISTS (SELECT 1 FROM plan_location WHERE plan_id = plan.id AND location = ?)
      """,
      [plan.id, plan.vcpus, plan.memoryMiB, plan.storageGiB, plan.pricePerHour, location])
    guard offered != nil else { throw Failure.invalid(.plan, "This plan was changed a moment ago. Try again.") }
  }

  func requireOpen(_ location: String) throws {
    let open = try value(Int64.self, "SELECT id FROM location WHERE code = ? AND is_active = 1", [location])
    guard open != nil else { throw Failure.invalid(.location, "This location was changed a moment ago. Try again.") }
  }

  func requireOffered(_ system: ID<OperatingSystem>) throws {
    let offered = try value(Int64.self, "SELECT id FROM operating_system WHERE id = ? AND is_available = 1", [system])
    guard offered != nil else {
      throw Failure.invalid(.operatingSystem, "This operating system was changed a moment ago. Try again.")
    }
  }

  fileprivate func requireFree(
    _ column: String, _ text: String, in offer: Offer, except id: Int64? = nil
  ) throws {
    let other = try value(
      Int64.self, "SELECT id FROM \(offer.rawValue) WHERE \(column) = ? AND id IS DISTINCT FROM ?", [text, id])
    guard let other else { return }
    throw Failure(.conflict, "The \(offer.title) \(other) has the \(column) \(text.quoted) already.")
  }

  fileprivate func requireNoServers(with plan: Plan, orElse consequence: String) throws {
    let count = try value(
      Int.self,
      """
      SELECT (SELECT COUNT(*) FROM server WHERE plan_id = ?1 AND erased_at IS NULL)
        + (SELECT COUNT(*) FROM operation WHERE kind = 'resize' AND subject_id = ?1 AND finished_at IS NULL)
      """,
      [plan.id])
    guard let count, count > 0 else { return }
    throw Failure(
      .wrongState,
      "\(count) server(s) have the plan \(plan.slug.quoted), \(consequence)"
    )
  }

  /// Sets the price of hours that begin from now on. Hours that began before keep the former price, whenever they are charged.
  /// Returns how many servers' prices have changed.
  fileprivate func setPrice(_ price: Money, ofServersWith plan: ID<Plan>, at now: Timestamp) throws -> Int {
    let servers = "plan_id = ? AND deleted_at IS NULL AND price_per_hour <> ?"
    try keepFormerPrices(servers, [plan, price], at: now)
    return try run("UPDATE server SET price_per_hour = ? WHERE \(servers)", [price, plan, price])
  }

  /// Replaces the list of locations that offer the plan.
  fileprivate func offer(_ plan: ID<Plan>, at locations: [String]) throws {
    try run("DELETE FROM plan_location WHERE plan_id = ?", [plan])
    for (position, code) in locations.enumerated() {
      let written = try run(
        "INSERT INTO plan_location (plan_id, position, location) SELECT ?, ?, code FROM location WHERE code = ?",
        [plan, position, code])
      guard written > 0 else { throw Failure(.notFound, "There is no location \(code.quoted).") }
    }
  }
}

// MARK: The fields that get another value, for the audit trail

private struct ChangedFields {
  private(set) var names: [String] = []

  mutating func note<Value: Equatable>(_ name: String, _ new: Value?, _ old: Value, _ shown: String? = nil) {
    if let new, new != old { names.append(shown.map { "\(name) \($0)" } ?? name) }
  }
}

extension PlanChange {
  fileprivate func fields(changedIn plan: Plan) -> [String] {
    var changed = ChangedFields()
    changed.note("name", name, plan.name)
    changed.note("slug", slug, plan.slug, slug)
    changed.note("description", description, plan.description)
    changed.note("vcpus", vcpus, plan.vcpus, vcpus.map { "\($0)" })
    changed.note("memory", memoryMiB, plan.memoryMiB, memoryMiB.map { "\($0)" })
    changed.note("storage", storageGiB, plan.storageGiB, storageGiB.map { "\($0)" })
    changed.note("bandwidth", bandwidthGB, plan.bandwidthGB, bandwidthGB.map { "\($0)" })
    changed.note("port speed", portSpeedMbit, plan.portSpeedMbit, portSpeedMbit.map { "\($0)" })
    changed.note("price_hourly", pricePerHour, plan.pricePerHour, pricePerHour?.decimal)
    changed.note("locations", locations, plan.locations)
    changed.note("available", isAvailable, plan.isAvailable, isAvailable.map { "\($0)" })
    changed.note("cpu_weight", cpuWeight, plan.cpuWeight, cpuWeight.map { "\($0)" })
    changed.note("disk_iops", diskIOPS, plan.diskIOPS, diskIOPS.map { "\($0)" })
    changed.note("disk_throughput", diskMiBPerSecond, plan.diskMiBPerSecond, diskMiBPerSecond.map { "\($0)" })
    return changed.names
  }
}

extension OperatingSystemChange {
  fileprivate func fields(changedIn system: OperatingSystem) -> [String] {
    var changed = ChangedFields()
    changed.note("name", name, system.name)
    changed.note("slug", slug, system.slug, slug)
    changed.note("family", family, system.family)
    changed.note("version", version, system.version)
    changed.note("image", imageName, system.imageName, imageName)
    changed.note("username", username, system.username, username)
    changed.note("available", isAvailable, system.isAvailable, isAvailable.map { "\($0)" })
    return changed.names
  }
}

extension LocationChange {
  fileprivate func fields(changedIn location: Location) -> [String] {
    var changed = ChangedFields()
    changed.note("name", name, location.name)
    changed.note("country_code", countryCode, location.countryCode, countryCode)
    changed.note("country_name", countryName, location.countryName)
    changed.note("is_active", isActive, location.isActive, isActive.map { "\($0)" })
    return changed.names
  }
}
