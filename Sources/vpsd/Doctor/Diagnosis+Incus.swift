extension Diagnosis {
  static func incus(_ facts: HostFacts) -> [Finding] {
    let silent = facts.silentHosts.filter { facts.isOnIncus($0.host) }.map { host, reason in
      Finding.error(
        .incus, "the host \(host) does not answer: \(reason)", "nothing of its servers can be seen or changed",
        remedy: "systemctl restart incus  (where it runs; docs/clusters.md)")
    }
    return silent
      + facts.incusFaults.map { host, fault in
        .error(
          .incus, "the Incus of the host \(host): \(fault)",
          "servers there cannot be made, or are not as they were sold",
          remedy: "see docs/clusters.md, What Incus needs")
      }
  }
}

extension HostFacts {
  func isOnIncus(_ host: String) -> Bool {
    configuration.locations[String(host.prefix { $0 != "/" })]?.driver == .incus
  }
}
