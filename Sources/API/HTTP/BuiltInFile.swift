package import CBuild

extension BuiltInFile {
  package var content: [UInt8] { Array(UnsafeBufferPointer(start: bytes, count: count)) }
}
