import API
import Engine
import Foundation
import Logging
import PrivateFiles

/// The text for the operator when the service has started.
struct Banner: Sendable {
  let configuration: Configuration
  let firstToken: TokenText?
  let firstLink: LoginLinkText?
  /// The drivers of the hosts, such as `driver: libvirt`.
  let hosts: String
  let logger: Logger

  func print(port: Int?) {
    let listen = ListenAddress(host: configuration.listen.host, port: port ?? configuration.listen.port)
    let url = "http://\(listen)"
    let directory = DataDirectory(configuration.dataDirectory)
    let tokenFile = directory.token
    do {
      try PrivateFile.write("http://\(listen.local)\n".utf8, to: directory.url, isDurable: false)
    } catch {
      logger.error("vpsctl on this machine will not find the service", metadata: ["error": "\(error)"])
    }
    Swift.print("vpsd listens on \(url) (\(hosts))")
    Swift.print("Its API is explained at \(url)/docs")
    if let firstToken {
      // Without a terminal the output goes to a journal that others may read, so the token is not printed.
      Swift.print(
        isatty(STDOUT_FILENO) == 1
          ? "\nYour token, shown this once, and kept in \(tokenFile):\n\n  \(firstToken.text)"
          : "\nYour token is in \(tokenFile).")
    }
    if configuration.showsPanel {
      let panel = firstLink.map {
        $0.url(at: configuration.publicURL?.description ?? "http://\(listen.local)")
      }
      Swift.print(
        panel.map { "\nIts panel, for ten minutes and once:\n\n  \($0)" }
          ?? "Its panel is at \(url); `vpsd account login-link` makes a link that signs in")
    }
    Swift.print(
      """

      To create a server, copy these lines into another terminal:

      \(preparation(directory))  vpsctl server create --name first --plan nano --os debian-12 --location us-west --ssh-key ~/.ssh/id_ed25519.pub
        vpsctl server ssh first
      """)
    fflush(nil)
  }

  /// The shell commands that make the shell find vpsctl, and vpsctl find the service; empty where neither is needed.
  private func preparation(_ directory: DataDirectory) -> String {
    let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let vpsctl = programs.appendingPathComponent("vpsctl").path
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    let isOnPath = folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/vpsctl") }
    var lines: [String] = []
    if !isOnPath, FileManager.default.isExecutableFile(atPath: vpsctl) {
      lines.append("  alias vpsctl=\(Self.quoted(vpsctl))\n")
    }
    // vpsctl itself looks for the data directory beside the folder in which it was built.
    let build = programs.path.firstRange(of: "/.build/").map { String(programs.path[..<$0.lowerBound]) }
    if directory.path != build.map({ $0 + "/var" }), directory.path != "/var/lib/vpsd" {
      lines.append("  export VPSD_DATA_DIR=\(Self.quoted(directory.path))\n")
    }
    return lines.joined()
  }

  /// Quotes a text as one word for a shell.
  private static func quoted(_ text: String) -> String {
    text.contains { !($0.isLetter || $0.isNumber || "/._-".contains($0)) }
      ? "'" + text.replacing("'", with: "'\\''") + "'" : text
  }
}
