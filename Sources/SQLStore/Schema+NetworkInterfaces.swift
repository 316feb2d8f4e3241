extension Schema {
  /// The hardware addresses of servers, each of which is unique. Servers that have a disk keep the address that their host made
  /// of their UUID.
  static let networkInterfaces = """
    ALTER TABLE server ADD COLUMN hardware_address INTEGER;
    CREATE UNIQUE INDEX server_hardware_address ON server (hardware_address);
    """
}
