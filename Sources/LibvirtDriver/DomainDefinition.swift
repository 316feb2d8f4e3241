import Core
import Foundation
import HostImages
import PrivateFiles

/// The definition of a machine, as libvirt gets it.
struct DomainDefinition {
  let machine: UUID
  let mark: MachineMark
  let vcpus: Int
  let memoryMiB: Int
  let accelerator: Accelerator
  var machineType = MachineType.newest
  /// Nil for a machine older than stored models: it gets the processor that the host and QEMU offer.
  var cpuModel: CPUModel?
  var limits = ResourceLimits.standard(vcpus: 1)
  var firmware = ImageProperties.Firmware.bios
  let files: ServerFiles
  /// Whether the machine starts the rescue system, with its own disk as a further one.
  var isRescue = false
  let attachment: NetworkAttachment
  let daemon: LibvirtDriver.Configuration.Daemon

  /// The name contains the installation in the host's libvirtd, because several installations may share it, each with a first
  /// server.
  var name: String {
    switch daemon {
    case .own: "vpsd-\(mark.label)"
    case .host: "vpsd-\(mark.installation.text.prefix(8))-\(mark.label)"
    }
  }

  var xml: String {
    Markup(
      "domain",
      [
        "type": accelerator.domainType,
        "xmlns:qemu": "http://libvirt.org/schemas/domain/qemu/1.0",
      ],
      [
        Markup("name", text: name),
        Markup("uuid", text: machine.text),
        Markup("metadata", [:], [mark.markup]),
        Markup("memory", ["unit": "MiB"], text: String(memoryMiB)),
        Markup("vcpu", text: String(vcpus)),
        Markup(
          "os", [:],
          [Markup("type", ["arch": "x86_64", "machine": machineType], text: "hvm")] + loader
            + [Markup("boot", ["dev": "hd"])]),
      ] + processor + [
        Markup("on_poweroff", text: "destroy"),
        Markup("on_reboot", text: "restart"),
        Markup("on_crash", text: "destroy"),
        // A guest that sleeps would look like one that hangs.
        Markup(
          "pm", [:],
          [Markup("suspend-to-mem", ["enabled": "no"]), Markup("suspend-to-disk", ["enabled": "no"])]),
        Markup("devices", [:], devices + attachment.devices),
        // vpsd changes the files' owner itself, because libvirt would also change that of the base image, which other disks
        // share.
        Markup(
          "seclabel", ["type": "static", "model": "dac", "relabel": "no"],
          [Markup("label", text: "+\(mark.owner.user):+\(mark.owner.group)")]),
        Markup("qemu:commandline", [:], attachment.arguments.map { Markup("qemu:arg", ["value": $0]) }),
      ]
    ).rendered
  }

  private var loader: [Markup] {
    switch firmware {
    case .bios: []
    case .uefi:
      [
        Markup("loader", ["readonly": "yes", "type": "pflash"], text: UEFI.code),
        // The file exists already: libvirt would make one that belongs to its own user.
        Markup("nvram", text: files.firmwareVariables),
      ]
    }
  }

  private var processor: [Markup] {
    var features = [Markup("acpi"), Markup("apic")]
    let cpu: Markup
    switch accelerator {
    case .kvm:
      cpu = Markup("cpu", ["mode": "host-passthrough", "check": "none"])
    case .tcg:
      // Without a limit the translated code of each guest may take a gibibyte.
      features.append(Markup("tcg", [:], [Markup("tb-cache", ["unit": "MiB"], text: "128")]))
      cpu = Markup("cpu", ["mode": "maximum", "check": "none"])
    }
    return [
      Markup("features", [:], features), cpuModel?.markup ?? cpu,
      Markup("clock", ["offset": "utc"], [Markup("timer", ["name": "hpet", "present": "no"])]),
    ]
  }

  private var devices: [Markup] {
    disks + [
      Markup("controller", ["type": "usb", "model": "none"]),
      // VNC without a listening socket that others could find: each connection is made through libvirtd.
      Markup("graphics", ["type": "vnc"], [Markup("listen", ["type": "none"])]),
      Markup(
        "video", [:],
        [Markup("model", ["type": "vga", "vram": "16384", "heads": "1"]), Self.pciAddress(slot: "0x01")]),
      Markup("controller", ["type": "virtio-serial", "index": "0"], [Self.pciAddress(slot: "0x13")]),
      Markup(
        "serial", ["type": "file"],
        [Markup("source", ["path": files.console, "append": "on"]), Markup("target", ["port": "0"])]),
      Markup(
        "channel", ["type": "unix"], [Markup("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"])]),
      Markup(
        "memballoon", ["model": "virtio"], [Markup("stats", ["period": "5"]), Self.pciAddress(slot: "0x14")]),
      Markup(
        "rng", ["model": "virtio"],
        [Markup("backend", ["model": "random"], text: "/dev/urandom"), Self.pciAddress(slot: "0x15")]),
      // A kernel that panics reports it through this device, and the machine then counts as crashed.
      Markup("panic", ["model": "isa"]),
    ]
  }

  /// A machine boots from the first disk, whatever is on the others.
  private var disks: [Markup] {
    guard isRescue else {
      return [
        disk("vda", format: "qcow2", path: files.disk, slot: "0x11", limits: limits),
        disk("vdb", format: "raw", path: files.seed, slot: "0x12", limits: nil),
      ]
    }
    return [
      disk("vda", format: "qcow2", path: files.rescueDisk, slot: "0x11", limits: limits),
      disk("vdb", format: "raw", path: files.rescueSeed, slot: "0x12", limits: nil),
      disk("vdc", format: "qcow2", path: files.disk, slot: "0x16", limits: limits),
    ]
  }

  /// - Parameter limits: Those of a writable disk; nil makes the disk read-only.
  private func disk(_ target: String, format: String, path: String, slot: String, limits: ResourceLimits?) -> Markup {
    // The host's page cache is shared by all servers of an image; flushes of the guest reach the disk.
    var driver = Markup("driver", ["name": "qemu", "type": format, "cache": "writeback", "discard": "unmap"])
    if limits == nil { driver = Markup("driver", ["name": "qemu", "type": format]) }
    let children = [
      driver, Markup("source", ["file": path]), Markup("target", ["dev": target, "bus": "virtio"]),
    ]
    return Markup(
      "disk", ["type": "file", "device": "disk"],
      children + (limits.map { DiskLimits($0).markup } ?? [Markup("readonly")]) + [Self.pciAddress(slot: slot)])
  }

  static func pciAddress(slot: String) -> Markup {
    Markup(
      "address", ["type": "pci", "domain": "0x0000", "bus": "0x00", "slot": slot, "function": "0x0"])
  }
}
