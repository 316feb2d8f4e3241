import CLibvirt
import Foundation

/// libvirt's event loop, which runs once in a process: keepalives, lost connections and lifecycle events all come through it.
/// It has to be registered before the first connection is opened.
enum EventLoop {
  static func ensureRunning() { _ = started }

  private static let started: Bool = {
    virInitialize()
    // libvirt writes to sockets whose other end may be closed, and leaves SIGPIPE to its users.
    signal(SIGPIPE, SIG_IGN)
    // By default libvirt also prints every error; here errors are thrown.
    virSetErrorFunc(nil) { _, _ in }
    guard virEventRegisterDefaultImpl() == 0 else { return false }
    let thread = Thread {
      while true {
        // A loop that keeps failing must not spin. This thread does nothing else, so it may sleep.
        if virEventRunDefaultImpl() < 0 { usleep(50_000) }
      }
    }
    thread.name = "libvirt-events"
    thread.start()
    return true
  }()
}
