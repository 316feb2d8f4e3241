import Foundation
import Testing

@Suite("Shells complete commands, and the names that the service has")
struct CompletionTests {
  private static func service() throws -> ScriptedServer {
    try ScriptedServer { request in
      if request.path.contains("/rdns/") {
        return .json(200, #"{"count": 2, "results": [{"ip_address": "203.0.113.10"}, {"ip_address": "$(touch ran)"}]}"#)
      }
      return .json(
        200,
        #"{"count": 3, "results": [{"id": 1, "name": "web"}, {"id": 2, "name": "worker"}, {"id": 3, "name": "$(touch ran)"}]}"#
      )
    }
  }

  @Test("bash")
  func bash() async throws {
    let user = try User(url: Self.service().url)
    func completes(_ words: [String]) async throws -> [Substring] {
      let array = words.map { "'\($0)'" }.joined(separator: " ")
      let script = """
        source <(vpsctl completion bash)
        COMP_WORDS=(\(array)); COMP_CWORD=\(words.count - 1); COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
        _vpsctl vpsctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      return try await user.run("/bin/bash", ["-c", script]).output.split(separator: "\n")
    }
    #expect(try await completes(["vpsctl", "ser"]).map { $0.trimmingCharacters(in: .whitespaces) } == ["server"])
    let names = try await completes(["vpsctl", "server", "show", ""]).map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(names.contains("web") && names.contains("worker") && !names.contains { $0.contains("touch") }, "\(names)")
    let addresses = try await completes(["vpsctl", "server", "rdns", "set", "web", "--ip", ""])
    #expect(addresses.map { $0.trimmingCharacters(in: .whitespaces) } == ["203.0.113.10"])
  }

  @Test("fish", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/fish")))
  func fish() async throws {
    let user = try User(url: Self.service().url)
    // Only at a terminal does fish know where in the word the cursor is.
    let script = """
      # Or it makes completions of man pages, and is still at it when this is over.
      mkdir -p .local/share/fish/generated_completions
      {
        printf 'vpsctl completion fish | source; touch ready\\r'
        for i in {1..1200}; do [ -e ready ] && break; sleep 0.05; done
        printf 'vpsctl server show wo\\t'
        for i in {1..1200}; do grep -q worker screen && break; sleep 0.05; done
        printf '\\025'; sleep 0.2; printf 'exit\\r'
      } | timeout -k 1 150 script -qefc 'fish -i' screen >/dev/null
      cat screen
      """
    let result = try await user.run("/bin/bash", ["-c", script])
    #expect(result.output.contains("worker"), "\(result.all)")
  }

  @Test("zsh", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/zsh")))
  func zsh() async throws {
    let user = try User(url: Self.service().url)
    let script = """
      mkdir -p functions; vpsctl completion zsh > functions/_vpsctl
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z 'PS1=; fpath=(functions $fpath); autoload -U compinit; compinit -u; bindkey "^I" expand-or-complete; echo rea""dy'
      while zpty -r z line; do [[ $line == *ready* ]] && break; done
      zpty -w -n z $'vpsctl server show wo\\t'
      text=; for i in {1..600}; do zpty -rt z piece && text+=$piece; [[ $text == *worker* ]] && break; sleep 0.1; done
      print -r -- "$text"
      zpty -d z
      """
    let result = try await user.run("/usr/bin/zsh", ["-f", "-c", script])
    #expect(result.output.contains("worker"), "\(result.all)")
  }
}
