import Core
import Foundation
import HostPrograms
import PrivateFiles
import TestSupport
import Testing

@testable import LibvirtDriver

/// A machine that is to start from a template.
struct InstantMachine: Sendable {
  let host: PrivateHost
  let specification: MachineSpecification

  /// What no two servers may have in common.
  struct Identity: Sendable {
    /// By name, in the order in which the guest prints them.
    let values: [(name: String, value: String)]

    subscript(name: String) -> String? { values.first { $0.name == name }?.value }

    static func each(of identities: [Identity]) -> [(name: String, values: [String])] {
      (identities.first?.values ?? []).map { entry in (entry.name, identities.map { $0[entry.name] ?? "" }) }
    }
  }

  /// One program, because each further process takes 0.1 s without hardware virtualisation. The key of TCP's sequence numbers
  /// is seen by connections between the same ports: the differences between their first numbers are the same whenever the
  /// key is the same. The guest also chooses some ports by itself.
  private static let questions = """
    use Socket;
    sub say { print "$_[0] $_[1]\\n" }
    sub content { open F, "<", shift; my $t = join "", <F>; close F; $t }
    sub line { (split " ", content(shift))[0] }
    sub own { sockaddr_in(shift, inet_aton("127.0.0.1")) }
    say "machine-id", line("/etc/machine-id");
    say "boot-id", line("/proc/sys/kernel/random/boot_id");
    say "uuid", line("/sys/class/dmi/id/product_uuid");
    say "tables", unpack("H*", content("/sys/firmware/dmi/tables/DMI"));
    say "key", (split " ", content("/etc/ssh/ssh_host_ed25519_key.pub"))[1];
    say "hostname", line("/etc/hostname");
    say "kernel-uuid", line("/proc/sys/kernel/random/uuid");
    syscall(318, $r = "\\0" x 16, 16, 0); say "random", unpack("H*", $r);
    say "card", line("/sys/class/net/eth0/address");
    say "link-local", content("/proc/net/if_inet6") =~ /^(fe80\\w+).* eth0\\n/m;
    socket(P, 17, 3, 8);
    for $p (1 .. 3) {
      socket(L, 2, 1, 0); bind(L, own($p)); listen(L, 5);
      socket(C, 2, 1, 0); bind(C, own(700 + $p)); connect(C, own($p));
      do { recv(P, $f, 200, 0) } until unpack("n", substr($f, 36, 2)) == $p && unpack("C", substr($f, 47, 1)) == 2;
      push @s, unpack("N", substr($f, 38, 4));
      socket(D, 2, 1, 0); connect(D, own($p)); push @d, (sockaddr_in(getsockname D))[0];
    }
    say "sequence", join "-", map { (($s[$_] - $s[0]) & 0xffffffff) >> 20 } 1, 2;
    say "ports", join "-", @d;
    syscall(228, 0, $t = "\\0" x 16); say "time", sprintf("%d.%09d", unpack("qq", $t));
    """

  /// Starts it, and returns its identity.
  func wakes() async throws -> Identity {
    let (driver, files) = (host.driver, host.driver.files(of: specification.machine))
    try await driver.ensureDefined(specification)
    #expect(MachineFiles.exists(files.clone))
    let begin = ContinuousClock.now
    try await driver.start(specification.machine)
    #expect(!MachineFiles.exists(files.clone))
    #expect(try !Self.isBooted(specification.machine))
    let started = ContinuousClock.now
    try await eventually("its sshd greets", within: .seconds(120), every: .milliseconds(50)) {
      try await driver.readiness(of: specification.machine).hasSSHBanner
    }
    #expect(try await driver.readiness(of: specification.machine).isInstant)
    let greeted = ContinuousClock.now
    let identity = try await identity()
    print("started \(started - begin), greeting \(greeted - begin), login \(ContinuousClock.now - begin)")
    #expect(identity["machine-id"] == machineID)
    #expect(identity["uuid"] == specification.machine.text)
    #expect(identity["hostname"] == specification.hostname.firstLabel)
    let card = driver.hardwareAddress(of: specification)
    #expect(identity["card"] == "\(card)")
    // By EUI-64: there is no secret, as of RFC 7217, from which it would follow.
    #expect(identity["link-local"] == Self.linkLocal(card))
    try isAlone()
    return identity
  }

  private static func linkLocal(_ card: HardwareAddress) -> String {
    let bytes = card.description.split(separator: ":").compactMap { UInt8($0, radix: 16) }
    let identifier = [bytes[0] ^ 2] + bytes[1...2] + [0xFF, 0xFE] + bytes[3...]
    return "fe80000000000000" + identifier.map { String(format: "%02x", $0) }.joined()
  }

  /// Its QEMU is the user that its files belong to, who cannot read a template's, and has nothing of a template open.
  private func isAlone() throws {
    let (driver, files) = (host.driver, host.driver.files(of: specification.machine))
    let process = try #require(PrivateHost.emulator(of: specification.machine))
    let owner = try FileOwner(of: "/proc/\(process)")
    #expect(try owner.user == FileOwner(of: files.disk).user)
    #expect((owner.user == 0) == (driver.emulatorUser == .root))
    let templates = try driver.templates.templates().values.compactMap { $0 }
    #expect(templates.contains { VerifiedTemplates.prints(of: $0) != nil })
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\($0)")
    }
    #expect(open.contains { $0.hasSuffix(files.disk) })
    #expect(!open.contains { $0.contains("/templates/") })
    #expect(try !String(contentsOfFile: "/proc/\(process)/maps", encoding: .utf8).contains("/templates/"))
  }

  /// By what a DHCP client that its customer turns on calls itself. None runs before. For a machine that has settled: systemd starts
  /// anew before that, and breaks off a systemctl that waits.
  func announcement() async throws -> Identity {
    let answer = try await host.ssh(
      specification,
      """
      cat /proc/sys/net/ipv6/conf/*/stable_secret 2>/dev/null
      ls -A /var/lib/dhcp /run/systemd/netif/leases | grep -v :
      pgrep dhc; systemctl is-active systemd-networkd
      mkdir -p /run/systemd/network
      printf '[Match]\nName=eth0\n[Network]\nDHCP=yes\nKeepConfiguration=yes\n' >/run/systemd/network/10.network
      systemctl start systemd-networkd && /lib/systemd/systemd-networkd-wait-online --interface=eth0 --timeout=60
      cat /run/systemd/netif/leases/2 /run/systemd/netif/links/2 | grep -E '^(CLIENTID|DHCP6_CLIENT_DUID)='
      """)
    let lines = answer.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines.first == "inactive", "\(answer)")
    return Identity(
      values: lines.dropFirst().map { line in
        let words = line.split(separator: "=", maxSplits: 1).map(String.init)
        return (name: words[0], value: words.last ?? "")
      })
  }

  private var machineID: String { specification.machine.text.filter { $0 != "-" } }

  /// Also compares the clocks.
  private func identity() async throws -> Identity {
    let before = Date().timeIntervalSince1970
    let answer = try await host.ssh(specification, "perl -e '\(Self.questions)'")
    let after = Date().timeIntervalSince1970
    var values = answer.split(separator: "\n").map { line in
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      return (name: words[0], value: words.count > 1 ? words[1] : "")
    }
    let time = try #require(values.popLast().flatMap { Double($0.value) }, "\(answer)")
    #expect(before - 0.1 <= time && time <= after + 0.1)
    #expect(values.count == 12, "\(answer)")
    return Identity(values: values)
  }

  /// What the first login does not wait for.
  func settles() async throws {
    try await eventually("the rest of the system is there", within: .seconds(180), every: .seconds(2)) {
      try await host.ssh(
        specification,
        """
        ls /var/log/journal; cat /var/lib/vpsd/first-boot; test -s /etc/ssh/ssh_host_ecdsa_key.pub && systemctl is-active \
        ssh.service systemd-logind.service apt-daily.timer; ls /run/systemd/system/ssh.service.d; \(Self.nameOfListener)
        """
      ) == "\(machineID)\napplied\nactive\nactive\nactive\nsshd"
    }
    // An sshd that is reloaded, and that of a guest that restarts it, refuses connections for a moment.
    for change in ["reload", "restart"] {
      _ = try await host.ssh(specification, "systemctl \(change) ssh.service")
      try await eventually("sshd listens after a \(change)", within: .seconds(120), every: .milliseconds(500)) {
        (try? await host.ssh(specification, Self.nameOfListener)) == "sshd"
      }
    }
    let answer = try await host.ssh(specification, "hostname -f; echo $(df --output=size -BG / | tail -1)")
    #expect(answer == "\(specification.hostname.name)\n\(specification.storageGiB)G")
  }

  private static let nameOfListener =
    "cat /proc/$(systemctl show --property MainPID --value ssh.service)/comm"

  /// Whoever restarts sshd at once gets it.
  func takesRestart() async throws {
    let answer = try await host.ssh(
      specification,
      """
      \(Self.nameOfListener); systemctl restart ssh.service; systemctl is-active ssh.service
      key=/etc/ssh/ssh_host_ed25519_key; stat -c '%U %G %a' $key $key.pub
      [ "$(ssh-keygen -y -f $key)" = "$(cut -d ' ' -f 1,2 $key.pub)" ]; echo $? $(cut -d ' ' -f 3 $key.pub)
      """)
    #expect(
      answer == """
        take-identity
        active
        root root 600
        root root 644
        0 root@\(specification.hostname.firstLabel)
        """)
    try await eventually("sshd listens", within: .seconds(120), every: .milliseconds(500)) {
      (try? await host.ssh(specification, Self.nameOfListener)) == "sshd"
    }
  }

  /// Its next start is a boot like any other, of the same server.
  func boots(knownBy identity: Identity) async throws {
    _ = try await host.ssh(specification, "echo kept >/root/file && sync")
    try await host.driver.powerOff(specification.machine)
    try await host.driver.ensureDefined(specification)
    try await host.driver.start(specification.machine)
    #expect(try Self.isBooted(specification.machine))
    try await host.awaitReady(specification)
    let again = try await self.identity()
    for name in ["machine-id", "uuid", "key", "hostname", "card"] { #expect(again[name] == identity[name]) }
    for name in ["boot-id", "sequence", "random"] { #expect(again[name] != identity[name]) }
    expectEqual(try await host.ssh(specification, "cat /root/file"), "kept")
  }

  static func isBooted(_ machine: UUID) throws -> Bool {
    let process = try #require(try HostProcess.all().first { $0.isEmulator && $0.mentions(machine.text) })
    return !process.mentions("-incoming") && !process.mentions("identity")
  }
}
