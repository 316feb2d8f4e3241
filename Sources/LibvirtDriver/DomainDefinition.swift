import Core
import Foundation
import HostImages
import PrivateFiles

/// A machine as libvirt is told about it.
struct DomainDefinition {
  let machine: UUID
  let mark: MachineMark
  let vcpus: Int
  let memoryMiB: Int
  let accelerator: Accelerator
  var machineType = MachineType.newest
  /// Nil for one that is older than these: it has what there is.
  var cpuModel: CPUModel?
  var limits = ResourceLimits.standard(vcpus: 1)
  var firmware = ImageProperties.Firmware.bios
  let files: ServerFiles
  /// Whether it starts the rescue system, and has its own disk beside that.
  var isRescue = false
  let attachment: NetworkAttachment
  let daemon: LibvirtDriver.Configuration.Daemon

  /// Several installations may have their machines in the host's libvirtd, and each has a first server.
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
        // The files are handed over by us, because libvirt would also take the image that others build on.
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
        // It is there: libvirt would make one that is its own user's.
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
      // It listens nowhere: each connection is made through libvirtd, so there is no socket that others could find.
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
      // A kernel that has panicked says so through it, and counts as a crash.
      Markup("panic", ["model": "isa"]),
    ]
  }

  /// A machine starts from the first one, whatever is on the others.
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

  /// - Parameter limits: Of one that can be written.
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
