import Foundation

extension ListenAddress {
  /// Why nobody can listen at the address; nil where it is possible, or where the port is 0.
  func obstacle() -> String? {
    guard port > 0 else { return nil }
    return tried(isPassive: true) { descriptor, address, length in
      var yes: CInt = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<CInt>.size))
      return bind(descriptor, address, length) == 0 && Foundation.listen(descriptor, 1) == 0
    }
  }

  /// Whether something accepts connections at the address.
  func isAnswered() -> Bool {
    tried(isPassive: false) { descriptor, address, length in connect(descriptor, address, length) == 0 } == nil
  }

  /// Nil where the attempt succeeds with any address of the host's name, else the reason of the last failure.
  private func tried(isPassive: Bool, _ attempt: (CInt, UnsafePointer<sockaddr>, socklen_t) -> Bool) -> String? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = isPassive ? AI_PASSIVE : 0
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &list)
    guard status == 0, let first = list else { return String(cString: gai_strerror(status)) }
    defer { freeaddrinfo(first) }
    var reason = "it has no address"
    for entry in sequence(first: first, next: { $0.pointee.ai_next }) {
      guard let address = entry.pointee.ai_addr else { continue }
      let descriptor = socket(entry.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      if attempt(descriptor, address, entry.pointee.ai_addrlen) { return nil }
      reason = String(cString: strerror(errno))
    }
    return reason
  }
}
