import Core
import Foundation
import HostPrograms
import ReverseDNS

extension Configuration {
  /// How the addresses of each location get their reverse names. Throws `ConfigurationError` where a configured program or file
  /// does not exist, or others can read a key.
  func reverseNamings() throws -> ReverseNamings {
    let lookup = mustReverseNamesLeadBack ? DigLookup(resolver: reverseNameResolver) : nil
    let ofLocations = try locations.compactMapValues(\.reverseNames).map { code, settings in
      (code, try settings.naming(below: "\(ConfigurationFile.locationsKey).\(code).", lookup))
    }
    return ReverseNamings(
      try reverseNames.naming(below: "", lookup), ofLocations: Dictionary(ofLocations) { $1 })
  }
}

extension ReverseNameSettings {
  private static let longestKeyFileBytes = 4096

  /// - Parameter prefix: The prefix of these keys' names.
  fileprivate func naming(below prefix: String, _ lookup: DigLookup?) throws -> ReverseNaming? {
    guard let server, let keyFile else { return nil }
    for program in DynamicZones.programs where HostProgram.path(of: program) == nil {
      throw ConfigurationError(
        "\(prefix)\(Self.section).server", "\(program) is not installed on this host: apt-get install bind9-dnsutils")
    }
    let key = "\(prefix)\(Self.section).key_file"
    let text = try SecretFile.text(in: keyFile, atMost: Self.longestKeyFileBytes, for: key)
    // The syntax that the DNS programs accept: with an invalid key they would fail for every name.
    let expected =
      #/\s*key\s+"?[A-Za-z0-9._-]+"?\s*\{[^{}]*algorithm\s+[^{};]+;[^{}]*secret\s+"?[A-Za-z0-9+/=]+"?\s*;[^{}]*\}\s*;\s*/#
    guard text.wholeMatch(of: expected) != nil else {
      throw ConfigurationError(
        key, "\(keyFile) holds no key: it must be as `tsig-keygen -a hmac-sha256 vpsd` prints one")
    }
    return ReverseNaming(
      zones: DynamicZones(server: server, keyFile: keyFile, ttl: ttl), pattern: pattern, lookup: lookup)
  }
}
