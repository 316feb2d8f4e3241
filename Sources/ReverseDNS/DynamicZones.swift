package import Core

/// Reverse zones that are changed by RFC 2136 and read by zone transfer, with a TSIG key, through Debian's `nsupdate` and
/// `dig`. The key stays in its file: it is never an argument of a program.
package struct DynamicZones: ReverseZones {
  private let server: NameServerAddress
  private let keyFile: String
  private let ttl: Int
  private let patience: Patience

  /// How many names one message changes at most.
  private static let mostInMessage = 100
  /// How many questions one run of dig asks, one after the other.
  private static let mostQuestions = 25
  /// If so many changes that are sent alone are not taken from the start, the remaining ones are not sent.
  private static let mostRefusals = 3
  private static let limit = Duration.seconds(30)
  private static let transferLimit = Duration.seconds(120)
  private static let largestZoneBytes = 64 << 20

  package static let programs = ["nsupdate", "dig"]

  package init(server: NameServerAddress, keyFile: String, ttl: Int) {
    self.init(server: server, keyFile: keyFile, ttl: ttl, patience: Patience())
  }

  init(server: NameServerAddress, keyFile: String, ttl: Int, patience: Patience) {
    self.server = server
    self.keyFile = keyFile
    self.ttl = ttl
    self.patience = patience
  }

  /// How long a run of dig may take. A server that is far away, or slow, answers one question after the other.
  struct Patience: Sendable {
    var start = Duration.seconds(10)
    /// How long dig waits for an answer before it asks again, or gives up. Whole seconds.
    var answer = Duration.seconds(2)

    static let tries = 2

    func limit(forQuestions count: Int) -> Duration { start + answer * (Self.tries * count) }
  }

  // MARK: Changes

  package func say(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: NameTrouble] {
    do {
      return try await sayWithKey(names)
    } catch is KeyIsRefused {
      return names.mapValues { _ in .refused("\(server) does not accept the key in \(keyFile)") }
    }
  }

  private func sayWithKey(_ names: [IPAddress: Hostname?]) async throws -> [IPAddress: NameTrouble] {
    let places = try await self.places(of: Array(names.keys))
    var troubles: [IPAddress: NameTrouble] = [:]
    var zones: [String: [Change]] = [:]
    for (address, name) in names {
      if let place = places.found[address] {
        zones[place.zone, default: []].append(Change(address: address, place: place, name: name))
      } else if let failure = places.unknown[address] {
        troubles[address] = .failed("\(server) \(failure)")
      } else {
        troubles[address] = .refused("\(server) has no zone for \(address.reverseName)")
      }
    }
    for (zone, changes) in zones.sorted(by: { $0.key < $1.key }) {
      let sorted = changes.sorted { $0.place.owner < $1.place.owner }
      for start in stride(from: 0, to: sorted.count, by: Self.mostInMessage) {
        let message = sorted[start..<min(start + Self.mostInMessage, sorted.count)]
        troubles.merge(try await send(Array(message), in: zone)) { $1 }
      }
    }
    return troubles
  }

  private struct Change {
    let address: IPAddress
    let place: Place
    let name: Hostname?
  }

  /// Sends all changes in one message, so that an address is never without a name; where it is not taken, sends each change
  /// alone.
  private func send(_ changes: [Change], in zone: String) async throws -> [IPAddress: NameTrouble] {
    guard let trouble = try await trouble(with: changes, in: zone) else { return try await missing(of: changes) }
    if changes.count == 1 { return [changes[0].address: trouble] }
    var troubles: [IPAddress: NameTrouble] = [:]
    // In another order each time, so that the same few do not keep the others from being sent.
    for (index, change) in changes.shuffled().enumerated() {
      if troubles.count == index, index >= Self.mostRefusals {
        troubles[change.address] = trouble
      } else {
        troubles[change.address] = try await self.trouble(with: [change], in: zone)
      }
    }
    let taken = changes.filter { troubles[$0.address] == nil }
    return troubles.merging(try await missing(of: taken)) { $1 }
  }

  /// Looks whether the changes are there: a server may accept a message and leave out what its policy does not allow.
  private func missing(of changes: [Change]) async throws -> [IPAddress: NameTrouble] {
    let answers = try await answers(to: changes.map(\.place.owner), of: "PTR")
    var missing: [IPAddress: NameTrouble] = [:]
    for change in changes {
      let answer = answers[change.place.owner] ?? Answer()
      if let failure = answer.failure {
        missing[change.address] = .failed("\(server) \(failure)")
      } else if answer.names != Set([change.name?.name].compactMap { $0 }) {
        missing[change.address] = .refused("\(server) says that all is well, but does not know of it")
      }
    }
    return missing
  }

  /// Sends one message. Returns nil where the server has accepted it.
  private func trouble(with changes: [Change], in zone: String) async throws -> NameTrouble? {
    var lines = ["server \(server.address) \(server.port)", "zone \(zone)"]
    for change in changes {
      lines.append("update delete \(change.place.owner) PTR")
      if let name = change.name { lines.append("update add \(change.place.owner) \(ttl) PTR \(name.name).") }
    }
    lines.append("send\n")
    let run = ProgramRun(
      name: "nsupdate", arguments: ["-v", "-t", "10", "-k", keyFile], input: lines.joined(separator: "\n"),
      limit: Self.limit)
    let ending = try await run.run()
    if ending.exitStatus == 0 { return nil }
    let words = ending.output.split(whereSeparator: \.isNewline).joined(separator: " ").escaped(atMost: 300)
    // Only what the server itself has said is about these names.
    guard let said = words.firstRange(of: "update failed: ") else { throw UnreachableNameServer("nsupdate: \(words)") }
    let reason = "\(server) says \(words[said.upperBound...])"
    return words[said.upperBound...].hasPrefix("SERVFAIL") ? .failed(reason) : .refused(reason)
  }

  // MARK: Places

  /// The server does not know the key: it has another one of that name, or none.
  private struct KeyIsRefused: Error {}

  private struct Places {
    var found: [IPAddress: Place] = [:]
    /// What the server has said instead of whether it has a zone for the address.
    var unknown: [IPAddress: String] = [:]

    /// Returns the answer where something follows from it.
    mutating func note(_ answer: Answer?, for address: IPAddress) -> Answer? {
      let answer = answer ?? Answer()
      guard let failure = answer.failure else { return answer }
      unknown[address] = failure
      return nil
    }
  }

  /// Finds the zone and the name of each address on this server, by asking it for SOA records. Throws `KeyIsRefused`.
  private func places(of addresses: [IPAddress]) async throws -> Places {
    var names = Dictionary(addresses.map { ($0, "\($0.reverseName).") }) { $1 }
    var places = Places()
    // First the names of the addresses themselves, then the targets of aliases.
    for _ in 0..<3 where !names.isEmpty {
      let answers = try await answers(to: Array(names.values))
      var aliases: [IPAddress: String] = [:]
      for (address, name) in names {
        guard let answer = places.note(answers[name], for: address) else { continue }
        let alias = answer.alias(of: name)
        places.found[address] = answer.place(of: alias ?? name)
        if let alias, places.found[address] == nil, Place.isPlain(alias) { aliases[address] = alias }
      }
      names = aliases
    }
    // Where the server has failed with the name itself, twenty more questions would not tell more.
    let missing = Set(addresses).filter { places.found[$0] == nil && places.unknown[$0] == nil }
    let candidates = missing.map { ($0, Place.candidates(for: $0)) }
    let answers = try await answers(to: candidates.flatMap(\.1))
    for (address, names) in candidates {
      for name in names where places.found[address] == nil {
        places.found[address] = places.note(answers[name], for: address)?.place(of: name)
      }
      if places.found[address] != nil { places.unknown[address] = nil }
    }
    return places
  }

  private func answers(to names: [String], of type: String = "SOA") async throws -> [String: Answer] {
    var answers: [String: Answer] = [:]
    for start in stride(from: 0, to: names.count, by: Self.mostQuestions) {
      let asked = names[start..<min(start + Self.mostQuestions, names.count)]
      let run = dig(
        [
          "+norecurse", "+noall", "+comments", "+question", "+answer", "+authority",
          "+time=\(patience.answer.components.seconds)", "+tries=\(Patience.tries)", "-f", "-",
        ],
        input: asked.map { "\($0) \(type)\n" }.joined(), limit: patience.limit(forQuestions: asked.count))
      let ending = try await run.run()
      let found = Answer.all(in: ending.output)
      // Where a question gets no answer, dig goes on, and may end well.
      guard ending.exitStatus == 0, found.count == asked.count else {
        throw UnreachableNameServer("\(server) answered \(found.count) of \(asked.count) questions")
      }
      // Knot does not sign its refusals for zones that it does not have either, but they have another status.
      if found.contains(where: { !$0.isSigned && $0.status == "NOTAUTH" }) { throw KeyIsRefused() }
      for answer in found { answers[answer.question] = answer.isSigned ? answer : answer.withoutContent }
    }
    return answers
  }

  private func dig(
    _ arguments: [String], input: String = "", limit: Duration, outputLimitBytes: Int = 4 << 20
  ) -> ProgramRun {
    ProgramRun(
      name: "dig",
      arguments: ["-r", "@\(server.address)", "-p", "\(server.port)", "-k", keyFile] + arguments, input: input,
      outputLimitBytes: outputLimitBytes, limit: limit)
  }

  // MARK: The names on the server

  package func names(of addresses: [IPAddress]) async throws -> [IPAddress: Set<String>] {
    let places: Places
    do {
      places = try await self.places(of: addresses)
    } catch is KeyIsRefused {
      return [:]
    }
    var names: [IPAddress: Set<String>] = [:]
    var zones: [String: [String: Set<String>]?] = [:]
    for (address, place) in places.found {
      if zones[place.zone] == nil { zones[place.zone] = .some(try await transfer(of: place.zone)) }
      // The names in a zone that the server does not transfer are unknown.
      guard let known = zones[place.zone] ?? nil else { continue }
      names[address] = known[place.owner] ?? []
    }
    return names
  }

  package func obstacles(to addresses: [IPAddress]) async throws -> ZoneObstacles {
    do {
      let places = try await places(of: addresses)
      let homeless = addresses.filter { places.found[$0] == nil && places.unknown[$0] == nil }
      if homeless.isEmpty, let failure = places.unknown.first?.value {
        throw UnreachableNameServer("\(server) \(failure)")
      }
      return ZoneObstacles(homeless: homeless)
    } catch is KeyIsRefused {
      return ZoneObstacles(isKeyRefused: true)
    }
  }

  /// The names of a zone, by their owners; nil where the server does not transfer it as a whole.
  private func transfer(of zone: String) async throws -> [String: Set<String>]? {
    let run = dig(
      ["+noall", "+answer", "+time=30", "+tries=1", "-q", zone, "-t", "AXFR"], limit: Self.transferLimit,
      outputLimitBytes: Self.largestZoneBytes)
    let ending = try await run.run()
    if ending.exitStatus == 9 { throw UnreachableNameServer("\(server) does not answer") }
    let records = Answer.records(in: ending.output)
    // A whole transfer begins and ends with the same SOA record.
    guard ending.exitStatus == 0, records.count > 1, records.first?.type == "SOA", records.first == records.last,
      !ending.output.contains(";; Couldn't verify signature")
    else { return nil }
    return records.reduce(into: [:]) { names, record in
      if let name = record.name { names[record.owner, default: []].insert(name) }
    }
  }
}

extension Answer {
  fileprivate func place(of name: String) -> Place? {
    guard isAuthoritative, let zone else { return nil }
    return Place(zone: zone, owner: name)
  }

  /// What is left of an answer that anybody can have sent.
  fileprivate var withoutContent: Answer {
    var answer = self
    answer.records = []
    return answer
  }

  fileprivate var names: Set<String> { Set(records.compactMap(\.name)) }
}

extension Answer.Record {
  /// The name in a PTR record, in lower case and without the trailing dot.
  fileprivate var name: String? { type == "PTR" ? String(data.lowercased().dropLast()) : nil }
}
