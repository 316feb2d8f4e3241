import Foundation
import TestSupport
import Testing

@testable import vpsd

@Suite("A configuration that is not valid stops the start")
struct ConfigurationErrorTests {
  @Test(
    "A bad value is refused, with the variable, the key and the rule",
    arguments: [
      (
        "listen",
        ["8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:8080", "[::1]", "[::g]:80", "a b:1"]
      ),
      ("listen", ["1.2.3.999:80", "127.0.0.1:-1", "127.0.0.1:+1", "http://127.0.0.1:80"]),
      (
        "trusted_proxies",
        ["all", "10.0.0.1/8", "10.0.0.0/33", "::1/129", "10.0.0.0/8,", "fe80::1%eth0", "10.0.0.0/-1"]
      ),
      ("driver", ["kvm", "Libvirt"]), ("host_name", ["a b", "a_b", "ж", "a/1"]), ("host_url", ["node1", "ftp://a"]),
      ("address_pool", ["127.80.0.0", "127.80.0.1/16", "127.80.0.0/31", "::/64"]),
      ("forwarded_ports", ["80,443", "22,22", "22,0", "22,65536", "22,", "22,http", "22 80"]),
      ("outbound", ["yes", "1", "True"]), ("image_downloads", ["yes", "false", "ondemand"]),
      ("accelerator", ["xen"]), ("instant_templates", ["on", "true"]), ("instant_storage", ["0", "10001", "8G"]),
      ("log_level", ["verbose"]), ("log_format", ["xml"]),
      ("metrics_listen", ["65536", "127.0.0.1", "9109/metrics", "300.1.1.1:x"]),
      ("rate_limit", ["-1", "many", "1.5", "1000001"]),
      ("notify.command", ["sendmail", "-t", "/usr/sbin/sendmail,,-t", "./sendmail,-t"]),
      (
        "notify.webhook",
        [
          "hooks.example.com", "http://hooks.example.com/", "https://user@hooks.example.com/", "ftp://127.0.0.1/",
          "https://",
        ]
      ),
      ("notify.from", ["vpsd", "vpsd <a@example.com>", "a@b, c@d", "й@example.com"]),
      ("overcommit_vcpus", ["0", "-1", "nan", "inf", "1001", "0x10", "1,5", "."]),
    ])
  func badValues(_ name: String, _ texts: [String]) throws {
    let key = try #require(ConfigurationKey.all.first { $0.name == name })
    for text in texts {
      let error = #expect(throws: ConfigurationError.self, "\(name) = \(text)") {
        try ConfigurationTests.load(environment: [key.variable: text])
      }
      #expect(error?.problems.count == 1)
      #expect(error?.description.contains("\(key.variable): \(name): \"\(text)\" is not \(key.rule)") == true)
    }
  }

  @Test(
    "Keys of notices that need or exclude each other are told by name",
    arguments: [
      ("notify: {command: [/usr/sbin/sendmail, -t]}", "1: notify.command: it needs notify.from"),
      ("notify: {webhook: https://a.example/}", "1: notify.webhook: it needs notify.secret_file"),
      (
        "notify:\n  command: [/bin/a]\n  from: a@b\n  webhook: https://a.example/\n  secret_file: s",
        "4: notify.webhook: there is notify.command already"
      ),
      ("notify: {sender: a@b}", "1: notify.sender: there is no such key."),
      ("notify: sendmail", "1: notify: there is no such key."),
    ])
  func badNotices(_ text: String, _ message: String) async throws {
    try await withFile(text) { loader in
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
      #expect(error?.problems.count == 1)
    }
  }

  @Test(
    "What is wrong with a location is told with its line, its key and the rule",
    arguments: [
      (
        "locations: 5", "1: locations: it must be a location's code with its keys below it: driver, hosts, address_pool"
      ),
      ("locations:\n  us-west: 5", "2: locations: it must be a location's code"),
      (
        "locations:\n  a: {colour: blue}",
        "2: locations.a.colour: there is no such key. Known are: driver, hosts, address_pool"
      ),
      ("locations:\n  a: {driver: libvirt}", "2: locations.a.driver: it must be one of simulated, incus"),
      (
        "locations:\n  a: {driver: simulated, hosts: 101}",
        "2: locations.a.hosts: it must be a whole number from 1 to 100"
      ),
      (
        "locations:\n  a: {hosts: 2}",
        "2: locations.a.hosts: a location has hosts of its own only with a driver of its own"
      ),
      (
        "locations:\n  a: {address_pool6: 2001:db8::1/64, driver: simulated}",
        "2: locations.a.address_pool6: it must be a unicast"
      ),
      (
        "locations:\n  a: {address_pool6: 2001:db8::/56}",
        "2: locations.a.address_pool6: the network of servers on this machine"
      ),
      (
        "locations:\n  a: {driver: simulated}\naddress_pool6: 2001:db8::/56",
        "3: address_pool6: the network of servers on"
      ),
      ("locations:\n  a: {address_pool: all}", "2: locations.a.address_pool: it must be a list of IPv4 networks"),
      ("locations:\n  a: {rdns: {server: 192.0.2.53}}", "2: locations.a.rdns.server: it needs rdns.key_file"),
      ("locations:\n  a: {rdns: {server: ns.example.com}}", "2: locations.a.rdns.server: it must be none, or an IP"),
      ("rdns: {server: 192.0.2.53}", "1: rdns.server: it needs rdns.key_file"),
      ("rdns: {pattern: vps.example.com}", "1: rdns.pattern: \"vps.example.com\" is not none, or a domain name with"),
      ("rdns: {ttl: 59}", "1: rdns.ttl: \"59\" is not a whole number from 60 to 604800"),
    ])
  func badLocations(_ text: String, _ message: String) async throws {
    try await withFile(text) { loader in
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
      #expect(error?.problems.count == 1)
    }
  }

  @Test(
    "A network that servers could not be reached by is told by the key that is wrong",
    arguments: [
      ("network: routed", "network: address_pool: nothing is routed to addresses of the loopback"),
      (
        "network: routed\naddress_pool: [203.0.113.0/26, 127.80.0.0/16]",
        "2: address_pool: nothing is routed to addresses of the loopback"
      ),
      (
        "network: routed\naddress_pool: 203.0.113.0/26\nlocations:\n  us-west: {address_pool: 127.81.0.0/16}",
        "4: locations.us-west.address_pool: nothing is routed to addresses of the loopback"
      ),
      ("uplink: eth0; reboot", "uplink: \"eth0; reboot\" is not auto, or the name of a link"),
      ("uplink: -all", "uplink: \"-all\" is not auto"), ("mtu: 576", "mtu: \"576\" is not auto"),
      ("nameservers: [9.9.9.9, dns.example]", "nameservers: [9.9.9.9, dns.example] is not auto"),
      (
        "network: bridge\naddress_pool: 203.0.113.0/26\nbridge_gateways: 198.51.100.1",
        "bridge: network: bridge needs the name of a bridge"
      ),
      ("network: bridge\nbridge: br0", "network: address_pool: nothing is routed to addresses of the loopback"),
      (
        "network: bridge\nbridge: br0\naddress_pool: 203.0.113.0/26\nbridge_gateways: 203.0.113.1/24",
        "4: bridge_gateways: 203.0.113.1 is in the pool 203.0.113.0/26: name it in reserved_addresses"
      ),
      (
        "network: bridge\nbridge: br0\naddress_pool: [203.0.113.0/26, 10.7.0.0/24]\nbridge_gateways: 203.0.113.65/25",
        "4: bridge_gateways: none of them is for 10.7.0.1"
      ),
      (
        "network: bridge\nbridge: br0\naddress_pool: 203.0.113.0/26\nbridge_gateways: [198.51.100.1, fe80::1]\naddress_pool6: 2001:db8::/56",
        "5: address_pool6: 2001:db8::/56 gives networks, which are routed"
      ),
      (
        "network: bridge\nbridge: br0\naddress_pool: 203.0.113.0/26\nbridge_gateways: 198.51.100.1\naddress_pool6: 2001:db8::/64",
        "4: bridge_gateways: none of them is for the IPv6 addresses of 2001:db8::/64"
      ),
      (
        "network: bridge\nbridge: br0\naddress_pool: 203.0.113.0/26\nbridge_gateways: [198.51.100.1, 2001:db8::5]\naddress_pool6: 2001:db8::/64",
        "4: bridge_gateways: 2001:db8::5 is in 2001:db8::/64"
      ),
      ("bridge: br 0", "bridge: \"br 0\" is not none, or the name of a link"),
      ("bridge_gateways: 203.0.113.1/32", "bridge_gateways: \"203.0.113.1/32\" is not none, or a list"),
      ("open_networks: [10.0.0.0/8, 169.254.0.0/16]", "open_networks: [10.0.0.0/8, 169.254.0.0/16] is not none"),
    ])
  func badNetworks(_ text: String, _ message: String) async throws {
    try await withFile(text) { loader in
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
      #expect(error?.problems.count == 1)
    }
  }

  @Test("All errors are told at once, each with its file and line, its variable or its option")
  func allAtOnce() async throws {
    let text = """
      # the first line
      listen: nowhere
      colour: blue
      forwarded_ports: [80, 443]
      overcommit_memory:
      address_pool: {network: 127.80.0.0}
      """
    try await withFile(text) { loader in
      var loader = loader
      loader.environment = ["VPSD_OUTBOUND": "perhaps"]
      loader.options = ["driver": "xen"]
      let path = try #require(loader.file).path
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      let origins = error?.problems.map { "\($0.origin) \($0.key ?? "")" }
      #expect(
        origins == [
          "\(path):3 colour", "\(path):2 listen", "--driver driver", "\(path):6 address_pool",
          "\(path):4 forwarded_ports", "VPSD_OUTBOUND outbound", "\(path):5 overcommit_memory",
        ])
      let message = "colour: there is no such key. Known are: data_dir, image_dir, copy_dir"
      #expect(error?.description.contains(message) == true)
    }
  }

  @Test("A bad value in the file is told even where the environment overrules it")
  func overruled() async throws {
    try await withFile("driver: xen\n") { loader in
      var loader = loader
      loader.environment = ["VPSD_DRIVER": "simulated"]
      #expect(throws: ConfigurationError.self) { try loader.load() }
    }
  }

  @Test(
    "A file that is no list of keys is refused as a whole",
    arguments: ["- a\n- b\n", "just text\n", "listen: [\n", "a: 1\n---\nb: 2\n", "listen: a:1\nlisten: b:2\n"])
  func badFile(_ text: String) async throws {
    try await withFile(text) { loader in
      let path = try #require(loader.file).path
      let error = #expect(throws: ConfigurationError.self) { try loader.load() }
      #expect(error?.problems.first?.origin.hasPrefix(path) == true)
    }
  }

  @Test("An empty file is one that says nothing", arguments: ["", "# only a comment\n", "---\n", "{}\n"])
  func emptyFile(_ text: String) async throws {
    try await withFile(text) { loader async throws in
      #expect(try loader.load().configuration == ConfigurationTests.load())
    }
  }

  @Test("A file that was named must be there")
  func missingFile() throws {
    var loader = ConfigurationTests.loader
    loader.file = URL(fileURLWithPath: "/nonexistent/vpsd.yaml")
    let error = #expect(throws: ConfigurationError.self) { try loader.load() }
    #expect(error?.description.contains("/nonexistent/vpsd.yaml: cannot be read") == true)
  }

  @Test("An unknown VPSD_ variable is only a warning, and others are nobody's business")
  func unknownVariable() throws {
    var loader = ConfigurationTests.loader
    loader.environment = ["VPSD_LISTNE": "x", "VPSD_DRIVER": "simulated", "HOME": "/root"]
    let (configuration, warnings) = try loader.load()
    #expect(configuration.driver == .simulated)
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("VPSD_LISTNE") == true)
  }
}
