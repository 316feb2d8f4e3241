PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 first release');
INSERT INTO grdb_migrations VALUES('2 whole contract');
INSERT INTO grdb_migrations VALUES('3 disk copies');
INSERT INTO grdb_migrations VALUES('4 whole audit');
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
CREATE TABLE plan (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  vcpus INTEGER NOT NULL CHECK (vcpus > 0),
  memory_mib INTEGER NOT NULL CHECK (memory_mib > 0),
  storage_gib INTEGER NOT NULL CHECK (storage_gib > 0),
  bandwidth_gb INTEGER NOT NULL CHECK (bandwidth_gb >= 0),
  price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
  is_available INTEGER NOT NULL CHECK (is_available IN (0, 1))
, uuid TEXT) STRICT;
INSERT INTO "plan" VALUES(1,'Standard VPS','standard','2 vCPU, 4 GiB memory, 80 GiB storage.',2,4096,80,2048,30000,1,'b17439ba-1555-4120-93a3-3b7252b7ce21');
INSERT INTO "plan" VALUES(3,'Nano VPS','nano','1 vCPU, 512 MiB memory, 5 GiB storage.',1,512,5,512,5000,1,'75333dbb-712a-4cde-ae9f-4e1807ce9ab4');
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
, uuid TEXT) STRICT;
INSERT INTO operating_system VALUES(3,'Debian 12','debian-12','debian','12','debian-12',1,'263f59e4-c5ea-4e28-92d3-25dac694c02e');
CREATE TABLE account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,
  balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0),
  created_at INTEGER NOT NULL
, first_name TEXT NOT NULL DEFAULT '', last_name TEXT NOT NULL DEFAULT '', company_name TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO account VALUES(1,'owner@example.com',99950000,1737000000000,'Ada','','Analytical Engines');
INSERT INTO account VALUES(2,'other@example.com',995000,1737000000000,'','','');
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
) STRICT;
INSERT INTO token VALUES(1,1,'first start','da4b575ab0cb6f504d22e068f935d617cc60bf98765d4d7b58f9814b77ee4d2f','*:*',1737000000000,NULL,1737000000005,NULL);
INSERT INTO token VALUES(2,1,'revoked','1111111111111111111111111111111111111111111111111111111111111111','servers:read ssh_keys:*',1737000000000,1738000000000,NULL,1737000000007);
INSERT INTO token VALUES(3,2,'other','2222222222222222222222222222222222222222222222222222222222222222','servers:*',1737000000000,NULL,NULL,NULL);
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
  erased_at INTEGER, backup_due_at INTEGER, awaits_first_boot INTEGER NOT NULL DEFAULT 1 CHECK (awaits_first_boot IN (0, 1)), awaits_new_disk INTEGER NOT NULL DEFAULT 0 CHECK (awaits_new_disk IN (0, 1)),
  CHECK (erased_at IS NULL OR (deleted_at IS NOT NULL AND credit_hold = 0))
) STRICT;
INSERT INTO server VALUES(1,'7f1e4c1a-3b5d-4e8f-9a6b-000000000001',1,'s-1','s-1.example.com','provisioning',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host','$y$j9T$x$y',1,0,5000,1737000000001,1737000000002,NULL,NULL,NULL,1,0);
INSERT INTO server VALUES(2,'7f1e4c1a-3b5d-4e8f-9a6b-000000000002',2,'s-2','s-2.example.com','provisioning',NULL,3,3,'us-west',1,512,5,0,NULL,'ssh-ed25519 AAAA me@host',NULL,0,0,5000,1737000000002,1737000000003,NULL,NULL,NULL,1,0);
INSERT INTO server VALUES(3,'7f1e4c1a-3b5d-4e8f-9a6b-000000000003',1,'s-3','s-3.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000003,1737000000004,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(4,'7f1e4c1a-3b5d-4e8f-9a6b-000000000004',1,'s-4','s-4.example.com','stopping',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000004,1737000000005,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(5,'7f1e4c1a-3b5d-4e8f-9a6b-000000000005',1,'s-5','s-5.example.com','stopped',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000005,1737000000006,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(6,'7f1e4c1a-3b5d-4e8f-9a6b-000000000006',1,'s-6','s-6.example.com','starting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000006,1737000000007,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(7,'7f1e4c1a-3b5d-4e8f-9a6b-000000000007',1,'s-7','s-7.example.com','rebooting',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000007,1737000000008,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(8,'7f1e4c1a-3b5d-4e8f-9a6b-000000000008',1,'s-8','s-8.example.com','error','The server did not become reachable in time.',3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,0,0,1737000000008,1737000000009,NULL,NULL,NULL,1,0);
INSERT INTO server VALUES(9,'7f1e4c1a-3b5d-4e8f-9a6b-000000000009',1,'s-9','s-9.example.com','suspended',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000009,1737000000010,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(10,'7f1e4c1a-3b5d-4e8f-9a6b-000000000010',1,'s-10','s-10.example.com','active',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000010,1737000000011,1737000000500,NULL,NULL,0,0);
INSERT INTO server VALUES(11,'7f1e4c1a-3b5d-4e8f-9a6b-000000000011',1,'s-11','s-11.example.com','active',NULL,3,3,'us-west',1,512,5,1,NULL,NULL,NULL,0,1,0,1737000000011,1737000000012,1737000000600,1737000000700,NULL,0,0);
INSERT INTO server VALUES(12,'7f1e4c1a-3b5d-4e8f-9a6b-000000000012',1,'s-12','s-12.example.com','stopping',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000012,1737000000013,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(13,'7f1e4c1a-3b5d-4e8f-9a6b-000000000013',1,'s-13','s-13.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000013,1737000000014,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(14,'7f1e4c1a-3b5d-4e8f-9a6b-000000000014',1,'s-14','s-14.example.com','rebooting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000014,1737000000015,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(15,'7f1e4c1a-3b5d-4e8f-9a6b-000000000015',1,'s-15','s-15.example.com','rebooting',NULL,3,3,'us-west',2,4096,80,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000015,1737000000016,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(16,'7f1e4c1a-3b5d-4e8f-9a6b-000000000016',1,'s-16','s-16.example.com','rebooting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000016,1737000000017,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(17,'7f1e4c1a-3b5d-4e8f-9a6b-000000000017',1,'s-17','s-17.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000017,1737000000018,NULL,NULL,1737000000900,0,0);
INSERT INTO server VALUES(18,'7f1e4c1a-3b5d-4e8f-9a6b-000000000018',1,'s-18','s-18.example.com','stopped',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000018,1737000000019,NULL,NULL,NULL,0,0);
INSERT INTO server VALUES(19,'7f1e4c1a-3b5d-4e8f-9a6b-000000000019',1,'s-19','s-19.example.com','rebooting',NULL,3,3,'us-west',1,512,5,1,'12.15-1',NULL,'$y$j9T$x$y',1,1,0,1737000000019,1737000000020,NULL,NULL,NULL,1,1);
CREATE TABLE address (
  number INTEGER PRIMARY KEY,
  server_id INTEGER NOT NULL UNIQUE REFERENCES server (id)
) STRICT;
INSERT INTO address VALUES(2135949313,1);
INSERT INTO address VALUES(2135949314,2);
INSERT INTO address VALUES(2135949315,3);
INSERT INTO address VALUES(2135949316,4);
INSERT INTO address VALUES(2135949317,5);
INSERT INTO address VALUES(2135949318,6);
INSERT INTO address VALUES(2135949319,7);
INSERT INTO address VALUES(2135949320,8);
INSERT INTO address VALUES(2135949321,9);
INSERT INTO address VALUES(2135949322,10);
INSERT INTO address VALUES(2135949324,12);
INSERT INTO address VALUES(2135949325,13);
INSERT INTO address VALUES(2135949326,14);
INSERT INTO address VALUES(2135949327,15);
INSERT INTO address VALUES(2135949328,16);
INSERT INTO address VALUES(2135949329,17);
INSERT INTO address VALUES(2135949330,18);
INSERT INTO address VALUES(2135949331,19);
CREATE TABLE ledger_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  reason TEXT NOT NULL CHECK (reason IN ('credit', 'hold', 'release', 'charge')),
  amount INTEGER NOT NULL CHECK (
    CASE reason WHEN 'credit' THEN amount <> 0 WHEN 'release' THEN amount > 0 ELSE amount < 0 END),
  server_id INTEGER REFERENCES server (id),
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_entry VALUES(1,1,'credit',100000000,NULL,1737000000000);
INSERT INTO ledger_entry VALUES(2,2,'credit',1000000,NULL,1737000000000);
INSERT INTO ledger_entry VALUES(3,1,'hold',-5000,1,1737000000001);
INSERT INTO ledger_entry VALUES(4,2,'hold',-5000,2,1737000000002);
INSERT INTO ledger_entry VALUES(5,1,'hold',-5000,3,1737000000003);
INSERT INTO ledger_entry VALUES(6,1,'release',5000,3,1737000000003);
INSERT INTO ledger_entry VALUES(7,1,'charge',-5000,3,1737000000003);
INSERT INTO ledger_entry VALUES(8,1,'hold',-5000,4,1737000000004);
INSERT INTO ledger_entry VALUES(9,1,'release',5000,4,1737000000004);
INSERT INTO ledger_entry VALUES(10,1,'charge',-5000,4,1737000000004);
INSERT INTO ledger_entry VALUES(11,1,'hold',-5000,5,1737000000005);
INSERT INTO ledger_entry VALUES(12,1,'release',5000,5,1737000000005);
INSERT INTO ledger_entry VALUES(13,1,'charge',-5000,5,1737000000005);
INSERT INTO ledger_entry VALUES(14,1,'hold',-5000,6,1737000000006);
INSERT INTO ledger_entry VALUES(15,1,'release',5000,6,1737000000006);
INSERT INTO ledger_entry VALUES(16,1,'charge',-5000,6,1737000000006);
INSERT INTO ledger_entry VALUES(17,1,'hold',-5000,7,1737000000007);
INSERT INTO ledger_entry VALUES(18,1,'release',5000,7,1737000000007);
INSERT INTO ledger_entry VALUES(19,1,'charge',-5000,7,1737000000007);
INSERT INTO ledger_entry VALUES(20,1,'hold',-5000,8,1737000000008);
INSERT INTO ledger_entry VALUES(21,1,'release',5000,8,1737000000008);
INSERT INTO ledger_entry VALUES(22,1,'hold',-5000,9,1737000000009);
INSERT INTO ledger_entry VALUES(23,1,'release',5000,9,1737000000009);
INSERT INTO ledger_entry VALUES(24,1,'charge',-5000,9,1737000000009);
INSERT INTO ledger_entry VALUES(25,1,'hold',-5000,10,1737000000010);
INSERT INTO ledger_entry VALUES(26,1,'release',5000,10,1737000000010);
INSERT INTO ledger_entry VALUES(27,1,'charge',-5000,10,1737000000010);
INSERT INTO ledger_entry VALUES(28,1,'hold',-5000,11,1737000000011);
INSERT INTO ledger_entry VALUES(29,1,'release',5000,11,1737000000011);
INSERT INTO ledger_entry VALUES(30,1,'charge',-5000,11,1737000000011);
INSERT INTO ledger_entry VALUES(31,1,'hold',-5000,12,1737000000012);
INSERT INTO ledger_entry VALUES(32,1,'release',5000,12,1737000000012);
INSERT INTO ledger_entry VALUES(33,1,'charge',-5000,12,1737000000012);
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
CREATE TABLE repeatable_request (
  account_id INTEGER NOT NULL REFERENCES account (id),
  key_hash TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  claim TEXT NOT NULL UNIQUE,
  lease_expires_at INTEGER NOT NULL,
  has_effect INTEGER NOT NULL DEFAULT 0 CHECK (has_effect IN (0, 1)),
  status INTEGER,
  sealed_body BLOB,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, key_hash),
  CHECK ((status IS NULL) = (sealed_body IS NULL))
) STRICT;
INSERT INTO repeatable_request VALUES(1,'33','fp','bbbbbbbb-0000-4000-8000-000000000001',1737000060000,1,201,X'00ff10',1737000000000);
INSERT INTO repeatable_request VALUES(1,'44','fp2','bbbbbbbb-0000-4000-8000-000000000002',1737000060000,0,NULL,NULL,1737000000000);
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  server_id INTEGER NOT NULL REFERENCES server (id),
  operation_id INTEGER,
  what TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
INSERT INTO event VALUES(1,1,1,NULL,'provisioning',1737000000001);
INSERT INTO event VALUES(2,1,1,1,'running',1737000000001);
INSERT INTO event VALUES(3,2,2,NULL,'provisioning',1737000000002);
INSERT INTO event VALUES(4,2,2,2,'queued',1737000000002);
INSERT INTO event VALUES(5,1,3,NULL,'active',1737000000003);
INSERT INTO event VALUES(6,1,3,3,'succeeded',1737000000003);
INSERT INTO event VALUES(7,1,3,4,'queued',1737000000003);
INSERT INTO event VALUES(8,1,4,NULL,'stopping',1737000000004);
INSERT INTO event VALUES(9,1,4,5,'succeeded',1737000000004);
INSERT INTO event VALUES(10,1,4,6,'running',1737000000004);
INSERT INTO event VALUES(11,1,5,NULL,'stopped',1737000000005);
INSERT INTO event VALUES(12,1,5,7,'succeeded',1737000000005);
INSERT INTO event VALUES(13,1,5,8,'succeeded',1737000000005);
INSERT INTO event VALUES(14,1,6,NULL,'starting',1737000000006);
INSERT INTO event VALUES(15,1,6,9,'running',1737000000006);
INSERT INTO event VALUES(16,1,7,NULL,'rebooting',1737000000007);
INSERT INTO event VALUES(17,1,7,10,'queued',1737000000007);
INSERT INTO event VALUES(18,1,8,NULL,'error',1737000000008);
INSERT INTO event VALUES(19,1,8,11,'failed',1737000000008);
INSERT INTO event VALUES(20,1,9,NULL,'suspended',1737000000009);
INSERT INTO event VALUES(21,1,9,12,'succeeded',1737000000009);
INSERT INTO event VALUES(22,1,10,NULL,'active',1737000000010);
INSERT INTO event VALUES(23,1,10,13,'cancelled',1737000000010);
INSERT INTO event VALUES(24,1,10,14,'queued',1737000000010);
INSERT INTO event VALUES(25,1,11,NULL,'active',1737000000011);
INSERT INTO event VALUES(26,1,11,15,'succeeded',1737000000011);
INSERT INTO event VALUES(27,1,12,NULL,'stopping',1737000000012);
INSERT INTO event VALUES(28,1,12,16,'queued',1737000000012);
INSERT INTO event VALUES(29,1,13,NULL,'active',1737000000013);
INSERT INTO event VALUES(30,1,14,NULL,'rebooting',1737000000014);
INSERT INTO event VALUES(31,1,15,NULL,'rebooting',1737000000015);
INSERT INTO event VALUES(32,1,16,NULL,'rebooting',1737000000016);
INSERT INTO event VALUES(33,1,17,NULL,'active',1737000000017);
INSERT INTO event VALUES(34,1,18,NULL,'stopped',1737000000018);
INSERT INTO event VALUES(35,1,19,NULL,'rebooting',1737000000019);
INSERT INTO event VALUES(36,1,13,17,'succeeded',1737000000013);
INSERT INTO event VALUES(37,1,13,18,'succeeded',1737000000013);
INSERT INTO event VALUES(38,1,13,19,'running',1737000000013);
INSERT INTO event VALUES(39,1,16,20,'succeeded',1737000000016);
INSERT INTO event VALUES(40,1,16,21,'running',1737000000016);
INSERT INTO event VALUES(41,1,18,22,'failed',1737000000018);
INSERT INTO event VALUES(42,1,18,23,'queued',1737000000018);
INSERT INTO event VALUES(43,1,18,24,'succeeded',1737000000018);
INSERT INTO event VALUES(44,1,14,25,'queued',1737000000014);
INSERT INTO event VALUES(45,1,15,26,'running',1737000000015);
INSERT INTO event VALUES(46,1,19,27,'running',1737000000019);
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
  operator_detail TEXT,
  CHECK ((subject_id IS NULL) = (kind NOT IN ('backup', 'snapshot', 'restore', 'discard', 'resize', 'rebuild'))),
  CHECK ((finished_at IS NULL) = (state IN ('queued', 'running'))),
  CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
  CHECK (lease_token IS NULL OR state = 'running')
) STRICT;
INSERT INTO operation VALUES(1,1,'create',NULL,NULL,'running','awaitReady',2,1737000000001,1737000000000,'aaaaaaaa-0000-4000-8000-000000000001',1737000060000,1,1737000000001,1737000000001,NULL,NULL,'no banner');
INSERT INTO operation VALUES(2,2,'create',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,3,1737000000002,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(3,3,'create',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000003,1737000000003,1737000000013,NULL,NULL);
INSERT INTO operation VALUES(4,3,'configure',NULL,NULL,'queued',NULL,0,NULL,1737000000099,NULL,NULL,1,1737000000003,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(5,4,'create',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000004,1737000000004,1737000000014,NULL,NULL);
INSERT INTO operation VALUES(6,4,'stop',NULL,NULL,'running','awaitOff',0,1737000000004,1737000000000,'aaaaaaaa-0000-4000-8000-000000000002',1737000060000,1,1737000000004,1737000000004,NULL,NULL,NULL);
INSERT INTO operation VALUES(7,5,'create',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000005,1737000000005,1737000000015,NULL,NULL);
INSERT INTO operation VALUES(8,5,'stop',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000005,1737000000005,1737000000015,NULL,NULL);
INSERT INTO operation VALUES(9,6,'start',NULL,NULL,'running','define',0,1737000000006,1737000000000,'aaaaaaaa-0000-4000-8000-000000000003',1737000060000,1,1737000000006,1737000000006,NULL,NULL,NULL);
INSERT INTO operation VALUES(10,7,'reboot',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000007,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(11,8,'create',NULL,NULL,'failed','awaitReady',0,NULL,1737000000000,NULL,NULL,1,1737000000008,1737000000008,1737000000018,'The server did not become reachable in time.','No SSH banner.');
INSERT INTO operation VALUES(12,9,'recover',NULL,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,NULL,1737000000009,1737000000009,1737000000019,NULL,NULL);
INSERT INTO operation VALUES(13,10,'configure',NULL,NULL,'cancelled',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000010,1737000000010,1737000000020,NULL,NULL);
INSERT INTO operation VALUES(14,10,'delete',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000010,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(15,11,'delete',NULL,NULL,'succeeded','erase',0,NULL,1737000000000,NULL,NULL,1,1737000000011,1737000000011,1737000000021,NULL,NULL);
INSERT INTO operation VALUES(16,12,'hard_stop',NULL,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000012,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(17,13,'backup',1,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000013,1737000000013,1737000000030,NULL,NULL);
INSERT INTO operation VALUES(18,13,'backup',2,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000013,1737000000013,1737000000031,NULL,NULL);
INSERT INTO operation VALUES(19,13,'backup',3,NULL,'running','copy',0,1737000000013,1737000000000,'aaaaaaaa-0000-4000-8000-000000000013',1737000060000,1,1737000000013,1737000000013,NULL,NULL,NULL);
INSERT INTO operation VALUES(20,16,'snapshot',4,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000016,1737000000016,1737000000032,NULL,NULL);
INSERT INTO operation VALUES(21,16,'restore',4,'active','running','awaitOff',0,1737000000016,1737000000000,'aaaaaaaa-0000-4000-8000-000000000016',1737000060000,1,1737000000016,1737000000016,NULL,NULL,NULL);
INSERT INTO operation VALUES(22,18,'snapshot',5,NULL,'failed',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000018,1737000000018,1737000000033,'The host has no room for the copy.',NULL);
INSERT INTO operation VALUES(23,18,'discard',6,NULL,'queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000018,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(24,18,'discard',7,NULL,'succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000018,1737000000018,1737000000043,NULL,NULL);
INSERT INTO operation VALUES(25,14,'rebuild',3,'active','queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000014,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(26,15,'resize',1,'active','running','awaitOff',0,1737000000015,1737000000000,'aaaaaaaa-0000-4000-8000-000000000015',1737000060000,1,1737000000015,1737000000015,NULL,NULL,NULL);
INSERT INTO operation VALUES(27,19,'rebuild',3,'stopped','running','define',0,1737000000019,1737000000000,'aaaaaaaa-0000-4000-8000-000000000019',1737000060000,1,1737000000019,1737000000019,NULL,NULL,NULL);
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
  root_password_hash TEXT,
  CHECK ((authorized_key IS NULL) = (root_password_hash IS NOT NULL))
) STRICT;
INSERT INTO rebuild VALUES(25,'ssh-ed25519 AAAA me@host',NULL);
INSERT INTO rebuild VALUES(27,NULL,'$y$j9T$x$y');
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
) STRICT;
INSERT INTO audit VALUES(1,1737000000000,1,1,3,'server.create',NULL,NULL);
INSERT INTO audit VALUES(2,1737000000001,1,1,3,'server.stop',NULL,NULL);
INSERT INTO audit VALUES(3,1737000000002,1,2,NULL,'ssh_key.create','SHA256:abc',NULL);
INSERT INTO audit VALUES(4,1737000000050,1,1,13,'backup.create','1','127.0.0.1');
INSERT INTO audit VALUES(5,1737000000051,NULL,NULL,NULL,'shutdown',NULL,'host');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('location',2);
INSERT INTO sqlite_sequence VALUES('plan',3);
INSERT INTO sqlite_sequence VALUES('operating_system',3);
INSERT INTO sqlite_sequence VALUES('account',2);
INSERT INTO sqlite_sequence VALUES('token',3);
INSERT INTO sqlite_sequence VALUES('ssh_key',1);
INSERT INTO sqlite_sequence VALUES('ledger_entry',33);
INSERT INTO sqlite_sequence VALUES('event',46);
INSERT INTO sqlite_sequence VALUES('server',19);
INSERT INTO sqlite_sequence VALUES('operation',27);
INSERT INTO sqlite_sequence VALUES('audit',5);
INSERT INTO sqlite_sequence VALUES('disk_copy',7);
CREATE INDEX server_of_account ON server (account_id, id) WHERE deleted_at IS NULL;
CREATE INDEX server_not_erased ON server (id) WHERE erased_at IS NULL;
CREATE INDEX server_being_deleted ON server (id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX ledger_entry_of_account ON ledger_entry (account_id, id);
CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE UNIQUE INDEX plan_uuid ON plan (uuid);
CREATE UNIQUE INDEX operating_system_uuid ON operating_system (uuid);
CREATE INDEX token_of_account ON token (account_id, id) WHERE revoked_at IS NULL;
CREATE INDEX repeatable_request_age ON repeatable_request (created_at);
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
CREATE INDEX operation_due ON operation (not_before, id) WHERE finished_at IS NULL;
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
COMMIT;
