import Core

/// A shutdown and a start, so that the machine boots anew for certain, with its newest definition.
typealias RebootServer = Chain<StopServer, StartServer>

extension RebootServer {
  init() {
    self.init(StopServer(success: nil), StartServer())
  }
}
