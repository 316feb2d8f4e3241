import CLibvirt
import Foundation

/// libvirt's event loop, once a process: keepalives, lost connections and lifecycle events all come through it.
/// It has to be registered before the first connection is opened.
enum EventLoop {
  static func ensureRunning() { _ = started }

  private static let started: Bool = {
    virInitialize()
    // libvirt writes to sockets whose other end may be gone, and leaves the signal to its users.
    signal(SIGPIPE, SIG_IGN)
    // By default libvirt also prints every error; they are thrown here.
    virSetErrorFunc(nil) { _, _ in }
    guard virEventRegisterDefaultImpl() == 0 else { return false }
    let thread = Thread {
      while true {
        // A failing loop must not spin; a thread of its own may sleep.
        if virEventRunDefaultImpl() < 0 { usleep(50_000) }
      }
    }
    thread.name = "libvirt-events"
    thread.start()
    return true
  }()
}
