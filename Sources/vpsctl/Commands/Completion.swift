import ArgumentParser

struct Completion: ParsableCommand {
  enum Shell: String, ExpressibleByArgument, CaseIterable {
    case bash, zsh, fish
  }

  static let configuration = CommandConfiguration(
    commandName: "completion", abstract: "A script by which a shell completes commands, options and names of servers.",
    discussion: """
      bash: vpsctl completion bash > ~/.local/share/bash-completion/completions/vpsctl
      zsh: vpsctl completion zsh > a folder of $fpath, as _vpsctl
      fish: vpsctl completion fish > ~/.config/fish/completions/vpsctl.fish
      """)

  @Argument(help: "bash, zsh or fish.") var shell: Shell

  func run() throws {
    let shell: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    Terminal.print(Vpsctl.completionScript(for: shell))
  }
}
