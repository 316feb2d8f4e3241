package import Testing

/// Expects the same as `#expect(found == wanted)`, which tells what was found only where nothing in it can throw or wait.
package func expectEqual<Value: Equatable>(
  _ found: Value, _ wanted: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found == wanted, sourceLocation: sourceLocation)
}
