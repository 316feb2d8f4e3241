import Core
import Engine
import HTTPTypes
import TestSupport
import Testing

@testable import Panel

@Suite("The panel speaks the language of whoever reads it")
struct LanguageTests {
  /// Words that are the same in every language: names, units, and what the API calls things.
  static let common: Set<String> = [
    "vpsd", "SSH", "API", "VPS", "US", "West", "East", "United", "States", "Nano", "Standard", "Performance", "Debian",
    "Ubuntu", "LTS", "vCPU", "GiB", "MiB", "GB", "MB", "USD", "UTC", "IPv4", "IPv6", "English", "ssh", "root", "web-1",
    "web", "owner",
    "example", "com", "active", "stopped", "provisioning", "starting", "stopping", "rebooting", "suspended", "error",
    "pending", "completed", "failed", "account", "login-link", "login", "link", "id_ed25519", "pub", "ed25519", "id",
    "tcp", "udp", "icmp",
    "gre", "esp", "test", "SHA256", "servers", "read", "write", "ssh_keys", "keys", "backups", "snapshots", "tokens",
    "DNS", "vps", "mail",
    "env", "prod", "team", "dev", "vdc", "cloud-config", "cloud", "config",
  ]

  @Test("In Bulgarian no word of English is left, on any page")
  func bulgarian() async throws {
    let panel = try await TestPanel.make()
    _ = try await panel.service.activeServer()
    _ = try await panel.service.snapshots.create(.init(server: .id(ID(1)), name: "web"), panel.service.owner)
    try await panel.service.settle()
    let browser = try await panel.signedIn()
    browser.headers[.acceptLanguage] = "bg-BG,bg;q=0.9,en;q=0.8"
    for route in panel.panel.routes where route.method == .get && !["/", "/events"].contains(route.path) {
      let page = try await browser.get(
        route.path.replacing("/ssh-keys/{id}", with: "/servers/1").replacing("{id}", with: "1")
          .replacing("{copy}", with: "1"))
      #expect(page.text.contains("<html lang=\"bg\""), "\(route.path)")
      let text = page.words.replacing(/<code.*?<\/code>/, with: "")
      let strangers = Set(text.matches(of: /[A-Za-z][A-Za-z0-9_-]*/).map { String($0.output) }).subtracting(Self.common)
        .filter { $0.count > 2 && !$0.contains(/[0-9]/) }
      #expect(strangers.isEmpty, "\(route.path)")
    }
  }

  @Test("A language that was chosen stays, whatever the browser asks for; one that there is not does nothing")
  func choice() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    #expect(try await browser.get("/servers").text.contains("lang=\"en\""))
    #expect(try await browser.get("/servers?language=bg").text.contains("Сървъри"))
    #expect(try await browser.get("/billing").text.contains("Плащания"))
    #expect(try await browser.get("/billing?language=xx").text.contains("lang=\""))
    #expect(try await browser.get("/servers?language=en").text.contains("Servers"))
    #expect(try await browser.get("/servers").text.contains("Servers"))
  }

  @Test("The reference of the API is in the same language as the panel, and says so to whoever keeps it")
  func reference() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    let english = try await browser.get("/docs")
    #expect(english.text.contains("<html lang=\"en\"") && english.text.contains("Reference"))
    #expect(english.headers[.contentLanguage] == "en")
    #expect(english.headers[.vary] == "Accept-Language, Cookie, Accept-Encoding")
    #expect(english.text.contains("href=\"?language=bg\""))
    _ = try await browser.get("/servers?language=bg")
    let bulgarian = try await browser.get("/docs")
    #expect(bulgarian.text.contains("<html lang=\"bg\"") && bulgarian.text.contains("Справочник"))
    #expect(bulgarian.headers[.eTag] != english.headers[.eTag])
    #expect(try await browser.get("/docs", [.ifNoneMatch: bulgarian.headers[.eTag] ?? ""]).status == 304)
    // What is chosen there stays, in the panel too.
    #expect(try await browser.get("/docs?language=en").text == english.text)
    #expect(try await browser.get("/docs", [.ifNoneMatch: bulgarian.headers[.eTag] ?? ""]).status == 200)
    #expect(try await browser.get("/servers").text.contains("Servers"))
    #expect(try await browser.get("/docs?language=%00&language=xx").status == 200)
    let stranger = Browser(panel: panel)
    stranger.headers[.acceptLanguage] = "bg"
    #expect(try await stranger.get("/docs").text == bulgarian.text)
    #expect(try await stranger.send(.post, "/docs", "", [:]).status == 405)
  }

  @Test("What a use case refuses is said in Bulgarian too")
  func messages() {
    let words = Words(language: .bulgarian)
    #expect(words(message: "Server is rebooting.") == "Сървърът е в състояние rebooting.")
    #expect(words(message: "Server quota reached (5).") == "Достигнат е лимитът за сървъри (5).")
    #expect(words(message: "Ensure this field has 10 to 256 bytes.") == "Полето трябва да има от 10 до 256 байта.")
    #expect(words(message: "Something that nobody translated.") == "Something that nobody translated.")
    let plan = "Insufficient credits. This plan costs 0.005 per hour and your balance is 0.000001."
    #expect(words(message: plan).hasPrefix("Недостатъчен кредит."))
    let english = Words(language: .english)
    for failure in [Idempotency.underWay, Idempotency.answerLost, Idempotency.usedOtherwise] {
      #expect(words(message: failure.message).hasPrefix("Този формуляр"))
      #expect(english(message: failure.message).hasPrefix("This form was sent already"))
    }
  }
}
