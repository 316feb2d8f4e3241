package struct ImageLimits: Sendable {
  /// For what is fetched or copied.
  package var sourceBytes: Int64 = 16 << 30
  /// For the disk that a guest sees, and for intermediate unpacked files.
  package var diskBytes: Int64 = 64 << 30
  /// For all downloads of one image together.
  package var downloadTime: Duration = .seconds(6 * 3600)
  /// For each list of checksums, signature or key file, which are short.
  package var listTime: Duration = .seconds(180)

  package init() {}
}
