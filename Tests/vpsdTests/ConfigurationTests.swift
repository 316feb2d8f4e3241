import Core
import Foundation
import TestSupport
import Testing

@testable import vpsd

@Suite("Configuration")
struct ConfigurationTests {
  static let loader = ConfigurationLoader(
    workingDirectory: URL(fileURLWithPath: "/srv/work", isDirectory: true),
    executable: URL(fileURLWithPath: "/opt/vpsd/bin/vpsd"))

  static func load(
    environment: [String: String] = [:], options: [String: String] = [:]
  ) throws -> Configuration {
    var loader = loader
    loader.environment = environment
    loader.options = options
    return try loader.load().configuration
  }

  @Test("No configuration at all works")
  func nothing() throws {
    let (configuration, warnings) = try Self.loader.load()
    #expect(warnings.isEmpty)
    #expect(
      try configuration.yaml() == """
        data_dir: /srv/work/var
        image_dir: /srv/work/var/images
        copy_dir: /srv/work/var/copies
        database: sqlite
        simulated_dir: none
        host_name: none
        host_location: none
        host_url: none
        listen: 127.0.0.1:8080
        drain_seconds: 0
        public_url: auto
        trusted_proxies: []
        panel: true
        driver: libvirt
        libvirtd: own
        reserved_addresses: []
        address_pool: [127.80.0.0/16]
        address_pool6: none
        forwarded_ports: [22, 80, 443]
        outbound: auto
        network: loopback
        bridge: none
        bridge_gateways: []
        bridge_isolation: true
        uplink: auto
        mtu: auto
        nameservers: [auto]
        open_networks: []
        forward_range: none
        forward_address: auto
        smtp_outbound: false
        addresses_per_server: 16
        address_rest: 3600
        rdns:
          server: none
          key_file: none
          pattern: none
          ttl: 3600
        rdns_requires_forward: false
        rdns_resolver: auto
        accelerator: auto
        recipe_dir: /opt/vpsd/share/vpsd/images
        instant_templates: off
        instant_storage: 8
        image_downloads: on-demand
        novnc_dir: /usr/share/novnc
        log_level: info
        log_format: text
        metrics_listen: none
        overcommit_vcpus: 16
        overcommit_memory: 1
        overcommit_storage: 2
        rate_limit: 1200
        login_failures: 30
        body_bytes: 1048576
        json_depth: 16
        list_elements: 50
        firewall_rules: 100
        firewall_networks: 1000
        page_size: 100
        header_bytes: 32768
        first_request_seconds: 10
        idle_seconds: 60
        transfer_seconds: 60
        connections: 1024
        connections_per_address: 256
        event_streams_per_account: 16
        consoles: 256
        consoles_per_account: 16
        consoles_per_server: 4
        console_ticket_seconds: 60
        server_quota: 100
        copy_quota: 50
        token_quota: 100
        ssh_key_quota: 100
        idempotency_quota: 10000
        idempotency_bytes: 16777216
        currency: USD
        backup_price_percent: 20
        suspended_price_percent: 0
        suspension_days: 30
        bandwidth_overage: none
        bandwidth_throttle: 10
        bandwidth_price: 0.01
        state_backups:
          directory: none
          every: 1d
          keep: 14
        notify:
          command: []
          webhook: none
          secret_file: none
          from: none

        """)
  }

  @Test("The example explains every key and sets none, and says each as it can be said")
  func example() async throws {
    let example = ConfigurationReference.example
    let standard = try Self.load()
    for key in ConfigurationKey.all {
      let name = key.name.split(separator: ".").last ?? ""
      #expect(example.contains("\n# \(key.name.contains(".") ? "  " : "")\(name): "), "\(key.name)")
      #expect(example.contains("\n# \(key.description.replacing("`", with: "").split(separator: ":")[0].prefix(40))"))
    }
    try await withFile(example) { loader in
      let read = try loader.load().configuration
      #expect(read == standard)
    }
    // With the folders, which it only describes, left as they are.
    let folders = ["image_dir", "copy_dir", "recipe_dir", "novnc_dir", "data_dir"]
    let names = ConfigurationKey.all.map(\.name).filter { !folders.contains($0) }.flatMap { $0.split(separator: ".") }
    let said = example.split(separator: "\n").map { $0.dropFirst(2) }.filter { line in
      names.contains { line.drop { $0 == " " }.hasPrefix("\($0):") }
    }
    #expect(said.count >= Set(names).count - folders.count)
    try await withFile(said.joined(separator: "\n") + "\n") { loader in
      let read = try loader.load().configuration
      #expect(read == standard)
    }
  }

  @Test("The defaults of the table are those that hold")
  func defaults() throws {
    let standard = try Self.load()
    for key in ConfigurationKey.all where !["image_dir", "copy_dir", "recipe_dir", "novnc_dir"].contains(key.name) {
      #expect(try Self.load(environment: [key.variable: key.defaultText]) == standard, "\(key.name)")
    }
  }

  @Test("The recipes and noVNC are those of the checkout that the executable was built in")
  func recipes() throws {
    var loader = Self.loader
    loader.executable = URL(fileURLWithPath: "/home/me/vpsd/.build/x86_64-unknown-linux-gnu/release/vpsd")
    let configuration = try loader.load().configuration
    #expect(configuration.recipeDirectory.path == "/home/me/vpsd/images")
    #expect(configuration.noVNCDirectory.path == "/home/me/vpsd/.build/novnc")
  }

  static let examples = [
    ("data_dir", "/srv/a b"), ("image_dir", "/srv/images"), ("copy_dir", "/srv/copies"),
    ("database", "postgresql://vpsd@db.example.com/vpsd"), ("simulated_dir", "/srv/hosts"),
    ("host_name", "node-1.eu"), ("host_location", "us-west"), ("host_url", "https://node1.example.com"),
    ("listen", "[::1]:0"), ("drain_seconds", "5"),
    ("public_url", "https://vps.example.com/cloud"),
    ("trusted_proxies", "[127.0.0.1/32, 10.0.0.0/8, 2001:db8::/32]"),
    ("panel", "false"), ("driver", "simulated"), ("libvirtd", "host"),
    ("reserved_addresses", "[10.1.0.1, 10.1.0.8/29]"), ("address_pool", "[10.1.0.0/24, 10.2.0.5-10.2.0.9]"),
    ("address_pool6", "2001:db8:10::/56"),
    ("forwarded_ports", "[22, 8443]"), ("outbound", "true"),
    ("network", "routed"), ("bridge", "br0"), ("bridge_gateways", "[203.0.113.1/24, fe80::1]"),
    ("bridge_isolation", "false"), ("uplink", "enp5s0.100"), ("mtu", "1280"), ("nameservers", "[9.9.9.9, 2620:fe::fe]"),
    ("open_networks", "[10.20.0.0/16, fd00:20::/48]"),
    ("forward_range", "20000-29999"), ("forward_address", "203.0.113.9"),
    ("smtp_outbound", "true"), ("addresses_per_server", "4"), ("address_rest", "60"),
    ("rdns.server", "[2001:db8::53]:5353"), ("rdns.key_file", "/etc/vpsd/rdns.key"),
    ("rdns.pattern", "<address>.vps.example.com"), ("rdns.ttl", "60"), ("rdns_requires_forward", "true"),
    ("rdns_resolver", "9.9.9.9"),
    ("accelerator", "tcg"), ("recipe_dir", "/srv/recipes"),
    ("instant_templates", "auto"), ("instant_storage", "20"), ("image_downloads", "off"), ("novnc_dir", "/srv/novnc"),
    ("log_level", "debug"), ("log_format", "json"), ("metrics_listen", "[::1]:9109"), ("overcommit_vcpus", "1.5"),
    ("overcommit_memory", "0.8"), ("overcommit_storage", "100"),
    ("rate_limit", "0"), ("login_failures", "5"), ("body_bytes", "4096"), ("json_depth", "128"),
    ("list_elements", "1"), ("firewall_rules", "1000"), ("firewall_networks", "50000"), ("page_size", "1000"),
    ("header_bytes", "8192"),
    ("first_request_seconds", "5"), ("idle_seconds", "30"), ("transfer_seconds", "120"), ("connections", "0"),
    ("connections_per_address", "8"),
    ("event_streams_per_account", "0"),
    ("consoles", "0"), ("consoles_per_account", "1"), ("consoles_per_server", "1000000"),
    ("console_ticket_seconds", "3600"), ("server_quota", "1000000"), ("copy_quota", "0"),
    ("token_quota", "7"), ("ssh_key_quota", "0"), ("idempotency_quota", "0"), ("idempotency_bytes", "65536"),
    ("currency", "EUR"), ("backup_price_percent", "0"), ("suspended_price_percent", "10"), ("suspension_days", "7"),
    ("bandwidth_overage", "throttle"), ("bandwidth_throttle", "100000"), ("bandwidth_price", "0.000001"),
    ("state_backups.directory", "/srv/backups"), ("state_backups.every", "6h"), ("state_backups.keep", "28"),
    ("notify.command", "[/usr/sbin/sendmail, -t, -i]"), ("notify.webhook", "https://hooks.example.com/vpsd"),
    ("notify.secret_file", "/etc/vpsd/webhook.secret"), ("notify.from", "noreply@example.com"),
  ]

  private static let server = "postgresql://vpsd@db.example.com/vpsd"

  /// What a key cannot be without: this machine's own network has no IPv6, for one.
  static let others = [
    "host_name": ["VPSD_DATABASE": server, "VPSD_DRIVER": "simulated", "VPSD_HOST_URL": "http://a"],
    "host_location": [
      "VPSD_DATABASE": server, "VPSD_DRIVER": "simulated", "VPSD_HOST_NAME": "a", "VPSD_HOST_URL": "http://a",
    ],
    "host_url": ["VPSD_DATABASE": server, "VPSD_DRIVER": "simulated", "VPSD_HOST_NAME": "a"],
    "address_pool6": ["VPSD_DRIVER": "simulated"], "network": ["VPSD_ADDRESS_POOL": "203.0.113.0/26"],
    "forward_range": ["VPSD_NETWORK": "routed", "VPSD_ADDRESS_POOL": "10.77.0.0/24"],
    "bandwidth_overage": ["VPSD_DRIVER": "simulated"],
    "rdns.server": ["VPSD_RDNS_KEY_FILE": "/etc/key"],
    "notify.command": ["VPSD_NOTIFY_FROM": "vps@example.com"],
    "notify.webhook": ["VPSD_NOTIFY_SECRET_FILE": "/etc/secret"],
  ]

  @Test("Every key can be set in the environment and in the file", arguments: examples)
  func everyKey(_ name: String, _ written: String) async throws {
    let key = try #require(ConfigurationKey.all.first { $0.name == name })
    let plain = written.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    let text = key.isList ? written.replacing(" ", with: "").dropFirst().dropLast().description : written
    let others = Self.others[name] ?? [:]
    let fromEnvironment = try Self.load(environment: others.merging([key.variable: text]) { $1 })
    #expect(key.read(fromEnvironment).joined(separator: ", ") == (key.isList ? plain : written))
    #expect(fromEnvironment != (try? Self.load(environment: others)))
    try await withFile("\(name): \(key.isList ? written : "\"\(written)\"")\n") { loader async throws in
      var loader = loader
      loader.environment = others
      #expect(try loader.load().configuration == fromEnvironment)
    }
  }

  @Test("Every key has such an example, and a name of its own")
  func coverage() {
    #expect(Self.examples.map(\.0) == ConfigurationKey.all.map(\.name))
    #expect(Set(ConfigurationKey.all.map(\.name)).count == ConfigurationKey.all.count)
  }

  @Test("The environment wins over the file, and the command line over both")
  func precedence() async throws {
    try await withFile("driver: libvirt\nlog_level: debug\noutbound: true\n") { loader in
      var loader = loader
      loader.environment = ["VPSD_DRIVER": "libvirt", "VPSD_LOG_LEVEL": "error", "VPSD_LISTEN": ""]
      loader.options = ["driver": "simulated"]
      let configuration = try loader.load().configuration
      #expect(configuration.driver == .simulated)
      #expect(try configuration.yaml().contains("\nlog_level: error\n"))
      #expect(try configuration.yaml().contains("\noutbound: true\n"))
      #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 8080))
    }
  }

  @Test("Relative paths in the file begin at the file, those in the environment at the working directory")
  func relativePaths() async throws {
    try await withFile("data_dir: ../data\nimage_dir: ./images\n") { loader in
      let folder = try #require(loader.file).deletingLastPathComponent()
      let configuration = try loader.load().configuration
      #expect(configuration.dataDirectory.path == folder.deletingLastPathComponent().path + "/data")
      #expect(configuration.imageDirectory.path == folder.path + "/images")

      var withEnvironment = loader
      withEnvironment.environment = ["VPSD_DATA_DIR": "data"]
      let overridden = try withEnvironment.load().configuration
      #expect(overridden.dataDirectory.path == "/srv/work/data")
      #expect(overridden.imageDirectory.path == folder.path + "/images")
    }
  }

  @Test("The images move with the data, unless they have a place of their own")
  func imagesFollowData() throws {
    #expect(try Self.load(environment: ["VPSD_DATA_DIR": "/data"]).imageDirectory.path == "/data/images")
    let both = ["VPSD_DATA_DIR": "/data", "VPSD_IMAGE_DIR": "/shared"]
    #expect(try Self.load(environment: both).imageDirectory.path == "/shared")
    #expect(try Self.load(environment: both).copyDirectory.path == "/data/copies")
  }

  @Test("What is printed can be read again, and says the same")
  func roundTrip() async throws {
    let configuration = try Self.load(environment: [
      "VPSD_DATA_DIR": "/srv/данни: # \"x\"", "VPSD_FORWARDED_PORTS": "22", "VPSD_LISTEN": "[::]:80",
      "VPSD_OVERCOMMIT_MEMORY": "0.75",
    ])
    try await withFile(configuration.yaml()) { loader async throws in
      #expect(try loader.load().configuration == configuration)
    }
  }

  @Test("The keys of a section stand below its name, and what is printed of them says the same")
  func sections() async throws {
    let text = """
      notify:
        command: [/opt/mail program, -t, "$(id)"]
        from: noreply@example.com
      currency: EUR
      """
    try await withFile(text) { loader async throws in
      let configuration = try loader.load().configuration
      #expect(configuration.notify.command == ["/opt/mail program", "-t", "$(id)"])
      #expect(configuration.notify.from?.text == "noreply@example.com" && configuration.rates.currency == "EUR")
      try await withFile(configuration.yaml()) { loader async throws in
        #expect(try loader.load().configuration == configuration)
      }
    }
  }

  @Test("docs/configuration.md has the table of the keys as they are; `vpsd config --table` prints it")
  func documentation() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
    let begin = try #require(page.range(of: "<!-- keys: begin -->\n"))
    let end = try #require(page[begin.upperBound...].range(of: "\n<!-- keys: end -->"))
    #expect(page[begin.upperBound..<end.lowerBound] == ConfigurationReference.markdown)
    #expect(page.contains("begin -->\n\(ConfigurationReference.locationMarkdown)\n<!-- location keys: end -->"))
  }
}
