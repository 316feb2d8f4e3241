import HTML
import Testing

@Suite("Whoever writes HTML cannot forget to escape")
struct HTMLTests {
  private static let hostile = #"<img src=x onerror="alert('&')">"#
  private static let harmless = "&lt;img src=x onerror=&quot;alert(&#39;&amp;&#39;)&quot;&gt;"

  @Test("A text is a text wherever it stands: alone, in an element, in an attribute")
  func texts() {
    var html = HTML()
    html.write(Self.hostile)
    html.element("p", ["title": Self.hostile], text: Self.hostile)
    html.void("input", ["value": Self.hostile], flags: ["disabled"])
    let expected =
      #"\#(Self.harmless)<p title="\#(Self.harmless)">\#(Self.harmless)</p><input value="\#(Self.harmless)" disabled>"#
    #expect(html.text == expected)
  }

  @Test("Nothing that was written as a text can be read as markup, however its letters are put together")
  func combinations() {
    // A mark that combines with the character before it is another character to Swift, and the same bytes to a browser.
    var html = HTML()
    html.write("<\u{301}script>\u{301}")
    #expect(html.text.unicodeScalars.allSatisfy { $0 != "<" && $0 != ">" })
  }

  @Test("What is opened is closed, in the order in which it was opened")
  func nesting() {
    var html = HTML()
    html.element("ul") { html in
      for word in ["a", "b"] { html.element("li") { $0.element("b", text: word) } }
    }
    #expect(html.text == "<ul><li><b>a</b></li><li><b>b</b></li></ul>")
  }
}
