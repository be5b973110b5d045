-- A role for the service that owns nothing: it reads and writes rows, and cannot change what a table refuses.
-- Run as the owner of the database (the role of `scrm migrate`), after each migration:
--   psql "$OWNER_URL" -v service=scrm_service -v password="'...'" -f deploy/service-role.sql
-- and give the service database.url with this role; `scrm migrate` keeps the owner's.
create role :service login password :password;
grant usage on schema public to :service;
grant select, insert, update, delete on all tables in schema public to :service;
grant usage, select, update on all sequences in schema public to :service;
alter default privileges in schema public grant select, insert, update, delete on tables to :service;
alter default privileges in schema public grant usage, select, update on sequences to :service;
revoke update, delete, truncate on audit_event from :service;
