import Foundation

/// The port through which a machine from a template receives its identity. A machine that boots has none.
enum IdentityPort {
  static let name = "identity"

  /// As JSON, because QEMU creates devices that are given as JSON, as libvirt does, after all others and in their order.
  private static let device = """
    {"driver":"virtserialport","bus":"virtio-serial0.0","nr":30,"chardev":"\(name)","id":"\(name)0",\
    "name":"org.vpsd.identity.0"}
    """
  /// Connected to nothing until the identity is sent.
  private static let arguments = ["-chardev", "null,id=\(name)", "-device", device]

  private static let namespace = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"

  /// Without this capability libvirt reads the features of the processor with two questions, and not with some 400, one for each.
  /// It also refuses processors with features of model-specific registers then, such as many hosts with KVM have.
  private static let fewerQuestions =
    "<qemu:capabilities \(namespace)><qemu:del capability='cpu-unavailable-features'/></qemu:capabilities>"

  /// Adds the port to a definition as libvirt prints it; nil if that is malformed.
  ///
  /// - Parameters:
  ///   - isIncoming: Whether the machine waits for its memory instead of booting.
  ///   - isEmulated: Whether QEMU emulates the processor.
  static func adding(to definition: String, isIncoming: Bool, isEmulated: Bool) -> String? {
    let arguments = arguments + (isIncoming ? ["-incoming", "defer"] : [])
    let markup = arguments.map { Markup("qemu:arg", ["value": $0]).rendered }.joined()
    let (open, close) = ("<qemu:commandline>", "</qemu:commandline>")
    var text = definition
    if let end = text.range(of: close, options: .backwards) {
      text.insert(contentsOf: markup, at: end.lowerBound)
    } else if let end = text.range(of: "</domain>", options: .backwards) {
      text.insert(contentsOf: open.dropLast() + " \(namespace)>" + markup + close, at: end.lowerBound)
    } else {
      return nil
    }
    if isIncoming, isEmulated, let end = text.range(of: "</domain>", options: .backwards) {
      text.insert(contentsOf: fewerQuestions, at: end.lowerBound)
    }
    return text
  }
}
