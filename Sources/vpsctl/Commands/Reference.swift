import APIClient
import ArgumentParser

/// Generates docs/vpsctl.md and the man pages from the help of the commands.
struct Reference: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Write the reference, or man pages, from the commands.", shouldDisplay: false)

  @Option(help: "A folder for the man pages; without it the reference is printed.") var man: String?

  func run() throws {
    guard let root = try JSON(parsing: Vpsctl._dumpHelp().utf8)["command"] else {
      throw Refusal(.failed, "The commands say nothing of themselves.")
    }
    let pages = CommandPage.all(of: root, path: [])
    guard let man else { return Terminal.write(MarkdownReference.text(pages)) }
    for page in pages where page.isManual {
      let text = ManualPage.text(page, below: pages)
      try SecretFile.write(text, to: "\(man)/\(page.path.joined(separator: "-")).1", permissions: 0o644)
    }
  }
}
