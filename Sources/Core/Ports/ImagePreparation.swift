/// How far the image of a disk is.
package enum ImagePreparation: Sendable, Equatable {
  case ready(version: String)
  /// The host fetches it, and tells of that by `knownAbsence`.
  case underWay
}

/// What is known of an image that a host does not have.
package enum ImageAbsence: Sendable, Equatable {
  /// It is on its way.
  case beingFetched(ImageFetch)
  /// It is not to be had before this time has passed; who asks for it then may have it tried again.
  case unavailable(for: Duration)
}

package enum ImageFetch: Sendable, Equatable {
  /// Others are fetched first.
  case waiting
  /// - Parameter totalBytes: Nil where its publisher does not tell.
  case downloading(bytes: Int64, totalBytes: Int64?)
  /// It is verified, and made a disk of.
  case preparing
}
