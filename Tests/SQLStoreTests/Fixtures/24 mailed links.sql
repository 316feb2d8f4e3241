PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 first release');
INSERT INTO grdb_migrations VALUES('2 whole contract');
INSERT INTO grdb_migrations VALUES('3 disk copies');
INSERT INTO grdb_migrations VALUES('4 whole audit');
INSERT INTO grdb_migrations VALUES('5 principals');
INSERT INTO grdb_migrations VALUES('6 clocks');
INSERT INTO grdb_migrations VALUES('7 hosts');
INSERT INTO grdb_migrations VALUES('8 addresses');
INSERT INTO grdb_migrations VALUES('9 billing');
INSERT INTO grdb_migrations VALUES('10 network interfaces');
INSERT INTO grdb_migrations VALUES('11 statements');
INSERT INTO grdb_migrations VALUES('12 notices');
INSERT INTO grdb_migrations VALUES('13 firewalls');
INSERT INTO grdb_migrations VALUES('14 several addresses');
INSERT INTO grdb_migrations VALUES('15 usernames');
INSERT INTO grdb_migrations VALUES('16 customer options');
INSERT INTO grdb_migrations VALUES('17 plan limits');
INSERT INTO grdb_migrations VALUES('18 port speeds');
INSERT INTO grdb_migrations VALUES('19 sessions');
INSERT INTO grdb_migrations VALUES('20 metrics');
INSERT INTO grdb_migrations VALUES('21 bounds');
INSERT INTO grdb_migrations VALUES('22 operators');
INSERT INTO grdb_migrations VALUES('23 firewall order');
INSERT INTO grdb_migrations VALUES('24 mailed links');
CREATE TABLE setting (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
INSERT INTO setting VALUES('installation_id','9f0c1e52-0a64-4c5e-9f6e-0d3b5a3f7c11');
INSERT INTO setting VALUES('address_cursor 127.80.0.0/16','127.80.0.20');
CREATE TABLE location (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  country_code TEXT NOT NULL,
  country_name TEXT NOT NULL,
  is_active INTEGER NOT NULL CHECK (is_active IN (0, 1))
) STRICT;
INSERT INTO location VALUES(1,'us-west','US West','US','United States',1);
INSERT INTO location VALUES(2,'us-east','US East','US','United States',1);
CREATE TABLE plan_location (
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  position INTEGER NOT NULL,
  location TEXT NOT NULL REFERENCES location (code),
  PRIMARY KEY (plan_id, location)
) STRICT;
INSERT INTO plan_location VALUES(1,0,'us-west');
INSERT INTO plan_location VALUES(1,1,'us-east');
INSERT INTO plan_location VALUES(3,0,'us-west');
INSERT INTO plan_location VALUES(3,1,'us-east');
CREATE TABLE operating_system (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  family TEXT NOT NULL,
  version TEXT NOT NULL,
  image_name TEXT NOT NULL,
  is_available INTEGER NOT NULL CHECK (is_available IN (0, 1))
, uuid TEXT, username TEXT NOT NULL DEFAULT 'root') STRICT;
INSERT INTO operating_system VALUES(3,'Debian 12','debian-12','debian','12','debian-12',1,'263f59e4-c5ea-4e28-92d3-25dac694c02e','root');
CREATE TABLE account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,
  balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0),
  created_at INTEGER NOT NULL
, first_name TEXT NOT NULL DEFAULT '', last_name TEXT NOT NULL DEFAULT '', company_name TEXT NOT NULL DEFAULT '', credit_suspended_at INTEGER, deletion_at INTEGER, operator_suspended_at INTEGER, operator_suspension_reason TEXT, closed_at INTEGER, language TEXT NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'bg')), credit_warned_hours INTEGER, credit_warned_at INTEGER, deletion_warned_days INTEGER, may_mail INTEGER NOT NULL DEFAULT 0 CHECK (may_mail IN (0, 1)), password_hash TEXT NOT NULL DEFAULT '', totp_secret TEXT NOT NULL DEFAULT '', totp_step INTEGER NOT NULL DEFAULT 0, is_operator INTEGER NOT NULL DEFAULT 0 CHECK (is_operator IN (0, 1)), email_key TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO account VALUES(1,'owner@example.com',99950000,1737000000000,'Ada','','Analytical Engines',NULL,NULL,NULL,NULL,NULL,'en',NULL,NULL,NULL,0,'','',0,0,'owner@example.com');
INSERT INTO account VALUES(2,'other@example.com',995000,1737000000000,'','','',NULL,NULL,NULL,NULL,NULL,'en',NULL,NULL,NULL,0,'','',0,0,'other@example.com');
CREATE TABLE token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
, parent_id INTEGER REFERENCES token (id), is_session INTEGER NOT NULL DEFAULT 0 CHECK (is_session IN (0, 1))) STRICT;
INSERT INTO token VALUES(1,1,'first start','da4b575ab0cb6f504d22e068f935d617cc60bf98765d4d7b58f9814b77ee4d2f','*:*',1737000000000,NULL,1737000000005,NULL,NULL,0);
INSERT INTO token VALUES(2,1,'revoked','1111111111111111111111111111111111111111111111111111111111111111','servers:read ssh_keys:*',1737000000000,1738000000000,NULL,1737000000007,NULL,0);
INSERT INTO token VALUES(3,2,'other','2222222222222222222222222222222222222222222222222222222222222222','servers:*',1737000000000,NULL,NULL,NULL,NULL,0);
CREATE TABLE ssh_key (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  public_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  UNIQUE (account_id, fingerprint)
) STRICT;
INSERT INTO ssh_key VALUES(1,'5a0e7c06-7d3a-4a3e-9d60-31a1a1a7d001',1,'laptop','SHA256:abc','ssh-ed25519 AAAA me@host',1737000000000,1737000000001);
CREATE TABLE server (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  hostname TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN
    ('provisioning', 'active', 'stopping', 'stopped', 'starting', 'rebooting', 'suspended', 'error')),
  status_reason TEXT,
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  operating_system_id INTEGER NOT NULL REFERENCES operating_system (id),
  location TEXT NOT NULL REFERENCES location (code),
  vcpus INTEGER NOT NULL,
  memory_mib INTEGER NOT NULL,
  storage_gib INTEGER NOT NULL,
  is_backup_enabled INTEGER NOT NULL CHECK (is_backup_enabled IN (0, 1)),
  image_version TEXT,
  authorized_key TEXT,
  root_password_hash TEXT,
  has_disk INTEGER NOT NULL DEFAULT 0 CHECK (has_disk IN (0, 1)),
  was_ever_ready INTEGER NOT NULL DEFAULT 0 CHECK (was_ever_ready IN (0, 1)),
  credit_hold INTEGER NOT NULL CHECK (credit_hold >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  erased_at INTEGER, backup_due_at INTEGER, awaits_first_boot INTEGER NOT NULL DEFAULT 1 CHECK (awaits_first_boot IN (0, 1)), awaits_new_disk INTEGER NOT NULL DEFAULT 0 CHECK (awaits_new_disk IN (0, 1)), host_id INTEGER NOT NULL DEFAULT 1 REFERENCES host (id), price_per_hour INTEGER NOT NULL DEFAULT 0 CHECK (price_per_hour >= 0), next_hour_at INTEGER, next_hour_number INTEGER NOT NULL DEFAULT 0, billed_month INTEGER NOT NULL DEFAULT 0, billed_month_hours INTEGER NOT NULL DEFAULT 0, operator_suspended_at INTEGER, operator_suspension_reason TEXT, resume_status TEXT CHECK (resume_status IN ('active', 'stopped')), hardware_address INTEGER, address_revision INTEGER NOT NULL DEFAULT 0 CHECK (address_revision >= 0), address_applied_revision INTEGER NOT NULL DEFAULT 0
  CHECK (address_applied_revision BETWEEN 0 AND address_revision), is_delete_protected INTEGER NOT NULL DEFAULT 0 CHECK (is_delete_protected IN (0, 1)), awaits_user_data INTEGER NOT NULL DEFAULT 0 CHECK (awaits_user_data IN (0, 1)), user_data_failed INTEGER NOT NULL DEFAULT 0 CHECK (user_data_failed IN (0, 1)), is_user_data_unknown INTEGER NOT NULL DEFAULT 0
  CHECK (is_user_data_unknown IN (0, 1)),
  CHECK (erased_at IS NULL OR (deleted_at IS NOT NULL AND credit_hold = 0))
) STRICT;
INSERT INTO server VALUES(1,'7f1e4c1a-3b5d-4e8f-9a6b-000000000001',1,'s-1','s-1.example.com','provisioning',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host','$y$j9T$x$y',1,0,5000,1737000000001,1737000000002,NULL,NULL,NULL,1,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(2,'7f1e4c1a-3b5d-4e8f-9a6b-000000000002',2,'s-2','s-2.example.com','provisioning',NULL,3,3,'us-west',1,512,5,0,NULL,'ssh-ed25519 AAAA me@host',NULL,0,0,5000,1737000000002,1737000000003,NULL,NULL,NULL,1,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(3,'7f1e4c1a-3b5d-4e8f-9a6b-000000000003',1,'s-3','s-3.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000003,1737000000004,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(4,'7f1e4c1a-3b5d-4e8f-9a6b-000000000004',1,'s-4','s-4.example.com','stopping',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000004,1737000000005,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(5,'7f1e4c1a-3b5d-4e8f-9a6b-000000000005',1,'s-5','s-5.example.com','stopped',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000005,1737000000006,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(6,'7f1e4c1a-3b5d-4e8f-9a6b-000000000006',1,'s-6','s-6.example.com','starting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000006,1737000000007,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(7,'7f1e4c1a-3b5d-4e8f-9a6b-000000000007',1,'s-7','s-7.example.com','rebooting',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000007,1737000000008,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(8,'7f1e4c1a-3b5d-4e8f-9a6b-000000000008',1,'s-8','s-8.example.com','error','The server did not become reachable in time.',3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,0,0,1737000000008,1737000000009,NULL,NULL,NULL,1,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(9,'7f1e4c1a-3b5d-4e8f-9a6b-000000000009',1,'s-9','s-9.example.com','suspended',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000009,1737000000010,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(10,'7f1e4c1a-3b5d-4e8f-9a6b-000000000010',1,'s-10','s-10.example.com','active',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000010,1737000000011,1737000000500,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(11,'7f1e4c1a-3b5d-4e8f-9a6b-000000000011',1,'s-11','s-11.example.com','active',NULL,3,3,'us-west',1,512,5,1,NULL,NULL,NULL,0,1,0,1737000000011,1737000000012,1737000000600,1737000000700,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(12,'7f1e4c1a-3b5d-4e8f-9a6b-000000000012',1,'s-12','s-12.example.com','stopping',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000012,1737000000013,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(13,'7f1e4c1a-3b5d-4e8f-9a6b-000000000013',1,'s-13','s-13.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000013,1737000000014,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(14,'7f1e4c1a-3b5d-4e8f-9a6b-000000000014',1,'s-14','s-14.example.com','rebooting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000014,1737000000015,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(15,'7f1e4c1a-3b5d-4e8f-9a6b-000000000015',1,'s-15','s-15.example.com','rebooting',NULL,3,3,'us-west',2,4096,80,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000015,1737000000016,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(16,'7f1e4c1a-3b5d-4e8f-9a6b-000000000016',1,'s-16','s-16.example.com','rebooting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000016,1737000000017,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(17,'7f1e4c1a-3b5d-4e8f-9a6b-000000000017',1,'s-17','s-17.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000017,1737000000018,NULL,NULL,1737000000900,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(18,'7f1e4c1a-3b5d-4e8f-9a6b-000000000018',1,'s-18','s-18.example.com','stopped',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000018,1737000000019,NULL,NULL,NULL,0,0,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
INSERT INTO server VALUES(19,'7f1e4c1a-3b5d-4e8f-9a6b-000000000019',1,'s-19','s-19.example.com','rebooting',NULL,3,3,'us-west',1,512,5,1,'12.15-1',NULL,'$y$j9T$x$y',1,1,0,1737000000019,1737000000020,NULL,NULL,NULL,1,1,1,5000,NULL,0,0,0,NULL,NULL,NULL,NULL,0,0,0,0,0,0);
CREATE TABLE server_usage (
  server_id INTEGER PRIMARY KEY REFERENCES server (id),
  cpu_permille INTEGER NOT NULL,
  memory_used_mib INTEGER NOT NULL,
  disk_used_bytes INTEGER NOT NULL,
  month INTEGER NOT NULL,
  received_bytes INTEGER NOT NULL,
  sent_bytes INTEGER NOT NULL,
  boot_received_bytes INTEGER NOT NULL,
  boot_sent_bytes INTEGER NOT NULL,
  measured_at INTEGER NOT NULL
) STRICT;
INSERT INTO server_usage VALUES(3,125,300,1073741824,202501,1000,2000,10,20,1737000000050);
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  server_id INTEGER NOT NULL REFERENCES server (id),
  operation_id INTEGER,
  what TEXT NOT NULL,
  at INTEGER NOT NULL
, deletion_at INTEGER) STRICT;
INSERT INTO event VALUES(1,1,1,NULL,'provisioning',1737000000001,NULL);
INSERT INTO event VALUES(2,1,1,1,'running',1737000000001,NULL);
INSERT INTO event VALUES(3,2,2,NULL,'provisioning',1737000000002,NULL);
INSERT INTO event VALUES(4,2,2,2,'queued',1737000000002,NULL);
INSERT INTO event VALUES(5,1,3,NULL,'active',1737000000003,NULL);
INSERT INTO event VALUES(6,1,3,3,'succeeded',1737000000003,NULL);
INSERT INTO event VALUES(7,1,3,4,'queued',1737000000003,NULL);
INSERT INTO event VALUES(8,1,4,NULL,'stopping',1737000000004,NULL);
INSERT INTO event VALUES(9,1,4,5,'succeeded',1737000000004,NULL);
INSERT INTO event VALUES(10,1,4,6,'running',1737000000004,NULL);
INSERT INTO event VALUES(11,1,5,NULL,'stopped',1737000000005,NULL);
INSERT INTO event VALUES(12,1,5,7,'succeeded',1737000000005,NULL);
INSERT INTO event VALUES(13,1,5,8,'succeeded',1737000000005,NULL);
INSERT INTO event VALUES(14,1,6,NULL,'starting',1737000000006,NULL);
INSERT INTO event VALUES(15,1,6,9,'running',1737000000006,NULL);
INSERT INTO event VALUES(16,1,7,NULL,'rebooting',1737000000007,NULL);
INSERT INTO event VALUES(17,1,7,10,'queued',1737000000007,NULL);
INSERT INTO event VALUES(18,1,8,NULL,'error',1737000000008,NULL);
INSERT INTO event VALUES(19,1,8,11,'failed',1737000000008,NULL);
INSERT INTO event VALUES(20,1,9,NULL,'suspended',1737000000009,NULL);
INSERT INTO event VALUES(21,1,9,12,'succeeded',1737000000009,NULL);
INSERT INTO event VALUES(22,1,10,NULL,'active',1737000000010,NULL);
INSERT INTO event VALUES(23,1,10,13,'cancelled',1737000000010,NULL);
INSERT INTO event VALUES(24,1,10,14,'queued',1737000000010,NULL);
INSERT INTO event VALUES(25,1,11,NULL,'active',1737000000011,NULL);
INSERT INTO event VALUES(26,1,11,15,'succeeded',1737000000011,NULL);
INSERT INTO event VALUES(27,1,12,NULL,'stopping',1737000000012,NULL);
INSERT INTO event VALUES(28,1,12,16,'queued',1737000000012,NULL);
INSERT INTO event VALUES(29,1,13,NULL,'active',1737000000013,NULL);
INSERT INTO event VALUES(30,1,14,NULL,'rebooting',1737000000014,NULL);
INSERT INTO event VALUES(31,1,15,NULL,'rebooting',1737000000015,NULL);
INSERT INTO event VALUES(32,1,16,NULL,'rebooting',1737000000016,NULL);
INSERT INTO event VALUES(33,1,17,NULL,'active',1737000000017,NULL);
INSERT INTO event VALUES(34,1,18,NULL,'stopped',1737000000018,NULL);
INSERT INTO event VALUES(35,1,19,NULL,'rebooting',1737000000019,NULL);
INSERT INTO event VALUES(36,1,13,17,'succeeded',1737000000013,NULL);
INSERT INTO event VALUES(37,1,13,18,'succeeded',1737000000013,NULL);
INSERT INTO event VALUES(38,1,13,19,'running',1737000000013,NULL);
INSERT INTO event VALUES(39,1,16,20,'succeeded',1737000000016,NULL);
INSERT INTO event VALUES(40,1,16,21,'running',1737000000016,NULL);
INSERT INTO event VALUES(41,1,18,22,'failed',1737000000018,NULL);
INSERT INTO event VALUES(42,1,18,23,'queued',1737000000018,NULL);
INSERT INTO event VALUES(43,1,18,24,'succeeded',1737000000018,NULL);
INSERT INTO event VALUES(44,1,14,25,'queued',1737000000014,NULL);
INSERT INTO event VALUES(45,1,15,26,'running',1737000000015,NULL);
INSERT INTO event VALUES(46,1,19,27,'running',1737000000019,NULL);
CREATE TABLE operation_kind (kind TEXT NOT NULL PRIMARY KEY) STRICT;
INSERT INTO operation_kind VALUES('create');
INSERT INTO operation_kind VALUES('start');
INSERT INTO operation_kind VALUES('stop');
INSERT INTO operation_kind VALUES('hard_stop');
INSERT INTO operation_kind VALUES('reboot');
INSERT INTO operation_kind VALUES('recover');
INSERT INTO operation_kind VALUES('configure');
INSERT INTO operation_kind VALUES('delete');
INSERT INTO operation_kind VALUES('backup');
INSERT INTO operation_kind VALUES('snapshot');
INSERT INTO operation_kind VALUES('restore');
INSERT INTO operation_kind VALUES('discard');
INSERT INTO operation_kind VALUES('resize');
INSERT INTO operation_kind VALUES('rebuild');
INSERT INTO operation_kind VALUES('readdress');
INSERT INTO operation_kind VALUES('rescue');
INSERT INTO operation_kind VALUES('leave_rescue');
CREATE TABLE IF NOT EXISTS "operation" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  server_id INTEGER NOT NULL REFERENCES server (id),
  kind TEXT NOT NULL REFERENCES operation_kind (kind),
  subject_id INTEGER,
  former_status TEXT,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  step TEXT,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  step_started_at INTEGER,
  not_before INTEGER NOT NULL,
  lease_token TEXT,
  lease_expires_at INTEGER,
  requested_by INTEGER REFERENCES token (id),
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  customer_reason TEXT,
  operator_detail TEXT, scheduled_at INTEGER NOT NULL DEFAULT 0, host_id INTEGER NOT NULL DEFAULT 1 REFERENCES host (id),
  CHECK ((subject_id IS NULL) = (kind NOT IN ('backup', 'snapshot', 'restore', 'discard', 'resize', 'rebuild'))),
  CHECK ((finished_at IS NULL) = (state IN ('queued', 'running'))),
  CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
  CHECK (lease_token IS NULL OR state = 'running')
) STRICT;
INSERT INTO operation VALUES(1,1,'create',NULL,NULL,'running','awaitReady',2,1737000000001,1737000000000,'aaaaaaaa-0000-4000-8000-000000000001',1737000060000,1,1737000000001,1737000000001,NULL,NULL,'no banner',0,1);
INSERT INTO operation VALUES(2,2,'create',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,3,1737000000002,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(3,3,'create',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000003,1737000000003,1737000000013,NULL,NULL,0,1);
INSERT INTO operation VALUES(4,3,'configure',NULL,NULL,'queued',NULL,0,NULL,1737000000099,NULL,NULL,1,1737000000003,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(5,4,'create',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000004,1737000000004,1737000000014,NULL,NULL,0,1);
INSERT INTO operation VALUES(6,4,'stop',NULL,NULL,'running','awaitOff',0,1737000000004,1737000000000,'aaaaaaaa-0000-4000-8000-000000000002',1737000060000,1,1737000000004,1737000000004,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(7,5,'create',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000005,1737000000005,1737000000015,NULL,NULL,0,1);
INSERT INTO operation VALUES(8,5,'stop',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000005,1737000000005,1737000000015,NULL,NULL,0,1);
INSERT INTO operation VALUES(9,6,'start',NULL,NULL,'running','define',0,1737000000006,1737000000000,'aaaaaaaa-0000-4000-8000-000000000003',1737000060000,1,1737000000006,1737000000006,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(10,7,'reboot',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000007,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(11,8,'create',NULL,NULL,'failed','awaitReady',0,NULL,1737000000000,NULL,NULL,1,1737000000008,1737000000008,1737000000018,'The server did not become reachable in time.','No SSH banner.',0,1);
INSERT INTO operation VALUES(12,9,'recover',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,NULL,1737000000009,1737000000009,1737000000019,NULL,NULL,0,1);
INSERT INTO operation VALUES(13,10,'configure',NULL,NULL,'cancelled',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000010,1737000000010,1737000000020,NULL,NULL,0,1);
INSERT INTO operation VALUES(14,10,'delete',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000010,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(15,11,'delete',NULL,NULL,'succeeded','erase',0,NULL,1737000000000,NULL,NULL,1,1737000000011,1737000000011,1737000000021,NULL,NULL,0,1);
INSERT INTO operation VALUES(16,12,'hard_stop',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000012,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(17,13,'backup',1,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000013,1737000000013,1737000000030,NULL,NULL,0,1);
INSERT INTO operation VALUES(18,13,'backup',2,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000013,1737000000013,1737000000031,NULL,NULL,0,1);
INSERT INTO operation VALUES(19,13,'backup',3,NULL,'running','copy',0,1737000000013,1737000000000,'aaaaaaaa-0000-4000-8000-000000000013',1737000060000,1,1737000000013,1737000000013,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(20,16,'snapshot',4,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000016,1737000000016,1737000000032,NULL,NULL,0,1);
INSERT INTO operation VALUES(21,16,'restore',4,'active','running','awaitOff',0,1737000000016,1737000000000,'aaaaaaaa-0000-4000-8000-000000000016',1737000060000,1,1737000000016,1737000000016,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(22,18,'snapshot',5,NULL,'failed',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000018,1737000000018,1737000000033,'The host has no room for the copy.',NULL,0,1);
INSERT INTO operation VALUES(23,18,'discard',6,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000018,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(24,18,'discard',7,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000018,1737000000018,1737000000043,NULL,NULL,0,1);
INSERT INTO operation VALUES(25,14,'rebuild',3,'active','queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000014,NULL,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(26,15,'resize',1,'active','running','awaitOff',0,1737000000015,1737000000000,'aaaaaaaa-0000-4000-8000-000000000015',1737000060000,1,1737000000015,1737000000015,NULL,NULL,NULL,0,1);
INSERT INTO operation VALUES(27,19,'rebuild',3,'stopped','running','define',0,1737000000019,1737000000000,'aaaaaaaa-0000-4000-8000-000000000019',1737000060000,1,1737000000019,1737000000019,NULL,NULL,NULL,0,1);
CREATE TABLE disk_copy (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  server_id INTEGER NOT NULL REFERENCES server (id),
  kind TEXT NOT NULL CHECK (kind IN ('manual', 'automatic', 'snapshot')),
  name TEXT,
  description TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'completed', 'failed')),
  status_reason TEXT,
  size_bytes INTEGER CHECK (size_bytes > 0),
  checksum TEXT,
  operating_system_id INTEGER REFERENCES operating_system (id),
  image_version TEXT,
  awaits_first_boot INTEGER CHECK (awaits_first_boot IN (0, 1)),
  created_at INTEGER NOT NULL,
  completed_at INTEGER,
  expires_at INTEGER,
  deleted_at INTEGER,
  erased_at INTEGER,
  CHECK ((name IS NOT NULL) = (kind = 'snapshot')),
  CHECK ((expires_at IS NOT NULL) = (kind = 'automatic')),
  CHECK ((status = 'failed') = (status_reason IS NOT NULL)),
  CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
  CHECK ((status = 'completed') = (size_bytes IS NOT NULL AND checksum IS NOT NULL)),
  CHECK ((status = 'completed') =
    (operating_system_id IS NOT NULL AND image_version IS NOT NULL AND awaits_first_boot IS NOT NULL)),
  CHECK (erased_at IS NULL OR deleted_at IS NOT NULL OR status = 'failed')
) STRICT;
INSERT INTO disk_copy VALUES(1,'c0b1e4c1-3b5d-4e8f-9a6b-000000000001',13,'manual',NULL,'copy 1','completed',NULL,427819008,'0000000000000000000000000000000000000000000000000000000000000001',3,'12.15-1',0,1737000000001,1737000000006,NULL,NULL,NULL);
INSERT INTO disk_copy VALUES(2,'c0b1e4c1-3b5d-4e8f-9a6b-000000000002',13,'automatic',NULL,'copy 2','completed',NULL,427819008,'0000000000000000000000000000000000000000000000000000000000000002',3,'12.15-1',0,1737000000002,1737000000007,1739678400002,NULL,NULL);
INSERT INTO disk_copy VALUES(3,'c0b1e4c1-3b5d-4e8f-9a6b-000000000003',13,'manual',NULL,'copy 3','pending',NULL,NULL,NULL,NULL,NULL,NULL,1737000000003,NULL,NULL,NULL,NULL);
INSERT INTO disk_copy VALUES(4,'c0b1e4c1-3b5d-4e8f-9a6b-000000000004',16,'snapshot','snap-4','copy 4','completed',NULL,427819008,'0000000000000000000000000000000000000000000000000000000000000004',3,'12.15-1',0,1737000000004,1737000000009,NULL,NULL,NULL);
INSERT INTO disk_copy VALUES(5,'c0b1e4c1-3b5d-4e8f-9a6b-000000000005',18,'snapshot','snap-5','copy 5','failed','The host has no room for the copy.',NULL,NULL,NULL,NULL,NULL,1737000000005,NULL,NULL,NULL,1737000000040);
INSERT INTO disk_copy VALUES(6,'c0b1e4c1-3b5d-4e8f-9a6b-000000000006',18,'manual',NULL,'copy 6','completed',NULL,427819008,'0000000000000000000000000000000000000000000000000000000000000006',3,'12.15-1',0,1737000000006,1737000000011,NULL,1737000000041,NULL);
INSERT INTO disk_copy VALUES(7,'c0b1e4c1-3b5d-4e8f-9a6b-000000000007',18,'manual',NULL,'copy 7','completed',NULL,427819008,'0000000000000000000000000000000000000000000000000000000000000007',3,'12.15-1',0,1737000000007,1737000000012,NULL,1737000000042,1737000000043);
CREATE TABLE rebuild (
  operation_id INTEGER PRIMARY KEY REFERENCES operation (id),
  authorized_key TEXT,
  root_password_hash TEXT, keeps_user_data INTEGER NOT NULL DEFAULT 1 CHECK (keeps_user_data IN (0, 1)), sealed_user_data BLOB,
  CHECK ((authorized_key IS NULL) = (root_password_hash IS NOT NULL))
) STRICT;
INSERT INTO rebuild VALUES(25,'ssh-ed25519 AAAA me@host',NULL,1,NULL);
INSERT INTO rebuild VALUES(27,NULL,'$y$j9T$x$y',1,NULL);
CREATE TABLE IF NOT EXISTS "audit" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  -- Whose account it is about; none for the whole installation.
  account_id INTEGER REFERENCES account (id),
  -- Who did it; none for the operator on the host.
  token_id INTEGER REFERENCES token (id),
  server_id INTEGER REFERENCES server (id),
  action TEXT NOT NULL,
  detail TEXT,
  -- The client's address, or 'host'; not known of what was written before.
  origin TEXT
, operation_id INTEGER REFERENCES operation (id)) STRICT;
INSERT INTO audit VALUES(1,1737000000000,1,1,3,'server.create',NULL,NULL,NULL);
INSERT INTO audit VALUES(2,1737000000001,1,1,3,'server.stop',NULL,NULL,NULL);
INSERT INTO audit VALUES(3,1737000000002,1,2,NULL,'ssh_key.create','SHA256:abc',NULL,NULL);
INSERT INTO audit VALUES(4,1737000000050,1,1,13,'backup.create','1','127.0.0.1',NULL);
INSERT INTO audit VALUES(5,1737000000051,NULL,NULL,NULL,'shutdown',NULL,'host',NULL);
CREATE TABLE IF NOT EXISTS "repeatable_request" (
  account_id INTEGER NOT NULL REFERENCES account (id),
  -- Whose key it is, 'token:7'; empty for what was asked before this was written down, which is anybody's of the account.
  principal TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  claim TEXT NOT NULL UNIQUE,
  lease_expires_at INTEGER NOT NULL,
  has_effect INTEGER NOT NULL DEFAULT 0 CHECK (has_effect IN (0, 1)),
  -- Only what was carried out is kept.
  status INTEGER CHECK (status BETWEEN 200 AND 299),
  sealed_body BLOB,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, principal, key_hash),
  CHECK ((status IS NULL) = (sealed_body IS NULL))
) STRICT;
INSERT INTO repeatable_request VALUES(1,'','33','fp','bbbbbbbb-0000-4000-8000-000000000001',1737000060000,1,201,X'00ff10',1737000000000);
INSERT INTO repeatable_request VALUES(1,'','44','fp2','bbbbbbbb-0000-4000-8000-000000000002',1737000060000,0,NULL,NULL,1737000000000);
CREATE TABLE repeatable_request_total (
  account_id INTEGER PRIMARY KEY REFERENCES account (id),
  request_count INTEGER NOT NULL,
  body_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO repeatable_request_total VALUES(1,2,3);
CREATE TABLE host (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  -- None for the host of every location that has none of its own.
  location TEXT,
  driver TEXT NOT NULL,
  -- What it carries in all; none where there is no bound.
  vcpus INTEGER,
  memory_mib INTEGER,
  storage_gib INTEGER,
  reserved_vcpus INTEGER NOT NULL DEFAULT 0,
  reserved_memory_mib INTEGER NOT NULL DEFAULT 0,
  reserved_storage_gib INTEGER NOT NULL DEFAULT 0,
  server_count INTEGER NOT NULL DEFAULT 0,
  is_configured INTEGER NOT NULL CHECK (is_configured IN (0, 1)),
  is_draining INTEGER NOT NULL DEFAULT 0 CHECK (is_draining IN (0, 1)),
  away_since INTEGER,
  CHECK ((vcpus IS NULL) = (memory_mib IS NULL) AND (vcpus IS NULL) = (storage_gib IS NULL))
) STRICT;
INSERT INTO host VALUES(1,'local',NULL,'libvirt',NULL,NULL,NULL,19,12800,169,18,1,0,NULL);
CREATE TABLE IF NOT EXISTS "address" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  family INTEGER NOT NULL CHECK (family IN (4, 6)),
  -- What orders the addresses of a family: an IPv4 address itself, the first 64 bits of an IPv6 network.
  number INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  prefix_length INTEGER NOT NULL,
  location TEXT NOT NULL,
  server_id INTEGER REFERENCES server (id),
  -- The name that its customer has given it; none for the default.
  ptr TEXT,
  assigned_at INTEGER NOT NULL,
  released_at INTEGER, base INTEGER NOT NULL DEFAULT 0, rank INTEGER NOT NULL DEFAULT 0, is_leaving INTEGER NOT NULL DEFAULT 0 CHECK (is_leaving IN (0, 1)), is_reserved INTEGER NOT NULL DEFAULT 0 CHECK (is_reserved IN (0, 1)),
  UNIQUE (family, bytes),
  CHECK ((server_id IS NULL) = (released_at IS NOT NULL)),
  CHECK (LENGTH(bytes) = CASE family WHEN 4 THEN 4 ELSE 16 END)
) STRICT;
INSERT INTO address VALUES(1,4,2135949313,X'7f500001',32,'us-west',1,NULL,1737000000001,NULL,0,0,0,0);
INSERT INTO address VALUES(2,4,2135949314,X'7f500002',32,'us-west',2,NULL,1737000000002,NULL,0,0,0,0);
INSERT INTO address VALUES(3,4,2135949315,X'7f500003',32,'us-west',3,NULL,1737000000003,NULL,0,0,0,0);
INSERT INTO address VALUES(4,4,2135949316,X'7f500004',32,'us-west',4,NULL,1737000000004,NULL,0,0,0,0);
INSERT INTO address VALUES(5,4,2135949317,X'7f500005',32,'us-west',5,NULL,1737000000005,NULL,0,0,0,0);
INSERT INTO address VALUES(6,4,2135949318,X'7f500006',32,'us-west',6,NULL,1737000000006,NULL,0,0,0,0);
INSERT INTO address VALUES(7,4,2135949319,X'7f500007',32,'us-west',7,NULL,1737000000007,NULL,0,0,0,0);
INSERT INTO address VALUES(8,4,2135949320,X'7f500008',32,'us-west',8,NULL,1737000000008,NULL,0,0,0,0);
INSERT INTO address VALUES(9,4,2135949321,X'7f500009',32,'us-west',9,NULL,1737000000009,NULL,0,0,0,0);
INSERT INTO address VALUES(10,4,2135949322,X'7f50000a',32,'us-west',10,NULL,1737000000010,NULL,0,0,0,0);
INSERT INTO address VALUES(11,4,2135949324,X'7f50000c',32,'us-west',12,NULL,1737000000012,NULL,0,0,0,0);
INSERT INTO address VALUES(12,4,2135949325,X'7f50000d',32,'us-west',13,NULL,1737000000013,NULL,0,0,0,0);
INSERT INTO address VALUES(13,4,2135949326,X'7f50000e',32,'us-west',14,NULL,1737000000014,NULL,0,0,0,0);
INSERT INTO address VALUES(14,4,2135949327,X'7f50000f',32,'us-west',15,NULL,1737000000015,NULL,0,0,0,0);
INSERT INTO address VALUES(15,4,2135949328,X'7f500010',32,'us-west',16,NULL,1737000000016,NULL,0,0,0,0);
INSERT INTO address VALUES(16,4,2135949329,X'7f500011',32,'us-west',17,NULL,1737000000017,NULL,0,0,0,0);
INSERT INTO address VALUES(17,4,2135949330,X'7f500012',32,'us-west',18,NULL,1737000000018,NULL,0,0,0,0);
INSERT INTO address VALUES(18,4,2135949331,X'7f500013',32,'us-west',19,NULL,1737000000019,NULL,0,0,0,0);
CREATE TABLE address_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  family INTEGER NOT NULL CHECK (family IN (4, 6)),
  bytes BLOB NOT NULL,
  prefix_length INTEGER NOT NULL,
  location TEXT NOT NULL,
  server_id INTEGER NOT NULL REFERENCES server (id),
  account_id INTEGER NOT NULL REFERENCES account (id),
  assigned_at INTEGER NOT NULL,
  released_at INTEGER
) STRICT;
INSERT INTO address_history VALUES(1,4,X'7f500001',32,'us-west',1,1,1737000000001,NULL);
INSERT INTO address_history VALUES(2,4,X'7f500002',32,'us-west',2,2,1737000000002,NULL);
INSERT INTO address_history VALUES(3,4,X'7f500003',32,'us-west',3,1,1737000000003,NULL);
INSERT INTO address_history VALUES(4,4,X'7f500004',32,'us-west',4,1,1737000000004,NULL);
INSERT INTO address_history VALUES(5,4,X'7f500005',32,'us-west',5,1,1737000000005,NULL);
INSERT INTO address_history VALUES(6,4,X'7f500006',32,'us-west',6,1,1737000000006,NULL);
INSERT INTO address_history VALUES(7,4,X'7f500007',32,'us-west',7,1,1737000000007,NULL);
INSERT INTO address_history VALUES(8,4,X'7f500008',32,'us-west',8,1,1737000000008,NULL);
INSERT INTO address_history VALUES(9,4,X'7f500009',32,'us-west',9,1,1737000000009,NULL);
INSERT INTO address_history VALUES(10,4,X'7f50000a',32,'us-west',10,1,1737000000010,NULL);
INSERT INTO address_history VALUES(11,4,X'7f50000c',32,'us-west',12,1,1737000000012,NULL);
INSERT INTO address_history VALUES(12,4,X'7f50000d',32,'us-west',13,1,1737000000013,NULL);
INSERT INTO address_history VALUES(13,4,X'7f50000e',32,'us-west',14,1,1737000000014,NULL);
INSERT INTO address_history VALUES(14,4,X'7f50000f',32,'us-west',15,1,1737000000015,NULL);
INSERT INTO address_history VALUES(15,4,X'7f500010',32,'us-west',16,1,1737000000016,NULL);
INSERT INTO address_history VALUES(16,4,X'7f500011',32,'us-west',17,1,1737000000017,NULL);
INSERT INTO address_history VALUES(17,4,X'7f500012',32,'us-west',18,1,1737000000018,NULL);
INSERT INTO address_history VALUES(18,4,X'7f500013',32,'us-west',19,1,1737000000019,NULL);
CREATE TABLE IF NOT EXISTS "ledger_entry" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  reason TEXT NOT NULL CHECK (reason IN ('credit', 'hold', 'release', 'charge', 'backup', 'traffic', 'refund')),
  amount INTEGER NOT NULL CHECK (
    CASE reason WHEN 'credit' THEN amount <> 0 WHEN 'release' THEN amount > 0 WHEN 'refund' THEN amount > 0
      ELSE amount < 0 END),
  -- Of the account, with this entry.
  balance INTEGER NOT NULL CHECK (balance >= 0),
  server_id INTEGER REFERENCES server (id),
  -- When the hour of the server began that is paid for.
  hour_began_at INTEGER,
  -- Which hour of the server it is, or which GB of a month: what has a number is charged once. What is charged beside the
  -- hour itself, because the server became more expensive in it, has none.
  number INTEGER,
  description TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  CHECK (number IS NULL OR (server_id IS NOT NULL AND reason IN ('charge', 'backup', 'traffic')))
) STRICT;
INSERT INTO ledger_entry VALUES(1,1,'credit',100000000,100000000,NULL,NULL,NULL,'',1737000000000);
INSERT INTO ledger_entry VALUES(2,2,'credit',1000000,1000000,NULL,NULL,NULL,'',1737000000000);
INSERT INTO ledger_entry VALUES(3,1,'hold',-5000,99995000,1,NULL,NULL,'',1737000000001);
INSERT INTO ledger_entry VALUES(4,2,'hold',-5000,995000,2,NULL,NULL,'',1737000000002);
INSERT INTO ledger_entry VALUES(5,1,'hold',-5000,99990000,3,NULL,NULL,'',1737000000003);
INSERT INTO ledger_entry VALUES(6,1,'release',5000,99995000,3,NULL,NULL,'',1737000000003);
INSERT INTO ledger_entry VALUES(7,1,'charge',-5000,99990000,3,1737000000003,0,'',1737000000003);
INSERT INTO ledger_entry VALUES(8,1,'hold',-5000,99985000,4,NULL,NULL,'',1737000000004);
INSERT INTO ledger_entry VALUES(9,1,'release',5000,99990000,4,NULL,NULL,'',1737000000004);
INSERT INTO ledger_entry VALUES(10,1,'charge',-5000,99985000,4,1737000000004,0,'',1737000000004);
INSERT INTO ledger_entry VALUES(11,1,'hold',-5000,99980000,5,NULL,NULL,'',1737000000005);
INSERT INTO ledger_entry VALUES(12,1,'release',5000,99985000,5,NULL,NULL,'',1737000000005);
INSERT INTO ledger_entry VALUES(13,1,'charge',-5000,99980000,5,1737000000005,0,'',1737000000005);
INSERT INTO ledger_entry VALUES(14,1,'hold',-5000,99975000,6,NULL,NULL,'',1737000000006);
INSERT INTO ledger_entry VALUES(15,1,'release',5000,99980000,6,NULL,NULL,'',1737000000006);
INSERT INTO ledger_entry VALUES(16,1,'charge',-5000,99975000,6,1737000000006,0,'',1737000000006);
INSERT INTO ledger_entry VALUES(17,1,'hold',-5000,99970000,7,NULL,NULL,'',1737000000007);
INSERT INTO ledger_entry VALUES(18,1,'release',5000,99975000,7,NULL,NULL,'',1737000000007);
INSERT INTO ledger_entry VALUES(19,1,'charge',-5000,99970000,7,1737000000007,0,'',1737000000007);
INSERT INTO ledger_entry VALUES(20,1,'hold',-5000,99965000,8,NULL,NULL,'',1737000000008);
INSERT INTO ledger_entry VALUES(21,1,'release',5000,99970000,8,NULL,NULL,'',1737000000008);
INSERT INTO ledger_entry VALUES(22,1,'hold',-5000,99965000,9,NULL,NULL,'',1737000000009);
INSERT INTO ledger_entry VALUES(23,1,'release',5000,99970000,9,NULL,NULL,'',1737000000009);
INSERT INTO ledger_entry VALUES(24,1,'charge',-5000,99965000,9,1737000000009,0,'',1737000000009);
INSERT INTO ledger_entry VALUES(25,1,'hold',-5000,99960000,10,NULL,NULL,'',1737000000010);
INSERT INTO ledger_entry VALUES(26,1,'release',5000,99965000,10,NULL,NULL,'',1737000000010);
INSERT INTO ledger_entry VALUES(27,1,'charge',-5000,99960000,10,1737000000010,0,'',1737000000010);
INSERT INTO ledger_entry VALUES(28,1,'hold',-5000,99955000,11,NULL,NULL,'',1737000000011);
INSERT INTO ledger_entry VALUES(29,1,'release',5000,99960000,11,NULL,NULL,'',1737000000011);
INSERT INTO ledger_entry VALUES(30,1,'charge',-5000,99955000,11,1737000000011,0,'',1737000000011);
INSERT INTO ledger_entry VALUES(31,1,'hold',-5000,99950000,12,NULL,NULL,'',1737000000012);
INSERT INTO ledger_entry VALUES(32,1,'release',5000,99955000,12,NULL,NULL,'',1737000000012);
INSERT INTO ledger_entry VALUES(33,1,'charge',-5000,99950000,12,1737000000012,0,'',1737000000012);
CREATE TABLE former_price (
  server_id INTEGER NOT NULL REFERENCES server (id),
  until_at INTEGER NOT NULL,
  price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
  PRIMARY KEY (server_id, until_at)
) STRICT;
INSERT INTO former_price VALUES(3,1737003600000,4000);
CREATE TABLE server_traffic (
  server_id INTEGER NOT NULL REFERENCES server (id),
  month INTEGER NOT NULL,
  received_bytes INTEGER NOT NULL,
  sent_bytes INTEGER NOT NULL,
  PRIMARY KEY (server_id, month)
) STRICT;
INSERT INTO server_traffic VALUES(3,202501,1000000,2000000);
CREATE TABLE notice (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES account (id),
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  hours_left INTEGER,
  balance INTEGER,
  hourly_cost INTEGER,
  cause TEXT,
  remaining_cause TEXT,
  reason TEXT,
  deletion_at INTEGER,
  -- A line each, and how many there are together with those that have no line.
  entries TEXT NOT NULL,
  entry_count INTEGER NOT NULL,
  -- When it is to be delivered, and when its next try is: said at this moment, in case the clock is set back.
  due_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  is_claimed INTEGER NOT NULL DEFAULT 0 CHECK (is_claimed IN (0, 1)),
  finished_at INTEGER,
  is_given_up INTEGER NOT NULL DEFAULT 0 CHECK (is_given_up IN (0, 1)),
  failure TEXT,
  CHECK (is_claimed = 0 OR (finished_at IS NULL AND attempts > 0)),
  CHECK (is_given_up = 0 OR finished_at IS NOT NULL)
) STRICT;
INSERT INTO notice VALUES(1,'2d9c1f0e-5b7a-4c3d-8e21-6f4a9b8c7d01',1,'servers.error',1737000000000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'s-8: The server could not be made.',1,1737000000000,1737000000000,1737000000000,1,0,1737000001000,0,NULL);
INSERT INTO notice VALUES(2,'2d9c1f0e-5b7a-4c3d-8e21-6f4a9b8c7d02',2,'credit.low',1737000000000,20,100000,5000,NULL,NULL,NULL,NULL,'',0,1737000000000,1737000000000,1737000000000,0,0,NULL,0,NULL);
CREATE TABLE server_firewall (
  server_id INTEGER PRIMARY KEY REFERENCES server (id),
  is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
  -- A list in JSON, as the domain writes its rules.
  rules TEXT NOT NULL,
  -- Counts the changes.
  revision INTEGER NOT NULL CHECK (revision > 0),
  -- The newest one that the host is known to have taken over; 0 for none.
  applied_revision INTEGER NOT NULL DEFAULT 0 CHECK (applied_revision >= 0),
  updated_at INTEGER NOT NULL,
  CHECK (applied_revision <= revision)
) STRICT;
INSERT INTO server_firewall VALUES(3,1,'[]',2,1,1737000000000);
CREATE TABLE server_label (
  server_id INTEGER NOT NULL REFERENCES server (id),
  -- The server's, so that a selection goes by one index.
  account_id INTEGER NOT NULL REFERENCES account (id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (server_id, key)
) STRICT;
INSERT INTO server_label VALUES(3,1,'env','production');
CREATE TABLE server_user_data (
  server_id INTEGER PRIMARY KEY REFERENCES server (id),
  sealed BLOB NOT NULL
) STRICT;
INSERT INTO server_user_data VALUES(3,X'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f');
CREATE TABLE rescue (
  server_id INTEGER PRIMARY KEY REFERENCES server (id),
  image_version TEXT,
  authorized_key TEXT,
  -- Until the first boot of it is over.
  root_password_hash TEXT,
  -- What the server was before.
  former_status TEXT,
  is_entered INTEGER NOT NULL DEFAULT 0 CHECK (is_entered IN (0, 1)),
  awaits_first_boot INTEGER NOT NULL DEFAULT 1 CHECK (awaits_first_boot IN (0, 1)), storage_gib INTEGER NOT NULL DEFAULT 4 CHECK (storage_gib > 0),
  CHECK (is_entered = 0 OR (image_version IS NOT NULL AND former_status IS NOT NULL))
) STRICT;
INSERT INTO rescue VALUES(5,'12.15-1','ssh-ed25519 AAAA me@host',NULL,'stopped',1,0,4);
CREATE TABLE server_throttle (
  server_id INTEGER PRIMARY KEY REFERENCES server (id),
  month INTEGER NOT NULL,
  speed_mbit INTEGER NOT NULL CHECK (speed_mbit > 0),
  began_at INTEGER NOT NULL
) STRICT;
INSERT INTO server_throttle VALUES(13,202501,10,1737000000000);
CREATE TABLE recovery_code (
  account_id INTEGER NOT NULL REFERENCES account (id),
  hash TEXT NOT NULL,
  PRIMARY KEY (account_id, hash)
) STRICT;
INSERT INTO recovery_code VALUES(1,'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd');
CREATE TABLE login_link (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES account (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
, is_mailed INTEGER NOT NULL DEFAULT 0 CHECK (is_mailed IN (0, 1))) STRICT;
INSERT INTO login_link VALUES(1,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',1,1737000000000,1737000600000,1);
CREATE TABLE metric (
  server_id INTEGER NOT NULL REFERENCES server (id),
  resolution INTEGER NOT NULL CHECK (resolution IN (60, 900)),
  at INTEGER NOT NULL,
  cpu_permille INTEGER NOT NULL,
  memory_mib INTEGER NOT NULL,
  disk_bytes INTEGER NOT NULL,
  received_bytes_per_second INTEGER NOT NULL,
  sent_bytes_per_second INTEGER NOT NULL,
  PRIMARY KEY (server_id, resolution, at)
) STRICT, WITHOUT ROWID;
INSERT INTO metric VALUES(3,60,1737000000000,125,256,1000000,1000,2000);
INSERT INTO metric VALUES(3,900,1737000000000,100,200,1000000,900,1800);
CREATE TABLE IF NOT EXISTS "plan" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  vcpus INTEGER NOT NULL CHECK (vcpus > 0),
  memory_mib INTEGER NOT NULL CHECK (memory_mib > 0),
  storage_gib INTEGER NOT NULL CHECK (storage_gib > 0),
  bandwidth_gb INTEGER NOT NULL CHECK (bandwidth_gb >= 0),
  price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
  is_available INTEGER NOT NULL CHECK (is_available IN (0, 1)),
  uuid TEXT,
  -- 0 for what goes with its processors.
  cpu_weight INTEGER NOT NULL DEFAULT 0 CHECK (cpu_weight BETWEEN 0 AND 10000),
  -- 0 for no limit.
  disk_iops INTEGER NOT NULL DEFAULT 0 CHECK (disk_iops >= 0),
  disk_mib_per_second INTEGER NOT NULL DEFAULT 0 CHECK (disk_mib_per_second >= 0),
  port_speed_mbit INTEGER NOT NULL DEFAULT 0 CHECK (port_speed_mbit >= 0)
) STRICT;
INSERT INTO "plan" VALUES(1,'Standard VPS','standard','2 vCPU, 4 GiB memory, 80 GiB storage.',2,4096,80,2048,30000,1,'b17439ba-1555-4120-93a3-3b7252b7ce21',0,0,0,0);
INSERT INTO "plan" VALUES(3,'Nano VPS','nano','1 vCPU, 512 MiB memory, 5 GiB storage.',1,512,5,512,5000,1,'75333dbb-712a-4cde-ae9f-4e1807ce9ab4',0,0,0,0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('location',2);
INSERT INTO sqlite_sequence VALUES('operating_system',3);
INSERT INTO sqlite_sequence VALUES('account',2);
INSERT INTO sqlite_sequence VALUES('token',3);
INSERT INTO sqlite_sequence VALUES('ssh_key',1);
INSERT INTO sqlite_sequence VALUES('event',46);
INSERT INTO sqlite_sequence VALUES('server',19);
INSERT INTO sqlite_sequence VALUES('operation',27);
INSERT INTO sqlite_sequence VALUES('audit',6);
INSERT INTO sqlite_sequence VALUES('disk_copy',7);
INSERT INTO sqlite_sequence VALUES('host',1);
INSERT INTO sqlite_sequence VALUES('address',18);
INSERT INTO sqlite_sequence VALUES('address_history',18);
INSERT INTO sqlite_sequence VALUES('ledger_entry',33);
INSERT INTO sqlite_sequence VALUES('plan',3);
INSERT INTO sqlite_sequence VALUES('login_link',1);
INSERT INTO sqlite_sequence VALUES('notice',2);
CREATE INDEX server_of_account ON server (account_id, id) WHERE deleted_at IS NULL;
CREATE INDEX server_not_erased ON server (id) WHERE erased_at IS NULL;
CREATE INDEX server_being_deleted ON server (id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE UNIQUE INDEX operating_system_uuid ON operating_system (uuid);
CREATE INDEX token_of_account ON token (account_id, id) WHERE revoked_at IS NULL;
CREATE INDEX event_of_account ON event (account_id, id);
CREATE TRIGGER event_is_kept_for_a_while AFTER INSERT ON event
  BEGIN DELETE FROM event WHERE id <= NEW.id - 100000; END;
CREATE TRIGGER server_is_new AFTER INSERT ON server BEGIN
  INSERT INTO event (account_id, server_id, what, at)
  VALUES (NEW.account_id, NEW.id, NEW.status, NEW.created_at);
END;
CREATE TRIGGER server_status_changes AFTER UPDATE OF status ON server
WHEN OLD.status <> NEW.status AND NEW.deleted_at IS NULL BEGIN
  INSERT INTO event (account_id, server_id, what, at)
  VALUES (NEW.account_id, NEW.id, NEW.status, NEW.updated_at);
END;
CREATE TRIGGER server_is_deleted AFTER UPDATE OF deleted_at ON server
WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL BEGIN
  INSERT INTO event (account_id, server_id, what, at)
  VALUES (NEW.account_id, NEW.id, 'deleted', NEW.deleted_at);
END;
CREATE INDEX operation_of_server ON operation (server_id, id);
CREATE INDEX operation_unfinished ON operation (server_id, id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX operation_running_once ON operation (server_id) WHERE state = 'running';
CREATE TRIGGER operation_is_new AFTER INSERT ON operation BEGIN
  INSERT INTO event (account_id, server_id, operation_id, what, at)
  SELECT account_id, id, NEW.id, NEW.state, NEW.created_at FROM server WHERE id = NEW.server_id;
END;
CREATE TRIGGER operation_state_changes AFTER UPDATE OF state ON operation
WHEN OLD.state <> NEW.state BEGIN
  INSERT INTO event (account_id, server_id, operation_id, what, at)
  SELECT account_id, id, NEW.id, NEW.state, COALESCE(NEW.finished_at, NEW.started_at, NEW.created_at)
  FROM server WHERE id = NEW.server_id;
END;
CREATE INDEX disk_copy_of_server ON disk_copy (server_id, id);
CREATE INDEX disk_copy_seen ON disk_copy (server_id, id) WHERE deleted_at IS NULL;
CREATE INDEX disk_copy_expiry ON disk_copy (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX disk_copy_to_erase ON disk_copy (id)
  WHERE erased_at IS NULL AND (deleted_at IS NOT NULL OR status = 'failed');
CREATE INDEX operation_unfinished_about ON operation (subject_id)
  WHERE finished_at IS NULL AND subject_id IS NOT NULL;
CREATE INDEX server_backup_due ON server (backup_due_at, id) WHERE backup_due_at IS NOT NULL;
CREATE TRIGGER rebuild_is_over AFTER UPDATE OF finished_at ON operation
WHEN NEW.finished_at IS NOT NULL AND NEW.kind = 'rebuild' BEGIN
  DELETE FROM rebuild WHERE operation_id = NEW.id;
END;
CREATE INDEX audit_of_account ON audit (account_id, id);
CREATE INDEX audit_of_server ON audit (server_id, id);
CREATE INDEX token_of_parent ON token (parent_id) WHERE revoked_at IS NULL AND parent_id IS NOT NULL;
CREATE INDEX repeatable_request_age ON repeatable_request (created_at);
CREATE INDEX repeatable_request_of_account ON repeatable_request (account_id, created_at);
CREATE TRIGGER repeatable_request_is_new AFTER INSERT ON repeatable_request BEGIN
  INSERT INTO repeatable_request_total (account_id, request_count, body_bytes)
  VALUES (NEW.account_id, 1, COALESCE(LENGTH(NEW.sealed_body), 0))
  ON CONFLICT (account_id) DO UPDATE SET
    request_count = repeatable_request_total.request_count + 1,
    body_bytes = repeatable_request_total.body_bytes + excluded.body_bytes;
END;
CREATE TRIGGER repeatable_request_is_answered AFTER UPDATE OF sealed_body ON repeatable_request BEGIN
  UPDATE repeatable_request_total
  SET body_bytes = body_bytes + COALESCE(LENGTH(NEW.sealed_body), 0) - COALESCE(LENGTH(OLD.sealed_body), 0)
  WHERE account_id = NEW.account_id;
END;
CREATE TRIGGER repeatable_request_is_forgotten AFTER DELETE ON repeatable_request BEGIN
  UPDATE repeatable_request_total
  SET request_count = request_count - 1, body_bytes = body_bytes - COALESCE(LENGTH(OLD.sealed_body), 0)
  WHERE account_id = OLD.account_id;
END;
CREATE INDEX server_of_host ON server (host_id, id) WHERE erased_at IS NULL;
CREATE TRIGGER server_takes_its_share AFTER INSERT ON server BEGIN
  UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
    reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
    reserved_storage_gib = reserved_storage_gib + NEW.storage_gib, server_count = server_count + 1
  WHERE id = NEW.host_id;
END;
CREATE TRIGGER server_changes_its_share AFTER UPDATE OF vcpus, memory_mib, storage_gib, host_id, erased_at ON server
BEGIN
  UPDATE host SET reserved_vcpus = reserved_vcpus - OLD.vcpus,
    reserved_memory_mib = reserved_memory_mib - OLD.memory_mib,
    reserved_storage_gib = reserved_storage_gib - OLD.storage_gib, server_count = server_count - 1
  WHERE id = OLD.host_id AND OLD.erased_at IS NULL;
  UPDATE host SET reserved_vcpus = reserved_vcpus + NEW.vcpus,
    reserved_memory_mib = reserved_memory_mib + NEW.memory_mib,
    reserved_storage_gib = reserved_storage_gib + NEW.storage_gib, server_count = server_count + 1
  WHERE id = NEW.host_id AND NEW.erased_at IS NULL;
END;
CREATE INDEX operation_due ON operation (host_id, not_before, id) WHERE finished_at IS NULL;
CREATE INDEX operation_scheduled ON operation (host_id, scheduled_at, id) WHERE finished_at IS NULL;
CREATE INDEX address_history_of_address ON address_history (family, bytes, id);
CREATE INDEX address_history_released ON address_history (released_at) WHERE released_at IS NOT NULL;
CREATE UNIQUE INDEX address_history_open ON address_history (server_id, family, bytes) WHERE released_at IS NULL;
CREATE INDEX ledger_entry_of_account ON ledger_entry (account_id, id);
CREATE UNIQUE INDEX ledger_entry_once ON ledger_entry (server_id, reason, number) WHERE number IS NOT NULL;
CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE INDEX server_leaving ON server (account_id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX server_hour_due ON server (next_hour_at, id) WHERE next_hour_at IS NOT NULL;
CREATE INDEX server_suspended_by_operator ON server (id)
  WHERE operator_suspended_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX server_suspended ON server (id) WHERE status = 'suspended' AND deleted_at IS NULL;
CREATE INDEX account_out_of_credit ON account (id) WHERE credit_suspended_at IS NOT NULL;
CREATE INDEX account_suspended_by_operator ON account (id) WHERE operator_suspended_at IS NOT NULL;
CREATE UNIQUE INDEX server_hardware_address ON server (hardware_address);
CREATE INDEX ledger_entry_of_month ON ledger_entry (account_id, created_at);
CREATE INDEX ledger_entry_of_hour ON ledger_entry (account_id, COALESCE(hour_began_at, created_at));
CREATE TRIGGER server_usage_begins_month AFTER UPDATE OF month ON server_usage
  WHEN NEW.month <> OLD.month AND OLD.month > 0 BEGIN
    INSERT INTO server_traffic (server_id, month, received_bytes, sent_bytes)
    VALUES (OLD.server_id, OLD.month, OLD.received_bytes, OLD.sent_bytes) ON CONFLICT (server_id, month) DO NOTHING;
  END;
CREATE INDEX notice_of_account ON notice (account_id, kind, id);
CREATE INDEX notice_waiting ON notice (not_before, id) WHERE finished_at IS NULL;
CREATE INDEX notice_finished ON notice (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX server_firewall_awaiting ON server_firewall (server_id) WHERE applied_revision < revision;
CREATE UNIQUE INDEX address_number ON address (family, base, number);
CREATE UNIQUE INDEX address_of_server ON address (server_id, family, rank) WHERE server_id IS NOT NULL;
CREATE INDEX address_released ON address (family, base, released_at, number) WHERE server_id IS NULL;
CREATE INDEX server_awaiting_addresses ON server (host_id) WHERE address_applied_revision < address_revision;
CREATE INDEX server_label_of_account ON server_label (account_id, key, value, server_id);
CREATE INDEX server_awaiting_user_data ON server (host_id, id) WHERE awaits_user_data = 1;
CREATE TRIGGER rescue_is_not_entered AFTER UPDATE OF finished_at ON operation
WHEN NEW.finished_at IS NOT NULL AND NEW.kind = 'rescue' BEGIN
  DELETE FROM rescue WHERE server_id = NEW.server_id AND is_entered = 0;
END;
CREATE INDEX session_of_account ON token (account_id) WHERE is_session = 1 AND revoked_at IS NULL;
CREATE INDEX login_link_of_account ON login_link (account_id, id);
CREATE UNIQUE INDEX plan_uuid ON plan (uuid);
CREATE TRIGGER rescue_takes_its_share AFTER INSERT ON rescue BEGIN
  UPDATE host SET reserved_storage_gib = reserved_storage_gib + NEW.storage_gib
  WHERE id = (SELECT host_id FROM server WHERE server.id = NEW.server_id);
END;
CREATE TRIGGER rescue_gives_its_share_back AFTER DELETE ON rescue BEGIN
  UPDATE host SET reserved_storage_gib = reserved_storage_gib - OLD.storage_gib
  WHERE id = (SELECT host_id FROM server WHERE server.id = OLD.server_id);
END;
CREATE INDEX account_by_email ON account (email_key, id);
CREATE INDEX server_by_name ON server (lower(name), id) WHERE erased_at IS NULL;
CREATE INDEX server_by_status ON server (status, id) WHERE deleted_at IS NULL AND erased_at IS NULL;
CREATE INDEX server_of_customer ON server (account_id, id) WHERE erased_at IS NULL;
CREATE INDEX server_of_system ON server (operating_system_id, image_version) WHERE erased_at IS NULL;
CREATE INDEX server_firewall_awaiting_newest ON server_firewall (updated_at, server_id)
  WHERE applied_revision < revision;
COMMIT;
