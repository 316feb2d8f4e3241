import Testing

@testable import vpsd

@Suite("Reverse DNS as it is configured")
struct ReverseNameConfigurationTests {
  @Test("A location has a DNS server of its own, or none, and otherwise the one of all others")
  func reverseNames() async throws {
    let text = """
      rdns: {server: 192.0.2.53, key_file: /etc/vpsd/rdns.key, pattern: <address>.vps.example.com, ttl: 600}
      locations:
        a: {rdns: {server: 192.0.2.54, key_file: a.key}}
        b:
          rdns:
            server: none

      """
    try await withFile(text) { loader in
      let configuration = try loader.load().configuration
      func texts(_ settings: ReverseNameSettings) -> [String] { ReverseNameSettings.keys.map { $0.read(settings) } }
      #expect(
        texts(configuration.reverseNames)
          == ["192.0.2.53", "/etc/vpsd/rdns.key", "<address>.vps.example.com", "600"])
      let own = texts(try #require(configuration.locations["a"]?.reverseNames))
      #expect(own[0] == "192.0.2.54" && own[1].hasSuffix("/a.key") && own[1].hasPrefix("/"))
      #expect(own[2...] == ["none", "3600"])
      #expect(configuration.locations["b"]?.reverseNames == ReverseNameSettings())
      #expect(configuration.locations["c"]?.reverseNames == nil)
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
  }
}
