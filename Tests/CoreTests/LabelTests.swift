import Core
import Testing

@Suite("Labels are as Kubernetes has them, and selectors as Hetzner has them")
struct LabelTests {
  @Test(
    "Keys that are",
    arguments: ["a", "A", "env", "a-b_c.d", "9", "example.com/tier", "a.b-c.de/X", String(repeating: "k", count: 63)])
  func keys(text: String) {
    #expect(LabelKey(text)?.text == text)
  }

  @Test(
    "Keys that are none",
    arguments: [
      "", "/", "a/", "/a", "-a", "a-", "a b", "a=b", "a,b", "é", "a/b/c", "Example.com/a", "-x/a", "a..b/c", "a\n",
      "a\u{301}", String(repeating: "k", count: 64), String(repeating: "p", count: 254) + "/a",
    ])
  func wrongKeys(text: String) {
    #expect(LabelKey(text) == nil)
  }

  @Test("Values may be empty, and have no spaces or signs", arguments: ["", "prod", "v1.2_3-x"])
  func values(text: String) {
    #expect(LabelValue(text)?.text == text)
  }

  @Test("Values that are none", arguments: [" ", "-a", "a-", "a b", "a=b", "a/b", String(repeating: "v", count: 64)])
  func wrongValues(text: String) {
    #expect(LabelValue(text) == nil)
  }

  @Test("Every form of a term is read, with space or without")
  func grammar() throws {
    let (env, old, tier) = (
      try #require(LabelKey("env")), try #require(LabelKey("old")), try #require(LabelKey("x.y/tier"))
    )
    let (prod, web, db, none) = (
      try #require(LabelValue("prod")), try #require(LabelValue("web")), try #require(LabelValue("db")),
      try #require(LabelValue(""))
    )
    let texts: [(String, [LabelSelector.Term])] = [
      ("env", [.has(env)]), ("!env", [.lacks(env)]), (" ! env ", [.lacks(env)]), ("env=prod", [.isOneOf(env, [prod])]),
      ("env == prod", [.isOneOf(env, [prod])]), ("env=", [.isOneOf(env, [none])]),
      ("env != prod", [.isNoneOf(env, [prod])]), ("env!=prod", [.isNoneOf(env, [prod])]),
      ("x.y/tier in (web,db)", [.isOneOf(tier, [web, db])]), ("x.y/tier in( web , db )", [.isOneOf(tier, [web, db])]),
      ("x.y/tier notin (web)", [.isNoneOf(tier, [web])]),
      ("env=prod,!old,x.y/tier in (web,db)", [.isOneOf(env, [prod]), .lacks(old), .isOneOf(tier, [web, db])]),
    ]
    for (text, terms) in texts {
      #expect(try LabelSelector(parsing: text).terms == terms, "\(text)")
    }
  }

  @Test(
    "What is no selector is refused in one sentence that does not repeat all of it",
    arguments: [
      "", ",", "a,", "=b", "!", "!!a", "a=b=c", "a===b", "a in b", "a in ()", "a in (b", "a in b)", "a in (b,)",
      "a on (b)", "a b",
      "in (b)", "a in (b) c", "a > 1", "a=b c", "é", String(repeating: "a", count: 1025),
      Array(repeating: "a", count: 9).joined(separator: ","),
      "a in (\(Array(repeating: "b", count: 33).joined(separator: ",")))", String(repeating: "(", count: 1000),
    ])
  func wrongSelectors(text: String) {
    let error = #expect(throws: LabelSelector.Refusal.self) { try LabelSelector(parsing: text) }
    #expect((error?.message.utf8.count ?? 0) < 300)
  }
}
