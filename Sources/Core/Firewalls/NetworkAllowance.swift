/// What a server's network card may do, in addition to the limits of its firewall.
package struct NetworkAllowance: Sendable, Equatable, Codable {
  /// Whether it may open connections to TCP port 25 even where the host blocks that for others.
  package var mayMail: Bool
  /// The highest speed in each direction, in millions of bits a second; nil for as much as the host can do.
  package var speedMbit: Int?

  package init(mayMail: Bool = false, speedMbit: Int? = nil) {
    self.mayMail = mayMail
    self.speedMbit = speedMbit
  }

  package static let standard = NetworkAllowance()
}
