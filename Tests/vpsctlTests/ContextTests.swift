import Foundation
import TestSupport
import Testing

@Suite("Which service is spoken to, and with which token")
struct ContextTests {
  private func answering(_ name: String) throws -> ScriptedServer {
    try ScriptedServer { request in
      .json(200, #"{"count": 1, "results": [{"id": 1, "name": "\#(name)-\#(request.header("Authorization") ?? "")"}]}"#)
    }
  }

  private let list = ["server", "list", "-o", "name"]

  @Test(
    "Contexts are files of their owner's alone; the first is in use, and use, .vpsctl, --context and the environment change that"
  )
  func contexts() async throws {
    let (a, b) = (try answering("a"), try answering("b"))
    let user = try User()
    let none = try await user.run(User.program, list)
    #expect(none.status == 4 && none.errors.contains("vpsctl context create NAME"), "\(none.all)")
    #expect(
      try await user.run("context", "create", "a", "--url", a.url, "--token-stdin", input: "vps_a\n").output
        == "The context a is made, and in use.\n")
    #expect(try await user.run("context", "create", "b", "--url", b.url, "--token-command", "echo vps_b").status == 0)
    let folder = user.path + "/config/vpsctl/contexts"
    for name in ["a", "b"] {
      #expect(try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.posixPermissions] as? Int == 0o600)
    }
    func uses(_ wanted: String, _ more: [String] = [], with settings: [String: String] = [:]) async throws {
      let result = try await user.run(User.program, list + more, with: settings)
      #expect(result.output == wanted + "\n", "\(result.all)")
    }
    try await uses("a-Bearer vps_a")
    try await uses("b-Bearer vps_b", ["--context", "b"])
    try await uses("b-Bearer vps_b", with: ["VPSCTL_CONTEXT": "b"])
    try await uses("b-Bearer env", with: ["VPSCTL_URL": b.url, "VPSCTL_TOKEN": "env"])
    #expect(try await user.run("context", "use", "b").status == 0)
    try await uses("b-Bearer vps_b")
    _ = try user.write("context: a\n", to: ".vpsctl")
    try await uses("a-Bearer vps_a")
    let listed = try await user.run("context", "list")
    #expect(listed.output.contains("*  a") && !listed.output.contains("vps_a"), "\(listed.output)")
    #expect(try await user.run("context", "delete", "a").status == 0)
    #expect(!FileManager.default.fileExists(atPath: folder + "/a"))
    #expect(try await user.run("context", "delete", "a").status == 3)
  }

  @Test("A token goes to the service that it is for: not to a URL of the environment, nor where a folder's file says")
  func tokensStay() async throws {
    let (mine, other) = (try answering("mine"), try answering("other"))
    let user = try User()
    _ = try await user.run("context", "create", "a", "--url", mine.url, "--token-stdin", input: "vps_a\n")
    let elsewhere = try await user.run(User.program, list, with: ["VPSCTL_URL": other.url])
    #expect(elsewhere.status == 4 && elsewhere.errors.contains("is not sent elsewhere"))
    for text in ["url: \(other.url)\ntoken_command: touch \(user.path)/ran\n", "../../x"] {
      _ = try user.write(text, to: ".vpsctl")
      #expect(try await user.run(User.program, list).status == 4)
    }
    #expect(other.requests.isEmpty && !FileManager.default.fileExists(atPath: user.path + "/ran"))
    try FileManager.default.removeItem(atPath: user.path + "/.vpsctl")
    let file = user.path + "/config/vpsctl/contexts/a"
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file)
    let open = try await user.run(User.program, list)
    #expect(open.status == 4 && open.errors.contains("chmod 600"), "\(open.all)")
  }

  @Test("A token of the environment is for the service that the environment names, and for no folder's choice")
  func tokenAlone() async throws {
    let (a, other) = (try answering("a"), try answering("other"))
    let user = try User(["VPSCTL_TOKEN": "production"])
    _ = try await user.run("context", "create", "other", "--url", other.url, "--token-stdin", input: "vps_o\n")
    _ = try await user.run("context", "create", "a", "--url", a.url, "--token-stdin", input: "vps_a\n")
    for text in ["", "other"] {
      if !text.isEmpty { _ = try user.write(text, to: ".vpsctl") }
      let result = try await user.run(User.program, list)
      #expect(result.status == 4 && result.errors.contains("VPSCTL_CONTEXT"), "\(result.all)")
    }
    #expect(other.requests.isEmpty)
    let named = try await user.run(User.program, list, with: ["VPSCTL_CONTEXT": "a"])
    #expect(named.output == "a-Bearer production\n", "\(named.all)")
    #expect(try await user.run(User.program, list + ["--context", "a"]).output == "a-Bearer vps_a\n")
  }

  @Test("Nobody else's .vpsctl chooses a context", .enabled(if: geteuid() == 0, "only root gives files away"))
  func foreignFolder() async throws {
    let a = try answering("a")
    let user = try User()
    _ = try await user.run("context", "create", "a", "--url", a.url, "--token-stdin", input: "vps_a\n")
    let file = try user.write("a\n", to: ".vpsctl")
    #expect(try await user.run(User.program, list).output == "a-Bearer vps_a\n")
    #expect(chown(file, 54_321, 54_321) == 0)
    let refused = try await user.run(User.program, list)
    #expect(refused.status == 4 && refused.errors.contains("somebody else's"), "\(refused.all)")
    #expect(try await user.run(User.program, list + ["--context", "a"]).output == "a-Bearer vps_a\n")
  }

  @Test("What is on this machine is spoken to without a proxy")
  func proxy() async throws {
    let (service, proxy) = (try answering("a"), try answering("proxy"))
    let user = try User(url: service.url)
    let result = try await user.run(User.program, list, with: ["http_proxy": proxy.url, "all_proxy": proxy.url])
    #expect(result.output == "a-Bearer vps_secret\n" && proxy.requests.isEmpty, "\(result.all)")
  }

  @Test("Beside a service that was just started it works with nothing set, and once it has ended nobody gets its token")
  func nothingSet() async throws {
    let service = try RunningService()
    defer { withExtendedLifetime(service) {} }
    let user = try User()
    #expect(
      service.banner.contains("\n  vpsctl server ssh first\n")
        && service.banner.contains("export VPSD_DATA_DIR=\(service.data)"), "\(service.banner)")
    let url = service.data + "/url"
    #expect(try FileManager.default.attributesOfItem(atPath: url)[.posixPermissions] as? Int == 0o600)
    #expect(try String(contentsOfFile: url, encoding: .utf8) == service.url + "\n")
    let named = try await user.run("account", "show", "-o", "name", with: ["VPSD_DATA_DIR": service.data])
    #expect(named.output == "admin@localhost\n", "\(named.all)")
    // In the folder that it was started in.
    try FileManager.default.createSymbolicLink(atPath: user.path + "/var", withDestinationPath: service.data)
    #expect(try await user.run("account", "show", "-o", "name").output == "admin@localhost\n")
    if geteuid() == 0 {
      #expect(lchown(user.path + "/var", 54_321, 54_321) == 0)
      #expect(try await user.run("account", "show").status == 4)
    }
    service.stop()
    #expect(!FileManager.default.fileExists(atPath: url))
    // As one that was killed leaves it, and with its port another's.
    let other = try answering("other")
    try Data((other.url + "\n").utf8).write(to: URL(fileURLWithPath: url))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url)
    #expect(try await user.run("account", "show", with: ["VPSD_DATA_DIR": service.data]).status == 4)
    #expect(other.requests.isEmpty)
  }

  @Test("A token never stands in the arguments of a process, nor in what ssh inherits")
  func noTokenInArguments() async throws {
    let service = try ScriptedServer { _ in
      .json(
        200,
        #"{"id": 7, "name": "web", "status": "active", "ip_address": "127.80.0.1", "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "username": "root", "ssh_port": 2222}"#
      )
    }
    let user = try User(url: service.url)
    for program in ["ssh", "scp"] {
      let path = try user.write("#!/bin/sh\necho \"$0 $@\"; env\n", to: "bin/\(program)", permissions: 0o755)
      let folder = (path as NSString).deletingLastPathComponent
      let words = program == "ssh" ? ["server", "ssh", "7", "--", "-A", "uptime"] : ["server", "scp", "a", "7:/b"]
      let result = try await user.run(User.program, words, with: ["PATH": "\(folder):/usr/bin:/bin"])
      #expect(result.status == 0 && !result.output.contains("vps_secret"), "\(result.all)")
      #expect(result.output.contains("HostKeyAlias=vpsctl-0f8fad5b-d9cb-469f-a165-70867728950e"))
      #expect(
        result.output.contains(
          program == "ssh" ? "-p 2222 -l root -A -- 127.80.0.1 uptime\n" : "-P 2222 -- a root@127.80.0.1:/b\n"),
        "\(result.output)")
    }
  }

  @Test(
    "Where a program of the host has the port that would lead to a server's ssh, nobody is led to that program",
    arguments: [#"[{"port": 20001, "server_port": 80}]"#, "[]"])
  func takenPort(forwarded: String) async throws {
    let server =
      #"{"id": 7, "name": "web", "status": "active", "ip_address": "198.51.100.2", "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "username": "root", "ssh_port": 20000, "ipv4_addresses": ["10.77.0.1"], "forwarded_ports": \#(forwarded)}"#
    let service = try ScriptedServer { request in
      .json(200, request.path.contains("/servers/7/") ? server : #"{"count": 1, "results": [\#(server)]}"#)
    }
    let user = try User(url: service.url)
    let path = try user.write("#!/bin/sh\necho ran\n", to: "bin/ssh", permissions: 0o755)
    _ = try user.write("#!/bin/sh\necho ran\n", to: "bin/scp", permissions: 0o755)
    let folder = (path as NSString).deletingLastPathComponent
    for words in [["server", "ssh", "7"], ["server", "scp", "a", "7:/b"]] {
      let result = try await user.run(User.program, words, with: ["PATH": "\(folder):/usr/bin:/bin"])
      #expect(
        result.status == 4 && result.output.isEmpty && result.errors.contains("20000 of its host 198.51.100.2"),
        "\(result.all)")
    }
    let config = try await user.run("ssh-config")
    #expect(
      config.status == 0 && config.output.isEmpty && config.errors.contains("web (7) has no port for logins"),
      "\(config.all)")
  }

  @Test("An address that is none never reaches ssh")
  func hostileAddress() async throws {
    let service = try ScriptedServer { _ in
      .json(
        200,
        #"{"id": 7, "name": "web", "status": "active", "ip_address": "-oProxyCommand=touch ran", "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "username": "root", "ssh_port": 22}"#
      )
    }
    let result = try await User(url: service.url).run("server", "ssh", "7")
    #expect(result.status == 1 && result.errors.contains("an address or a user that cannot be one"), "\(result.all)")
  }
}
