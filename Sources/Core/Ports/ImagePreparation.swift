/// Whether an image is ready for making a disk.
package enum ImagePreparation: Sendable, Equatable {
  case ready(version: String)
  /// The host is fetching it; `knownAbsence` tells how far that is.
  case underWay
}

/// Why a host does not have an image.
package enum ImageAbsence: Sendable, Equatable {
  /// It is being fetched.
  case beingFetched(ImageFetch)
  /// Fetching it failed, and is not tried again before this time has passed; a request after that may retry it.
  case unavailable(for: Duration)
}

package enum ImageFetch: Sendable, Equatable {
  /// Other images are fetched first.
  case waiting
  /// - Parameter totalBytes: Nil if the publisher does not tell.
  case downloading(bytes: Int64, totalBytes: Int64?)
  /// It is being verified, and converted to a disk.
  case preparing
}
