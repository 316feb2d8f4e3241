import Core
import Testing

@Suite("The addresses that servers are given")
struct AddressPoolTests {
  private func range(_ first: String, _ last: String) -> ClosedRange<IPv4Address> {
    IPv4Address(first)!...IPv4Address(last)!
  }

  @Test("Networks without their first and last address, ranges whole, and holes where something is reserved")
  func reading() {
    #expect(AddressPool("127.80.0.0/29")?.ranges == [range("127.80.0.1", "127.80.0.6")])
    #expect(AddressPool(["10.0.0.7-10.0.0.7"])?.ranges == [range("10.0.0.7", "10.0.0.7")])
    #expect(
      AddressPool(["10.0.1.0/24", "10.0.0.1-10.0.0.9"], reserved: ["10.0.0.4-10.0.0.5", "10.0.1.0/25", "10.0.1.254"])?
        .ranges
        == [range("10.0.0.1", "10.0.0.3"), range("10.0.0.6", "10.0.0.9"), range("10.0.1.128", "10.0.1.253")])
    #expect(AddressPool(["10.0.0.1-10.0.0.9"], reserved: ["192.0.2.0/24"])?.ranges == [range("10.0.0.1", "10.0.0.9")])
  }

  @Test(
    "What is no pool is refused",
    arguments: [
      [""], ["10.0.0.0"], ["10.0.0.1/24"], ["10.0.0.0/31"], ["10.0.0.0/7"], ["10.0.0.9-10.0.0.1"], ["10.0.0.1-"],
      ["10.0.0.0/24", "10.0.0.200-10.0.1.1"], ["10.0.0.0/24", "10.0.0.0/24"], ["10.0.0.0/+24"], ["::/64"],
      [String](repeating: "10.0.0.0/24", count: 200),
    ])
  func refused(texts: [String]) {
    #expect(AddressPool(texts) == nil)
  }

  @Test("A pool of which everything is reserved is none, and neither is one with a reservation that says nothing")
  func nothingLeft() {
    #expect(AddressPool(["10.0.0.0/30"], reserved: ["10.0.0.0/24"]) == nil)
    #expect(AddressPool(["10.0.0.0/24"], reserved: ["everything"]) == nil)
    #expect(AddressPool([]) == nil)
  }
}
