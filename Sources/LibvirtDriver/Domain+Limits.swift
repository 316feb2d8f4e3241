import CLibvirt
import Core

extension Domain {
  /// Applies the limits to a running machine at once.
  func limitDisk(to limits: ResourceLimits) throws {
    let values = DiskLimits(limits).values.map { ($0.name, UInt64($0.value)) }
    let affected = VIR_DOMAIN_AFFECT_LIVE.rawValue
    try withParameters(values, virTypedParamsAddULLong) { parameters, count in
      try check(virDomainSetBlockIoTune(pointer, "vda", parameters, count, affected), "limit the disk of")
    }
  }

  /// Applies the weight to a running machine at once. Needs a libvirtd that uses control groups.
  func setProcessorWeight(_ weight: Int) throws {
    let affected = VIR_DOMAIN_AFFECT_LIVE.rawValue
    let shares = UInt64(ControlGroups.shares(ofWeight: weight))
    try withParameters([(VIR_DOMAIN_SCHEDULER_CPU_SHARES, shares)], virTypedParamsAddULLong) {
      parameters, count in
      try check(virDomainSetSchedulerParametersFlags(pointer, parameters, count, affected), "set the CPU shares of")
    }
  }

  private typealias Add = (
    UnsafeMutablePointer<virTypedParameterPtr?>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>,
    UnsafePointer<CChar>, UInt64
  ) -> Int32

  private func withParameters(
    _ values: [(String, UInt64)], _ add: Add, _ body: (virTypedParameterPtr?, Int32) throws -> Void
  ) throws {
    var parameters: virTypedParameterPtr?
    var count: Int32 = 0
    var capacity: Int32 = 0
    defer { virTypedParamsFree(parameters, count) }
    for (name, value) in values { try check(add(&parameters, &count, &capacity, name, value), "name a value for") }
    try body(parameters, count)
  }
}

/// Disk limits by libvirt's parameter names; 0 means no limit.
struct DiskLimits {
  let values: [(name: String, value: Int64)]

  init(_ limits: ResourceLimits) {
    values = [
      ("total_bytes_sec", Int64(limits.diskMiBPerSecond ?? 0) << 20), ("total_iops_sec", Int64(limits.diskIOPS ?? 0)),
    ]
  }

  var markup: [Markup] {
    let named = values.filter { $0.value > 0 }.map { Markup($0.name, text: String($0.value)) }
    return named.isEmpty ? [] : [Markup("iotune", [:], named)]
  }
}
