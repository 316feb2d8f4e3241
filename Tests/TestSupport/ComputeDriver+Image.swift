package import Core

extension ComputeDriver {
  /// The version of an image that is ready; throws `busy` if the image has yet to be fetched.
  package func readyImage(_ name: String, storageGiB: Int) async throws -> String {
    switch try await prepareImage(name, storageGiB: storageGiB) {
    case .ready(let version): return version
    case .underWay: throw DriverError(.busy, "\(name) is being fetched")
    }
  }
}
