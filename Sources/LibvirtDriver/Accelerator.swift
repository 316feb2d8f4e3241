import Foundation

/// What executes the guests' code.
package enum Accelerator: String, Sendable, Equatable {
  case kvm
  case tcg

  /// libvirt's name for it.
  var domainType: String { self == .kvm ? "kvm" : "qemu" }

  /// KVM only if the processor reports virtualisation: `/dev/kvm` may exist on hosts where machines die on it.
  static func detected() -> Accelerator {
    guard let processors = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return .tcg }
    return detected(processors: processors, canOpenDevice: canOpenDevice())
  }

  static func detected(processors: String, canOpenDevice: Bool) -> Accelerator {
    let flags = processors.split(separator: "\n").first { $0.hasPrefix("flags") }?.split(separator: " ") ?? []
    return canOpenDevice && (flags.contains("vmx") || flags.contains("svm")) ? .kvm : .tcg
  }

  static func canOpenDevice() -> Bool {
    let descriptor = open("/dev/kvm", O_RDWR | O_CLOEXEC)
    if descriptor >= 0 { close(descriptor) }
    return descriptor >= 0
  }
}
