-- A compressed file of a job is a file of type application/gzip, stored and handed out as it is: it has no further coding.
--
-- Locks: ACCESS EXCLUSIVE on job_file for an instant; the column goes from the catalogue only.
-- Why that is fine: no release has written to the table yet.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

ALTER TABLE job_file DROP COLUMN encoding;
