/// A program that makes one call, in the languages of the API's own documentation. Host and token come from the environment.
struct ClientSample {
  enum Language: String, CaseIterable {
    case curl
    case python
    case javascript
    case php

    var title: String {
      switch self {
      case .curl: "cURL"
      case .python: "Python"
      case .javascript: "JavaScript"
      case .php: "PHP"
      }
    }
  }

  /// The kind of answer that the program has to handle.
  enum Answer {
    case json
    case none
    case stream
  }

  let method: String
  let path: String
  let body: DocumentNode?
  let needsToken: Bool
  let answer: Answer

  init(_ operation: DocumentedOperation, basePath: String) {
    method = operation.method
    path = basePath + operation.examplePath
    body = operation.body
    needsToken = operation.needsToken
    answer = operation.isStream ? .stream : operation.successes.allSatisfy { $0.mediaType == nil } ? .none : .json
  }

  func program(in language: Language) -> String {
    switch language {
    case .curl: curl
    case .python: python
    case .javascript: javaScript
    case .php: php
    }
  }

  private var curl: String {
    var parts = ["curl\(answer == .stream ? " -N" : "")\(method == "GET" ? "" : " -X \(method)") \"$VPSD_URL\(path)\""]
    if needsToken { parts.append(#"-H "Authorization: Bearer $VPSD_TOKEN""#) }
    if let body {
      parts.append(#"-H "Content-Type: application/json""#)
      // In the shell, an apostrophe must end the quoted text, stand on its own, and begin a new quoted text.
      let text = Literal.json.text(of: body, indentation: "  ").replacing("'", with: #"'\''"#)
      parts.append("-d '\(text)'")
    }
    return parts.joined(separator: " \\\n  ")
  }

  private var python: String {
    var lines = ["import os", "", "import requests", "", #"url = os.environ["VPSD_URL"] + "\#(path)""#]
    var arguments = ["url"]
    if needsToken {
      lines.append(#"headers = {"Authorization": "Bearer " + os.environ["VPSD_TOKEN"]}"#)
      arguments.append("headers=headers")
    }
    if let body {
      lines.append("data = " + Literal.python.text(of: body))
      arguments.append("json=data")
    }
    if answer == .stream { arguments.append("stream=True") }
    lines += ["", "response = requests.\(method.lowercased())(\(arguments.joined(separator: ", ")))"]
    lines.append("response.raise_for_status()")
    switch answer {
    case .json: lines.append("print(response.json())")
    case .none: lines.append("print(response.status_code)")
    case .stream: lines += ["for line in response.iter_lines(decode_unicode=True):", "    print(line)"]
    }
    return lines.joined(separator: "\n")
  }

  private var javaScript: String {
    var options = ["method: '\(method)'"]
    var headers = needsToken ? ["'Authorization': `Bearer ${process.env.VPSD_TOKEN}`"] : []
    if body != nil { headers.append("'Content-Type': 'application/json'") }
    if !headers.isEmpty { options.append("headers: {\n    \(headers.joined(separator: ",\n    "))\n  }") }
    if let body {
      options.append("body: JSON.stringify(\(Literal.javaScript.text(of: body, indentation: "  ")))")
    }
    let end =
      switch answer {
      case .json: "console.log(await response.json());"
      case .none: "console.log(response.status);"
      case .stream: "for await (const part of response.body) process.stdout.write(part);"
      }
    return """
      const response = await fetch(`${process.env.VPSD_URL}\(path)`, {
        \(options.joined(separator: ",\n  "))
      });

      \(end)
      """
  }

  private var php: String {
    var lines = ["<?php"]
    if let body { lines += ["$data = \(Literal.php.text(of: body));", ""] }
    lines.append("$ch = curl_init(getenv('VPSD_URL') . '\(path)');")
    if method != "GET" { lines.append("curl_setopt($ch, CURLOPT_CUSTOMREQUEST, '\(method)');") }
    var headers = needsToken ? ["'Authorization: Bearer ' . getenv('VPSD_TOKEN')"] : []
    if body != nil {
      lines.append("curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode($data));")
      headers.append("'Content-Type: application/json'")
    }
    if !headers.isEmpty {
      lines.append("curl_setopt($ch, CURLOPT_HTTPHEADER, [\n    \(headers.joined(separator: ",\n    "))\n]);")
    }
    switch answer {
    case .json:
      lines += [
        "curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);", "", "print_r(json_decode(curl_exec($ch), true));",
      ]
    case .none:
      lines += ["", "curl_exec($ch);", "echo curl_getinfo($ch, CURLINFO_RESPONSE_CODE);"]
    case .stream:
      lines += [
        "curl_setopt($ch, CURLOPT_WRITEFUNCTION, function ($ch, $part) {", "    echo $part;",
        "    return strlen($part);", "});", "", "curl_exec($ch);",
      ]
    }
    return lines.joined(separator: "\n")
  }
}
