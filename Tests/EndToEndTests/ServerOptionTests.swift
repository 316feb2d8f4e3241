import APIClient
import Foundation
import TestSupport
import Testing

/// What customers ask of a server beside its size, on one real virtual machine, which boots four times.
@Suite("User data, another password and the rescue system", .serialized)
struct ServerOptionTests {
  @Test(
    "User data is done, or said to have failed; the password is another; the rescue system has the disk, and is left without a trace"
  )
  func options() async throws {
    try await Service.with { service in
      let login = try Login(in: service.directory)
      let client = try service.client()
      let key = try await client.createSSHKey(.init(name: "test", publicKey: login.publicKey))
      let config =
        #"#cloud-config\nwrite_files: [{path: /root/written, content: done}]\nruncmd: [\"cp /root/written /root/ran\"]\n"#
      let began = ContinuousClock.now
      let body =
        #"{"name": "web", "plan_id": 3, "os_id": 3, "location": "us-west", "ssh_key_id": \#(key.id), "user_data": "\#(config)"}"#
      let created = try await client.send("POST", "/servers/", json: Data(body.utf8))
      #expect(created.status == 201, "\(created.text)")
      let endpoint = try await active(1, client)
      print("from POST to an SSH login, with user data: \(ContinuousClock.now - began)")
      // Each look at it costs the guest a login, and it has one processor: it looks itself.
      let look = "for _ in $(seq 20); do test -s /root/ran && break; sleep 1; done; cat /root/ran"
      _ = try await eventually("the end of the user data", withinSeconds: 1200) {
        (try? login.run(look, on: endpoint)) == "done" ? true : nil
      }
      print("to its end: \(ContinuousClock.now - began)")
      try await hasNoWarning(client)
      try await takesAPassword(client, login, endpoint)
      try await isRescued(client, login, key.id, endpoint)
      try await saysWhatFailed(client, login)
      try await client.deleteServer(1)
    }
  }

  private func server(_ client: APIClient) async throws -> [String: Any] {
    let reply = try await client.send("GET", "/servers/1/")
    return try #require(try JSONSerialization.jsonObject(with: reply.body) as? [String: Any])
  }

  private func post(_ path: String, _ client: APIClient, _ body: String = "{}") async throws -> [String: Any] {
    let reply = try await client.send("POST", "/servers/1/\(path)/", json: Data(body.utf8))
    #expect(reply.status == 200, "\(reply.text)")
    return try #require(try JSONSerialization.jsonObject(with: reply.body) as? [String: Any])
  }

  private func hasNoWarning(_ client: APIClient) async throws {
    #expect(try await server(client)["status_reason"] is NSNull)
  }

  private func takesAPassword(_ client: APIClient, _ login: Login, _ endpoint: Endpoint) async throws {
    let before = try login.run("grep ^root: /etc/shadow", on: endpoint)
    let password = try #require(try await post("reset-password", client)["password"] as? String)
    #expect(try login.run("grep ^root: /etc/shadow", on: endpoint) != before)
    // As crypt(3) has it, in the guest itself.
    let check = """
      perl -e '($w) = (split /:/, `grep ^root: /etc/shadow`)[1]; print crypt("\(password)", $w) eq $w ? "same" : "other"'
      """
    expectEqual(try login.run(check, on: endpoint), "same")
  }

  private func isRescued(_ client: APIClient, _ login: Login, _ key: Int, _ endpoint: Endpoint) async throws {
    _ = try login.run("echo mine >/root/mine && sync", on: endpoint)
    let began = ContinuousClock.now
    #expect(
      try await post("rescue", client, #"{"ssh_key_id": \#(key)}"#)["message"] as? String
        == "Server is booting the rescue system")
    expectEqual(try await active(1, client), endpoint)
    print("to a login in the rescue system: \(ContinuousClock.now - began)")
    expectEqual(try await server(client)["rescue"] as? Bool, true)
    expectEqual(try login.run("hostname", on: endpoint), "rescue")
    expectEqual(try login.run("findmnt -n -o SOURCE /", on: endpoint), "/dev/vda1")
    #expect(
      try login.run(
        "test ! -e /root/mine && mount /dev/vdc1 /mnt && cat /mnt/root/mine && echo repaired >/mnt/root/mine && umount /mnt",
        on: endpoint) == "mine")
    let refused = try await client.send("POST", "/backups/", json: Data(#"{"server_id": 1}"#.utf8))
    #expect(refused.status == 400)
    let left = try await client.send("DELETE", "/servers/1/rescue/")
    #expect(left.status == 200, "\(left.text)")
    expectEqual(try await active(1, client), endpoint)
    expectEqual(try login.run("cat /root/mine; hostname", on: endpoint), "repaired\nweb")
  }

  private func saysWhatFailed(_ client: APIClient, _ login: Login) async throws {
    _ = try await post("rebuild", client, ##"{"user_data": "#!/bin/sh\necho ran >/root/ran\nexit 3\n"}"##)
    let warning = try await eventually("a warning", withinSeconds: 1200) {
      let server = try await server(client)
      return server["status"] as? String == "active" ? server["status_reason"] as? String : nil
    }
    #expect(warning.contains("user data failed"))
  }
}
