import Core

/// A shutdown and a start: the machine comes back with its newest definition, and a new boot is certain.
typealias RebootServer = Chain<StopServer, StartServer>

extension RebootServer {
  init() {
    self.init(StopServer(success: nil), StartServer())
  }
}
