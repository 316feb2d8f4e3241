import CQREncode
import HTML

/// A text as a QR code.
struct QRCode {
  private let width: Int
  private let path: String

  /// Nil for a text that is too long.
  init?(_ text: String) {
    guard text.utf8.count <= 1000, let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return nil }
    defer { QRcode_free(code) }
    width = Int(code.pointee.width)
    var path = ""
    // The lowest bit of a module says whether it is black.
    for index in 0..<width * width where code.pointee.data[index] & 1 == 1 {
      path += "M\(index % width + Self.border) \(index / width + Self.border)h1v1h-1z"
    }
    self.path = path
  }

  /// The margin that readers need, in modules.
  private static let border = 4

  func write(_ html: inout HTML, label: String) {
    let size = width + 2 * Self.border
    html.element("svg", ["class": "qr", "viewBox": "0 0 \(size) \(size)", "role": "img", "aria-label": label]) { html in
      html.element("rect", ["width": "\(size)", "height": "\(size)", "fill": "#fff"], text: "")
      html.element("path", ["d": path, "fill": "#000"], text: "")
    }
  }
}
