package struct ImageLimits: Sendable {
  /// Of what is fetched or copied.
  package var sourceBytes: Int64 = 16 << 30
  /// Of the disk that a guest sees, and of what is unpacked on the way to it.
  package var diskBytes: Int64 = 64 << 30
  /// For everything that is fetched.
  package var downloadTime: Duration = .seconds(6 * 3600)
  /// For a list of checksums, a signature or keys, each: they are short.
  package var listTime: Duration = .seconds(180)

  package init() {}
}
