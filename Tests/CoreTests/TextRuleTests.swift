import Core
import Testing

@Suite("Texts from outside")
struct TextRuleTests {
  private static let marks = "a" + String(repeating: "\u{345}\u{334}", count: 250_000)

  @Test(
    "A length is told in Unicode scalars, whatever is seen as one character",
    arguments: [
      ("abc", true), ("abcd", false), ("e\u{301}a", true), ("e\u{301}\u{301}a", false), ("👩‍👩", true), ("👩‍👩‍👧", false),
      ("🇧🇬🇧", true),
    ])
  func length(text: String, fits: Bool) {
    #expect((TextRule(maximumLength: 3).violation(in: text) == nil) == fits)
  }

  @Test("What shows is allowed, and what a terminal or the direction of text obeys is not")
  func controls() {
    let rule = TextRule(maximumLength: 10)
    for value in [0, 9, 10, 13, 0x1B, 0x7F, 0x80, 0x9F, 0x2028, 0x2029, 0x61C, 0x200E, 0x200F] + Array(0x202A...0x202E)
      + Array(0x2066...0x2069)
    {
      #expect(rule.violation(in: "a\(Unicode.Scalar(UInt32(value))!)") != nil, "\(value)")
    }
    for value in [0x20, 0x7E, 0xA0, 0xAD, 0xE9, 0x34F, 0x5D0, 0x627, 0x200B, 0x200D, 0x2027, 0xFEFF, 0x1F600, 0xE0001] {
      #expect(rule.violation(in: "a\(Unicode.Scalar(UInt32(value))!)") == nil, "\(value)")
    }
  }

  @Test("Every kind of name that is read from a text refuses a megabyte of marks at once")
  func expensive() {
    let took = ContinuousClock().measure {
      #expect(ServerName(Self.marks) == nil)
      #expect(CopyName(Self.marks) == nil)
      #expect(Hostname(Self.marks) == nil)
      #expect(Hostname("a." + Self.marks) == nil)
      #expect(Permission(Self.marks) == nil)
      #expect(Permission("servers:" + Self.marks) == nil)
      #expect(Reference<Server>(Self.marks) == nil)
      #expect(IPv4Address(Self.marks) == nil)
      #expect(IPv4Address("127.0.0." + Self.marks) == nil)
      #expect(Timestamp(wireFormat: Self.marks) == nil)
      #expect(Catalogue.initial.location(code: Self.marks) == nil)
      #expect(TextRule(maximumLength: 255).violation(in: Self.marks) != nil)
    }
    #expect(took < .seconds(60))
  }

  @Test("A text for a log or a terminal is escaped and cut")
  func escaped() {
    #expect("a\u{1B}[31m\nb".escaped() == #"a\u{1B}[31m\nb"#)
    #expect("Jürgen 👩‍👩‍👧".escaped() == "Jürgen 👩‍👩‍👧")
    #expect("abcdef".escaped(atMost: 3) == "abc…")
    #expect("abc".escaped(atMost: 3) == "abc")
    #expect(Self.marks.quoted.utf8.count < 200)
    #expect("mars".quoted == "\"mars\"")
  }
}
