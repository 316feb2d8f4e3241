package import HostNetwork

extension LibvirtDriver {
  /// What an operator can ask about the links of its servers; nil where they have none.
  package var links: ServerLinks? { (network as? TapNetwork)?.links }
}
