import Foundation
import Testing

@testable import Engine

/// What ssh-keygen and sshd make of a key, said here.
@Suite("Public keys")
struct PublicKeyTests {
  /// The fields of a key's blob, to be changed and put together again.
  private struct Blob {
    var fields: [[UInt8]]

    init(_ fields: [UInt8]...) { self.fields = fields }

    init(line: String) throws {
      fields = []
      var rest = [UInt8](try #require(Data(base64Encoded: String(line.split(separator: " ")[1]))))[...]
      while !rest.isEmpty {
        let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        fields.append(Array(rest.dropFirst(4).prefix(length)))
        rest = rest.dropFirst(4 + length)
      }
    }

    func line(_ type: String? = nil) -> String {
      var bytes: [UInt8] = []
      for field in fields {
        withUnsafeBytes(of: UInt32(field.count).bigEndian) { bytes += $0 }
        bytes += field
      }
      return "\(type ?? String(decoding: fields[0], as: UTF8.self)) \(Data(bytes).base64EncodedString())"
    }
  }

  private static let ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO5jC3SJvpmjSjhNfZHJGpgzNv2V+jvw3u3Z+Heb5t4u"
  private static let p256 =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEldtIhfDuXXR/ic9w1sxHoNc3UB669cC5GS93ig9K4j8FOFxV9fE5cmZkw1qQEIjyYPtXjL44eV1+wVE3fxy/A="
  private static let p384 =
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBF4NEhC+l0F3uCG1gYyVsFBFCsh2vjOljh7ynFLvoVSs4GHQwwwX7xg8Z44Ms4bGdDlQdCqKiPqHldreM25pyYvQdbHd+w02BteAjh41O02iC2bY41mjXum5caWIS732yw=="
  private static let p521 =
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAFZn6zIDLQGjsDCuQCq2XQZrX5tRNEJZA/tJQZAh7vjIqYOqO/2we2l8VCbiPiHGuMEY06cJidMzafRpI8fbAxnugCss6Tj+tFXmvYiFXbH5jKssKgwAqXAmtxYjBjnOPRqd41eM6ixMbEmxTsL+LezOcoX3cYBwsbHHD5HanenicbNhg=="
  private static let rsa2048 =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCqDCTIvoRupFR3TKK/A0lJQQvVv4qeEn6SsrVeNGlORz3s84OZUl5YmTden2ZSblzd5qqqglqUiEywAFrkoFg08Vk5P/NsB+1o4+bnGrcmvpiHHwZyas0PhdXuufrxVt0tZS6Kjf41LWIg3Zz6fDAN52M5CcN9K7B68okH5d2J0NdXXXfCSIKdEUqPlx+BIYHL5LWf44IUNQv1di4JTXmHS1x4iOVzO++FQQe7WoCXab49x+C4V+sEGPQNv/8pn2xPdjA1M9Wd75/BX2TVtgZAXS7lMzK4VL8W7P3LceMJGWRtCm1vyVL+SOO+86c3SZDDVQms+pIT2OOivx6H0qwV"
  private static let rsa1024 =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDUZBB067sylvnJjRdPXqHwxCVce5NqYKHUfsQeCnN2uU+j6boYAsgo1rf7qifUp996mVkm+W+Fv32XfldwzjzEkj+GvyzayB6hoqE+eWF4PFrsquwhqIEhifMl4KIsFlDqAU95KPr+m1gy/UjnSRf0vcMJ9pV0z29nb7gBSKdS8Q=="

  /// Keys of hardware have the curve or the point as others do, and what they are for behind it.
  private static func hardware() throws -> [String] {
    let application = Array("ssh:".utf8)
    return [
      Blob(Array("sk-ssh-ed25519@openssh.com".utf8), try Blob(line: ed25519).fields[1], application).line(),
      Blob(
        Array("sk-ecdsa-sha2-nistp256@openssh.com".utf8), Array("nistp256".utf8), try Blob(line: p256).fields[2],
        application
      ).line(),
    ]
  }

  private func refusal(of text: String) -> String? {
    do {
      _ = try PublicKey(text)
      return nil
    } catch {
      return error.message
    }
  }

  @Test("A key of every type that sshd takes is taken as it is")
  func taken() throws {
    for line in [Self.ed25519, Self.p256, Self.p384, Self.p521, Self.rsa2048] + (try Self.hardware()) {
      #expect(try PublicKey(line).line == line)
      #expect(try PublicKey(line + " me@host").comment == "me@host")
    }
    // ssh-keygen -lf
    #expect(try PublicKey(Self.p256).fingerprint == "SHA256:bpvETfmrNqLrmEXAIEk72CEEGktoChNv7TFPOwc+WWo")
    #expect(try PublicKey(Self.rsa2048).fingerprint == "SHA256:Xd+rKx3hqBehF50wVylocdgkzZpuZYSERRPiH6t5P/c")
  }

  private static let damaged = "Enter a valid OpenSSH public key: this one is damaged."

  @Test("A point of another curve, one that is not on its curve, and one that is too short are no keys")
  func points() throws {
    var blob = try Blob(line: Self.p256)
    blob.fields[1] = Array("nistp384".utf8)
    #expect(refusal(of: blob.line()) == Self.damaged)
    for (line, other) in [(Self.p256, Self.p384), (Self.p384, Self.p521), (Self.p521, Self.p256)] {
      var blob = try Blob(line: line)
      let type = String(decoding: try Blob(line: other).fields[0], as: UTF8.self)
      #expect(refusal(of: blob.line(type)) == Self.damaged)
      let point = blob.fields[2]
      var beside: [UInt8] = point
      beside[beside.count - 1] ^= 1
      var compressed: [UInt8] = Array(point.prefix(1 + point.count / 2))
      compressed[0] = 2
      var origin = [UInt8](repeating: 0, count: point.count)
      origin[0] = 4
      let short: [UInt8] = Array(point.prefix(3))
      let cut: [UInt8] = Array(point.dropLast())
      let wrongs: [[UInt8]] = [beside, compressed, origin, short, cut, [0], []]
      for wrong in wrongs {
        blob.fields[2] = wrong
        #expect(refusal(of: blob.line()) == Self.damaged)
      }
    }
  }

  @Test("Keys of Ed25519 have 32 bytes, also those of hardware, and nothing follows what belongs to a key")
  func lengths() throws {
    var blob = try Blob(line: Self.ed25519)
    blob.fields[1] = Array(blob.fields[1].prefix(3))
    #expect(refusal(of: blob.line()) == Self.damaged)
    for line in try Self.hardware() {
      var blob = try Blob(line: line)
      blob.fields[1] = [1, 2, 3]
      #expect(refusal(of: blob.line()) == Self.damaged)
    }
    for line in [Self.ed25519, Self.p256, Self.rsa2048] + (try Self.hardware()) {
      var blob = try Blob(line: line)
      blob.fields.append([1])
      #expect(refusal(of: blob.line()) == Self.damaged)
      blob.fields.removeLast(2)
      #expect(refusal(of: blob.line()) == Self.damaged)
    }
  }

  @Test("An RSA key needs 2048 bits, zeros before it are none, and its numbers are above zero")
  func rsa() throws {
    #expect(refusal(of: Self.rsa1024) == "RSA keys need at least 2048 bits; this one has 1024.")
    var blob = try Blob(line: Self.rsa1024)
    blob.fields[2] = [UInt8](repeating: 0, count: 200) + blob.fields[2]
    #expect(refusal(of: blob.line()) == Self.damaged)
    blob = try Blob(line: Self.rsa2048)
    let modulus = blob.fields[2]
    var even: [UInt8] = modulus
    even[even.count - 1] ^= 1
    let negative: [UInt8] = Array(modulus.dropFirst())
    let wrongs: [[UInt8]] = [negative, even, [0], []]
    for wrong in wrongs {
      blob.fields[2] = wrong
      #expect(refusal(of: blob.line()) == Self.damaged)
    }
    blob.fields[2] = modulus
    blob.fields[1] = [0xFF]
    #expect(refusal(of: blob.line()) == Self.damaged)
  }

  @Test("Whoever sends what is no key is told what it is")
  func reasons() {
    #expect(refusal(of: "ssh-dss AAAAB3NzaC1kc3MAAACBAPAA me@host") == "DSA keys are not accepted.")
    #expect(refusal(of: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc")?.contains("ending in .pub") == true)
    #expect(refusal(of: Self.ed25519 + "\n" + Self.ed25519) == "Enter one key, in one line.")
    #expect(refusal(of: "hello") == "Enter a valid OpenSSH public key.")
    #expect(
      refusal(of: Self.ed25519 + " " + String(repeating: "a", count: 16_384))
        == "Ensure this field has no more than 16384 bytes.")
  }

  @Test("Spaces and tabs stand between the parts, and what a terminal obeys becomes a space in the comment")
  func blanks() throws {
    let parts = Self.ed25519.split(separator: " ")
    let plain = try PublicKey("\(Self.ed25519) me at home")
    for text in [
      "\(parts[0])\t\(parts[1])\tme at home", " \(parts[0]) \t \(parts[1])  me\tat home\t\n",
      "\(Self.ed25519) me\u{1B}at\u{2028}home", "\(Self.ed25519) \u{202E}me at\u{7F}home\r\n",
    ] {
      #expect(try PublicKey(text) == plain)
    }
    #expect(try PublicKey("\(Self.ed25519) Jürgen").comment == "Jürgen")
    #expect(try PublicKey("\(Self.ed25519) \u{1B}").line == Self.ed25519)
  }
}
