import Engine
import Foundation

/// What an operator reads when the service has started.
struct Banner: Sendable {
  let configuration: Configuration
  let firstToken: TokenText?
  let sshPort: Int
  /// What servers run on, such as `driver: libvirt`.
  let hosts: String

  func print(port: Int?) {
    let listen = configuration.listen
    let url = "http://\(ListenAddress(host: listen.host, port: port ?? listen.port))"
    let tokenFile = DataDirectory(configuration.dataDirectory).token
    Swift.print("vpsd listens on \(url) (\(hosts))")
    Swift.print("Its API is explained at \(url)/docs")
    if let firstToken {
      // Where nobody looks on, this is written down: in a journal, which others may read.
      Swift.print(
        isatty(STDOUT_FILENO) == 1
          ? "\nYour token, shown this once, and kept in \(tokenFile):\n\n  \(firstToken.text)"
          : "\nYour token is in \(tokenFile).")
    }
    Swift.print(
      """

      To create a server, copy these lines into another terminal:

        export VPSD_URL=\(url)
        export VPSD_TOKEN=$(cat \(tokenFile))
        vps() { local path=$1; shift; curl -sS "$VPSD_URL/api/v1$path" "$@" -H "Authorization: Bearer $VPSD_TOKEN" -H "Content-Type: application/json"; echo; }

        vps /ssh-keys/ -d "{\\"name\\": \\"me\\", \\"public_key\\": \\"$(cat ~/.ssh/id_ed25519.pub)\\"}"
        vps /servers/ -d '{"name": "first", "plan_id": 3, "os_id": 3, "location": "us-west", "ssh_key_id": 1}'
        vps /servers/1/          # until its status is "active"
        ssh \(sshPort == 22 ? "" : "-p \(sshPort) ")root@ADDRESS         # its "ip_address"
      """)
    fflush(nil)
  }
}
