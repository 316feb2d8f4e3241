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

  private static let space = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"

  /// Without this capability libvirt reads the features of the processor in two questions, and not each in one of its own, some
  /// 400 at each start. It uses them only for a check that we do not ask for, and shows them in the definition of the running machine.
  private static let briefly =
    "<qemu:capabilities \(space)><qemu:del capability='cpu-unavailable-features'/></qemu:capabilities>"

  /// Adds the port to a definition as libvirt prints it; nil if that is malformed.
  ///
  /// - Parameter isIncoming: Whether the machine waits for its memory instead of booting.
  static func adding(to definition: String, isIncoming: Bool) -> String? {
    let arguments = arguments + (isIncoming ? ["-incoming", "defer"] : [])
    let markup = arguments.map { Markup("qemu:arg", ["value": $0]).rendered }.joined()
    let (open, close) = ("<qemu:commandline>", "</qemu:commandline>")
    var text = definition
    if let end = text.range(of: close, options: .backwards) {
      text.insert(contentsOf: markup, at: end.lowerBound)
    } else if let end = text.range(of: "</domain>", options: .backwards) {
      text.insert(contentsOf: open.dropLast() + " \(space)>" + markup + close, at: end.lowerBound)
    } else {
      return nil
    }
    if isIncoming, let end = text.range(of: "</domain>", options: .backwards) {
      text.insert(contentsOf: briefly, at: end.lowerBound)
    }
    return text
  }
}
