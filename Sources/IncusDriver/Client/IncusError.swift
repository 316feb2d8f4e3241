import Core
import HostPrograms
import PrivateFiles

/// The ways in which a call of the API fails.
enum IncusError: Error, Sendable, Equatable {
  /// There is no such thing.
  case notFound
  /// Something of that name is there already.
  case exists
  /// It is not what it was when it was read.
  case changed
  /// The certificate may not do that.
  case forbidden(String)
  /// Of a cluster that several services share: another one has it, or it does not heed this one's term yet.
  case elsewhere
  /// The server, or the part of the cluster that it would have to ask, is not there.
  case unavailable(String)
  /// It was refused, or failed, for a reason that no code tells: whoever asked looks again how things stand.
  case refused(String)
  case noAnswer(within: Duration)
  case disconnected(String)
  /// Whoever answers is not the server whose certificate is known.
  case wrongCertificate
  case tooLong(mostBytes: Int)
  case unreadable(String)

  /// Of a reply that is an error. LXD and Incus give different codes for one thing, 400 and 500; those that are named here mean
  /// the same in both.
  init(status: Int, text: String) {
    let text = text.plainExcerpt
    switch status {
    case 404: self = .notFound
    case 409: self = .exists
    case 412: self = .changed
    case 401, 403: self = .forbidden(text)
    case 503: self = .unavailable(text)
    default: self = .refused(text)
    }
  }
}

extension IncusError {
  /// Whether whoever was connected to may be the reason.
  var isOfConnection: Bool {
    switch self {
    case .noAnswer, .disconnected: true
    default: false
    }
  }

  var driverError: DriverError {
    switch self {
    case .notFound: DriverError(.notFound, "Incus has no such thing")
    case .exists: DriverError(.busy, "Incus has another one of that name")
    case .changed: DriverError(.busy, "it was changed meanwhile")
    case .forbidden(let text): DriverError(.rejected, "Incus forbids it: \(text)")
    case .elsewhere: DriverError(.unreachable, "another service has this Incus, or it does not heed this one yet")
    case .unavailable(let text): DriverError(.unreachable, "Incus is not available: \(text)")
    case .refused(let text): DriverError(Self.isWantOfRoom(text) ? .exhausted : .busy, "Incus refused: \(text)")
    case .noAnswer(let limit): DriverError(.unreachable, "Incus did not answer within \(limit)")
    case .disconnected(let text): DriverError(.unreachable, "no connection to Incus: \(text)")
    case .wrongCertificate:
      DriverError(.unreachable, "whoever answers has not the certificate that `server_certificate` names")
    case .tooLong(let limit): DriverError(.unreachable, "the answer of Incus was longer than \(limit) bytes")
    case .unreadable(let text): DriverError(.unreachable, "the answer of Incus could not be read: \(text)")
    }
  }

  /// How work ended that failed. What it says may be long, and what matters in it anywhere.
  static func failure(_ text: String) -> IncusError {
    let excerpt = text.plainExcerpt
    guard let want = want(in: text), !isWantOfRoom(excerpt) else { return .refused(excerpt) }
    return .refused("\(want): \(excerpt)")
  }

  private static func isWantOfRoom(_ text: String) -> Bool { want(in: text) != nil }

  /// What is full, or taken, is told in words of the kernel only.
  private static func want(in text: String) -> String? {
    let text = text.lowercased()
    return [
      "no space left on device", "run out of disk space", "disk quota exceeded", "address already in use",
    ].first { text.contains($0) }
  }
}

extension DriverError {
  /// What a driver may throw, of whatever its client throws.
  static func translating<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let error as DriverError {
      throw error
    } catch let error as IncusError {
      throw error.driverError
    } catch let error as HostError {
      throw error.driverError
    } catch {
      throw DriverError(.unreachable, "the call of Incus was given up: \(error)")
    }
  }
}

extension String {
  /// For a log: what a server says may be of any length, and of any characters.
  var plainExcerpt: String {
    let printable = unicodeScalars.prefix(400).map { scalar in
      scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029
        ? " " : Character(scalar)
    }
    return String(printable)
  }
}
