import Core
import Foundation
import LibvirtDriver

/// Derives findings from the facts. Pure: the same facts give the same findings.
enum Diagnosis {
  static func findings(_ facts: HostFacts) -> [Finding] {
    let runsMachines = facts.configuration.driver == .libvirt
    return (runsMachines ? accelerator(facts) + programs(facts) + libvirt(facts) + images(facts) : [])
      + folders(facts) + (runsMachines ? memory(facts) : []) + pools(facts) + ports(facts)
      + (runsMachines ? network(facts) : []) + incus(facts) + names(facts) + clock(facts) + permissions(facts)
      + database(facts)
      + stateBackups(facts)
      + machines(facts)
      + facts.orphans.map(\.finding)
  }

  private static func accelerator(_ facts: HostFacts) -> [Finding] {
    let (wanted, processor) = (facts.configuration.accelerator, facts.processor)
    if wanted == .tcg || (processor.isCapable && processor.device == .open) { return [] }
    let text: String
    let remedy: String
    switch (processor.isCapable, processor.device) {
    case (true, .missing):
      (text, remedy) = ("there is no /dev/kvm, though the processor can", "modprobe kvm_intel || modprobe kvm_amd")
    case (true, _):
      (text, remedy) = ("/dev/kvm cannot be opened by the user of vpsd", "usermod -aG kvm \"$USER\"")
    case (false, _):
      (text, remedy) = (
        "the processor shows no virtualisation (vmx, svm)",
        "turn virtualisation on in the firmware, or nested virtualisation where this host is a machine itself"
      )
    }
    if wanted == .kvm {
      return [.error(.accelerator, text, "with `accelerator: kvm` no server can start", remedy: remedy)]
    }
    return [.warning(.accelerator, text, "servers run some ten times slower (TCG)", remedy: remedy)]
  }

  private static func programs(_ facts: HostFacts) -> [Finding] {
    facts.missingPrograms.map { missing in
      let text = "\(missing.program) is not installed"
      let remedy = "apt install \(missing.package)"
      return missing.isNeeded
        ? .error(.programs, text, "servers cannot be made or started without it", remedy: remedy)
        : .warning(.programs, text, "what needs it does not work: see docs/operating.md", remedy: remedy)
    }
  }

  private static func libvirt(_ facts: HostFacts) -> [Finding] {
    var found: [Finding] = facts.silentHosts.filter { !facts.isOnIncus($0.host) }.map { host, reason in
      .error(
        .libvirt, "the host \(host) does not answer: \(reason)", "nothing of its servers can be seen or changed",
        remedy: facts.configuration.libvirtd == .host ? "systemctl restart libvirtd" : "systemctl restart vpsd")
    }
    if facts.configuration.libvirtd == .own, !facts.isRoot {
      found.append(
        .error(
          .libvirt, "vpsd is not root", "with `libvirtd: own` it can start no libvirtd and no server",
          remedy: "run it as root (packaging/deb/vpsd.service), or set `libvirtd: host`"))
    }
    if let obstacle = facts.emulatorObstacle {
      let text = "QEMU cannot have a user for each server: \(obstacle)"
      let remedy = "sysctl net.ipv4.ip_unprivileged_port_start=22 (docs/operating.md, As whom QEMU runs)"
      found.append(
        facts.configuration.libvirtd == .host
          ? .error(.libvirt, text, "with `libvirtd: host` the service does not start", remedy: remedy)
          : .warning(
            .libvirt, text, "it runs as root in its sandbox, and who breaks out of that is root", remedy: remedy))
    }
    return found
  }

  private static func images(_ facts: HostFacts) -> [Finding] {
    facts.images.filter { !$0.isThere && !$0.isFetched }.map { image in
      .warning(
        .images, "\(image.system) is for sale, and its image \(image.name) is not there",
        "whoever orders it gets a server in error",
        remedy: "vpsd image build \(image.name)  (or vpsd image add, or vpsd os retire)")
    }
  }

  private static func clock(_ facts: HostFacts) -> [Finding] {
    var found: [Finding] = []
    if facts.isClockSynchronised == false {
      found.append(
        .warning(
          .clock, "nothing keeps the clock right", "hours are charged and second factors checked by it",
          remedy: "timedatectl set-ntp true  (or apt install chrony)"))
    }
    if facts.isBillingClockDoubted {
      found.append(
        .error(
          .clock, "the clock is far from when hours were charged last", "nothing is charged until you have looked",
          remedy: "vpsd credit confirm-clock  (once `date` is right)"))
    }
    return found
  }

  private static func machines(_ facts: HostFacts) -> [Finding] {
    facts.differences.map {
      .error(
        .libvirt, $0, "a server is not what its customer sees, for longer than the service takes to mend that",
        remedy: "vpsd check; vpsd server list --status error")
    }
  }
}
