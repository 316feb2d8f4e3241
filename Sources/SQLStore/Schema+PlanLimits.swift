extension Schema {
  /// What servers of a plan are held to beside their size; 0 for what goes with their processors, and for no limit.
  static let planLimits = """
    ALTER TABLE plan ADD COLUMN cpu_weight INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE plan ADD COLUMN disk_iops INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE plan ADD COLUMN disk_mib_per_second INTEGER NOT NULL DEFAULT 0;
    """
}
