import APIClient
import Foundation
import TestSupport
import Testing

/// The screen of a real virtual machine, through the service.
@Suite("The console of a server", .serialized)
struct ConsoleTests {
  @Test(
    "Its address serves VNC to whoever has the ticket, once; a password typed there logs in, and the panel's page pastes"
  )
  func console() async throws {
    try await Service.with { service in
      let client = try service.client()
      let created = try await client.createServer(.init(name: "screen", planId: 3, osId: 3, location: "us-west"))
      let password = try #require(created.password)
      expectEqual(try await client.send("POST", "/servers/\(created.id)/console/").status, 400)
      let endpoint = try await active(created.id, client)

      let console = try await client.openConsole(of: created.id)
      let port = try #require(URL(string: console.url)?.port)
      expectEqual(try await WebSocketClient(port: port, protocols: "binary").status, 403)
      let protocols = "binary, ticket.\(console.ticket)"
      let socket = try await WebSocketClient(port: port, protocols: protocols)
      #expect(socket.status == 101)
      let viewer = RFBClient(read: socket.read, write: socket.write)
      let screen = try await viewer.shakeHands()
      #expect(screen.width >= 640 && screen.height >= 400)
      #expect(try await !viewer.requestPicture(of: screen).isEmpty)
      expectEqual(try await WebSocketClient(port: port, protocols: protocols).status, 403)

      let directory = service.directory
      // What is typed before a program waits for it may be thrown away by the program. The numbers are read, poll, select and
      // pselect6: what it waits in.
      func isAtScreen(_ program: String, withinSeconds limit: Int) async throws -> Bool {
        let list =
          "for p in $(ps -o pid= -t tty1); do echo $(cat /proc/$p/comm) $(cut -d' ' -f1 /proc/$p/syscall); done; true"
        do {
          return try await eventually("\(program) at the screen", withinSeconds: limit) {
            // As a viewer that somebody looks at does all the time.
            _ = try await viewer.requestPicture(of: screen)
            let programs = try Login.run(list, on: endpoint, password: password, in: directory).split(separator: "\n")
            return programs.contains { ["0", "7", "23", "270"].map { "\(program) \($0)" }.contains($0) } ? true : nil
          }
        } catch is NotInTime {
          return false
        }
      }
      /// Empty where there is no such file yet.
      func content(of file: String) throws -> String {
        try Login.run("[ ! -e \(file) ] || cat \(file)", on: endpoint, password: password, in: directory)
      }

      // A guest that gets no processor for a tenth of a second loses keys, and whoever types them types them again.
      var isSignedIn = false
      for attempt in 1...3 where !isSignedIn {
        if attempt > 1 {
          _ = try Login.run("systemctl restart getty@tty1", on: endpoint, password: password, in: directory)
        }
        try #require(try await isAtScreen("agetty", withinSeconds: 300))
        try await viewer.type("root\n")
        guard try await isAtScreen("login", withinSeconds: 60) else { continue }
        try await viewer.type(password + "\n")
        isSignedIn = try await isAtScreen("bash", withinSeconds: 60)
      }
      try #require(isSignedIn)
      var typed = ""
      for _ in 1...3 where typed != "typed" {
        try await viewer.type("\necho typed > /root/typed\n")
        do {
          try await eventually("what was typed", withinSeconds: 60) {
            typed = try content(of: "/root/typed")
            return typed == "typed" ? () : nil
          }
        } catch is NotInTime {}
      }
      #expect(typed == "typed")
      var pasted = ""
      for _ in 1...3 where pasted != "pasted" {
        let link = try service.operate(["account", "login-link"]).firstMatch(of: /http:\/\/\S+/)
        _ = try Command.output(
          ".build/clients/bin/python",
          [
            "Tests/Clients/console.py", String(try #require(link).output), "\(created.id)",
            "\necho pasted > /root/pasted",
          ],
          limitSeconds: 180)
        pasted = try content(of: "/root/pasted")
      }
      #expect(pasted == "pasted")

      let log = try String(contentsOf: directory.appendingPathComponent("log"), encoding: .utf8)
      #expect(log.contains("console opened"))
      #expect(!log.contains(console.ticket))
      try await client.deleteServer(created.id)
      try await viewer.awaitEnd()
    }
  }
}
