/// What a server's network card may do, beside what its firewall lets through.
package struct NetworkAllowance: Sendable, Equatable, Codable {
  /// Whether it may open connections to TCP port 25 where others may not.
  package var mayMail: Bool
  /// What may pass in each direction, in millions of bits a second; nil for as much as the host passes on.
  package var speedMbit: Int?

  package init(mayMail: Bool = false, speedMbit: Int? = nil) {
    self.mayMail = mayMail
    self.speedMbit = speedMbit
  }

  package static let standard = NetworkAllowance()
}
