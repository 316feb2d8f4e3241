extension Schema {
  /// A plan's limits beside its size. A CPU weight of 0 follows the number of processors; a disk limit of 0 is none.
  static let planLimits = """
    ALTER TABLE plan ADD COLUMN cpu_weight INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE plan ADD COLUMN disk_iops INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE plan ADD COLUMN disk_mib_per_second INTEGER NOT NULL DEFAULT 0;
    """
}
